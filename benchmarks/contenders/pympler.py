"""pympler: muppy and summary, SummaryTracker, asizeof; all in Python."""

from typing import Any

from pympler import asizeof, muppy, summary, tracker

from benchmarks import service_heap
from benchmarks.contenders import Claim, Job
from benchmarks.stage import Stage
from benchmarks.truth import UNSEEN_OBJECTS, count_objects

__all__ = ["JOBS"]

_Rows = list[list[Any]]  # type, objects, bytes

# pympler has no types
_summarize: Any = summary.summarize
_tracker: Any = tracker.SummaryTracker
_asizeof: Any = asizeof.asizeof


def _sessions_in(rows: _Rows) -> int | None:
    return next((count for name, count, _ in rows if "service_heap.Session" in name), None)


def _prepare(stage: Stage) -> None:
    _summarize([])


def _census(stage: Stage) -> Any:
    with stage.phase("get_objects"):
        found = muppy.get_objects()
    with stage.phase("summarize"):
        rows: _Rows = _summarize(found)
    return rows


def _census_claims(stage: Stage, rows: _Rows) -> list[Claim]:
    truth = count_objects()
    return [
        Claim("Sessions", _sessions_in(rows), stage.leaked.session_count),
        Claim("objects", sum(count for _, count, _ in rows), truth, tolerance=0.02 * truth + UNSEEN_OBJECTS),
    ]


def _diff(stage: Stage) -> Any:
    with stage.phase("first"):
        watching = _tracker()
    stage.leak()
    with stage.phase("second and difference"):
        rows = watching.diff()
    return watching, rows


def _diff_claims(stage: Stage, result: Any) -> list[Claim]:
    truth = stage.leaked.object_count
    return [
        Claim("new Sessions", _sessions_in(result[1]), stage.leaked.session_count),
        Claim("new objects", sum(count for _, count, _ in result[1]), truth, tolerance=100 + 0.01 * truth),
    ]


def _deep_size(stage: Stage) -> int:
    size: int = _asizeof(*service_heap.REGISTRY.entries.values())
    return size


def _deep_size_claims(stage: Stage, result: int) -> list[Claim]:
    truth = stage.set_retained_bytes(allocated=False)
    return [Claim("retained bytes", result, truth, tolerance=0.001 * truth)]


JOBS = {
    "census": Job("muppy and summary", _census, _census_claims, _prepare),
    "retained": Job("asizeof of one set (deep, not retained)", _deep_size, _deep_size_claims, _prepare),
    "diff": Job("SummaryTracker", _diff, _diff_claims, _prepare),
}
