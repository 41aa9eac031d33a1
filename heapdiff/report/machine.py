"""An explanation in, plain data for other programs out."""

from __future__ import annotations

from typing import Any

import attrs

from heapdiff.diff.model import HeapDiff, IdentityMode, SiteGrowth, TypeGrowth
from heapdiff.explain.model import ChainHop, Contrast, Explanation, Grower, Holder, KnownGrowth, Settling, Verdict
from heapdiff.snapshot.model import Snapshot

__all__ = ["SCHEMA_VERSION", "report_dict"]

SCHEMA_VERSION = 1

_TYPES = 50  # rows of the table of types


def report_dict(explanation: Explanation) -> dict[str, Any]:
    """The explanation as plain dicts, lists, strings, numbers and None; see ``docs/report-schema.md``.

    A field may be added without a new schema version; none changes its meaning or goes without one.
    """
    diff = explanation.diff
    return {
        "schema_version": SCHEMA_VERSION,
        "snapshot_count": diff.snapshot_count,
        "same_process": diff.same_process,
        "identity": _identity(diff),
        "totals": _totals(diff),
        "process": _process(explanation),
        "growers": [_grower(grower) for grower in explanation.growers],
        "imported": None if explanation.imported is None else attrs.asdict(explanation.imported),
        "types": [_type(row) for row in diff.types[:_TYPES]],
        "accepted": _accepted(explanation),
        "settling": None if explanation.settlings is None else [_settling(row) for row in explanation.settlings],
        "garbage": attrs.asdict(diff.garbage) | {"verdict": _verdict(explanation.garbage_verdict)},
        "limits": _limits(diff),
        "remarks": list(diff.remarks),
        "next": explanation.next_step,
    }


def _totals(diff: HeapDiff) -> dict[str, Any]:
    return {
        "objects_base": diff.live_objects[0],
        "objects_now": diff.live_objects[-1],
        "shallow_bytes_base": diff.live_bytes[0],
        "shallow_bytes_now": diff.live_bytes[-1],
        "steps": [
            {"capture_time": time, "objects": objects, "shallow_bytes": size}
            for time, objects, size in zip(diff.capture_times, diff.live_objects, diff.live_bytes, strict=True)
        ],
    }


def _identity(diff: HeapDiff) -> dict[str, Any]:
    identity = diff.identity
    return {
        "mode": identity.mode.value,
        "exact_for": "tracked objects" if identity.mode is IdentityMode.EXACT else None,
        "survivors": identity.survivors,
        "proven": identity.proven,
        "recycled": identity.recycled,
        "new": identity.new,
        "gone": identity.gone,
    }


def _process(explanation: Explanation) -> dict[str, Any]:
    diff, coverage = explanation.diff, explanation.coverage
    return {
        "base": _moment(diff.base.snapshot),
        "now": _moment(diff.now.snapshot),
        "rss_bytes_delta": coverage.rss_bytes_delta,
        "live_bytes_delta": coverage.live_bytes_delta,
        "explained_bytes": coverage.explained_bytes,
        "explained_part": coverage.explained_part,
        "arena_bytes_delta": coverage.arena_bytes_delta,
        "unexplained_blocks": coverage.unexplained_blocks,
        "snapshot_bytes": coverage.snapshot_bytes,
        "verdict": _verdict(explanation.blocks_verdict),
    }


def _moment(snapshot: Snapshot) -> dict[str, Any]:
    process = attrs.asdict(snapshot.process)
    del process["packages"]  # hundreds of names that no finding is about; verdicts say what is known of one
    if process["descriptors"] is not None:
        process["descriptors"] = dict(process["descriptors"])
    if process["gc_collections"] is not None:
        process["gc_collections"] = list(process["gc_collections"])
    return process


def _grower(grower: Grower) -> dict[str, Any]:
    return {
        "type": grower.type_name,
        "objects_base": grower.objects_base,
        "objects_now": grower.objects_now,
        "retained_bytes_delta": grower.retained_bytes_delta,
        "shallow_bytes_delta": grower.shallow_bytes_delta,
        "in_place": grower.in_place,
        "steps": list(grower.steps),
        "trend": grower.trend.value,
        "slope": None if grower.slope is None else attrs.asdict(grower.slope),
        "contrast": None if grower.contrast is None else _contrast(grower.contrast),
        "settling": None if grower.settling is None else _settling(grower.settling),
        "group": grower.group,
        "group_growth_bytes": grower.group_growth_bytes,
        "holders": [_holder(holder) for holder in grower.holders],
        "chain": [_hop(hop) for hop in grower.chain],
        "sites": [_site(site) for site in grower.sites],
        "verdict": _verdict(grower.verdict),
        "fingerprint": grower.fingerprint,
    }


