"""A branch of growth in, the place where it piles up out: its objects in both heaps, and some of the new ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import attrs

from heapdiff.diff.matching import LabelledHeap, node_at
from heapdiff.diff.model import HeapDiff, PathTree
from heapdiff.explain.accumulation import Branch, growth_below, named_steps
from heapdiff.explain.growers import Candidate
from heapdiff.explain.model import Holder, HolderKind
from heapdiff.graph import HeapGraph, LabelTree, path_expression
from heapdiff.graph.states import LIVE
from heapdiff.native import Columns, objects_at
from heapdiff.snapshot.labels import LabelKind
from heapdiff.snapshot.model import Snapshot

__all__ = ["Place", "narrowed", "place_of", "sample_of"]

_SAMPLE = 1000  # new objects for which it is proven that the holder keeps them
_NEARLY_ALL = 0.7  # of the sample
_NARROWED = 0.25  # a container has that many new elements for each new object
_NARROWED_DEPTH = 16

_KIND_OF_ROOT = {
    LabelKind.ROOT_LOCAL: HolderKind.LOCAL,
    LabelKind.ROOT_NATIVE: HolderKind.NATIVE,
    LabelKind.ROOT_INTERPRETER: HolderKind.INTERPRETER,
}
_ENTRY_KINDS = frozenset(
    {LabelKind.KEY, LabelKind.KEY_OF_TYPE, LabelKind.ELEMENT, LabelKind.MEMBER, LabelKind.CACHE_ENTRY}
)


@attrs.frozen
class Place:
    """A holder whose retained sizes are still to be measured."""

    holder: Holder
    objects_base: tuple[int, ...]


def sample_of(diff: HeapDiff, candidate: Candidate, survived: Columns | None) -> tuple[int, ...]:
    """New objects of the candidate's type on its heaviest branch, at most 1000.

    Between two processes nothing is known to be new, so they are taken from all that are there now.
    """
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


def place_of(
    diff: HeapDiff, tree: PathTree, branch: Branch, type_name: str, base: LabelledHeap, now: LabelledHeap
) -> Place:
    """The place where a branch piles up: what holds the new objects in *now*, and the same in *base*."""
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
        return Place(holder, ())
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
    return Place(holder, objects_base)


def narrowed(diff: HeapDiff, place: Place, sample: Sequence[int]) -> Place:
    """The same place, or the container below its one object to which (nearly) all was added.

    Label paths cannot tell the list of a root node from the lists of the nodes below it. Dominators can: it
    keeps nearly all of the sample alive, and has about as many new elements as there are new objects.
    """
    holder = place.holder
    if len(holder.objects) != 1 or holder.entries_now is not None or not sample:
        return place
    kept = _kept_below(diff.now, holder.objects[0], sample)
    for obj in sorted(kept, key=lambda obj: -kept[obj]):
        before = _at_address(diff.base, diff.now, obj) if diff.same_process else None
        objects_base = () if before is None else (before,)
        entries = _entries(diff.now.snapshot.columns, (obj,)) or 0
        entries_base = _entries(diff.base.snapshot.columns, objects_base) or 0
        if entries - entries_base < max(_NARROWED * holder.new_objects, 2) or before is None:
            continue
        node = diff.now.label_tree["node_of"][obj]
        inner = attrs.evolve(
            holder,
            expression=LabelTree.of(diff.now).expression(node),
            type_name=_type_of(diff.now.snapshot, obj),
            path=diff.paths.by_now_node.get(node),
            objects=(obj,),
            entries_now=entries,
            entries_base=entries_base,
            shallow_bytes_delta=diff.now.snapshot.shallow_bytes(obj) - diff.base.snapshot.shallow_bytes(before),
        )
        return Place(inner, objects_base)
    return place


def _kept_below(graph: HeapGraph, holder: int, sample: Sequence[int]) -> dict[int, int]:
    """How many of the sample each object right below the holder dominates, where that is nearly all of them."""
    immediate = graph.dominators["immediate_dominator"]
    kept: dict[int, int] = {}
    for obj in sample:
        at = immediate[obj]
        for _ in range(_NARROWED_DEPTH):
            if at in (holder, 0) or at >= len(immediate):
                break
            kept[at] = kept.get(at, 0) + 1
            at = immediate[at]
    return {obj: count for obj, count in kept.items() if count >= _NEARLY_ALL * len(sample)}


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
            LabelKind.ROOT_EVENT_LOOP: "event loops",
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
    if found == len(addresses) or addresses[found] != address or base.paths["state"][found] != LIVE:
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
