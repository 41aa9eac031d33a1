"""The benchmarks measure what they say, and say so when they have not measured."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bounds import BOUNDS, check_bounds
from benchmarks.contenders import CONTENDERS, Contender, contender
from benchmarks.runner import Limits, Run, Task, read_runs, run_all, write_run
from benchmarks.table import as_markdown, as_text, tables

ROOT = Path(__file__).resolve().parents[2]
SMALL = 20_000


def test_heapdiff_alone_prints_every_measure() -> None:
    """One small heap, real processes: every promise has a figure, every answer is right."""
    command = [sys.executable, "-m", "benchmarks", "--sizes", str(SMALL), "--only", "heapdiff"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "not measured" not in done.stdout
    for bound in BOUNDS:
        assert bound.text in done.stdout
    for job in contender("heapdiff").jobs:
        assert f"\n{job}: " in done.stdout


@pytest.mark.parametrize("tool", [tool for tool in CONTENDERS if tool.is_installed], ids=lambda tool: tool.name)
def test_a_tool_does_the_jobs_that_it_is_listed_with(tool: Contender) -> None:
    """The list is read without importing the tool, so it must agree with the module that does."""
    check = (
        "from benchmarks.contenders import contender; import importlib, sys; "
        "tool = contender(sys.argv[1]); "
        "print(*importlib.import_module('benchmarks.contenders.' + tool.module).JOBS)"
    )

    said = subprocess.run(
        [sys.executable, "-c", check, tool.name], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert sorted(said.stdout.split()) == sorted(set(tool.jobs) - {"import"})


def test_a_tool_that_is_not_installed_is_said_to_be_so() -> None:
    task = Task("guppy3", "census", SMALL)

    runs = list(run_all([task], lambda tool: False, Limits(), 3, lambda text: None))

    assert runs == [Run(task, "not installed")]
    assert "not installed" in as_text(tables(runs))


def test_a_run_over_its_memory_is_ended_and_larger_heaps_are_not_tried() -> None:
    plan = [Task("the collector", "pause", SMALL), Task("the collector", "pause", 2 * SMALL)]

    runs = list(run_all(plan, lambda tool: True, Limits(resident_bytes=1), 1, lambda text: None))

    assert [run.outcome for run in runs] == ["memory", "skipped"]


def test_a_run_that_fails_says_why() -> None:
    [run] = run_all([Task("the collector", "chain", SMALL)], lambda tool: True, Limits(), 1, lambda text: None)

    assert run.outcome == "failed"
    assert "KeyError: 'chain'" in run.error


def test_runs_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    task = Task("heapdiff", "pause", SMALL)
    runs = [Run(task, "ok", collection_seconds=0.5, figures={"pause_cpu_seconds": 1.0}), Run(task, "timeout")]

    for run in runs:
        write_run(run, tmp_path / "runs.jsonl")

    assert read_runs(tmp_path / "runs.jsonl") == runs


def test_a_promise_is_checked_against_the_median_of_its_runs() -> None:
    task = Task("heapdiff", "pause", SMALL)

    spent = (1.0, 1.5, 9.0)
    runs = [Run(task, "ok", collection_seconds=1.0, figures={"pause_cpu_seconds": seconds}) for seconds in spent]
    check = check_bounds(runs)[0]

    assert (check.median, check.is_met) == (1.5, True)


def test_a_promise_that_was_not_measured_is_neither_kept_nor_broken() -> None:
    runs = [Run(Task("heapdiff", "pause", SMALL), "failed")]

    assert {check.is_met for check in check_bounds(runs)} == {None}
    assert "not measured" in as_text(tables(runs))


def test_a_wrong_answer_is_printed_beside_the_truth() -> None:
    claim = {"what": "objects", "found": 31, "truth": 100, "tolerance": 1, "right": False}
    runs = [Run(Task("objgraph", "census", SMALL), "ok", how="typestats", claims=[claim])]

    assert "31.0% of the objects" in as_markdown(tables(runs))
