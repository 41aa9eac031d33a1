"""The truth table is what was measured: its page, its cases and its questions."""

import contextlib
import json
from collections.abc import Iterator

import pytest

from benchmarks.what_is_seen.cases import CASES
from benchmarks.what_is_seen.model import Case, Marks, Question, answer_of
from benchmarks.what_is_seen.page import PAGE, RESULTS, as_page
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
