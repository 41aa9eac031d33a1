"""What fails a check in, the lines that end its report out; and the same as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from heapdiff.explain.conditions import Condition, Failure
from heapdiff.report.escape import clean
from heapdiff.report.layout import GREEN, RED, WIDTH, Pen, shortened
from heapdiff.sizes import count_text, delta_bytes_text, delta_count_text

__all__ = ["failure_dict", "render_failures"]


def render_failures(failures: Sequence[Failure], conditions: Sequence[Condition], *, colour: bool = False) -> str:
    """Whether the check fails, and by what: a line for each failure."""
    pen = Pen(colour=colour)
    asked = " or ".join(condition.text for condition in conditions)
    if not failures:
        return f"Check: {pen.paint(GREEN, 'passed')}. Nothing that grew has {asked}.\n"
    lines = [f"Check: {pen.paint(RED, 'failed')} by {count_text(len(failures))} of what grew:"]
    return "\n".join([*lines, *(shortened(f"  {_line(failure)}", WIDTH) for failure in failures)]) + "\n"


def failure_dict(failure: Failure) -> dict[str, Any]:
    """One failure as in ``heapdiff check -json``."""
    return {
        "name": failure.name,
        "condition": failure.condition.text,
        "rule": failure.verdict.rule if failure.verdict is not None else None,
        "fingerprint": failure.grower.fingerprint if failure.grower is not None else None,
    }


def _line(failure: Failure) -> str:
    grower, rule = failure.grower, failure.verdict.rule if failure.verdict is not None else ""
    if grower is None:
        return f"{failure.name}: {rule} ({failure.condition.text})"
    size = delta_bytes_text(max(grower.retained_bytes_delta or 0, grower.shallow_bytes_delta))
    count = "in place" if grower.in_place else delta_count_text(grower.objects_delta)
    return f"{clean(grower.type_name)} {count}, {size}, {rule} ({failure.condition.text}), {grower.fingerprint}"
