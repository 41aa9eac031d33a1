"""The words of the truth table: a case, what is marked in it, and how a tool answers."""

import contextlib
import enum
from collections.abc import Callable, Iterator
from typing import Protocol

import attrs

__all__ = ["KEPT", "Case", "Marks", "Question", "Sight", "answer_of", "held_by_a_module"]

_HOPS = 6  # from a holder to what it holds, through cells, tuples and tables
_FAR = 20_000  # objects
_NEARLY_ALL = 0.98  # of the bytes


class Question(enum.Enum):
    """What a tool is asked of the marked objects."""

    OBJECTS = "are they in the picture?"
    BYTES = "is their memory in its bytes?"
    HELD = "does the picture lead from the holder to them?"
    WEAK = "is the reference there, and known not to hold?"
    LISTED = "is their memory counted, or said not to be?"
    NATIVE = "is it said that native code holds them?"


@attrs.frozen
class Marks:
    """What is marked, by address alone: whoever holds the objects would show them to a tool that looks there."""

    targets: tuple[int, ...]
    holder: int | None = None
    bytes: int | None = None  # that the first target really takes


@attrs.frozen
class Case:
    """One way in which a process holds something; *build* makes it and lets it go."""

    name: str
    group: str
    question: Question
    build: Callable[[], contextlib.AbstractContextManager[Marks]]
    needs: str | None = None  # a module that may not be installed


class Sight(Protocol):
    """One look of a tool at this process."""

    def sees(self, address: int) -> bool:
        """Whether the object is in the picture."""

    def bytes_of(self, address: int) -> int | None:
        """The size of an object in the picture; None where the tool gives none."""

    def held_by(self, address: int) -> set[int]:
        """What the object refers to, as far as the tool tells."""

    def weakly_held_by(self, address: int) -> set[int]:
        """What the object refers to weakly, as far as the tool tells."""

    def says_unseen(self, address: int) -> bool:
        """Whether the tool says that it does not see all of the object's memory."""

    def says_native(self, address: int) -> bool:
        """Whether the tool says that native code holds the object."""


KEPT: list[object] = []


@contextlib.contextmanager
def held_by_a_module(*holders: object) -> Iterator[None]:
    """Makes the holders of a case reachable for every tool, so that only what hangs on them is asked for."""
    KEPT.extend(holders)
    try:
        yield
    finally:
        KEPT.clear()


def answer_of(case: Case, marks: Marks, sight: Sight) -> str:
    """``yes``, ``no``, or how many of the marked objects."""
    holder = marks.holder or 0
    match case.question:
        case Question.OBJECTS:
            return _share([sight.sees(target) for target in marks.targets])
        case Question.BYTES:
            found = sight.bytes_of(marks.targets[0]) if sight.sees(marks.targets[0]) else None
            return "yes" if found is not None and found >= _NEARLY_ALL * (marks.bytes or 0) else "no"
        case Question.HELD:
            return _share([_leads(sight, holder, target) for target in marks.targets])
        case Question.WEAK:
            strong = marks.targets[0] in sight.held_by(holder)
            return "yes" if not strong and marks.targets[0] in sight.weakly_held_by(holder) else "no"
        case Question.LISTED:
            return _share([sight.sees(target) and sight.says_unseen(target) for target in marks.targets])
        case Question.NATIVE:
            return _share([sight.sees(target) and sight.says_native(target) for target in marks.targets])


def _share(found: list[bool]) -> str:
    if all(found):
        return "yes"
    return f"{100 * sum(found) / len(found):.0f} %" if any(found) else "no"


def _leads(sight: Sight, holder: int, target: int) -> bool:
    front, known = [holder], {holder}
    for _ in range(_HOPS):
        behind: list[int] = []
        for address in front:
            found = sight.held_by(address)
            if target in found:
                return True
            behind += found - known
            known |= found
        if len(known) > _FAR:
            return False  # no case lies that far from its holder
        front = behind
    return False
