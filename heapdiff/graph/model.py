"""A snapshot in, its graph out: who holds whom, and every pass over it computed once."""

from __future__ import annotations

from functools import cached_property

import attrs

from heapdiff import native
from heapdiff.graph.dominators import DominatorTree
from heapdiff.graph.states import LIVE
from heapdiff.native import Columns
from heapdiff.snapshot.model import Snapshot

__all__ = ["HeapGraph"]


@attrs.frozen(slots=False, eq=False, repr=False)
class HeapGraph:
    """One heap as a graph. Object 0 is the virtual root; its references are the GC roots.

    The properties are what the native passes of the same names return (see
    ``docs/dev/native-contract.md``), each computed when it is asked for first and then kept.
    """

    snapshot: Snapshot

    @classmethod
    def of(cls, snapshot: Snapshot) -> HeapGraph:
        """The graph of that snapshot; nothing is computed yet."""
        return cls(snapshot)

    @property
    def object_count(self) -> int:
        """Objects, garbage and heapdiff's own included, the virtual root not counted."""
        return self.snapshot.object_count

    @cached_property
    def paths(self) -> Columns:
        """``state``, ``parent``, ``via`` and ``is_shared`` of every object."""
        return native.shortest_paths(self.snapshot.columns)

    @cached_property
    def dominators(self) -> DominatorTree:
        """What each object alone keeps alive."""
        paths = self.paths
        return DominatorTree(self.snapshot, paths, native.dominators(self.snapshot.columns, paths))

    @cached_property
    def label_tree(self) -> Columns:
        """The chains of all live objects with identities removed; LabelTree reads them."""
        return native.label_tree(self.snapshot.columns, self.paths)

    @cached_property
    def type_totals(self) -> Columns:
        """Live ``objects`` and their ``bytes`` by type row."""
        return native.type_totals(self.snapshot.columns, self.paths)

    @cached_property
    def type_retained(self) -> Columns:
        """``bytes`` by type row: at least so much all objects of the type retain together."""
        return native.type_retained(self.snapshot.columns, self.paths, self.dominators.columns)

    @cached_property
    def dominator_profile(self) -> Columns:
        """The dominator tree folded by type, as pprof shows a heap."""
        return native.dominator_profile(self.snapshot.columns, self.paths, self.dominators.columns)

    @cached_property
    def site_totals(self) -> Columns:
        """Live ``objects`` and ``bytes`` by ``site`` and ``type``.

        Raises:
            ValueError: The snapshot has no sites; ask ``snapshot.has_sites`` first.
        """
        return native.site_totals(self.snapshot.columns, self.paths)

    def is_live(self, obj: int) -> bool:
        """Whether a root reaches the object."""
        return self.paths["state"][obj] == LIVE

    def __repr__(self) -> str:
        return f"<HeapGraph of {self.object_count:,} objects>"
