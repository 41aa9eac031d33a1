"""A graph in, out what each object, and each set of objects, alone keeps alive."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from heapdiff import native
from heapdiff.graph.states import require_live
from heapdiff.native import Columns
from heapdiff.snapshot.model import Snapshot

if TYPE_CHECKING:
    from heapdiff.graph.model import HeapGraph

__all__ = ["DominatorTree", "Retained", "retained_by_groups"]

GROUPS = 63  # sets that one native pass measures


@attrs.frozen
class Retained:
    """What would be freed with a set of objects, its members included."""

    object_count: int
    retained_bytes: int


@attrs.frozen(eq=False, repr=False)
class DominatorTree:
    """The dominator tree of the live objects: an object dominates what only chains through it reach.

    ``tree["immediate_dominator"]`` and ``tree["retained_bytes"]`` are the whole columns.
    """

    snapshot: Snapshot
    paths: Columns
    columns: Columns

    @classmethod
    def of(cls, graph: HeapGraph) -> DominatorTree:
        """The tree of that graph, computed once and kept there."""
        return graph.dominators

    def __getitem__(self, name: str) -> memoryview:
        return self.columns[name]

    @property
    def live_bytes(self) -> int:
        """Bytes of all live objects: what the virtual root retains."""
        return self.columns["retained_bytes"][0]

    def immediate_dominator(self, obj: int) -> int:
        """The nearest object without which *obj* would be freed; 0 where only the roots together hold it.

        Raises:
            ValueError: There is no such object, or it is the virtual root.
            UnreachableObjectError: No root holds *obj*.

        Source: Lengauer & Tarjan, TOPLAS 1(1), 1979.
        """
        require_live(self.snapshot, self.paths, obj)
        if obj == 0:
            raise ValueError("object 0 is the virtual root, which nothing dominates; ask for objects from 1")
        return self.columns["immediate_dominator"][obj]

    def retained_bytes(self, obj: int) -> int:
        """Bytes that would be freed if *obj* were let go and nothing else.

        That is its own size plus the size of every object it dominates.

        Args:
            obj: Object number, ``0 <= obj <= graph.object_count``; 0 retains all that is live.

        Returns:
            Bytes, at least the object's own size.

        Raises:
            ValueError: There is no such object.
            UnreachableObjectError: No root holds *obj*, so nothing retains it.

        Source: Lengauer & Tarjan, TOPLAS 1(1), 1979.
        """
        require_live(self.snapshot, self.paths, obj)
        return self.columns["retained_bytes"][obj]

    def retained_bytes_of_set(self, objects: Iterable[int]) -> int:
        """Bytes that would be freed if all *objects* were let go at once; exact, one search of the heap.

        Objects that are not live free nothing. A sum over members would count twice what one
        member holds through another, and miss what several hold together.

        Raises:
            ValueError: An object does not exist, or is the virtual root.
        """
        return self.retained_by_groups([tuple(objects)])[0].retained_bytes

    def retained_by_groups(self, groups: Sequence[Collection[int]]) -> list[Retained]:
        """What each of the groups retains as if it were alone; one search of the heap for up to 63 of them.

        Groups may overlap; those that do are measured one after the other.

        Raises:
            ValueError: An object does not exist, or is the virtual root.
        """
        return retained_by_groups(self.snapshot, groups)

    def __repr__(self) -> str:
        return f"<DominatorTree of {self.live_bytes:,} live bytes>"


def retained_by_groups(snapshot: Snapshot, groups: Sequence[Collection[int]]) -> list[Retained]:
    """What each of the groups retains as if it were alone; it needs no dominator tree.

    One search of the heap serves up to 63 groups. Those that overlap are measured one after the other.

    Raises:
        ValueError: An object does not exist, or is the virtual root.
    """
    results: dict[int, Retained] = {}
    waiting = list(range(len(groups)))
    while waiting:
        marks = bytearray(snapshot.object_count + 1)
        taken: list[int] = []
        left: list[int] = []
        for number in waiting:
            fits = len(taken) < GROUPS and not any(_mark(marks, obj) for obj in groups[number])
            (taken if fits else left).append(number)
            if fits:
                for obj in groups[number]:
                    marks[obj] = len(taken)
        totals = native.retained_by_groups(snapshot.columns, marks)
        for place, number in enumerate(taken, start=1):
            results[number] = Retained(totals["objects"][place], totals["bytes"][place])
        waiting = left
    return [results[number] for number in range(len(groups))]


def _mark(marks: bytearray, obj: int) -> int:
    if not 0 < obj < len(marks):
        raise ValueError(f"object {obj} does not exist; the snapshot has objects 1 to {len(marks) - 1}")
    return marks[obj]
