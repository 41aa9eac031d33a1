"""One case of the zoo in, what heapdiff says of it out, as JSON; runs in the environment of that case."""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

__all__ = ["count_of", "leave", "load_workload", "run_case", "take_steps"]


def main(case: str, rounds: str, out: str) -> None:
    """Runs the case and writes the answers to the file *out*."""
    answers = run_case(Path(case), int(rounds))
    Path(out).write_text(json.dumps(answers), encoding="utf-8")


def load_workload(case: Path) -> ModuleType:
    """The case's module, under the name that its types have in the truth file."""
    sys.path.insert(0, str(case))
    return importlib.import_module("workload")


def count_of(workload: ModuleType, name: str, usual: int) -> int:
    """WARMUP or STEPS as the case has it, else the usual number."""
    return int(getattr(workload, name, usual))


def take_steps(workload: ModuleType, start: int, count: int) -> int:
    """Does steps from number *start* on and lets threads settle; the number of the next step."""
    for number in range(start, start + count):
        workload.step(number)
    settle = getattr(workload, "settle", None)
    if settle is not None:
        settle()
    return start + count


def run_case(case: Path, rounds: int) -> dict[str, Any]:
    """The reports over all snapshots and over base and last alone, as data and as text, and the seconds they took."""
    import heapdiff

    workload = load_workload(case)
    workload.setup()
    number = take_steps(workload, 0, count_of(workload, "WARMUP", 50))
    snapshots, capturing = [], 0.0
    for moment in range(rounds + 1):
        if moment:
            number = take_steps(workload, number, count_of(workload, "STEPS", 200))
        start = time.perf_counter()
        snapshots.append(heapdiff.take_snapshot())
        capturing += time.perf_counter() - start
    start = time.perf_counter()
    report = heapdiff.compare(*snapshots, known_leaks=())
    explaining = time.perf_counter() - start
    two = heapdiff.compare(snapshots[0], snapshots[-1], known_leaks=())
    teardown = getattr(workload, "teardown", None)
    if teardown is not None:
        teardown()
    return {
        "report": json.loads(report.to_json()),
        "two": json.loads(two.to_json()),
        "text": str(report),
        "text_of_two": str(two),
        "capture_seconds": capturing / len(snapshots),
        "explain_seconds": explaining,
        "object_count": snapshots[-1].object_count,
    }


def leave(run: Callable[[], None]) -> NoReturn:
    """Runs and ends the process at once: a thread that a case left behind would keep it waiting for ever."""
    code = 0
    try:
        run()
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(lambda: main(*sys.argv[1:]))
