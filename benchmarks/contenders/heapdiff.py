"""heapdiff itself: a picture in one pause, everything else on flat columns with the GIL free."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.contenders import Claim, Job
from benchmarks.service_heap import Session
from benchmarks.stage import Stage
from benchmarks.truth import UNSEEN_OBJECTS, count_objects
from heapdiff import Census, Snapshot, compare, read_snapshot, take_census, take_snapshot, write_snapshot
from heapdiff.graph import HeapGraph, shortest_chain

__all__ = ["JOBS"]

_SESSION = f"{Session.__module__}.{Session.__qualname__}"
_CODECS = {"plain": False, "compressed": True}  # compressed: zstd where it is installed, deflate elsewhere


def _prepare(stage: Stage) -> None:
    """A first use of everything, on the small heap that is there before the benchmark's is built."""
    take_census()
    snapshot = take_snapshot()
    str(compare(snapshot, take_snapshot()))
    str(shortest_chain(HeapGraph.of(snapshot), 1 + snapshot.columns["reference_target"][0]))
    _files(stage)
    stage.phases.clear()
    stage.figures.clear()


def _sessions(snapshot: Snapshot) -> list[int]:
    rows = {row for row in range(snapshot.type_count) if snapshot.type_name(row) == _SESSION}
    return [obj for obj, row in enumerate(snapshot.columns["object_type"]) if row in rows]


# ------------------------------------------------------------------ pause, census


def _pause(stage: Stage) -> Snapshot:
    return take_snapshot()


def _pause_claims(stage: Stage, snapshot: Snapshot) -> list[Claim]:
    stage.figures["pause_seconds"] = snapshot.process.pause_seconds
    stage.figures["pause_cpu_seconds"] = snapshot.process.pause_cpu_seconds
    truth = count_objects()
    return [
        Claim("Sessions", len(_sessions(snapshot)), stage.leaked.session_count),
        Claim("objects", snapshot.object_count, truth, tolerance=0.02 * truth + UNSEEN_OBJECTS),
    ]


def _census(stage: Stage) -> Census:
    return take_census()


def _census_claims(stage: Stage, census: Census) -> list[Claim]:
    stage.figures["pause_cpu_seconds"] = census.pause_cpu_seconds
    truth = count_objects()
    return [
        Claim("Sessions", census.counts().get(_SESSION), stage.leaked.session_count),
        Claim("objects", census.object_count, truth, tolerance=0.02 * truth + UNSEEN_OBJECTS),
    ]


# ------------------------------------------------------------------ retained sizes, chain


def _retained(stage: Stage) -> HeapGraph:
    with stage.phase("picture"):
        graph = HeapGraph.of(take_snapshot())
    with stage.phase("paths"):
        graph.paths  # noqa: B018 - computed when asked for
    with stage.phase("dominators"):
        graph.dominators  # noqa: B018
    return graph


def _retained_claims(stage: Stage, graph: HeapGraph) -> list[Claim]:
    sessions = _sessions(graph.snapshot)
    single, together = stage.single_retained_bytes(allocated=True), stage.set_retained_bytes(allocated=True)
    found = sum(map(graph.dominators.retained_bytes, sessions))
    return [
        Claim("retained bytes", found, single, tolerance=0.001 * single),
        Claim(
            "bytes retained together",
            graph.dominators.retained_bytes_of_set(sessions),
            together,
            tolerance=0.001 * together,
        ),
    ]


def _analysis() -> Callable[[], object]:
    graph = HeapGraph.of(take_snapshot())
    return lambda: graph.dominators


def _chain(stage: Stage) -> str:
    with stage.phase("picture"):
        snapshot = take_snapshot()
        row = next(row for row in range(snapshot.type_count) if snapshot.type_name(row) == _SESSION)
        target = next(obj for obj, found in enumerate(snapshot.columns["object_type"]) if found == row)
    with stage.phase("chain"):
        return str(shortest_chain(HeapGraph.of(snapshot), target))


def _chain_claims(stage: Stage, chain: str) -> list[Claim]:
    named = all(name in chain for name in ("benchmarks.service_heap", "REGISTRY", "entries"))
    return [Claim("chain through REGISTRY.entries", "yes" if named else chain[:500], "yes")]


# ------------------------------------------------------------------ diff


def _diff(stage: Stage) -> Any:
    with stage.phase("two pictures"):
        base = take_snapshot()
    stage.leak()
    with stage.phase("two pictures"):
        now = take_snapshot()
    with stage.phase("compare"):
        report = compare(base, now, growers=10)
    with stage.phase("text"):
        text = str(report)
    return report, text


def _diff_claims(stage: Stage, result: Any) -> list[Claim]:
    report, text = result
    rows = [row for row in report.to_dict()["types"] if row["type"] == _SESSION]
    counts = rows[0]["objects"] if rows else [0, 0]
    truth = stage.set_retained_bytes(allocated=True)
    return [
        Claim("new Sessions", counts[-1] - counts[0], stage.leaked.session_count),
        Claim("retained bytes", rows[0]["retained_bytes_delta"] if rows else None, truth, tolerance=0.001 * truth),
        Claim("holder is REGISTRY.entries", "yes" if "REGISTRY.entries" in text else text[:500], "yes"),
    ]


# ------------------------------------------------------------------ file


def _files(stage: Stage) -> Any:
    with stage.phase("picture"):
        snapshot = take_snapshot()
    read_back = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, compress in _CODECS.items():
            path = Path(folder, f"{kind}.heap")
            with stage.phase(f"write {kind}"):
                write_snapshot(snapshot, path, compress=compress)
            with stage.phase(f"read {kind}"):
                read_back[kind] = read_snapshot(path)
            stage.figures[f"{kind}_file_bytes_per_object"] = path.stat().st_size / snapshot.object_count
    return snapshot, read_back


def _files_claims(stage: Stage, result: Any) -> list[Claim]:
    snapshot, read_back = result
    claims = []
    for kind, found in read_back.items():
        names = snapshot.columns.names()
        same = sum(bytes(found.columns[name]) == bytes(snapshot.columns[name]) for name in names)
        claims.append(Claim(f"columns read back {kind}", same, len(names)))
    return claims


JOBS = {
    "pause": Job("take_snapshot()", _pause, _pause_claims, _prepare, watched=lambda: take_snapshot),
    "census": Job("take_census()", _census, _census_claims, _prepare),
    "retained": Job("take_snapshot(), dominators of all", _retained, _retained_claims, _prepare, watched=_analysis),
    "diff": Job("compare(), ten growers explained", _diff, _diff_claims, _prepare),
    "chain": Job("shortest_chain()", _chain, _chain_claims, _prepare),
    "file": Job("write_snapshot(), read_snapshot()", _files, _files_claims, _prepare),
}
