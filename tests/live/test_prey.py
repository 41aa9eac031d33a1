"""A handful of CPython's own test modules as prey; ``make prey`` runs them all."""

import importlib.util

import pytest

from tests.live.prey import run_modules

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("test.test_gc") is None, reason="this Python comes without its tests"
)


def test_the_results_of_cpythons_tests_are_the_same_with_snapshots_between_them() -> None:
    modules = ["test_weakref", "test_generators", "test_struct", "test_frame", "test_asyncio.test_futures"]

    rows, good = run_modules(modules)

    assert good, [row for row in rows if row["result"] != "same"]


def test_cpythons_tests_survive_snapshots_while_they_run() -> None:
    rows, good = run_modules(["test_dict", "test_set", "test_ordered_dict", "test_coroutines"], during=True)

    assert good, [row for row in rows if row["result"] != "alive"]
