"""Real programs with real leaks, each in a process of its own: the right type, holder and verdict."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.report.schema import misfits

ROOT = Path(__file__).parents[2]
HERE = "tests.live.programs"


def report_on(program: str) -> dict[str, Any]:
    # Without the end of the interpreter, at which asyncio complains of the tasks that never finish.
    code = f"import os; from {HERE} import run; print(run({program!r}).to_json(), flush=True); os._exit(0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert misfits(report) == []
    return report


@pytest.mark.parametrize(
    ("program", "type_name", "holder", "rule"),
    [
        ("leaky_dict", "Payload", "registry.items", "unbounded-mapping"),
        ("lru_cache", "Payload", "load", "unbounded-lru-cache"),
        ("cached_method", "Service", "Service.answer", "lru-cache-keys-pin-objects"),
        ("thread_local", "Payload", "LOCAL", "thread-local"),
        ("listeners", "Payload", "registry.listeners", "listener-never-removed"),
        ("weak_mapping", "Service", "WEAK.data", "weak-mapping-held-by-value"),
        ("tasks", "Payload", "TASKS", "pending-task-or-generator"),
        ("exceptions", "Payload", "ERRORS", "exception-pins-frames"),
    ],
)
def test_a_leak_is_found_with_its_type_its_holder_and_its_verdict(
    program: str, type_name: str, holder: str, rule: str
) -> None:
    grower = report_on(program)["growers"][0]

    assert grower["type"] == f"{HERE}.{type_name}"
    assert grower["holders"][0]["expression"].startswith(f"{HERE}.{holder}")
    assert (grower["verdict"]["rule"], grower["verdict"]["kind"]) == (rule, "leak")


def test_values_of_a_context_variable_are_found_in_their_context() -> None:
    grower = report_on("context_variable")["growers"][0]

    assert (grower["type"], grower["verdict"]["rule"]) == (f"{HERE}.Payload", "contextvar")


def test_a_buffer_that_gets_longer_is_its_own_holder() -> None:
    grower = report_on("buffer")["growers"][0]

    assert (grower["type"], grower["in_place"], grower["holders"][0]["expression"]) == (
        "bytearray",
        True,
        f"{HERE}.PENDING",
    )


def test_the_registry_and_the_index_of_the_same_objects_are_joint_holders() -> None:
    holders = report_on("joint")["growers"][0]["holders"]

    assert {(holder["expression"], holder["joint"]) for holder in holders} == {
        (f"{HERE}.INDEX", True),
        (f"{HERE}.REGISTERED", True),
    }


def test_a_bounded_cache_that_fills_up_is_benign() -> None:
    verdicts = {grower["verdict"]["kind"] for grower in report_on("bounded")["growers"]}

    assert verdicts == {"benign"}


def test_a_program_that_keeps_nothing_has_no_growers() -> None:
    assert report_on("nothing")["growers"] == []
