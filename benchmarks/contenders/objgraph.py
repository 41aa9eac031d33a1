"""objgraph: counts of the objects that the collector tracks; no sizes, and no str, int or bytes."""

from typing import Any

import objgraph

from benchmarks import service_heap
from benchmarks.contenders import Claim, Job
from benchmarks.stage import Stage
from benchmarks.truth import UNSEEN_OBJECTS, count_objects

__all__ = ["JOBS"]

_SESSION = "benchmarks.service_heap.Session"


def _typestats(stage: Stage) -> dict[str, int]:
    counts: dict[str, int] = objgraph.typestats(shortnames=False)
    return counts


def _census_claims(stage: Stage, counts: dict[str, int]) -> list[Claim]:
    truth = count_objects()
    return [
        Claim("Sessions", counts.get(_SESSION), stage.leaked.session_count),
        Claim("objects", sum(counts.values()), truth, tolerance=0.02 * truth + UNSEEN_OBJECTS),
    ]


def _growth(stage: Stage) -> Any:
    peak: dict[str, int] = {}
    with stage.phase("first"):
        objgraph.growth(limit=None, peak_stats=peak, shortnames=False)
    stage.leak()
    with stage.phase("second and difference"):
        return objgraph.growth(limit=None, peak_stats=peak, shortnames=False)


def _growth_claims(stage: Stage, rows: list[tuple[str, int, int]]) -> list[Claim]:
    grown = {name: more for name, _, more in rows}
    truth = stage.leaked.object_count
    return [
        Claim("new Sessions", grown.get(_SESSION), stage.leaked.session_count),
        Claim("new objects", sum(grown.values()), truth, tolerance=100 + 0.01 * truth),
    ]


def _chain(stage: Stage) -> Any:
    target = next(iter(service_heap.REGISTRY.entries.values()))
    return objgraph.find_backref_chain(target, objgraph.is_proper_module)


def _chain_claims(stage: Stage, chain: list[Any]) -> list[Claim]:
    passes = any(found is service_heap.REGISTRY for found in chain)
    words = " → ".join(type(found).__name__ for found in chain)
    return [Claim("chain through REGISTRY.entries", "yes" if passes else words[:200], "yes")]


JOBS = {
    "pause": Job("typestats", _typestats, watched=lambda: objgraph.typestats),
    "census": Job("typestats", _typestats, _census_claims),
    "diff": Job("growth", _growth, _growth_claims),
    "chain": Job("find_backref_chain", _chain, _chain_claims),
}
