"""The truth table is what was measured: its page, its cases and its questions."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.what_is_seen.__main__ import main
from benchmarks.what_is_seen.cases import CASES
from benchmarks.what_is_seen.model import Case, Marks, Question, answer_of
from benchmarks.what_is_seen.page import PAGE, RESULTS, as_page
from benchmarks.what_is_seen.pyheap import PyheapFile, pyheap_supports, why_pyheap_cannot_run
from benchmarks.what_is_seen.sizes import KINDS


def results() -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    found: dict[str, dict[str, dict[str, dict[str, object]]]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_the_page_is_written_by_the_script_and_by_nobody_else() -> None:
    """``python -m benchmarks.what_is_seen`` writes it from the stored results."""
    assert PAGE.read_text(encoding="utf-8") == as_page(results())


def test_every_case_was_measured_with_every_tool_and_version() -> None:
    names = [case.name for case in CASES]

    for measured in results().values():
        for answers in measured["answers"].values():
            assert set(answers) == set(names)
        assert set(measured["sizes"]) == set(KINDS)
    assert {python.rpartition(".")[0] for python in results()} == {"3.11", "3.12", "3.13"}


def test_heapdiff_sees_every_case_on_every_version() -> None:
    missed = [
        (python, name)
        for python, measured in results().items()
        for name, answer in measured["answers"]["heapdiff"].items()
        if answer != "yes"
    ]

    assert missed == []


def test_names_of_cases_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


class Sight:
    """A tool that sees objects 1 and 2, of which 1 refers to 3, and 3 weakly to 2."""

    def sees(self, address: int) -> bool:
        return address in (1, 2)

    def bytes_of(self, address: int) -> int | None:
        return {1: 98, 2: None}[address]

    def held_by(self, address: int) -> set[int]:
        return {1: {3}}.get(address, set())

    def weakly_held_by(self, address: int) -> set[int]:
        return {3: {2}}.get(address, set())

    def says_unseen(self, address: int) -> bool:
        return address == 1

    def says_native(self, address: int) -> bool:
        return False


@contextlib.contextmanager
def nothing() -> Iterator[Marks]:
    yield Marks(())


@pytest.mark.parametrize(
    ("question", "marks", "answer"),
    [
        (Question.OBJECTS, Marks((1, 2)), "yes"),
        (Question.OBJECTS, Marks((1, 4)), "50 %"),
        (Question.OBJECTS, Marks((4,)), "no"),
        (Question.BYTES, Marks((1,), bytes=100), "yes"),
        (Question.BYTES, Marks((1,), bytes=101), "no"),
        (Question.BYTES, Marks((2,), bytes=1), "no"),
        (Question.BYTES, Marks((4,), bytes=1), "no"),
        (Question.HELD, Marks((3,), holder=1), "yes"),
        (Question.HELD, Marks((2,), holder=1), "no"),
        (Question.WEAK, Marks((2,), holder=3), "yes"),
        (Question.WEAK, Marks((3,), holder=1), "no"),
        (Question.LISTED, Marks((1,)), "yes"),
        (Question.NATIVE, Marks((1,)), "no"),
    ],
)
def test_an_answer_follows_from_what_the_tool_saw(question: Question, marks: Marks, answer: str) -> None:
    assert answer_of(Case("case", "group", question, nothing), marks, Sight()) == answer


def test_a_version_that_pyheap_does_not_support_is_said_not_to_be_measured() -> None:
    rows = [line for line in as_page(results()).splitlines() if any(f"| {case.name} |" in line for case in CASES)]

    assert len(rows) == len(CASES)
    assert all(row.rstrip(" |)").endswith("3.13: not measured") for row in rows)


@pytest.mark.parametrize(
    ("python", "supported"), [("3.7.17", False), ("3.8.0", True), ("3.12.1", True), ("3.13.0", False)]
)
def test_pyheap_is_asked_on_the_versions_it_supports(python: str, supported: bool) -> None:
    assert pyheap_supports(python) is supported


def test_pyheap_without_a_checkout_is_refused_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--tools", "pyheap"])

    assert "name it with --pyheap" in capsys.readouterr().err


def test_a_directory_without_the_dumper_is_not_a_checkout_of_pyheap(tmp_path: Path) -> None:
    why = why_pyheap_cannot_run(tmp_path)

    assert why is not None
    assert str(tmp_path) in why
    assert "pyheap_dump.py" in why


def test_a_process_that_holds_a_case_tells_of_its_marks_and_stays() -> None:
    command = [sys.executable, "-m", "benchmarks.what_is_seen", "--hold", "instance → slot"]
    with subprocess.Popen(command, cwd=PAGE.parents[1], stdout=subprocess.PIPE, text=True) as target:
        try:
            assert target.stdout is not None
            told = json.loads(target.stdout.readline())
            state = target.poll()
        finally:
            target.kill()

    assert Marks(**told["marks"]).holder is not None
    assert len(told["marks"]["targets"]) == 1
    assert state is None


def heap_of_pyheap() -> SimpleNamespace:
    """As pyheap's reader gives it: 1 refers to 2, has 3 as an attribute, and leads to a class, a module and globals."""

    def entry(kind: int, referents: tuple[int, ...] = (), **attributes: int) -> SimpleNamespace:
        return SimpleNamespace(type=kind, size=48, referents=set(referents), content=None, attributes=attributes)

    plain, type_, module, globals_, builtins = 10, 11, 12, 20, 21
    objects = {
        1: entry(plain, (2, globals_, builtins), kept=3, __class__=plain),
        2: entry(plain),
        3: entry(plain),
        plain: entry(type_),
        type_: entry(type_, __mro__=2),
        module: entry(type_),
        globals_: entry(plain),
        builtins: entry(module),
    }
    objects[globals_].content = {2: builtins}
    return SimpleNamespace(objects=objects, types={plain: "Plain", type_: "type", module: "module"})


def test_what_pyheap_shows_of_an_object_leads_on_and_what_leads_everywhere_does_not() -> None:
    sight = PyheapFile(heap_of_pyheap(), [21])

    assert sight.held_by(1) == {2, 3}
    assert sight.bytes_of(1) == 48
    assert sight.sees(2)
    assert not sight.sees(99)
