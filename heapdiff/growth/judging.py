"""The report of the traced rounds and what the censuses suspect in; what is accused and what is left out, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise

from heapdiff.explain import Grower, VerdictKind
from heapdiff.growth.model import Growth, type_names
from heapdiff.growth.rounds import BLOCKS, Rate
from heapdiff.report import Report

__all__ = ["is_ignored", "is_left_out", "judge"]

_KEPT = 0.5  # of the rate that the censuses saw must be there in each traced round
# Bytes by which each of the objects that get larger must do so. In a full cache of texts with a running number the
# later ones are a byte or eight longer, and that ends.
_LARGER = 64
_BURST = 3.0  # times the rate of the long round
# What a test runner or a mock notes down is not the program's: pytest keeps each record and each warning until the
# test ends, and a report of each subtest, a mock each call. Only where it piles up right there: the program's own
# objects hang at fixtures as well.
_NOTEBOOKS = (
    "_pytest.capture.*",
    "_pytest.junitxml.*",
    "_pytest.logging.*",
    "_pytest.recwarn.*",
    "_pytest.subtests.*",
    "_pytest.terminal.*",
    "local _pytest.*",
    "unittest.mock.*",
)


def judge(
    report: Report, suspects: dict[str, Rate], iterations: int, ignore: Sequence[str | type], *, by_long_round: bool
) -> tuple[tuple[Growth, ...], tuple[Growth, ...]]:
    """What grew in the traced rounds as it did in those before, and the same of what is to be ignored.

    What a rule calls benign is not accused.

    Args:
        report: Of three snapshots.
        suspects: The types that grew in every round before, with their rates.
        iterations: Between two of the snapshots.
        ignore: Classes, fingerprints, and patterns of the names of types and holders and on the chain.
        by_long_round: Whether those rates are of a round so long that it tells a burst from steady growth.
    """
    growths: list[Growth] = []
    ignored: list[Growth] = []
    for grower in report.growers:
        if not _lasts(grower, suspects, iterations) or _is_benign(grower):
            continue
        if by_long_round and _is_burst(grower, suspects[grower.type_name], iterations):
            continue
        growth = _growth(grower, iterations)
        (ignored if is_left_out(grower, ignore) else growths).append(growth)
    if not report.growers and not report.explanation.accepted:
        growths += _without_chain(report, suspects, iterations)
    return tuple(growths), tuple(ignored)


def _lasts(grower: Grower, suspects: dict[str, Rate], iterations: int) -> bool:
    """Whether it was a suspect before, and each step adds at least half of what it added then."""
    rate = suspects.get(grower.type_name)
    if rate is None or grower.imported:
        return False
    if grower.in_place:
        return grower.shallow_bytes_delta >= _LARGER * (grower.holder.object_count if grower.holder else 1)
    return _rises(grower.objects, max(1.0, _KEPT * min(1.0, rate.objects) * iterations))


def _is_burst(grower: Grower, rate: Rate, iterations: int) -> bool:
    """Whether it grew much faster than in the long run: a cache between two prunings."""
    steps = (len(grower.objects) - 1) * iterations
    return rate.objects > 0 and grower.objects_delta > _BURST * rate.objects * steps


def _rises(counts: Sequence[int], least: float) -> bool:
    return all(later - earlier >= least for earlier, later in pairwise(counts))


def _is_benign(grower: Grower) -> bool:
    return grower.verdict is not None and grower.verdict.kind is VerdictKind.BENIGN


def _growth(grower: Grower, iterations: int) -> Growth:
    steps = (len(grower.objects) - 1) * iterations
    objects = 0.0 if grower.in_place else grower.objects_delta / steps
    return Growth(grower.type_name, objects, grower.shallow_bytes_delta / steps, grower)


def is_left_out(grower: Grower, ignore: Sequence[str | type]) -> bool:
    """Whether the caller ignores it, by fingerprint or by a name, or it is a test runner's own."""
    return (
        grower.fingerprint in ignore
        or is_ignored([*_names(grower)], ignore)
        or any(fnmatchcase(name, pattern) for name in _near_holder(grower) for pattern in _NOTEBOOKS)
    )


def is_ignored(names: Sequence[str], ignore: Sequence[str | type]) -> bool:
    """Whether one of the names fits a pattern of the caller's, or is it: ``app.LIST[*]`` as a report prints it."""
    patterns = type_names(ignore)
    return any(name == pattern or fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _near_holder(grower: Grower) -> Iterator[str]:
    """The types of what it piles up in and of the two that have that, and the root where it is one of these."""
    place = next((place for place, hop in enumerate(grower.chain) if hop.is_holder), None)
    if place is None:
        return
    for hop in grower.chain[max(0, place - 2) : place + 1]:
        yield hop.type_name
    if place <= 1:
        yield grower.chain[0].label


def _names(grower: Grower) -> Iterator[str]:
    yield grower.type_name
    for holder in grower.holders:
        yield from (holder.expression, holder.type_name)
    for hop in grower.chain:
        yield from (hop.label, hop.type_name)


def _without_chain(report: Report, suspects: dict[str, Rate], iterations: int) -> list[Growth]:
    """What grew and has no holder that can be named: memory lost in C."""
    blocks = report.explanation.blocks_verdict
    if blocks is not None and blocks.kind is VerdictKind.LEAK and BLOCKS in suspects:
        return [Growth(BLOCKS, suspects[BLOCKS].objects, 0.0)]
    found = []
    for row in report.explanation.diff.types:
        rate = suspects.get(row.name)
        if rate is not None and rate.objects >= 1 and _rises(row.objects, iterations):
            steps = (len(row.objects) - 1) * iterations
            found.append(Growth(row.name, row.objects_delta / steps, row.shallow_bytes_delta / steps))
    return found
