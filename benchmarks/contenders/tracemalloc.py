"""tracemalloc with one frame: by place of allocation, at the price of tracing every one; more frames time out."""

import tracemalloc
from typing import Any

from benchmarks.contenders import Claim, Job
from benchmarks.stage import Stage

__all__ = ["JOBS"]


def _prepare(stage: Stage) -> None:
    tracemalloc.start(1)


def _let_go(stage: Stage) -> None:
    tracemalloc.clear_traces()


def _diff(stage: Stage) -> Any:
    with stage.phase("two pictures"):
        base = tracemalloc.take_snapshot()
    stage.leak()
    with stage.phase("two pictures"):
        now = tracemalloc.take_snapshot()
    with stage.phase("difference"):
        return base, now, now.compare_to(base, "lineno")


def _diff_claims(stage: Stage, result: Any) -> list[Claim]:
    # the pictures trace themselves; every other line that allocated belongs to the leak, those of random.py too
    found = sum(row.size_diff for row in result[-1] if row.traceback[0].filename != tracemalloc.__file__)
    attributes = stage.set_retained_bytes(allocated=True) - stage.leaked.set_retained_bytes
    truth = stage.leaked.registry_retained_bytes + attributes
    return [Claim("new bytes", found, truth, tolerance=0.01 * truth)]


JOBS = {"diff": Job("1 frame, tracing from the start", _diff, _diff_claims, _prepare, _let_go)}
