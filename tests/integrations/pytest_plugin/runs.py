"""Runs pytest as a person would, in a process of its own, on a small project."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import attrs

from tests.integrations.programs import python

__all__ = ["APP", "QUICK", "PytestRun", "run_pytest"]

# A program with a leak. What it makes is of a class of its own, as in life.
APP = '''
class Session:
    """One of those that are forgotten."""

REGISTRY = {}

def open_session():
    REGISTRY[len(REGISTRY)] = Session()
'''
QUICK = "rounds=1, warmup=2, per_round=10, patience=0"  # enough for what grows with each iteration
_PLUGIN = "heapdiff.integrations.pytest_plugin"
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error|errors|xfailed|warning|warnings|deselected)")


@attrs.frozen
class PytestRun:
    """What a run of pytest printed, and its exit code."""

    code: int
    text: str
    folder: Path

    @property
    def counts(self) -> dict[str, int]:
        """Tests by outcome, from the last line."""
        return {name.rstrip("s") if name != "passed" else name: int(n) for n, name in _COUNTS.findall(self.last_line)}

    @property
    def last_line(self) -> str:
        """The last line that was printed."""
        return self.text.rstrip().rpartition("\n")[2]

    @property
    def summary(self) -> str:
        """The section of heapdiff in the terminal summary; empty where there is none."""
        _, found, rest = self.text.partition(" heapdiff =")
        return re.split(r"\n(?:=+ .* =+|\d+ (?:passed|failed).*)", rest)[0] if found else ""

    def left(self) -> list[dict[str, Any]]:
        """What tests left behind, from the report that the run was to write into the folder ``report``."""
        left: list[dict[str, Any]] = json.loads((self.folder / "report/left-behind.json").read_text())["left"]
        return left


def run_pytest(folder: Path, tests: str, *options: str, app: str = APP, plugin: bool = True) -> PytestRun:
    """Writes ``app.py`` and ``test_it.py`` and runs pytest on them; plugins that nobody asked for stay out."""
    (folder / "app.py").write_text(dedent(app))
    (folder / "test_it.py").write_text(dedent(tests))
    loaded = ("-p", _PLUGIN) if plugin else ()
    run = python(
        "-m", "pytest", "--no-header", "-p", "no:cacheprovider", *loaded, *options,
        folder=folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", COLUMNS="100",
    )  # fmt: skip
    return PytestRun(run.returncode, run.stdout + run.stderr, folder)
