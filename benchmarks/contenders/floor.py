"""The interpreter itself: what no tool can be faster than, and the unit of every ratio."""

import gc

from benchmarks.contenders import Job
from benchmarks.stage import Stage

__all__ = ["JOBS"]


def _collect(stage: Stage) -> None:
    gc.collect()


JOBS = {"pause": Job("gc.collect()", _collect, watched=lambda: gc.collect)}
