"""A test that pytest has set up in, a function that runs it once more each time out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["Iteration", "StoppedError"]


class StoppedError(Exception):
    """A TestCase has told pytest that it failed or was skipped; there is nothing to raise."""


class Iteration:
    """Runs the test; from the second time on with new function-scoped fixtures and a new instance, or with the old.

    What pytest gathers while a test runs, output, log records, properties and warnings, would grow with each iteration:
    that of the last one is kept, and of the warnings those of the first.
    """

    def __init__(self, item: pytest.Item, once: Callable[[], None], *, anew: bool) -> None:
        self._item, self._once = item, once
        self._renewal = _Renewal(item) if anew else None
        self._properties = len(item.user_properties)  # of JUnit's, which the test's first run adds to
        self._count = 0

    def __call__(self) -> None:
        """One run.

        Raises:
            StoppedError: A TestCase failed or was skipped.
            Whatever the test or its fixtures raise.
        """
        self._count += 1
        caught: list[warnings.WarningMessage] = []
        try:
            with warnings.catch_warnings(record=True) as caught:
                if self._count > 1:
                    self._forget()
                    if self._renewal is not None:
                        self._renewal.renew()
                self._once()
        except BaseException:
            self._count = 1  # of this one the warnings matter
            raise
        finally:
            if self._count == 1:
                for warning in caught:
                    warnings.showwarning(
                        warning.message, warning.category, warning.filename, warning.lineno, None, warning.line
                    )
        if vars(self._item).get("_excinfo"):
            raise StoppedError

    def _forget(self) -> None:
        del self._item.user_properties[self._properties :]
        manager = self._item.config.pluginmanager
        capture, logging = manager.getplugin("capturemanager"), manager.getplugin("logging-plugin")
        if capture is not None and capture.is_globally_capturing():
            capture.read_global_capture()
        if logging is not None:
            logging.caplog_handler.clear()
            logging.report_handler.clear()


class _Renewal:
    """Tears down and sets up what belongs to the test alone, as pytest does between two tests of one class or module.

    Source: pytest-rerunfailures.
    """

    def __init__(self, item: Any) -> None:
        self._item = item
        self._stash = dict(item.stash._storage)  # tmp_path takes its entry out at the end of each test
        self._finalizers: dict[str, int] = {}  # how many the fixtures of wider scopes have

    def renew(self) -> None:
        """The end of the test and its beginning."""
        item, state = self._item, self._item.session._setupstate
        wider = self._wider_fixtures()
        item.stash._storage.update(self._stash)
        state.teardown_exact(item.parent)
        for name, fixture in wider.items():
            # With each test that uses a fixture of a wider scope it has one more to tear down at its own end.
            del fixture._finalizers[self._finalizers.setdefault(name, len(fixture._finalizers)) :]
        if isinstance(item.parent, pytest.Class):
            vars(item).pop("_instance", None)
            vars(item).pop("_obj", None)
        if hasattr(item, "_initrequest"):
            item._initrequest()
        state.setup(item)

    def _wider_fixtures(self) -> dict[str, Any]:
        request = getattr(self._item, "_request", None)
        fixtures = getattr(request, "_fixture_defs", {})
        return {
            name: fixture
            for name, fixture in fixtures.items()
            if fixture.scope != "function" and isinstance(getattr(fixture, "_finalizers", None), list)
        }
