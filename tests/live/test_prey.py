"""A handful of CPython's own test modules as prey; ``make prey`` runs them all."""

import importlib.util
import platform
from pathlib import Path
from typing import Any

import pytest

from tests.live.prey import run_modules, write_table

with_cpythons_tests = pytest.mark.skipif(
    importlib.util.find_spec("test.test_gc") is None, reason="this Python comes without its tests"
)


def row(module: str, passed: int, **more: Any) -> dict[str, Any]:
    return {"module": module, "passed_without": passed, "passed": passed, "objects": 12_345, "result": "same", **more}


def cells(table: Path) -> list[list[str]]:
    lines = [line for line in table.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_table_keeps_what_was_run_before(tmp_path: Path) -> None:
    here, table = platform.python_version(), tmp_path / "prey.md"
    table.write_text("| module | 3.0.1 |\n|---|---|\n| test_old | 7 / 7, 700 |\n")

    write_table(table, [row("test_gc", 4), {"module": "test_new", "missing": True, "result": "not in this Python"}])
    write_table(table, [row("test_weakref", 3, result="same when run alone")])

    assert cells(table) == [
        ["module", "3.0.1", here],
        ["test_gc", "not run", "4 / 4, 12,345"],
        ["test_new", "not run", "not in this Python"],
        ["test_old", "7 / 7, 700", "not run"],
        ["test_weakref", "not run", "3 / 3, 12,345, same when run alone"],
    ]


@with_cpythons_tests
def test_the_results_of_cpythons_tests_are_the_same_with_snapshots_between_them() -> None:
    modules = ["test_weakref", "test_generators", "test_struct", "test_frame", "test_asyncio.test_futures"]

    rows, good = run_modules(modules)

    assert good, [row for row in rows if row["result"] != "same"]


@with_cpythons_tests
def test_cpythons_tests_survive_snapshots_while_they_run() -> None:
    rows, good = run_modules(["test_dict", "test_set", "test_ordered_dict", "test_coroutines"], during=True)

    assert good, [row for row in rows if row["result"] != "alive"]
