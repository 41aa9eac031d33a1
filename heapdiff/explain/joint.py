"""The places where growth piles up in, out the same with whoever else keeps the same objects alive."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from heapdiff.diff.matching import PathMatcher
from heapdiff.diff.model import HeapDiff, PathTree
from heapdiff.explain.accumulation import find_branches
from heapdiff.explain.growers import Candidate
from heapdiff.explain.places import Place, place_of
from heapdiff.graph import HeapGraph
from heapdiff.graph.states import LIVE
from heapdiff.native import Columns, label_growth, label_tree, shortest_paths
from heapdiff.snapshot.model import Snapshot

__all__ = ["add_joint_holders", "is_dominated"]

_STILL_LIVE = 0.1  # so much of the sample outlives its holder: somebody else holds it too
_KNOWN = 0.5  # so much of what is left hangs below a holder that is known from other growers
_JOINT_HOLDERS = 4
_SEARCHED_GROUPS = 3  # each costs a search of the heap or more
_CLIMB_BUDGET = 2_000_000  # steps up the dominator tree; beyond, searching the heap again is cheaper


def add_joint_holders(
    diff: HeapDiff, candidates: Sequence[Candidate], samples: Sequence[tuple[int, ...]], places: list[list[Place]]
) -> None:
    """Append to the places of each candidate whoever else keeps the objects of its sample alive.

    The dominator tree tells at once where the first holder keeps them alone. Elsewhere the heap is
    searched again without it, and what of the sample is still live then leads to the next holder,
    until nothing is.
    """
    groups: dict[int, list[int]] = {}
    for number, candidate in enumerate(candidates):
        first = places[number][0].holder
        if candidate.branch.in_place or not first.objects:
            continue
        if not is_dominated(diff.now, samples[number], first.objects):
            groups.setdefault(candidate.group, []).append(number)
    known = [row[0] for row in places if row[0].holder.objects]
    for members in list(groups.values())[:_SEARCHED_GROUPS]:
        _search_group(diff, candidates, samples, places, members, known)


def _search_group(
    diff: HeapDiff,
    candidates: Sequence[Candidate],
    samples: Sequence[tuple[int, ...]],
    places: list[list[Place]],
    members: Sequence[int],
    known: Sequence[Place],
) -> None:
    """Search for the first member of a group; the others share its joint holders where those free them too."""
    leading, *others = members
    search = _Search(diff, places[leading][0])
    others_before = [number for number in others if search.live_part(samples[number]) >= _STILL_LIVE]
    joint: list[Place] = []
    while search.live_part(samples[leading]) >= _STILL_LIVE and len(joint) + 1 < _JOINT_HOLDERS:
        place = search.known_holder(samples[leading], known) or search.next_holder(candidates[leading])
        if place is None:
            break
        joint.append(place)
        if not place.holder.objects:
            break
        search.take_away(place)
    for number in [leading, *others_before] if joint else []:
        if number == leading or search.live_part(samples[number]) < _STILL_LIVE:
            first, *rest = places[number]
            new_objects = first.holder.new_objects
            places[number] = [_as_joint(first), *rest, *(_as_joint(place, new_objects) for place in joint)]


class _Search:
    """Both heaps without the holders that were found so far."""

    def __init__(self, diff: HeapDiff, first: Place) -> None:
        self._diff = diff
        self._without_now = bytearray(diff.now.snapshot.object_count + 1)
        self._without_base = bytearray(diff.base.snapshot.object_count + 1)
        self.take_away(first)

    def take_away(self, place: Place) -> None:
        """Search the last heap again, without that holder too."""
        for obj in place.holder.objects:
            self._without_now[obj] = 1
        for obj in place.objects_base:
            self._without_base[obj] = 1
        self._paths = shortest_paths(self._diff.now.snapshot.columns, self._without_now)

    def live_part(self, sample: Sequence[int]) -> float:
        """The part of the sample that is live all the same, 0 to 1."""
        state = self._paths["state"]
        return sum(state[obj] == LIVE for obj in sample) / len(sample) if sample else 0.0

    def known_holder(self, sample: Sequence[int], known: Sequence[Place]) -> Place | None:
        """The holder of another grower through which most of what is left of the sample is reached."""
        parent, state = self._paths["parent"], self._paths["state"]
        owner_of = {obj: place for place in reversed(known) for obj in place.holder.objects}
        left = [obj for obj in sample if state[obj] == LIVE]
        found: dict[int, tuple[int, Place]] = {}
        budget = _CLIMB_BUDGET
        for obj in left:
            at = obj
            while at and at not in owner_of and budget:
                at = parent[at]
                budget -= 1
            place = owner_of.get(at)
            if place is not None:
                count, _ = found.get(id(place), (0, place))
                found[id(place)] = count + 1, place
        count, best = max(found.values(), key=lambda item: item[0], default=(0, None))
        return best if best is not None and count >= _KNOWN * len(left) else None

    def next_holder(self, candidate: Candidate) -> Place | None:
        """Where the growth of the type piles up now."""
        base = _Reduced.of(
            self._diff.base.snapshot, shortest_paths(self._diff.base.snapshot.columns, self._without_base)
        )
        now = _Reduced.of(self._diff.now.snapshot, self._paths)
        tree = _path_tree(base, now)
        branches = find_branches(tree, candidate.growth.name)
        if not branches or branches[0].in_place:
            return None
        return place_of(self._diff, tree, branches[0], candidate.growth.name, base, now)


@attrs.frozen
class _Reduced:
    """A heap from which some objects were taken away."""

    snapshot: Snapshot
    label_tree: Columns

    @classmethod
    def of(cls, snapshot: Snapshot, paths: Columns) -> _Reduced:
        return cls(snapshot, label_tree(snapshot.columns, paths))


def _path_tree(base: _Reduced, now: _Reduced) -> PathTree:
    matcher = PathMatcher(base)
    growth = label_growth(base.snapshot.columns, base.label_tree, now.snapshot.columns, now.label_tree)
    matcher.add(now, growth, is_last=True)
    return matcher.tree()


def _as_joint(place: Place, new_objects: int | None = None) -> Place:
    holder = attrs.evolve(place.holder, joint=True)
    if new_objects is not None:
        holder = attrs.evolve(holder, new_objects=new_objects)
    return attrs.evolve(place, holder=holder)


def is_dominated(graph: HeapGraph, sample: Sequence[int], holders: Sequence[int]) -> bool:
    """Whether (nearly) all of the sample would go with the holders, as far as dominators tell."""
    immediate = graph.dominators["immediate_dominator"]
    known = dict.fromkeys(holders, True) | {0: False}
    held, budget = 0, _CLIMB_BUDGET
    for obj in sample:
        climb, at = [], obj
        while at not in known and budget:
            climb.append(at)
            at = immediate[at]
            budget -= 1
        if not budget:
            return False
        known |= dict.fromkeys(climb, known[at])
        held += known[at]
    return held > (1 - _STILL_LIVE) * len(sample)
