"""A workload in, what grows with every run of it out: find_growth(), assert_no_growth(), watching()."""

from heapdiff.growth.assertion import GrowthGuard, assert_no_growth
from heapdiff.growth.model import Growth, GrowthReport
from heapdiff.growth.search import find_growth, find_growth_async
from heapdiff.growth.watch import ObjectSet, Watch, watching

__all__ = [
    "Growth",
    "GrowthGuard",
    "GrowthReport",
    "ObjectSet",
    "Watch",
    "assert_no_growth",
    "find_growth",
    "find_growth_async",
    "watching",
]
