"""A graph in, out its label paths as a tree: all chains with identities removed."""

from __future__ import annotations

from functools import cached_property

import attrs

from heapdiff.graph.model import HeapGraph
from heapdiff.graph.naming import path_expression, read_label
from heapdiff.graph.states import require_live
from heapdiff.native import Columns
from heapdiff.snapshot.labels import LabelKind
from heapdiff.snapshot.model import Snapshot

__all__ = ["LabelTree"]


@attrs.frozen(slots=False, eq=False, repr=False)
class LabelTree:
    """The label paths of all live objects. Nodes are numbered parents first; node 0 is the virtual root.

    A node stands for all objects of one type that are reached from the objects of the node above
    by one label. Where a path comes back to a label and type it had shortly before, as in a linked
    list, it stays in that node.
    """

    snapshot: Snapshot
    paths: Columns
    columns: Columns

    @classmethod
    def of(cls, graph: HeapGraph) -> LabelTree:
        """The tree of that graph; its columns are computed once and kept there."""
        return cls(graph.snapshot, graph.paths, graph.label_tree)

    def __len__(self) -> int:
        return len(self.columns["node_parent"])

    def node_of(self, obj: int) -> int:
        """The node that the object is counted in.

        Raises:
            ValueError: There is no such object.
            UnreachableObjectError: No root holds it.
        """
        require_live(self.snapshot, self.paths, obj)
        return self.columns["node_of"][obj]

    def parent(self, node: int) -> int | None:
        """The node above; None above the virtual root."""
        return self.columns["node_parent"][node] if node else None

    def children(self, node: int) -> tuple[int, ...]:
        """The nodes right below."""
        return self._children.get(node, ())

    def label(self, node: int) -> tuple[LabelKind, str]:
        """Kind and text of the reference that leads to the node's objects."""
        return read_label(self.snapshot, self.columns["node_label"][node])

    def type_name(self, node: int) -> str:
        """The type of the node's objects."""
        return self.snapshot.type_name(self.columns["node_type"][node])

    def object_count(self, node: int) -> int:
        """Objects in the node itself."""
        return self.columns["node_objects"][node]

    def shallow_bytes(self, node: int) -> int:
        """Bytes of the objects in the node itself."""
        return self.columns["node_bytes"][node]

    def total_bytes(self, node: int) -> int:
        """Bytes of the objects in the node and in all nodes below it."""
        return self._total_bytes[node]

    def ancestry(self, node: int) -> tuple[int, ...]:
        """The nodes from the one right below the virtual root down to *node*."""
        parents = self.columns["node_parent"]
        steps = []
        while node:
            steps.append(node)
            node = parents[node]
        return tuple(reversed(steps))

    def expression(self, node: int) -> str:
        """The label path as code, such as ``app.cache.CACHE[*].items``; empty for the virtual root."""
        return path_expression(self._expressive_label(step) for step in self.ancestry(node))

    def _expressive_label(self, node: int) -> tuple[LabelKind, str]:
        kind, text = self.label(node)
        # Positions are gone from a node's label; its payload says nothing.
        return kind, "" if kind is LabelKind.ELEMENT else text

    @cached_property
    def _children(self) -> dict[int, tuple[int, ...]]:
        children: dict[int, list[int]] = {}
        for node, parent in enumerate(self.columns["node_parent"].tolist()):
            if node:
                children.setdefault(parent, []).append(node)
        return {parent: tuple(nodes) for parent, nodes in children.items()}

    @cached_property
    def _total_bytes(self) -> list[int]:
        totals: list[int] = self.columns["node_bytes"].tolist()
        parents = self.columns["node_parent"]
        for node in range(len(totals) - 1, 0, -1):
            totals[parents[node]] += totals[node]
        return totals

    def __repr__(self) -> str:
        return f"<LabelTree of {len(self):,} nodes>"
