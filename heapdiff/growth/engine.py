"""The search as a generator: it asks for so many iterations, takes pictures in between, and returns a report."""

from __future__ import annotations

import math
from collections.abc import Generator

from heapdiff.capture import start_tracing, stop_tracing, take_census, take_snapshot
from heapdiff.capture.tracing import traced_frames
from heapdiff.growth.judging import judge
from heapdiff.growth.model import GrowthReport, Plan
from heapdiff.growth.rounds import BLOCKS, Rate, Rounds
from heapdiff.pipeline import compare
from heapdiff.snapshot.model import Snapshot

__all__ = ["search"]

_FRAMES = 6  # of each traceback: past the standard library to the line that called it
_LONG_SECONDS = 5.0  # of work in the long round
_LONGER = 4  # times the traced round, from which on the long one tells the true rate
_LONG_BYTES = 32 << 20  # that may grow in it
_LEAST_NEW = 10  # objects in each traced round: fewer than five are no leak to any rule
_MOST_TRACED = 400  # iterations of a traced round
_BLOCKS_TRACED = 400  # iterations that make the loss of one block each stand out


def search(plan: Plan) -> Generator[int, float, GrowthReport]:
    """Yields how many iterations to run, takes the seconds they took, and returns what grew in every round.

    Three filters, from the cheap to the dear. Rounds with a census after each: it ends with the first in which
    nothing grew. One long round: what was filling up is full. Two traced rounds with snapshots: what
    holds the growth, and which line adds it.

    Source: the rounds, Shark's ObjectGrowthDetector and BLeak.
    """
    take_census()  # what the first one imports and caches is there before the base
    yield plan.warmup
    rounds, done = Rounds(plan.rounds + 2), plan.warmup
    rounds.add(plan.warmup)
    while rounds.count <= plan.rounds:
        seconds = yield plan.per_round
        done += plan.per_round
        rounds.add(plan.per_round)
        if not rounds.growing():  # and it is not kept, which would be counted by the next census
            return GrowthReport((), done, rounds.count - 1, plan.per_round)
    count = _long_round(plan, rounds.growing(), seconds / plan.per_round)
    if count:
        yield count
        done += count
        rounds.add(count)
    suspects, passed = rounds.growing(), rounds.count - 1
    if not suspects:
        return GrowthReport((), done, passed, plan.per_round)
    del rounds
    long_count, count = count, _traced_round(plan, suspects, count)
    snapshots = yield from _traced(count)
    report = compare(*snapshots, growers=_ALL, rules=plan.rules, accept=plan.accept)
    growths, ignored = judge(report, suspects, count, plan.ignore, by_long_round=long_count > _LONGER * count)
    return GrowthReport(growths, done + 2 * count, passed + 2, plan.per_round, ignored, report)


_ALL = 40  # growers to explain: an ignored one may come first


def _long_round(plan: Plan, suspects: dict[str, Rate], seconds_each: float) -> int:
    """As many iterations as a cache may take to be full, in bounds of time and memory."""
    bytes_each = sum(max(rate.bytes, 0.0) for rate in suspects.values())
    within = min(_LONG_SECONDS / max(seconds_each, 1e-6), _LONG_BYTES / max(bytes_each, 1.0))
    return 0 if plan.patience == 0 else max(plan.per_round, min(plan.patience, int(within)))


def _traced_round(plan: Plan, suspects: dict[str, Rate], long_round: int) -> int:
    """So many iterations that each suspect stands out."""
    rates = [rate.objects for rate in suspects.values() if rate.objects > 0]
    if BLOCKS in suspects:
        needed = _BLOCKS_TRACED
    elif rates:
        needed = math.ceil(_LEAST_NEW / min(rates))
    else:
        needed = long_round // 4  # buffers take an eighth more than they need, and so grow by leaps
    return max(plan.per_round, min(needed, _MOST_TRACED))


def _traced(count: int) -> Generator[int, float, list[Snapshot]]:
    """Three snapshots with so many iterations between; tracemalloc traces for that long, if it did not already."""
    started = traced_frames() is None
    if started:
        start_tracing(_FRAMES)
    try:
        snapshots = [take_snapshot(collect=True)]
        for _ in range(2):
            yield count
            snapshots.append(take_snapshot(collect=True))
        return snapshots
    finally:
        if started:
            stop_tracing()
