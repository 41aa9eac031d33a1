"""The branches of a grower in, what keeps its new objects alive out, with what each holder retains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from heapdiff.diff.model import HeapDiff, IdentityMode
from heapdiff.explain.growers import Candidate
from heapdiff.explain.joint import add_joint_holders
from heapdiff.explain.model import Holder
from heapdiff.explain.places import Place, narrowed, place_of, sample_of
from heapdiff.graph import HeapGraph, retained_by_groups
from heapdiff.native import Columns, survivors

__all__ = ["Held", "find_holders"]


@attrs.frozen
class Held:
    """What holds the new objects of one candidate, and some of those objects."""

    holders: tuple[Holder, ...]
    sample: tuple[int, ...]  # numbers in the last snapshot; new ones, where that is known


def find_holders(diff: HeapDiff, candidates: Sequence[Candidate]) -> tuple[Held, ...]:
    """What keeps the new objects of each candidate alive, joint holders included.

    Whether taking the holder away would free them is read off the dominator tree. Only where it
    would not, both heaps are searched again without it for whoever else holds them.
    """
    survived = _survived_objects(diff)
    samples = [sample_of(diff, candidate, survived) for candidate in candidates]
    places = [
        [
            place_of(diff, diff.paths, branch, candidate.growth.name, diff.base, diff.now)
            for branch in candidate.branches
        ]
        for candidate in candidates
    ]
    for row, sample in zip(places, samples, strict=True):
        row[0] = narrowed(diff, row[0], sample)
    add_joint_holders(diff, candidates, samples, places)
    measured = _measure(diff, places)
    return tuple(Held(holders, sample) for holders, sample in zip(measured, samples, strict=True))


def _survived_objects(diff: HeapDiff) -> Columns | None:
    """The native pass of that name; None between two processes, where nothing survives."""
    if not diff.same_process:
        return None
    base, now = diff.base, diff.now
    is_exact = diff.identity.mode is IdentityMode.EXACT
    return survivors(base.snapshot.columns, base.paths, now.snapshot.columns, now.paths, is_exact)


def _measure(diff: HeapDiff, places: Sequence[Sequence[Place]]) -> list[tuple[Holder, ...]]:
    """The holders with what they retain: as one set where they are several objects or held jointly."""
    now_sets: dict[tuple[int, ...], int] = {}
    base_sets: dict[tuple[int, ...], int] = {}
    for row in places:
        for place in row:
            now_sets.setdefault(place.holder.objects, 0)
            base_sets.setdefault(place.objects_base, 0)
        if any(place.holder.joint for place in row):
            now_sets.setdefault(_union(row), 0)
    single = diff.now.dominators["retained_bytes"]
    now_sets |= {objects: single[objects[0]] for objects in now_sets if len(objects) == 1}
    _retain_sets(diff.now, {key for key in now_sets if len(key) > 1}, now_sets)
    _retain_sets(diff.base, {key for key in base_sets if key}, base_sets)
    return [tuple(_with_sizes(place, row, now_sets, base_sets) for place in row) for row in places]


def _union(row: Iterable[Place]) -> tuple[int, ...]:
    return tuple(sorted({obj for place in row if place.holder.joint for obj in place.holder.objects}))


def _retain_sets(graph: HeapGraph, wanted: Iterable[tuple[int, ...]], sizes: dict[tuple[int, ...], int]) -> None:
    """Fill in what each set of objects retains, without a dominator tree of that heap."""
    sets = sorted(wanted)
    if sets:
        retained = retained_by_groups(graph.snapshot, sets)
        sizes |= {objects: size.retained_bytes for objects, size in zip(sets, retained, strict=True)}


def _with_sizes(
    place: Place, row: Sequence[Place], now_sets: dict[tuple[int, ...], int], base_sets: dict[tuple[int, ...], int]
) -> Holder:
    holder = place.holder
    if not holder.objects:
        return holder
    alone = now_sets[holder.objects]
    sized = attrs.evolve(
        holder, retained_bytes_now=alone, retained_bytes_base=base_sets[place.objects_base] if place.objects_base else 0
    )
    if not holder.joint:
        return sized
    together = now_sets[_union(row)]
    others = [now_sets[other.holder.objects] for other in row if other.holder.joint and other.holder.objects]
    share = alone + max(0, together - sum(others)) // len(others)
    return attrs.evolve(sized, exclusive_bytes=alone, share_bytes=share)
