"""Reports of tests in, the section of the terminal summary out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heapdiff.sizes import count_text

__all__ = ["marked_reports", "write_marked"]


def write_marked(terminal: pytest.TerminalReporter) -> None:
    """How many tests were run in rounds and which of them grew; nothing where none was."""
    reports = list(marked_reports(terminal))
    if not reports:
        return
    grown = [report for report in reports if _values(report, "heapdiff_growth")]
    iterations = sum(int(value) for report in reports for value in _values(report, "heapdiff_iterations"))
    terminal.write_sep("-", "heapdiff: tests in rounds")
    tests = f"{count_text(len(reports))} test{'s' if len(reports) != 1 else ''}"
    terminal.write_line(f"{tests}, {count_text(iterations)} iterations, {len(grown) or 'none'} of them grew")
    for report in grown:
        rates, fingerprints = _values(report, "heapdiff_growth"), _values(report, "heapdiff_fingerprint")
        name = f"  [{fingerprints[0]}]" if fingerprints else ""
        terminal.write_line(f"  {report.nodeid}: {rates[0]}{name}")


def marked_reports(terminal: pytest.TerminalReporter) -> Iterator[pytest.TestReport]:
    """The reports of the tests that were run in rounds, also of those that workers of pytest-xdist ran."""
    for reports in terminal.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call" and _values(report, "heapdiff_iterations"):
                yield report


def _values(report: pytest.TestReport, name: str) -> list[object]:
    return [value for key, value in report.user_properties if key == name]
