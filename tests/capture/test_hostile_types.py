"""Extension types that break the rules are captured all the same, and break nothing."""

import gc
import importlib.util
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import heapdiff
from heapdiff.native import dominators, shortest_paths, validate
from tests.capture.living import Picture
from tests.capture.processes import FREE_THREADED


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The extension of hostile.c, compiled with the compiler that is there."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    built = tmp_path_factory.mktemp("hostile") / ("hostile" + str(sysconfig.get_config_var("EXT_SUFFIX")))
    source = Path(__file__).with_name("hostile.c")
    include = sysconfig.get_path("include")
    subprocess.run([compiler, "-shared", "-fPIC", "-w", f"-I{include}", "-o", built, source], check=True)
    found = importlib.util.spec_from_file_location("hostile", built)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """CPython's own collector does not survive some of these types."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


NAMES = ["VisitsNull", "VisitsOdd", "VisitsOften", "Allocates", "GivesUp", "SaysNothing", "Outside", "defaultdict"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("derived", [False, True])
def test_a_type_that_breaks_the_rules_does_no_harm(hostile: Any, name: str, derived: bool) -> None:
    kind = getattr(hostile, name)
    if derived:
        kind = type("Derived", (kind,), {"__slots__": ("more",)})
    kept = [kind([number]) for number in range(5)]

    snapshot = heapdiff.take_snapshot()

    validate(snapshot.columns)
    dominators(snapshot.columns, shortest_paths(snapshot.columns))
    heapdiff.take_census()
    assert all(one in Picture(snapshot) for one in kept)


@pytest.mark.parametrize("name", ["VisitsNull", "Allocates", "GivesUp", "defaultdict"])
def test_what_a_careless_type_reports_is_seen(hostile: Any, name: str) -> None:
    held = ["held"]
    holder = getattr(hostile, name)(held)

    assert len(Picture(heapdiff.take_snapshot()).labels(holder, held)) == 1


@pytest.mark.parametrize("name", ["iterator", "map", "managedbuffer"])
@pytest.mark.parametrize("derived", [False, True])
def test_the_words_of_a_foreign_type_with_a_name_of_cpython_are_not_read_as_objects(
    hostile: Any, name: str, derived: bool
) -> None:
    kind = getattr(hostile, name)
    one = type("Derived", (kind,), {})() if derived else kind()

    picture = Picture(heapdiff.take_snapshot())

    assert one in picture
    validate(picture.snapshot.columns)


GC_HEADER = 0 if FREE_THREADED else 16


def test_a_negative_size_is_a_size(hostile: Any) -> None:
    one = hostile.Negative()

    assert Picture(heapdiff.take_snapshot()).shallow_bytes(one) == GC_HEADER + hostile.Negative.__basicsize__ + 4 * 8


def test_an_object_that_a_type_hides_is_held_by_native_code(hostile: Any) -> None:
    held = ["held"]
    holder = hostile.SaysNothing(held)

    assert Picture(heapdiff.take_snapshot()).native_references(held) == 1
    del holder


def overwrite_dead_frames() -> None:
    """Frames that returned leave words behind, and a word that looks like a reference is taken for one."""
    eval("(lambda " + ", ".join(f"a{i}=None" for i in range(250)) + ": 0)()")


def test_a_reference_that_was_lost_is_reported_as_held_by_native_code(hostile: Any) -> None:
    def lose() -> int:
        lost = ["lost"]
        for _ in range(20):
            hostile.leak(lost)
        return id(lost)

    address = lose()
    overwrite_dead_frames()

    columns = heapdiff.take_snapshot().columns
    number = columns["object_address"].tolist().index(address)
    held = dict(zip(columns["native_held_object"], columns["native_held_count"], strict=True))
    assert 15 <= held[number] <= 20  # a word that a dead frame left behind may be taken for one of them


def test_a_traverse_that_allocates_starts_no_collection(hostile: Any) -> None:
    kept = [hostile.Allocates() for _ in range(3)]
    phases: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        phases.append(phase)

    gc.callbacks.append(note)
    gc.enable()
    try:
        heapdiff.native.capture({}, 2**31, 2**40, False, ([], [], []))
    finally:
        gc.disable()
        gc.callbacks.remove(note)

    assert len(phases) <= 2  # one, when the collector is on again
    assert len(kept) == 3
