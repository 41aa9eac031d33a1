"""``heapdiff info``: a snapshot in; out comes what it holds, where it is from and what it could not see."""

import datetime
import json
import os
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from heapdiff.graph import HeapGraph
from heapdiff.graph.states import GARBAGE, LIVE, OWN
from heapdiff.native import state_totals
from heapdiff.report.escape import clean
from heapdiff.sizes import NOT_MEASURED, count_text, size_text
from heapdiff.snapshot.labels import LabelKind
from heapdiff.snapshot.model import Process, Snapshot

__all__ = ["describe_snapshot"]

_STATES = {"garbage": GARBAGE, "live": LIVE, "own": OWN}
_STATE_REMARKS = {
    "live": "live",
    "garbage": "garbage: no root reaches it, it waits for the collector",
    "own": "heapdiff's own, not counted anywhere",
}
_LABEL_WIDTH = 13
_WIDTH = 100

_ROOT_NAMES = {
    LabelKind.ROOT_MODULE: "modules",
    LabelKind.ROOT_LOCAL: "locals of running frames",
    LabelKind.ROOT_THREAD: "thread states",
    LabelKind.ROOT_INTERPRETER: "interpreter state",
    LabelKind.ROOT_STATIC_TYPE: "static types",
    LabelKind.ROOT_IMMORTAL: "immortal objects",
    LabelKind.ROOT_NATIVE: "native code",
    LabelKind.ROOT_OWN: "heapdiff's own",
    LabelKind.ROOT_MACHINERY: "modules of the interpreter",
    LabelKind.ROOT_EVENT_LOOP: "event loops",
}


def describe_snapshot(graph: HeapGraph, path: str, *, as_json: bool = False) -> str:
    """The text, or the JSON, of what is known of the snapshot in that file."""
    facts = _facts(graph, path)
    if as_json:
        return json.dumps(facts, indent=2, allow_nan=False) + "\n"
    return "\n".join(_lines(graph.snapshot, facts, path)) + "\n"


def _facts(graph: HeapGraph, path: str) -> dict[str, Any]:
    snapshot = graph.snapshot
    roots = Counter(root.kind for root in snapshot.roots())
    try:
        file_bytes: int | None = os.stat(path).st_size
    except OSError:
        file_bytes = None  # a pipe, or gone since
    return {
        "file": path,
        "file_bytes": file_bytes,
        "objects": snapshot.object_count,
        "states": _state_totals(graph),
        "references": snapshot.reference_count,
        "types": snapshot.type_count - 1,
        "roots": {kind.name.lower(): count for kind, count in sorted(roots.items())},
        "sites": len(snapshot.columns["site_start"]) - 2 if snapshot.has_sites else None,
        "native_held_objects": len(snapshot.columns["native_held_object"]),
        "process": attrs.asdict(snapshot.process),
        "limits": [attrs.asdict(limit) for limit in snapshot.limits],
    }


def _state_totals(graph: HeapGraph) -> dict[str, dict[str, int]]:
    """Objects and bytes of what is live, of garbage, and of heapdiff's own; the virtual root is no object."""
    totals = state_totals(graph.snapshot.columns, graph.paths)
    return {
        name: {"objects": totals["objects"][number], "bytes": totals["bytes"][number]}
        for name, number in _STATES.items()
    }


