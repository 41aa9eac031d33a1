"""One measurement in one fresh process: builds the heap, runs one job of one tool, prints one line of JSON.

The order: the tool is imported and used once on the empty heap; the heap is built (and the leak, where the job does
not make it itself); full collection, trim, the CPU time of one ``gc.collect()``; the job; what is alive while its
result is held; the judgement of its answer; what is alive when the result is dropped; the watched repetition.
"""

import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import attrs

from benchmarks import measuring, service_heap
from benchmarks.contenders import Claim, Contender, Job, contender
from benchmarks.measuring import Live, StandstillWatch
from benchmarks.stage import Stage

__all__ = ["RESULT", "STANDS", "main"]

STANDS = "STANDS"  # the heap stands: the clock of the timeout starts
RESULT = "RESULT "
_IMPORTS = 10


def main(tool: str, job: str, object_count: int) -> None:
    """Measures and prints; ends the process without taking millions of objects apart."""
    measure = _measure_import if job == "import" else _measure_job
    found = measure(contender(tool), job, object_count)
    found |= {"python": platform.python_version(), "load_average": os.getloadavg()[0]}
    print(RESULT + json.dumps(found), flush=True)
    os._exit(0)


@attrs.define
class _Observed:
    """What one run of a job took; *before* stays for the second count."""

    result: Any
    before: Live
    held: Live = attrs.field(factory=lambda: Live(0, 0))
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_bytes: int = 0
    left: Live = attrs.field(factory=lambda: Live(0, 0))
    claims: str = "[]"


def _measure_job(tool: Contender, name: str, object_count: int) -> dict[str, Any]:
    job = tool.job(name)
    stage = Stage(object_count)
    job.prepare(stage)
    service_heap.build(object_count)
    if name != "diff":
        stage.leak()
        stage.forget_leak_costs()
    # the harness's own few objects: a round that does nothing is taken off, the second, as the first fills caches
    for _ in range(2):
        idle = _observe(Job("nothing", lambda stage: None), Stage(object_count))
    gc.collect()
    measuring.trim()
    collection = measuring.collection_seconds()
    print(STANDS, flush=True)
    seen = _observe(job, stage)
    if job.watched is not None:
        stage.figures["seen_from_outside_seconds"] = _standstill_seconds(job.watched())
    held, left = seen.held - idle.held - stage.leak_live, seen.left - idle.left - stage.leak_live
    return {
        "how": job.how,
        "collection_seconds": collection,
        "cpu_seconds": seen.cpu_seconds,
        "wall_seconds": seen.wall_seconds,
        "phases": stage.phases,
        "figures": stage.figures,
        "peak_bytes": seen.peak_bytes,
        "held": attrs.asdict(held),
        "left": attrs.asdict(left),
        "claims": json.loads(seen.claims),
    }


def _observe(job: Job, stage: Stage) -> _Observed:
    gc.collect()
    seen = _Observed(None, measuring.live())
    measuring.trim()
    measuring.reset_peak()
    resident = measuring.resident_bytes()
    cpu, wall = measuring.cpu_seconds(), time.perf_counter()
    seen.result = job.run(stage)
    seen.wall_seconds = time.perf_counter() - wall - stage.leak_wall_seconds
    seen.cpu_seconds = measuring.cpu_seconds() - cpu - stage.leak_cpu_seconds
    seen.peak_bytes = max(0, measuring.peak_bytes() - resident - stage.leak_resident_bytes)
    seen.held = measuring.live() - seen.before
    seen.claims = _judged(job.claims(stage, seen.result))
    seen.result = None
    job.let_go(stage)
    gc.collect()
    gc.collect()
    seen.left = measuring.live() - seen.before
    return seen


def _judged(claims: list[Claim]) -> str:
    return json.dumps([attrs.asdict(claim) | {"right": claim.is_right} for claim in claims])


def _standstill_seconds(act: Callable[[], object]) -> float:
    with StandstillWatch() as watch:
        time.sleep(0.05)
        act()
    return watch.longest_seconds


def _measure_import(tool: Contender, name: str, object_count: int) -> dict[str, Any]:
    """The least of ten fresh processes that import it, less the least of ten that import nothing."""
    bare, imported = _import_cost("pass"), _import_cost(f"import {tool.imports}")
    figures: dict[str, float] = {"resident_memory_bytes": imported[1] - bare[1]}
    if tool.name == "heapdiff":  # its names come when they are asked for: say what they cost then
        loaded = _import_cost("from heapdiff import *")
        figures["CPU_with_every_name_used_seconds"] = loaded[0] - bare[0]
        figures["memory_with_every_name_used_bytes"] = loaded[1] - bare[1]
    return {"how": f"import {tool.imports}", "cpu_seconds": imported[0] - bare[0], "figures": figures}


def _import_cost(statement: str) -> tuple[float, int]:
    report = (
        "import os, time\n"
        "print(time.process_time(), int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE'))"
    )
    runs = []
    for _ in range(_IMPORTS):
        command = [sys.executable, "-c", f"{statement}\n{report}"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        runs.append((float(said[0]), int(said[1])))
    return min(cpu for cpu, _ in runs), min(resident for _, resident in runs)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
