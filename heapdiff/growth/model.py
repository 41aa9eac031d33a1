"""The nouns of the growth engine: how to search, what grows with every iteration, and the report on it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import attrs

from heapdiff.errors import HeapGrowthError
from heapdiff.explain import DEFAULT_RULES, Grower, KnownGrowth, Rule, Verdict
from heapdiff.report import Report

__all__ = ["Growth", "GrowthReport", "Plan"]


def _listed(ignore: Sequence[str | type]) -> tuple[str | type, ...]:
    if isinstance(ignore, str | type):
        raise TypeError(f"ignore is {ignore!r}; expected a sequence, such as [{ignore!r}]")
    return tuple(ignore)


@attrs.frozen
class Plan:
    """How long to run and what to leave out; the fields are the arguments of find_growth()."""

    rounds: int = 3
    warmup: int = 10
    per_round: int = 20
    patience: int = 1000
    settle_seconds: float = 1.0
    ignore: Sequence[str | type] = attrs.field(default=(), converter=_listed)
    accept: str | os.PathLike[str] | Sequence[KnownGrowth] = ()
    rules: Sequence[Rule] = DEFAULT_RULES

    def __attrs_post_init__(self) -> None:
        for name, least in (("rounds", 1), ("warmup", 0), ("per_round", 1), ("patience", 0)):
            number = getattr(self, name)
            if not isinstance(number, int):
                raise TypeError(f"{name} is {number!r}; expected a whole number, {least} or more")
            if number < least:
                raise ValueError(f"{name} is {number}; expected {least} or more")
        if self.settle_seconds < 0:
            raise ValueError(f"settle_seconds is {self.settle_seconds}; expected 0 or more")
        for entry in self.ignore:
            if not isinstance(entry, str | type):
                raise TypeError(
                    f"ignore has a {type(entry).__name__}; expected classes, patterns of names, and fingerprints"
                )


@attrs.frozen
class Growth:
    """A type of which every round added objects, or whose objects every round made larger."""

    type_name: str
    objects_per_iteration: float  # 0 where objects got larger in place
    bytes_per_iteration: float  # shallow
    grower: Grower | None = None  # why it cannot be freed; None: native code holds it, or nothing that can be named

    @property
    def verdict(self) -> Verdict | None:
        """What a rule says of it."""
        return None if self.grower is None else self.grower.verdict

    @property
    def fingerprint(self) -> str:
        """Stable over runs and machines; empty where there is no chain."""
        return "" if self.grower is None else self.grower.fingerprint

    @property
    def group(self) -> int:
        """Growths of one number pile up at one point."""
        return -1 if self.grower is None else self.grower.group


@attrs.frozen(eq=False, repr=False)
class GrowthReport:
    """What grows each time a workload runs, as text, as JSON and in a notebook."""

    growths: tuple[Growth, ...]  # the most telling first
    iterations: int  # all that were run, the warm-up included
    rounds: int  # between whose pictures something grew, or 1 where nothing did
    per_round: int
    ignored: tuple[Growth, ...] = ()  # by what the caller or heapdiff leaves out
    report: Report | None = None  # of the traced rounds; None: nothing grew, and no snapshot was taken

    @property
    def has_growth(self) -> bool:
        """Whether anything grew in every round."""
        return bool(self.growths)

    def check(self) -> None:
        """Nothing where nothing grew.

        Raises:
            HeapGrowthError: Something did; an AssertionError whose message is this report.
        """
        if self.growths:
            raise HeapGrowthError(str(self), self)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers; the fields are in ``docs/growth.md``."""
        return {
            "growths": [_growth_dict(growth) for growth in self.growths],
            "ignored": [_growth_dict(growth) for growth in self.ignored],
            "iterations": self.iterations,
            "rounds": self.rounds,
            "per_round": self.per_round,
            "report": None if self.report is None else self.report.to_dict(),
        }

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)

    def __str__(self) -> str:
        from heapdiff.growth.text import render_growth  # it needs the nouns

        return render_growth(self)

    def __repr__(self) -> str:
        return f"<GrowthReport of {len(self.growths)} growing types, {self.iterations:,} iterations>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


def _growth_dict(growth: Growth) -> dict[str, Any]:
    return {
        "type": growth.type_name,
        "objects_per_iteration": growth.objects_per_iteration,
        "bytes_per_iteration": growth.bytes_per_iteration,
        "fingerprint": growth.fingerprint,
        "holder": holder_of(growth),
        "verdict": None if growth.verdict is None else growth.verdict.rule,
    }


def holder_of(growth: Growth) -> str | None:
    """What holds most of it, as in code."""
    holder = None if growth.grower is None else growth.grower.holder
    return None if holder is None else holder.expression


def type_names(types: Sequence[str | type]) -> tuple[str, ...]:
    """Full names as reports have them: those of classes, and what are names already."""
    from heapdiff.snapshot.names import full_name

    return tuple(
        entry if isinstance(entry, str) else full_name(entry.__module__, entry.__qualname__) for entry in types
    )
