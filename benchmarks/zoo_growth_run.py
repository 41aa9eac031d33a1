"""One case of the zoo in, what assert_no_growth says of it out, as JSON; runs in the environment of that case."""

import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.zoo_run import leave, load_workload

__all__ = ["run_case"]


def main(case: str, _rounds: str, out: str) -> None:
    """Runs the case with the defaults and writes the answer to the file *out*."""
    Path(out).write_text(json.dumps(run_case(Path(case))), encoding="utf-8")


def run_case(case: Path) -> dict[str, Any]:
    """Whether it fails, its message, and the seconds that took."""
    import heapdiff

    workload = load_workload(case)
    workload.setup()
    numbers = itertools.count()
    start = time.perf_counter()
    try:
        report = heapdiff.assert_no_growth(
            lambda: workload.step(next(numbers)), settle=getattr(workload, "settle", None)
        )
        text, has_failed = str(report), False
    except heapdiff.HeapGrowthError as error:
        text, has_failed = str(error), True
    return {
        "failed": has_failed,
        "text": text,
        "iterations": next(numbers),
        "seconds": time.perf_counter() - start,
    }


if __name__ == "__main__":
    leave(lambda: main(*sys.argv[1:]))
