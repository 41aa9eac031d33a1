"""A run that has come to its end in; the terminal summary, the files and the entries of known growth out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from heapdiff.errors import AcceptFileError
from heapdiff.files import put_text
from heapdiff.integrations.pytest_plugin.settings import Settings, settings_of
from heapdiff.integrations.pytest_plugin.summary import json_text, known_lines, left_lines, marked_lines
from heapdiff.integrations.pytest_plugin.verdicts import Outcome, judge_run

if TYPE_CHECKING:
    from heapdiff.integrations.pytest_plugin.watched import WatchedRun

__all__ = ["end_run"]


def end_run(
    terminal: pytest.TerminalReporter,
    reports: Sequence[pytest.TestReport],
    watched: WatchedRun | None,
    *,
    ran_through: bool,
) -> None:
    """Prints what was found, writes it into the folder of the report, and adds to the file of known growth."""
    config = terminal.config
    settings = settings_of(config) if watched is None else watched.settings
    terminal.write_sep("=", "heapdiff")
    for line in marked_lines(reports) if reports else ():
        terminal.write_line(line)
    leavings = None if watched is None else watched.leavings
    if watched is not None and leavings is None:
        terminal.write_line(f"what tests left behind is not known: {watched.problem}")
        return
    ran_all = ran_through and watched is not None and _ran_all(config)
    try:
        outcome = judge_run(leavings or (), reports, settings, ran_all=ran_all)
    except AcceptFileError as error:
        terminal.write_line(f"--heapdiff-accept: {error}", red=True)
        return
    if watched is not None:
        for line in left_lines(outcome):
            terminal.write_line(line)
        for leaving, condition in watched.failed:
            terminal.write_line(f"fails by {condition.text}: {leaving.type_name} in {leaving.place}", red=True)
        try:
            _write(settings, outcome)
        except OSError as error:
            terminal.write_line(f"--heapdiff-report: {error}", red=True)
    for line in known_lines(outcome):
        terminal.write_line(line)


def _ran_all(config: pytest.Config) -> bool:
    """Whether no test was left out, so that what was not seen is gone."""
    options = ("keyword", "markexpr", "deselect", "lf", "maxfail", "stepwise")
    named = any("::" in argument or (config.invocation_params.dir / argument).is_file() for argument in config.args)
    return not named and not any(config.getoption(name, None) for name in options)


def _write(settings: Settings, outcome: Outcome) -> None:
    if settings.report_folder is not None:
        put_text(str(settings.report_folder / "left-behind.txt"), "\n".join((*left_lines(outcome), "")))
        put_text(str(settings.report_folder / "left-behind.json"), json_text(outcome))