def _lines(snapshot: Snapshot, facts: dict[str, Any], path: str) -> Iterator[str]:
    process = snapshot.process
    yield f"{clean(path)}: {_origin(process)}"
    yield ""
    for name, remark in _STATE_REMARKS.items():
        sums = facts["states"][name]
        if name == "live" or sums["objects"]:
            words = f"{count_text(sums['objects']):>12}  {size_text(sums['bytes']):>9}  {remark}"
            yield _row("objects" if name == "live" else "", words)
    yield _row("references", f"{count_text(facts['references']):>12}")
    yield _row("types", f"{count_text(facts['types']):>12}")
    roots = sum(facts["roots"].values())
    yield _row("GC roots", f"{count_text(roots):>12}  " + _kinds(facts["roots"]))
    if facts["native_held_objects"]:
        yield _row(
            "held by C", f"{count_text(facts['native_held_objects']):>12}  more references than the heap explains"
        )
    sites = facts["sites"]
    traced = "tracemalloc was not tracing" if sites is None else f"{process.traced_frames or '?'} frames each"
    yield _row("sites", f"{'-' if sites is None else count_text(sites):>12}  {traced}")
    size = facts["file_bytes"]
    if size is not None and snapshot.object_count:
        yield _row("file", f"{size_text(size):>12}  {size / snapshot.object_count:.1f} bytes an object")
    yield ""
    yield from _process_lines(process)
    if snapshot.limits:
        yield ""
        yield "What could not be seen:"
        for limit in snapshot.limits:
            yield from textwrap.wrap(
                clean(limit.text), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False
            )


def _kinds(roots: dict[str, int]) -> str:
    named = [(count, _ROOT_NAMES[LabelKind[name.upper()]]) for name, count in roots.items()]
    words = [f"{count_text(count)} {name}" for count, name in sorted(named, key=lambda pair: -pair[0])]
    return _list(words, column=_LABEL_WIDTH + 16)


def _origin(process: Process) -> str:
    when = _moment(process.capture_time)
    what = process.command or "a process"
    return (
        f"{clean(what)}, pid {_known(process.pid)} on {_known(process.host)}, {when}, Python {_known(process.python)}"
    )


def _process_lines(process: Process) -> Iterator[str]:
    yield _row("started", _moment(process.start_time))
    sizes = (
        ("resident", process.rss_bytes),
        ("at most", process.rss_peak_bytes),
        ("swapped out", process.swap_bytes),
        ("pymalloc arenas", process.arena_bytes),
    )
    yield _row("memory", _list([f"{name} {size_text(size)}" for name, size in sizes]))
    yield _row("threads", count_text(process.thread_count))
    kinds = process.descriptors
    open_files = None if kinds is None else _list([f"{count} {clean(kind)}" for kind, count in sorted(kinds.items())])
    yield _row("descriptors", NOT_MEASURED if open_files is None else open_files or "none")
    yield _row("collector", _collector(process))
    pause = NOT_MEASURED if process.pause_seconds is None else f"{process.pause_seconds * 1e3:,.1f} ms"
    whole = NOT_MEASURED if process.capture_seconds is None else f"{process.capture_seconds * 1e3:,.1f} ms"
    yield _row("capture", f"{whole}, of which the process stood still for {pause}")


def _collector(process: Process) -> str:
    enabled = {None: "state " + NOT_MEASURED, True: "enabled", False: "disabled"}[process.gc_enabled]
    runs = process.gc_collections
    ran = NOT_MEASURED if runs is None else " / ".join(map(count_text, runs))
    before = {None: "", True: ", run right before", False: ", not run before"}[process.collected_before]
    frozen = process.gc_frozen_objects
    ice = f", {count_text(frozen)} objects frozen" if frozen else ""
    return f"{enabled}, collections by generation {ran}{before}{ice}"


def _row(label: str, words: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}}{words}".rstrip()


def _list(words: Sequence[str], column: int = _LABEL_WIDTH + 2) -> str:
    """The words with commas, from that column on, in lines that a terminal of 100 columns does not break."""
    lines = [""]
    for word in words:
        if lines[-1] and column + len(lines[-1]) + len(word) + 3 > _WIDTH:
            lines[-1] += ","
            lines.append(word)
        else:
            lines[-1] += (", " if lines[-1] else "") + word
    return f"\n{' ' * column}".join(lines)


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "time " + NOT_MEASURED
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def _known(value: object) -> str:
    return NOT_MEASURED if value is None else clean(str(value))
