"""An explanation and conditions in, what fails by them out: ``verdict=leak and retained>1MB``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence

import attrs

from heapdiff.explain.model import Explanation, Grower, Verdict, VerdictKind

__all__ = ["DEFAULT_CONDITION", "Condition", "Failure", "find_failures", "read_condition"]

_Facts = Mapping[str, str | int]

_NUMBERS = ("retained", "shallow", "objects")
_WORDS = ("verdict", "rule", "type")
_ORDERS: dict[str, Callable[[float, float], bool]] = {">": operator.gt, ">=": operator.ge}
_UNITS = {"": 1, "B": 1, "kB": 2**10, "KB": 2**10, "KiB": 2**10, "MB": 2**20, "MiB": 2**20, "GB": 2**30, "GiB": 2**30}

_PART = re.compile(r"\s*(?P<field>[a-z]+)\s*(?P<sign>!=|>=|=|>)\s*(?P<value>\S+)\s*")
_AMOUNT = re.compile(r"(?P<number>\d[\d,]*(\.\d+)?)(?P<unit>[A-Za-z]*)")


@attrs.frozen
class Condition:
    """When growth fails a check: all parts must hold of one type that grew."""

    text: str
    _parts: tuple[Callable[[_Facts], bool], ...] = attrs.field(repr=False)

    def holds(self, facts: _Facts) -> bool:
        """Whether what has these facts fails; a part that asks for a fact it has not does not hold."""
        return all(part(facts) for part in self._parts)


@attrs.frozen
class Failure:
    """Growth that fails, and the first condition by which it does."""

    name: str  # of the type, or what of the process it is
    condition: Condition
    verdict: Verdict | None
    grower: Grower | None = None  # None: of the process as a whole


def read_condition(text: str) -> Condition:
    """The condition that the text says: parts joined by ``and``, each a field, a sign and a value.

    Fields are ``retained`` and ``shallow`` (bytes; ``1MB`` is 2**20, as in the reports) and ``objects`` (new
    ones), with ``>`` or ``>=``; ``verdict`` (``leak``, ``unsure`` or ``benign``), ``rule`` and ``type``, with ``=``
    or ``!=``.

    Raises:
        ValueError: The text is no such condition; the message says what is expected.
    """
    return Condition(text, tuple(_part(part) for part in re.split(r"\band\b", text)))


def find_failures(explanation: Explanation, conditions: Sequence[Condition]) -> tuple[Failure, ...]:
    """What fails by any of the conditions, in the order of the report.

    Of the process as a whole (``garbage-waiting``, ``native-lost``) only a leak can fail, by its verdict or rule: those
    two are unsure wherever the snapshots are few.
    """
    failures = []
    for grower in explanation.growers:
        condition = _first(conditions, _facts_of(grower))
        if condition is not None:
            failures.append(Failure(grower.type_name, condition, grower.verdict, grower))
    for name, verdict in (("garbage", explanation.garbage_verdict), ("memory", explanation.blocks_verdict)):
        if verdict is not None and verdict.kind is VerdictKind.LEAK:
            condition = _first(conditions, {"verdict": verdict.kind.value, "rule": verdict.rule})
            if condition is not None:
                failures.append(Failure(name, condition, verdict))
    return tuple(failures)


def _first(conditions: Sequence[Condition], facts: _Facts) -> Condition | None:
    return next((condition for condition in conditions if condition.holds(facts)), None)


def _facts_of(grower: Grower) -> _Facts:
    verdict = grower.verdict
    return {
        # A type whose objects are kept alive by each other retains what it occupies, at least.
        "retained": max(grower.retained_bytes_delta or 0, grower.shallow_bytes_delta),
        "shallow": grower.shallow_bytes_delta,
        "objects": grower.objects_delta,
        "verdict": verdict.kind.value if verdict is not None else VerdictKind.UNSURE.value,
        "rule": verdict.rule if verdict is not None else "",
        "type": grower.type_name,
    }


def _part(text: str) -> Callable[[_Facts], bool]:
    match = _PART.fullmatch(text)
    if match is None:
        raise ValueError(f"{text.strip()!r} is no condition; expected such as retained>1MB, objects>100, verdict=leak")
    field, sign, value = match["field"], match["sign"], match["value"]
    if field in _NUMBERS and sign in _ORDERS:
        is_beyond, bound = _ORDERS[sign], _amount(field, value)
        return lambda facts: field in facts and is_beyond(int(facts[field]), bound)
    if field in _WORDS and sign not in _ORDERS:
        kinds = [kind.value for kind in VerdictKind]
        if field == "verdict" and value not in kinds:
            raise ValueError(f"verdict is {value!r}; expected one of {', '.join(kinds)}")
        return lambda facts: field in facts and (facts[field] == value) is (sign == "=")
    numbers, words = ", ".join(_NUMBERS), ", ".join(_WORDS)
    raise ValueError(f"{text.strip()!r} is no condition; expected {numbers} with > or >=, {words} with = or !=")


def _amount(field: str, text: str) -> float:
    match = _AMOUNT.fullmatch(text)
    units = {"": 1} if field == "objects" else _UNITS
    if match is None or match["unit"] not in units:
        expected = "a number" if field == "objects" else "a number such as 64kB or 1MB"
        raise ValueError(f"{field} is {text!r}; expected {expected}")
    return float(match["number"].replace(",", "")) * units[match["unit"]]


DEFAULT_CONDITION = read_condition("verdict!=benign")
