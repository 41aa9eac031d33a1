"""The branches of a grower in, what keeps its new objects alive out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import attrs

from heapdiff.diff.matching import LabelledHeap, PathMatcher, node_at
from heapdiff.diff.model import HeapDiff, PathTree
from heapdiff.explain.accumulation import Branch, find_branches, growth_below, named_steps
from heapdiff.explain.growers import Candidate
from heapdiff.explain.model import Holder, HolderKind
from heapdiff.graph import HeapGraph, path_expression, retained_by_groups
from heapdiff.native import (
    Columns,
    label_growth,
    label_tree,
    objects_at,
    shortest_paths,
    survivors,
)
from heapdiff.snapshot.labels import LabelKind
from heapdiff.snapshot.model import Snapshot

__all__ = ["Held", "find_holders", "is_dominated"]

_SAMPLE = 1000  # new objects for which it is proven that the holder keeps them
_STILL_LIVE = 0.1  # so much of the sample outlives its holder: somebody else holds it too
_JOINT_HOLDERS = 4
_CLIMB_BUDGET = 2_000_000  # steps up the dominator tree; beyond, searching the heap again is cheaper
_LIVE = 1

_KIND_OF_ROOT = {
    LabelKind.ROOT_LOCAL: HolderKind.LOCAL,
    LabelKind.ROOT_NATIVE: HolderKind.NATIVE,
    LabelKind.ROOT_INTERPRETER: HolderKind.INTERPRETER,
}
_ENTRY_KINDS = frozenset(
    {LabelKind.KEY, LabelKind.KEY_OF_TYPE, LabelKind.ELEMENT, LabelKind.MEMBER, LabelKind.CACHE_ENTRY}
)


@attrs.frozen
class Held:
    """What holds the new objects of one candidate, and some of those objects."""

    holders: tuple[Holder, ...]
    sample: tuple[int, ...]  # numbers in the last snapshot; new ones, where that is known


@attrs.frozen
class _Place:
    """A holder whose retained sizes are still to be measured."""

    holder: Holder
    objects_base: tuple[int, ...]


def find_holders(diff: HeapDiff, candidates: Sequence[Candidate]) -> tuple[Held, ...]:
    """What keeps the new objects of each candidate alive, joint holders included.

    Whether taking the holder away would free them is read off the dominator tree. Only where it
    would not, both heaps are searched again without it for whoever else holds them.
    """
    survived = survived_objects(diff)
    samples = [_sample(diff, candidate, survived) for candidate in candidates]
    places = [
        [_place(diff, diff.paths, branch, candidate.growth.name, diff.base, diff.now) for branch in candidate.branches]
        for candidate in candidates
    ]
    _add_joint_holders(diff, candidates, samples, places)
    measured = _measure(diff, places)
    return tuple(Held(holders, sample) for holders, sample in zip(measured, samples, strict=True))


def survived_objects(diff: HeapDiff) -> Columns | None:
    """The native pass of that name; None between two processes, where nothing survives."""
    if not diff.same_process:
        return None
    base, now = diff.base, diff.now
    return survivors(base.snapshot.columns, base.paths, now.snapshot.columns, now.paths)


def _sample(diff: HeapDiff, candidate: Candidate, survived: Columns | None) -> tuple[int, ...]:
    branch = candidate.branch
    ends = set(branch.end_paths)
    below: list[int | None] = [
        path.now_node
        for path in diff.paths.by_type.get(candidate.growth.name, ())
        if path.now_node is not None
        and path.objects_delta > 0
        and ends & {path.number, *diff.paths.ancestry(path.number)}
    ]
    if branch.in_place:
        below = [diff.paths[number].now_node for number in branch.end_paths]
    objects = _objects_of(diff.now, below)
    if survived is not None and not branch.in_place:
        column = survived["survived"]
        objects = [obj for obj in objects if not column[obj]] or objects
    step = max(1, len(objects) // _SAMPLE)
    return tuple(objects[::-1][::step][:_SAMPLE])


def _objects_of(heap: LabelledHeap, nodes: Iterable[int | None]) -> list[int]:
    wanted = bytearray(len(heap.label_tree["node_parent"]))
    for node in nodes:
        if node is not None:
            wanted[node] = 1
    return list(objects_at(heap.label_tree, wanted)["objects"])


def _place(
    diff: HeapDiff, tree: PathTree, branch: Branch, type_name: str, base: LabelledHeap, now: LabelledHeap
) -> _Place:
    first = tree[branch.steps[1][0]] if len(branch.steps) > 1 else None
    kind = HolderKind.SPREAD if first is None else _KIND_OF_ROOT.get(first.kind, HolderKind.ROOT)
    if branch.point == 0:
        below = branch.steps[1] if first is not None else (0,)
        counts = growth_below(tree, type_name, below)
        holder = Holder(
            kind=kind,
            expression=_root_expression(tree, below) if first is not None else "many places",
            type_name="",
            object_count=0,
            object_count_base=0,
            new_objects=counts[-1] - counts[0],
            path=below[0] if tree is diff.paths and first is not None else None,
        )
        return _Place(holder, ())
    paths = [tree[number] for number in branch.point_paths]
    objects = tuple(_objects_of(now, (path.now_node for path in paths)))
    objects_base = _counterparts(diff, tree, branch.point_paths, objects, base)
    counts = growth_below(tree, type_name, branch.point_paths)
    columns = diff.now.snapshot.columns, diff.base.snapshot.columns
    holder = Holder(
        kind=HolderKind.OBJECT if kind is HolderKind.ROOT else kind,
        expression=_expression(tree, branch),
        type_name=paths[0].type_name,
        object_count=sum(path.objects[-1] for path in paths),
        object_count_base=sum(path.objects[0] for path in paths),
        new_objects=counts[-1] - counts[0],
        path=paths[0].number if tree is diff.paths else None,
        objects=objects,
        entries_now=_entries(columns[0], objects),
        entries_base=_entries(columns[1], objects_base),
        shallow_bytes_delta=sum(path.shallow_bytes_delta for path in paths),
    )
    return _Place(holder, objects_base)


def _expression(tree: PathTree, branch: Branch) -> str:
    """The point as code; a root keeps its full name, and names that differ within a step become ``[*]``."""
    steps = [(kind, text) for kind, text, _ in named_steps(tree, branch)[: branch.point]]
    root = tree[branch.steps[1][0]]
    return path_expression([(root.kind, root.text), *steps[1:]])


def _root_expression(tree: PathTree, below: Sequence[int]) -> str:
    first = tree[below[0]]
    if len(below) > 1 or first.kind is LabelKind.ROOT_NATIVE:
        return {
            LabelKind.ROOT_NATIVE: f"native code {first.text}".strip(),
            LabelKind.ROOT_LOCAL: "local variables of running frames",
            LabelKind.ROOT_THREAD: "the state of threads",
            LabelKind.ROOT_MODULE: "sys.modules",
        }.get(first.kind, "many places")
    return path_expression([(first.kind, first.text)])


def _counterparts(
    diff: HeapDiff, tree: PathTree, paths: Sequence[int], objects: Sequence[int], base: LabelledHeap
) -> tuple[int, ...]:
    """The same objects in the base: by address in one process, else whatever the same label paths lead to.

    A container that the program replaces by a longer one has another address but the same path.
    """
    if diff.same_process:
        found = [_at_address(diff.base, diff.now, obj) for obj in objects]
        known = tuple(obj for obj in found if obj is not None)
        if known:
            return known
    nodes = [tree[path].base_node for path in paths]
    if None in nodes:
        nodes = [
            node if node is not None else node_at(base, tree, path) for node, path in zip(nodes, paths, strict=True)
        ]
    return tuple(_objects_of(base, nodes))


def _at_address(base: HeapGraph, now: HeapGraph, obj: int) -> int | None:
    address = now.snapshot.columns["object_address"][obj]
    addresses = base.snapshot.columns["object_address"]
    found = bisect_left(addresses, address)
    if found == len(addresses) or addresses[found] != address or base.paths["state"][found] != _LIVE:
        return None
    return found if _type_of(base.snapshot, found) == _type_of(now.snapshot, obj) else None


def _type_of(snapshot: Snapshot, obj: int) -> str:
    return snapshot.type_name(snapshot.columns["object_type"][obj])


def _entries(columns: Columns, objects: Sequence[int]) -> int | None:
    """Elements of the containers; None where there is nothing to count."""
    if not objects:
        return None
    start, labels = columns["reference_start"], columns["reference_label"]
    count = 0
    for obj in objects[:_SAMPLE]:
        # The five bits of kind are in the last byte of each label.
        kinds = bytes(labels[start[obj] : start[obj + 1]].cast("B")[3::4])
        count += kinds.translate(_IS_ENTRY).count(1)
    return count or None


_IS_ENTRY = bytes(byte >> 3 in _ENTRY_KINDS for byte in range(256))


# Joint holders


def _add_joint_holders(
    diff: HeapDiff,
    candidates: Sequence[Candidate],
    samples: Sequence[tuple[int, ...]],
    places: list[list[_Place]],
) -> None:
    """Append to *places* whoever else keeps the objects of a sample alive.

    All holders found so far are taken away at once, and what of a sample is still live then is
    held by somebody who is not among them yet.
    """
    open_cases = [
        number
        for number, candidate in enumerate(candidates)
        if not candidate.branch.in_place
        and places[number][0].holder.objects
        and not is_dominated(diff.now, samples[number], places[number][0].holder.objects)
    ]
    without_now = bytearray(diff.now.snapshot.object_count + 1)
    without_base = bytearray(diff.base.snapshot.object_count + 1)
    for number in open_cases:
        _mark(places[number], without_now, without_base)
    for _ in range(_JOINT_HOLDERS - 1):
        if not open_cases:
            return
        paths_now = shortest_paths(diff.now.snapshot.columns, without_now)
        state = paths_now["state"]
        open_cases = [number for number in open_cases if _live_part(state, samples[number]) >= _STILL_LIVE]
        if not open_cases:
            return
        base = _Reduced.of(diff.base.snapshot, shortest_paths(diff.base.snapshot.columns, without_base))
        now = _Reduced.of(diff.now.snapshot, paths_now)
        matcher = PathMatcher(base)
        growth = label_growth(base.snapshot.columns, base.label_tree, now.snapshot.columns, now.label_tree)
        matcher.add(now, growth, is_last=True)
        tree = matcher.tree()
        remaining = []
        for number in open_cases:
            branches = find_branches(tree, candidates[number].growth.name)
            if not branches or branches[0].in_place:
                continue
            place = _place(diff, tree, branches[0], candidates[number].growth.name, base, now)
            first, *rest = places[number]
            places[number] = [_as_joint(first), *rest, _as_joint(place)]
            if place.holder.objects:
                _mark(places[number], without_now, without_base)
                remaining.append(number)
        open_cases = remaining


def _as_joint(place: _Place) -> _Place:
    return attrs.evolve(place, holder=attrs.evolve(place.holder, joint=True))


@attrs.frozen
class _Reduced:
    """A heap from which some objects were taken away."""

    snapshot: Snapshot
    label_tree: Columns

    @classmethod
    def of(cls, snapshot: Snapshot, paths: Columns) -> _Reduced:
        return cls(snapshot, label_tree(snapshot.columns, paths))


def _mark(places: Iterable[_Place], without_now: bytearray, without_base: bytearray) -> None:
    for place in places:
        for obj in place.holder.objects:
            without_now[obj] = 1
        for obj in place.objects_base:
            without_base[obj] = 1


def _live_part(state: memoryview, sample: Sequence[int]) -> float:
    return sum(state[obj] == _LIVE for obj in sample) / len(sample) if sample else 0.0


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


# Retained sizes


def _measure(diff: HeapDiff, places: Sequence[Sequence[_Place]]) -> list[tuple[Holder, ...]]:
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


def _union(row: Iterable[_Place]) -> tuple[int, ...]:
    return tuple(sorted({obj for place in row if place.holder.joint for obj in place.holder.objects}))


def _retain_sets(graph: HeapGraph, wanted: Iterable[tuple[int, ...]], sizes: dict[tuple[int, ...], int]) -> None:
    """Fill in what each set of objects retains, without a dominator tree of that heap."""
    sets = sorted(wanted)
    if sets:
        retained = retained_by_groups(graph.snapshot, sets)
        sizes |= {objects: size.retained_bytes for objects, size in zip(sets, retained, strict=True)}


def _with_sizes(
    place: _Place, row: Sequence[_Place], now_sets: dict[tuple[int, ...], int], base_sets: dict[tuple[int, ...], int]
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
