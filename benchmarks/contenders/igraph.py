"""igraph: a general graph library's dominators on a graph taken in Python."""

from collections.abc import Sequence

import igraph
import numpy as np

from benchmarks.contenders.python_graph import ReferenceGraph, dominator_job

__all__ = ["JOBS"]


def _dominators(graph: ReferenceGraph) -> Sequence[int]:
    ends = (np.frombuffer(graph.sources, dtype=np.uint32), np.frombuffer(graph.targets, dtype=np.uint32))
    drawn = igraph.Graph(n=graph.count + 1, edges=np.column_stack(ends), directed=True)
    return [int(parent) if parent >= 0 else -1 for parent in drawn.dominator(graph.count, mode="out")[: graph.count]]


JOBS = {"retained": dominator_job("Graph.dominator of all", _dominators)}
