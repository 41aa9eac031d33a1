"""guppy3 (heapy): sets of live objects, counted and sized in C."""

from collections.abc import Callable
from typing import Any

from guppy import hpy

from benchmarks import service_heap
from benchmarks.contenders import Claim, Job
from benchmarks.service_heap import Session
from benchmarks.stage import Stage
from benchmarks.truth import UNSEEN_OBJECTS, count_objects

__all__ = ["JOBS"]

_HEAPY: list[Any] = []


def _prepare(stage: Stage) -> None:
    _HEAPY.append(hpy())
    _rows(_HEAPY[0].heap())


def _let_go(stage: Stage) -> None:
    _HEAPY.clear()


def _rows(found: Any) -> dict[str, int]:
    return {row.name: row.count for row in found.bytype.partition.rows}


def _sessions_in(counts: dict[str, int]) -> int | None:
    return next((count for name, count in counts.items() if name.endswith("service_heap.Session")), None)


def _picture(stage: Stage) -> Any:
    return _HEAPY[0].heap()


def _ready() -> Callable[[], object]:
    _prepare(Stage(0))
    act: Callable[[], object] = _HEAPY[0].heap
    return act


def _census(stage: Stage) -> Any:
    found = _HEAPY[0].heap()
    return found, _rows(found)


def _census_claims(stage: Stage, result: Any) -> list[Claim]:
    truth = count_objects()
    return [
        Claim("Sessions", _sessions_in(result[1]), stage.leaked.session_count),
        Claim("objects", sum(result[1].values()), truth, tolerance=0.02 * truth + UNSEEN_OBJECTS),
    ]


def _diff(stage: Stage) -> Any:
    with stage.phase("two pictures"):
        base = _HEAPY[0].heap()
    stage.leak()
    with stage.phase("two pictures"):
        now = _HEAPY[0].heap()
    with stage.phase("difference"):
        difference = now - base
        rows = _rows(difference)
    return base, now, difference, rows


def _diff_claims(stage: Stage, result: Any) -> list[Claim]:
    truth = stage.leaked.object_count
    return [
        Claim("new Sessions", _sessions_in(result[-1]), stage.leaked.session_count),
        Claim("new objects", sum(result[-1].values()), truth, tolerance=100 + 0.01 * truth),
    ]


def _retained(stage: Stage) -> Any:
    with stage.phase("heap"):
        found = _HEAPY[0].heap()
    with stage.phase("select and domisize"):
        sessions = found & _HEAPY[0].Type(Session)
        size = sessions.domisize
    return found, sessions, size


def _retained_claims(stage: Stage, result: Any) -> list[Claim]:
    truth = stage.set_retained_bytes(allocated=False)
    return [Claim("retained bytes", result[-1], truth, tolerance=0.001 * truth)]


def _chain(stage: Stage) -> str:
    target = _HEAPY[0].iso(next(iter(service_heap.REGISTRY.entries.values())))
    return str(target.shpaths)


def _chain_claims(stage: Stage, result: str) -> list[Claim]:
    named = "REGISTRY" in result and "entries" in result
    return [Claim("chain through REGISTRY.entries", "yes" if named else result[:200], "yes")]


JOBS = {
    "pause": Job("heap()", _picture, prepare=_prepare, let_go=_let_go, watched=_ready),
    "census": Job("heap().bytype", _census, _census_claims, _prepare, _let_go),
    "retained": Job("domisize of one set", _retained, _retained_claims, _prepare, _let_go),
    "diff": Job("heap() - heap()", _diff, _diff_claims, _prepare, _let_go),
    "chain": Job("shpaths", _chain, _chain_claims, _prepare, _let_go),
}
