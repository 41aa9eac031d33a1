"""Control and treatment: what a change makes grow, told from what a noisy program grows anyway."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heapdiff import Report, Snapshot, compare_groups, read_snapshot
from heapdiff.explain import ContrastKind
from tests.report.schema import misfits
from tests.sketch import Sketch

ROOT = Path(__file__).parents[2]

Run = tuple[Snapshot, Snapshot]


def moment(leaked: int, noise: int, *, first_address: int = 0x1000) -> Snapshot:
    """A program with a registry that may leak, and a log that grows as it likes."""
    sketch = Sketch(first_address=first_address)
    sketch.module("app")
    sketch.add("registry", "dict", "app", ("ATTRIBUTE", "REGISTRY"))
    sketch.add("log", "dict", "app", ("ATTRIBUTE", "LOG"))
    sketch.many(leaked, "app.Session", "registry", ("KEY_OF_TYPE", "str"))
    sketch.many(noise, "app.Line", "log", ("KEY_OF_TYPE", "int"))
    return sketch.snapshot()


def run(leaked: int, noise: int) -> Run:
    return moment(10, 10), moment(10 + leaked, 10 + noise, first_address=0x9000 * (leaked + noise + 1))


def contrast(report: Report, type_name: str) -> tuple[ContrastKind, tuple[int, ...], tuple[int, ...]]:
    found = next(grower.contrast for grower in report.growers if grower.type_name == type_name)
    assert found is not None
    return found.kind, found.treatment, found.control


def test_growth_in_every_treatment_and_no_control_is_the_treatments() -> None:
    report = compare_groups(control=[run(0, 900), run(1, 700)], treatment=[run(200, 800), run(240, 600)])

    assert contrast(report, "app.Session") == (ContrastKind.TREATMENT_ONLY, (200, 240), (0, 1))


def test_growth_in_some_treatments_and_no_control_is_likely_the_treatments() -> None:
    report = compare_groups(control=[run(0, 900)], treatment=[run(200, 800), run(0, 600)])

    assert contrast(report, "app.Session")[0] is ContrastKind.LIKELY


def test_growth_in_another_treatment_than_the_first_is_found() -> None:
    report = compare_groups(control=[run(0, 900)], treatment=[run(0, 800), run(200, 600)])

    assert contrast(report, "app.Session") == (ContrastKind.LIKELY, (0, 200), (0,))
    assert "app.Session" in str(report).splitlines()[0]


def test_growth_in_a_control_as_well_is_not_accused() -> None:
    report = compare_groups(control=[run(0, 900)], treatment=[run(200, 2000)])

    line = next(grower for grower in report.growers if grower.type_name == "app.Line")
    assert contrast(report, "app.Line")[0] is ContrastKind.ALSO_IN_CONTROL
    assert line.verdict is not None
    assert (line.verdict.rule, line.verdict.kind.value) == ("also-in-control", "benign")


def test_a_little_growth_in_a_control_is_noise() -> None:
    assert contrast(compare_groups(control=[run(19, 0)], treatment=[run(200, 0)]), "app.Session")[0] is (
        ContrastKind.TREATMENT_ONLY
    )


def test_a_tenth_of_the_growth_in_a_control_is_growth() -> None:
    assert contrast(compare_groups(control=[run(20, 0)], treatment=[run(200, 0)]), "app.Session")[0] is (
        ContrastKind.ALSO_IN_CONTROL
    )


def test_what_the_treatment_alone_makes_grow_comes_first_however_small() -> None:
    report = compare_groups(control=[run(0, 3000)], treatment=[run(30, 3000)])

    assert report.growers[0].type_name == "app.Session"


def test_the_same_type_below_another_holder_is_other_growth() -> None:
    def held_by(name: str, count: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app")
        for cache in ("OLD", "NEW"):
            sketch.add(cache, "dict", "app", ("ATTRIBUTE", cache))
            sketch.many(count if cache == name else 10, "app.Page", cache, ("KEY_OF_TYPE", "str"))
        return sketch.snapshot()

    report = compare_groups(
        control=[(held_by("OLD", 10), held_by("OLD", 300))], treatment=[(held_by("NEW", 10), held_by("NEW", 300))]
    )

    assert contrast(report, "app.Page") == (ContrastKind.TREATMENT_ONLY, (290,), (0,))


def test_when_all_growth_is_in_the_control_nothing_is_accused() -> None:
    report = compare_groups(control=[run(0, 900)], treatment=[run(0, 700)])

    assert str(report).startswith("Nothing grew that does not grow in the control too.")
    assert not report.has_leak


def test_equal_groups_of_three_moments_accuse_nothing() -> None:
    steady = [(moment(10, 10), moment(300, 10), moment(600, 10))]

    assert not compare_groups(control=steady, treatment=steady).has_leak


def test_the_report_gives_the_growth_of_every_run() -> None:
    text = str(compare_groups(control=[run(0, 900), run(1, 700)], treatment=[run(200, 800), run(240, 600)]))

    assert "contrast     treatment only: +200, +240 with the treatment, +0, +1 without" in text
    assert "2 treatments against 2 controls" in text


def test_one_pair_of_each_asks_for_a_second() -> None:
    assert "Next: A second pair of each" in str(compare_groups(control=[run(0, 9)], treatment=[run(200, 9)]))


def test_the_contrast_has_the_documented_shape_in_json() -> None:
    assert misfits(compare_groups(control=[run(0, 900)], treatment=[run(200, 2000)]).to_dict()) == []


@pytest.mark.parametrize(("control", "treatment"), [([], [run(1, 1)]), ([run(1, 1)], [])])
def test_an_empty_group_is_refused(control: list[Run], treatment: list[Run]) -> None:
    with pytest.raises(ValueError, match="at least one control and one treatment"):
        compare_groups(control=control, treatment=treatment)


def test_a_run_of_one_snapshot_is_refused() -> None:
    with pytest.raises(TypeError, match=r"compare_groups\(\) treatment 1 needs two or more snapshots"):
        compare_groups(control=[run(1, 1)], treatment=[[moment(1, 1)]])


NOISY = """
import random, sys, threading
import heapdiff

