"""The types that grew and what is known to grow in, those that are news out, and what of the known grew or did not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from heapdiff.diff.model import HeapDiff
from heapdiff.explain.growers import Candidate
from heapdiff.explain.model import AcceptedGrower, KnownGrowth

__all__ = ["Sorted", "sort_out_known"]


@attrs.frozen
class Sorted:
    """What grew, by whether somebody has accepted it."""

    news: tuple[Candidate, ...]
    accepted: tuple[AcceptedGrower, ...]
    gone: tuple[KnownGrowth, ...]


def sort_out_known(
    diff: HeapDiff,
    candidates: Sequence[Candidate],
    fingerprint_of: Callable[[Candidate], str],
    known: Sequence[KnownGrowth],
) -> Sorted:
    """The candidates without those that are known by fingerprint, and without what hangs below their objects.

    Where an entry names a type as well, both must fit: a fingerprint has 32 bits.
    """
    if not known:
        return Sorted(tuple(candidates), (), ())
    by_fingerprint = {entry.fingerprint: entry for entry in known}
    accepted: list[AcceptedGrower] = []
    seen: set[str] = set()
    ends: set[int] = set()
    others = []
    for candidate in candidates:
        entry = by_fingerprint.get(fingerprint_of(candidate))
        growth = candidate.growth
        if entry is None or entry.type_name not in ("", growth.name):
            others.append(candidate)
            continue
        seen.add(entry.fingerprint)
        ends.update(candidate.branch.end_paths)
        accepted.append(
            AcceptedGrower(
                entry, growth.name, growth.objects_delta, growth.shallow_bytes_delta, candidate.branch.in_place
            )
        )
    return Sorted(
        news=tuple(candidate for candidate in others if not _hangs_below(diff, candidate, ends)),
        accepted=tuple(accepted),
        gone=tuple(entry for entry in known if entry.fingerprint not in seen),
    )


def _hangs_below(diff: HeapDiff, candidate: Candidate, ends: set[int]) -> bool:
    """Whether all of its new objects are parts of accepted ones."""
    branches = candidate.branches
    return bool(ends) and all(
        ends.intersection(diff.paths.ancestry(number)) for branch in branches for number in branch.end_paths
    )
