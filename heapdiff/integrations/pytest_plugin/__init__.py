"""What pytest loads in every run: options, a marker and a fixture; the rest is imported when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from heapdiff.growth import Watch

__all__ = [
    "heap",
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_terminal_summary",
]

MARKER = "no_heap_growth"
ITERATIONS = "heapdiff_iterations"  # the user property of a test that was run in rounds
WATCHED = "heapdiff-watched"  # the name of the plugin of a run with --heapdiff
_MARKER_HELP = (
    f"{MARKER}(rounds=3, warmup=10, per_round=20, patience=1000, allow=(), fixtures='anew'): run the test again and "
    "again, its function-scoped fixtures set up anew each time or 'kept', and fail with a report where objects pile up."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini settings of the same names."""
    group = parser.getgroup("heapdiff", "heapdiff: tests that leave objects behind")
    group.addoption("--heapdiff", action="store_true", help="Name the tests and fixtures that leave objects behind.")
    group.addoption("--heapdiff-report", metavar="DIR", help="Write what grew into this folder, as text and as JSON.")
    group.addoption(
        "--heapdiff-fail-on",
        metavar="CONDITION",
        action="append",
        help="With --heapdiff, fail the run where what is left behind meets this, such as 'objects>0' or "
        "'shallow>1MB and type!=app.Session'; as in heapdiff check. May be given more than once.",
    )
    group.addoption(
        "--heapdiff-accept",
        metavar="FILE",
        help="Do not accuse what this TOML file says is known, and add to it what is not, for review. "
        "The ini setting heapdiff_accept only reads it.",
    )
    parser.addini("heapdiff", "As --heapdiff.", type="bool", default=False)
    parser.addini("heapdiff_report", "As --heapdiff-report; relative to the ini file.", default="")
    parser.addini("heapdiff_fail_on", "Conditions as of --heapdiff-fail-on, a line each.", type="linelist")
    parser.addini("heapdiff_accept", "A TOML file of known growth; relative to the ini file.", default="")
    parser.addini(
        "heapdiff_allow", "What never to accuse: patterns of types and holders, a line each.", type="linelist"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER_HELP)
    if config.getoption("heapdiff") or config.getini("heapdiff"):
        from heapdiff.integrations.pytest_plugin.settings import settings_of
        from heapdiff.integrations.pytest_plugin.watched import WatchedRun

        config.pluginmanager.register(WatchedRun(config, settings_of(config)), WATCHED)
    elif config.getoption("heapdiff_fail_on"):
        raise pytest.UsageError("--heapdiff-fail-on: nothing is watched that could fail; give --heapdiff as well")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Register what runs tests in rounds, where one has the marker: other test runs have no hook for each test."""
    if any(item.get_closest_marker(MARKER) is not None for item in session.items):
        from heapdiff.integrations.pytest_plugin.marked import MarkedTests
        from heapdiff.integrations.pytest_plugin.settings import settings_of

        session.config.pluginmanager.register(MarkedTests(settings_of(session.config)), "heapdiff-marked")


@pytest.fixture
def heap() -> Iterator[Watch]:
    """A watch since the test began: ``heap.new(Session)``, ``heap.gone()``, ``heap.survivors()``, ``heap.report()``."""
    from heapdiff.growth import watching

    with watching() as watch:
        yield watch


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Say what the marked tests found and what tests left behind; nothing where neither was asked for."""
    if hasattr(config, "workerinput") or config.getoption("collectonly"):
        return  # of pytest-xdist: the controller says it for all
    reports = [
        report
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call" and any(name == ITERATIONS for name, _ in report.user_properties)
    ]
    watched = config.pluginmanager.get_plugin(WATCHED)
    if reports or watched is not None:
        from heapdiff.integrations.pytest_plugin.ending import end_run

        end_run(terminalreporter, reports, watched, ran_through=exitstatus in (0, 1))