class Page: pass
class Session: pass
class Event: pass

change, folder, name = sys.argv[1] == "treatment", sys.argv[2], sys.argv[3]
dice = random.Random(name)
CACHE, EVENTS, NAMES, SESSIONS = {}, [], {}, {}

def request(number):
    CACHE[dice.randrange(100_000)] = Page()
    if dice.random() < 0.7:
        EVENTS.append(Event())
    if dice.random() < 0.2:
        del EVENTS[: dice.randrange(3)]
    NAMES[str(dice.random())] = [number]
    session = Session()
    session.number = number
    if change:
        SESSIONS[number] = session

def work(first):
    for number in range(first, first + dice.randrange(800, 1200)):
        request(number)

work(0)
heapdiff.write_snapshot(heapdiff.take_snapshot(), f"{folder}/{name}-base.heap")
work(10_000)
heapdiff.write_snapshot(heapdiff.take_snapshot(), f"{folder}/{name}-now.heap")
"""


def noisy_run(kind: str, folder: Path, name: str) -> Run:
    """Two moments of a real program in which nearly everything grows, by chance more or less."""
    subprocess.run(
        [sys.executable, "-c", NOISY, kind, str(folder), name],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    return read_snapshot(folder / f"{name}-base.heap"), read_snapshot(folder / f"{name}-now.heap")


def test_in_a_noisy_program_only_what_the_change_leaks_is_accused(tmp_path: Path) -> None:
    control = [noisy_run("control", tmp_path, name) for name in ("c1", "c2")]
    treatment = [noisy_run("treatment", tmp_path, name) for name in ("t1", "t2")]

    report = compare_groups(control=control, treatment=treatment)

    kinds = {
        grower.type_name: grower.contrast.kind
        for grower in report.growers
        if grower.contrast is not None and grower.type_name.startswith("__main__.")
    }
    assert kinds == {
        "__main__.Session": ContrastKind.TREATMENT_ONLY,
        "__main__.Page": ContrastKind.ALSO_IN_CONTROL,
        "__main__.Event": ContrastKind.ALSO_IN_CONTROL,
    }
    accused = [
        grower.type_name
        for grower in report.growers
        if grower.contrast is not None and grower.contrast.kind is not ContrastKind.ALSO_IN_CONTROL
    ]
    assert accused[0] == "__main__.Session"
    assert "SESSIONS" in str(report).splitlines()[0]