def _contrast(contrast: Contrast) -> dict[str, Any]:
    return {
        "kind": contrast.kind.value,
        "unit": contrast.unit,
        "treatment": list(contrast.treatment),
        "control": list(contrast.control),
    }


def _settling(row: Settling) -> dict[str, Any]:
    base, busy, settled = row.counts
    return {
        "type": row.type_name,
        "path": row.path,
        "unit": row.unit,
        "base": base,
        "busy": busy,
        "settled": settled,
        "part": row.part,
        "standing": row.standing.value,
        "kept": row.kept,
    }


def _accepted(explanation: Explanation) -> list[dict[str, Any]]:
    """Known growth: what grew as it does, then what did not grow."""
    grown = [
        _known(grower.known)
        | {
            "type": grower.type_name,
            "objects_delta": grower.objects_delta,
            "shallow_bytes_delta": grower.shallow_bytes_delta,
            "gone": False,
        }
        for grower in explanation.accepted
    ]
    gone = [
        _known(known) | {"objects_delta": None, "shallow_bytes_delta": None, "gone": True} for known in explanation.gone
    ]
    return grown + gone


def _known(known: KnownGrowth) -> dict[str, Any]:
    return {
        "fingerprint": known.fingerprint,
        "type": known.type_name,
        "holder": known.holder,
        "reason": known.reason,
    }


def _holder(holder: Holder) -> dict[str, Any]:
    return {
        "kind": holder.kind.value,
        "expression": holder.expression,
        "type": holder.type_name,
        "object_count": holder.object_count,
        "retained_bytes_base": holder.retained_bytes_base,
        "retained_bytes_now": holder.retained_bytes_now,
        "retained_bytes_delta": holder.retained_bytes_delta,
        "shallow_bytes_delta": holder.shallow_bytes_delta,
        "entries_base": holder.entries_base,
        "entries_now": holder.entries_now,
        "new_objects": holder.new_objects,
        "joint": holder.joint,
        "exclusive_bytes": holder.exclusive_bytes,
        "share_bytes": holder.share_bytes,
    }


def _hop(hop: ChainHop) -> dict[str, Any]:
    return {
        "label": hop.label,
        "kind": hop.kind.name.lower(),
        "type": hop.type_name,
        "name": hop.name or None,
        "shallow_bytes": hop.shallow_bytes,
        "retained_bytes": hop.retained_bytes,
        "repeats": hop.repeats,
        "objects_base": hop.objects_base,
        "objects_now": hop.objects_now,
        "is_holder": hop.is_holder,
        "is_owner": hop.is_owner,
    }


def _site(site: SiteGrowth) -> dict[str, Any]:
    file, line = site.frames[0] if site.frames else ("", 0)
    return {
        "file": file,
        "line": line,
        "frames": [{"file": file, "line": line} for file, line in site.frames],
        "objects_delta": site.objects_delta,
        "shallow_bytes_delta": site.shallow_bytes_delta,
    }


def _type(row: TypeGrowth) -> dict[str, Any]:
    return {
        "type": row.name,
        "objects": list(row.objects),
        "shallow_bytes": list(row.shallow_bytes),
        "retained_bytes_base": row.retained_bytes_base,
        "retained_bytes_now": row.retained_bytes_now,
        "retained_bytes_delta": row.retained_bytes_delta,
    }


def _verdict(verdict: Verdict | None) -> dict[str, str] | None:
    if verdict is None:
        return None
    return {
        "rule": verdict.rule,
        "kind": verdict.kind.value,
        "text": verdict.text,
        "mend": verdict.mend,
        "known": verdict.known,
    }


def _limits(diff: HeapDiff) -> list[dict[str, str]]:
    """What was not seen in one of the snapshots, each limit once."""
    limits = {limit.name: limit.text for graph in (diff.base, diff.now) for limit in graph.snapshot.limits}
    return [{"name": name, "text": text} for name, text in sorted(limits.items())]
