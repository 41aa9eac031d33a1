"""The report: the one type that shows itself."""

from __future__ import annotations

import json
from typing import Any

import attrs

from heapdiff.explain.model import Explanation, Grower, VerdictKind
from heapdiff.report.machine import report_dict
from heapdiff.report.page import render_html
from heapdiff.report.text import render_text

__all__ = ["Report"]


@attrs.frozen(eq=False, repr=False)
class Report:
    """What grew between snapshots and why it cannot be freed, as text, as JSON and in a notebook."""

    explanation: Explanation

    @property
    def growers(self) -> tuple[Grower, ...]:
        """The types that grew, the most telling first; empty where nothing grew."""
        return self.explanation.growers

    @property
    def has_leak(self) -> bool:
        """Whether a verdict is that something leaks; two snapshots rarely support one."""
        verdicts = [grower.verdict for grower in self.growers]
        verdicts += [self.explanation.garbage_verdict, self.explanation.blocks_verdict]
        return any(verdict is not None and verdict.kind is VerdictKind.LEAK for verdict in verdicts)

    def __str__(self) -> str:
        return render_text(self.explanation)

    def __repr__(self) -> str:
        return f"<Report of {len(self.growers)} growers, {self.explanation.diff.live_bytes_delta:+,} live bytes>"

    def _repr_html_(self) -> str:
        return render_html(self.explanation)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain dicts, lists, strings and numbers; the fields are in ``docs/report-schema.md``."""
        return report_dict(self.explanation)

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
