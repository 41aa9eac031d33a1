"""rustworkx: a general graph library's dominators on a graph taken in Python."""

from collections.abc import Sequence

import rustworkx

from benchmarks.contenders.python_graph import ReferenceGraph, dominator_job

__all__ = ["JOBS"]


def _dominators(graph: ReferenceGraph) -> Sequence[int]:
    drawn = rustworkx.PyDiGraph(multigraph=True)
    drawn.add_nodes_from(range(graph.count + 1))
    drawn.add_edges_from_no_data(list(zip(graph.sources, graph.targets, strict=True)))
    parents = [-1] * graph.count
    for child, parent in rustworkx.immediate_dominators(drawn, graph.count).items():
        if child != graph.count:
            parents[child] = parent
    return parents


JOBS = {"retained": dominator_job("immediate_dominators of all", _dominators)}
