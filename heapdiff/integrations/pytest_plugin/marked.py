"""A test with the marker in, rounds of it and a failure whose message is the growth report out."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from heapdiff.errors import HeapdiffError
from heapdiff.files import put_text
from heapdiff.growth.model import GrowthReport, Plan, holder_of
from heapdiff.growth.search import run_plan
from heapdiff.growth.text import rate_text, render_growth
from heapdiff.integrations.pytest_plugin import MARKER
from heapdiff.integrations.pytest_plugin.iteration import Iteration, StoppedError
from heapdiff.integrations.pytest_plugin.settings import Settings

__all__ = ["MarkedTests", "report_file"]

_PLAN = ("rounds", "warmup", "per_round", "patience", "settle_seconds")
_FIXTURES = ("anew", "kept")
_MOST_NAME = 120


class MarkedTests:
    """The plugin of a run in which a test has the marker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let pytest, and plugins such as pytest-asyncio, run the test as always, but many times."""
        __tracebackhide__ = True
        marker = item.get_closest_marker(MARKER)
        if marker is None:
            return (yield)
        # Not a call of the test function: what makes a coroutine or a TestCase run is around it.
        once = item.runtest
        setattr(item, "runtest", functools.partial(self._run, item, once, marker))  # noqa: B010 - a method
        try:
            return (yield)
        finally:
            del item.__dict__["runtest"]

    def _run(self, item: pytest.Item, once: Callable[[], None], marker: pytest.Mark) -> None:
        plan, fixtures = self._read(item, marker)
        try:
            report = run_plan(Iteration(item, once, anew=fixtures == "anew"), plan, None)
        except StoppedError:
            return  # pytest knows why
        except HeapdiffError as error:
            pytest.fail(f"{MARKER}: {error}", pytrace=False)
        except BaseException as error:
            error.__traceback__ = _outside(error.__traceback__)
            raise  # as it is: a "from" would hide the error in whose handling it was raised
        item.user_properties += _properties(report)
        if report.has_growth:
            if self._settings.report_folder is not None:
                _write(self._settings.report_folder, item.nodeid, report)
            pytest.fail(render_growth(report, "allow", "--heapdiff-accept=FILE"), pytrace=False)

    def _read(self, item: pytest.Item, marker: pytest.Mark) -> tuple[Plan, str]:
        arguments = dict(marker.kwargs)
        allow, fixtures = arguments.pop("allow", ()), arguments.pop("fixtures", "anew")
        expected = ", ".join((*_PLAN, "allow", "fixtures"))
        problem = None
        if marker.args:
            problem = f"it has {len(marker.args)} arguments without a name; expected {expected}, each by its name"
        elif unknown := sorted(arguments.keys() - set(_PLAN)):
            problem = f"it has an argument {unknown[0]!r}; expected {expected}"
        elif fixtures not in _FIXTURES:
            problem = f"fixtures is {fixtures!r}; expected 'anew' or 'kept'"
        else:
            try:
                allowed = (allow,) if isinstance(allow, str | type) else allow
                ignore = (*allowed, *self._settings.allow)
                return Plan(**arguments, ignore=ignore, accept=self._settings.known), fixtures
            except (TypeError, ValueError) as error:
                problem = str(error).replace("ignore", "allow")
        pytest.fail(f"{item.nodeid}: the marker {MARKER}: {problem}.", pytrace=False)


def report_file(name: str) -> str:
    """A file name for that test or run."""
    return re.sub(r"[^\w.=+-]+", "_", name)[-_MOST_NAME:].strip("_")


def _outside(traceback: TracebackType | None) -> TracebackType | None:
    """The same from the first frame on that is not heapdiff's: nobody has to read how the rounds are run."""
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__", "").startswith("heapdiff."):
        traceback = traceback.tb_next
    return traceback


def _properties(report: GrowthReport) -> list[tuple[str, Any]]:
    """What goes into JUnit's XML, and from a worker of pytest-xdist to the summary."""
    properties: list[tuple[str, Any]] = [("heapdiff_iterations", report.iterations)]
    for growth in report.growths:
        properties.append(("heapdiff_growth", rate_text(growth)))
        if growth.fingerprint:
            properties.append(("heapdiff_fingerprint", growth.fingerprint))
            properties.append(("heapdiff_type", growth.type_name))
            properties.append(("heapdiff_holder", holder_of(growth) or ""))
    if report.report is not None:
        accepted = report.report.explanation.accepted
        properties += [("heapdiff_accepted", entry.known.fingerprint) for entry in accepted]
    return properties


def _write(folder: Path, nodeid: str, report: GrowthReport) -> None:
    name = folder / report_file(nodeid)
    put_text(f"{name}.txt", f"{nodeid}\n\n{report}")
    put_text(f"{name}.json", report.to_json())
