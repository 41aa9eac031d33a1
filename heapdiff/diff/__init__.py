"""Two heap graphs in, what grew between them out."""

from heapdiff.diff.growth import diff_graphs
from heapdiff.diff.model import Garbage, HeapDiff, PathGrowth, PathTree, SiteGrowth, TypeGrowth

__all__ = ["Garbage", "HeapDiff", "PathGrowth", "PathTree", "SiteGrowth", "TypeGrowth", "diff_graphs"]
