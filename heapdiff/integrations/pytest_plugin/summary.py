"""What a test run found in, the sections of the terminal summary and the files of the report out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from heapdiff.explain import KnownGrowth
from heapdiff.report.escape import clean
from heapdiff.report.layout import Pen, shortened
from heapdiff.sizes import count_text, size_text

if TYPE_CHECKING:
    from heapdiff.integrations.pytest_plugin.verdicts import Outcome

__all__ = ["json_text", "known_lines", "left_lines", "marked_lines", "values_of"]

_MOST_MAKERS = 5
_MOST_PLACES = 10
_PEN = Pen(colour=False)


def marked_lines(reports: Sequence[pytest.TestReport]) -> Iterator[str]:
    """How many tests were run in rounds and which of them grew."""
    grown = [report for report in reports if values_of(report, "heapdiff_growth")]
    iterations = sum(int(value) for report in reports for value in values_of(report, "heapdiff_iterations"))
    tests = f"{count_text(len(reports))} test{'s' if len(reports) != 1 else ''} in rounds"
    yield f"{tests}, {count_text(iterations)} iterations: {count_text(len(grown)) if grown else 'nothing'} grew"
    for report in grown:
        yield f"  {report.nodeid}: {values_of(report, 'heapdiff_growth')[0]}"


def left_lines(outcome: Outcome) -> Iterator[str]:
    """What tests left behind, the most objects first, and how it stands with what is known."""
    leavings = outcome.left
    objects = sum(leaving.objects for leaving in leavings)
    places = f"{count_text(len(leavings))} place{'s' if len(leavings) != 1 else ''}"
    what = f"{count_text(objects)} object{'s' if objects != 1 else ''}"
    yield f"{what} left behind at {places}" if leavings else "no test left objects behind"
    for number, leaving in enumerate(leavings[:_MOST_PLACES], start=1):
        yield ""
        sizes = f"{size_text(leaving.shallow_bytes)}, retained {size_text(leaving.retained_bytes)}"
        yield f"{number}  +{count_text(leaving.objects)} {shortened(clean(leaving.type_name), 50)}   {sizes}"
        yield from leaving.lines
        makers = [f"{clean(name)} × {count_text(count)}" for name, count in leaving.makers[:_MOST_MAKERS]]
        for place, maker in enumerate(makers):
            yield from _PEN.field("left by" if not place else "", maker)
        if len(leaving.makers) > _MOST_MAKERS:
            yield from _PEN.field("", f"and {count_text(len(leaving.makers) - _MOST_MAKERS)} more")
    if len(leavings) > _MOST_PLACES:
        yield f"and {count_text(len(leavings) - _MOST_PLACES)} more places: --heapdiff-report=DIR writes all of them"


def known_lines(outcome: Outcome) -> Iterator[str]:
    """What is known and was seen, and what is known and was not."""
    for entry in outcome.accepted:
        yield f"accepted  {_known(entry)}: {clean(entry.reason)}"
    for entry in outcome.gone:
        if outcome.ran_all:
            yield f"fixed     {_known(entry)} no longer grows: take its entry out of the file"
        else:
            yield f"not seen  {_known(entry)}; not all tests ran"
    if outcome.drafts:
        entries = "entry waits" if outcome.drafts == 1 else "entries wait"
        yield f"{outcome.file}: {count_text(outcome.drafts)} new {entries} for a reason"


def values_of(report: pytest.TestReport, name: str) -> list[Any]:
    """The user properties of that name."""
    return [value for key, value in report.user_properties if key == name]


def json_text(outcome: Outcome) -> str:
    """What was left behind, and how it stands with what is known."""
    values = {
        "left": [leaving.to_dict() for leaving in outcome.left],
        "accepted": [entry.fingerprint for entry in outcome.accepted],
        "gone": [entry.fingerprint for entry in outcome.gone],
        "ran_all": outcome.ran_all,
    }
    return json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False)


def _known(entry: KnownGrowth) -> str:
    where = f" in {clean(entry.holder)}" if entry.holder else ""
    return f"{entry.fingerprint} {clean(entry.type_name)}{where}".rstrip()
