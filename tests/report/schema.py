"""The shape of a report as JSON, as docs/report-schema.md describes it."""

from collections.abc import Mapping
from typing import Any

__all__ = ["misfits"]

Shape = Any  # a type, a tuple of alternatives, a list of one element's shape, or a dict of fields

TEXT, COUNT, FLAG = str, int, bool
UNKNOWN = type(None)
PERHAPS = (COUNT, UNKNOWN)

VERDICT = ({"rule": TEXT, "kind": TEXT, "text": TEXT, "mend": TEXT, "known": TEXT}, UNKNOWN)

MOMENT = {
    "pid": PERHAPS,
    "host": (TEXT, UNKNOWN),
    "start_time": (float, UNKNOWN),
    "capture_time": (float, UNKNOWN),
    "python": (TEXT, UNKNOWN),
    "platform": (TEXT, UNKNOWN),
    "command": (TEXT, UNKNOWN),
    "thread_count": PERHAPS,
    "rss_bytes": PERHAPS,
    "rss_peak_bytes": PERHAPS,
    "swap_bytes": PERHAPS,
    "descriptors": (dict, UNKNOWN),
    "gc_enabled": (FLAG, UNKNOWN),
    "gc_collections": ([COUNT], UNKNOWN),
    "gc_frozen_objects": PERHAPS,
    "allocated_blocks": PERHAPS,
    "arena_bytes": PERHAPS,
    "pause_seconds": (float, UNKNOWN),
    "pause_cpu_seconds": (float, UNKNOWN),
    "capture_seconds": (float, UNKNOWN),
    "collected_before": (FLAG, UNKNOWN),
    "traced_frames": PERHAPS,
    "epoch_start": (float, UNKNOWN),
}

HOLDER = {
    "kind": TEXT,
    "expression": TEXT,
    "type": TEXT,
    "object_count": COUNT,
    "retained_bytes_base": PERHAPS,
    "retained_bytes_now": PERHAPS,
    "retained_bytes_delta": PERHAPS,
    "shallow_bytes_delta": COUNT,
    "entries_base": PERHAPS,
    "entries_now": PERHAPS,
    "new_objects": COUNT,
    "joint": FLAG,
    "exclusive_bytes": PERHAPS,
    "share_bytes": PERHAPS,
}

HOP = {
    "label": TEXT,
    "kind": TEXT,
    "type": TEXT,
    "name": (TEXT, UNKNOWN),
    "shallow_bytes": COUNT,
    "retained_bytes": COUNT,
    "repeats": COUNT,
    "objects_base": PERHAPS,
    "objects_now": PERHAPS,
    "is_holder": FLAG,
    "is_owner": FLAG,
}

FRAME = {"file": TEXT, "line": COUNT}

SETTLING = {
    "type": TEXT,
    "path": (TEXT, UNKNOWN),
    "unit": TEXT,
    "base": COUNT,
    "busy": COUNT,
    "settled": COUNT,
    "part": float,
    "standing": TEXT,
    "kept": PERHAPS,
}

GROWER = {
    "type": TEXT,
    "objects_base": COUNT,
    "objects_now": COUNT,
    "retained_bytes_delta": PERHAPS,
    "shallow_bytes_delta": COUNT,
    "in_place": FLAG,
    "steps": [COUNT],
    "trend": TEXT,
    "slope": ({"per_step": float, "confidence": float, "unit": TEXT, "rises": COUNT}, UNKNOWN),
    "contrast": ({"kind": TEXT, "unit": TEXT, "treatment": [COUNT], "control": [COUNT]}, UNKNOWN),
    "settling": (SETTLING, UNKNOWN),
    "group": COUNT,
    "group_growth_bytes": COUNT,
    "holders": [HOLDER],
    "chain": [HOP],
    "sites": [FRAME | {"frames": [FRAME], "objects_delta": COUNT, "shallow_bytes_delta": COUNT}],
    "verdict": VERDICT,
    "fingerprint": TEXT,
}

REPORT = {
    "schema_version": COUNT,
    "snapshot_count": COUNT,
    "same_process": FLAG,
    "identity": {
        "mode": TEXT,
        "exact_for": (TEXT, UNKNOWN),
        "survivors": PERHAPS,
        "proven": PERHAPS,
        "recycled": PERHAPS,
        "new": PERHAPS,
        "gone": PERHAPS,
    },
    "totals": {
        "objects_base": COUNT,
        "objects_now": COUNT,
        "shallow_bytes_base": COUNT,
        "shallow_bytes_now": COUNT,
        "steps": [{"capture_time": (float, UNKNOWN), "objects": COUNT, "shallow_bytes": COUNT}],
    },
    "process": {
        "base": MOMENT,
        "now": MOMENT,
        "rss_bytes_delta": PERHAPS,
        "live_bytes_delta": COUNT,
        "explained_bytes": COUNT,
        "explained_part": (float, UNKNOWN),
        "arena_bytes_delta": PERHAPS,
        "unexplained_blocks": PERHAPS,
        "snapshot_bytes": COUNT,
        "verdict": VERDICT,
    },
    "growers": [GROWER],
    "types": [
        {
            "type": TEXT,
            "objects": [COUNT],
            "shallow_bytes": [COUNT],
            "retained_bytes_base": PERHAPS,
            "retained_bytes_now": PERHAPS,
            "retained_bytes_delta": PERHAPS,
        }
    ],
    "accepted": [
        {
            "fingerprint": TEXT,
            "type": TEXT,
            "holder": TEXT,
            "reason": TEXT,
            "objects_delta": PERHAPS,
            "shallow_bytes_delta": PERHAPS,
            "gone": FLAG,
        }
    ],
    "settling": ([SETTLING], UNKNOWN),
    "imported": ({"module_count": COUNT, "type_count": COUNT, "shallow_bytes": COUNT}, UNKNOWN),
    "garbage": {
        "objects_base": COUNT,
        "objects_now": COUNT,
        "shallow_bytes_base": COUNT,
        "shallow_bytes_now": COUNT,
        "verdict": VERDICT,
    },
    "limits": [{"name": TEXT, "text": TEXT}],
    "remarks": [TEXT],
    "next": (TEXT, UNKNOWN),
}


def misfits(value: object, shape: Shape = REPORT, where: str = "report") -> list[str]:
    """Where a report does not have the documented shape, in words; empty where it has."""
    if isinstance(shape, tuple):
        tried = [misfits(value, alternative, where) for alternative in shape]
        return [] if [] in tried else tried[0]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is {value!r}, expected a list"]
        return [text for place, item in enumerate(value) for text in misfits(item, shape[0], f"{where}[{place}]")]
    if isinstance(shape, dict):
        if not isinstance(value, Mapping) or value.keys() != shape.keys():
            return [f"{where} is {value!r}, expected the fields {sorted(shape)}"]
        return [text for name in shape for text in misfits(value[name], shape[name], f"{where}.{name}")]
    fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    return [] if fits else [f"{where} is {value!r}, expected {shape.__name__}"]
