"""Runs the measurements one at a time, each in a fresh process with a timeout and a memory limit; out: Runs."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from benchmarks import worker
from benchmarks.contenders import Contender
from benchmarks.measuring import resident_bytes_of

__all__ = ["Limits", "Run", "Task", "read_runs", "run_all", "tasks", "write_run"]

_ROOT = Path(__file__).resolve().parent.parent
_BUILD_SECONDS = 900.0
_WALL_FACTOR = 3  # on a busy machine a process gets a part of a core


@attrs.frozen
class Task:
    """One tool, one job, one size; size 0 for a job that needs no heap."""

    tool: str
    job: str
    object_count: int


@attrs.frozen
class Limits:
    """When a run is ended: CPU seconds since the heap stood, and resident bytes."""

    cpu_seconds: float = 300.0
    resident_bytes: int = 12_000_000_000


@attrs.frozen
class Run:
    """What one process measured; None is not measured.

    ``outcome`` is ok, timeout, memory, failed, not installed, or skipped (a smaller heap was already too much).
    """

    task: Task
    outcome: str
    how: str = ""
    error: str = ""
    python: str | None = None
    load_average: float | None = None
    collection_seconds: float | None = None
    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    peak_bytes: int | None = None
    held: dict[str, int] | None = None
    left: dict[str, int] | None = None
    phases: dict[str, float] = attrs.field(factory=dict)
    figures: dict[str, float | None] = attrs.field(factory=dict)
    claims: list[dict[str, Any]] = attrs.field(factory=list)


def tasks(contenders: Iterable[Contender], jobs: Iterable[str], sizes: Iterable[int]) -> list[Task]:
    """What is to be measured: small heaps first, and the tools of one job after one another."""
    chosen, wanted = list(contenders), list(jobs)
    plan = [Task(tool.name, "import", 0) for tool in chosen if "import" in wanted and "import" in tool.jobs]
    for size in sizes:
        for job in wanted:
            plan += [Task(tool.name, job, size) for tool in chosen if job in tool.jobs and job != "import"]
    return plan


def run_all(
    plan: list[Task], installed: Callable[[str], bool], limits: Limits, repeats: int, progress: Callable[[str], None]
) -> Iterator[Run]:
    """Every task *repeats* times; a tool that was too slow or too large once is not tried on larger heaps."""
    too_much: set[tuple[str, str]] = set()
    for i, task in enumerate(plan):
        if not installed(task.tool):
            yield Run(task, "not installed")
            continue
        for repeat in range(repeats):
            if (task.tool, task.job) in too_much:
                yield Run(task, "skipped")
                break
            of = f", {repeat + 1} of {repeats}" if repeats > 1 else ""
            progress(f"[{i + 1}/{len(plan)}] {task.tool} {task.job} {task.object_count:,}{of}")
            run = _run_one(task, limits)
            if run.outcome != "ok":
                too_much.add((task.tool, task.job))
            yield run


def write_run(run: Run, path: Path) -> None:
    """Appends the run as one line of JSON."""
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(attrs.asdict(run)) + "\n")


def read_runs(path: Path) -> list[Run]:
    """The runs that write_run() appended."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        found.append(Run(Task(**fields.pop("task")), **fields))
    return found


def _run_one(task: Task, limits: Limits) -> Run:
    environment = os.environ | {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", worker.__name__, task.tool, task.job, str(task.object_count)]
    with subprocess.Popen(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line, reason = _follow(process, limits)
        if reason is not None:
            process.kill()
        _, error = process.communicate()
    if reason is not None:
        return Run(task, reason)
    if line is None:
        return Run(task, "failed", error=error.strip()[-2000:])
    return Run(task, "ok", **json.loads(line))


def _follow(process: "subprocess.Popen[str]", limits: Limits) -> tuple[str | None, str | None]:
    """The result line, or why the run must be ended; neither when the process ended by itself."""
    if process.stdout is None:
        raise ValueError("the process has no pipe to follow")
    started, stands, cpu = time.monotonic(), False, 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(0.2):
                line = process.stdout.readline()
                if not line:
                    return None, None
                if line.startswith(worker.RESULT):
                    return line.removeprefix(worker.RESULT), None
                if line.startswith(worker.STANDS):
                    started, stands, cpu = time.monotonic(), True, _cpu_seconds_of(process.pid)
            if (resident_bytes_of(process.pid) or 0) > limits.resident_bytes:
                return None, "memory"
            wall_limit = limits.cpu_seconds * _WALL_FACTOR if stands else _BUILD_SECONDS
            over_cpu = stands and _cpu_seconds_of(process.pid) - cpu > limits.cpu_seconds
            if over_cpu or time.monotonic() - started > wall_limit:
                return None, "timeout"


def _cpu_seconds_of(pid: int) -> float:
    """CPU time of another process, from /proc/[pid]/stat; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
