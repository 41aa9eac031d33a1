"""Snapshot in, graph out: what is live, what holds it, and what would be freed with it."""

from heapdiff.graph.dominators import DominatorTree, Retained, retained_by_groups
from heapdiff.graph.labels import LabelTree
from heapdiff.graph.model import HeapGraph
from heapdiff.graph.naming import label_text, path_expression, read_label
from heapdiff.graph.paths import Chain, Hop, shortest_chain

__all__ = [
    "Chain",
    "DominatorTree",
    "HeapGraph",
    "Hop",
    "LabelTree",
    "Retained",
    "label_text",
    "path_expression",
    "read_label",
    "retained_by_groups",
    "shortest_chain",
]
