"""A test run in, what its tests and their fixtures leave behind out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from heapdiff.capture import take_snapshot
from heapdiff.errors import HeapdiffError
from heapdiff.explain.conditions import Condition
from heapdiff.integrations.pytest_plugin.apart import runner_modules, without_runner
from heapdiff.integrations.pytest_plugin.births import Births
from heapdiff.integrations.pytest_plugin.leavings import Leaving, find_leavings, merged
from heapdiff.integrations.pytest_plugin.settings import Settings
from heapdiff.integrations.pytest_plugin.verdicts import accused
from heapdiff.snapshot.model import Snapshot

__all__ = ["WatchedRun"]

_OUTPUT = "heapdiff_leavings"  # a worker's, for the controller


class WatchedRun:
    """The plugin of a run with --heapdiff.

    What is made while a test runs is the test's or that of its function-scoped fixture; what is made while a fixture of
    a wider scope is set up is nobody's. At the end of the run one snapshot shows what of it lives on, and why.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.settings = settings
        self.leavings: tuple[Leaving, ...] | None = None  # None: not known
        self.problem = "the run did not come to its end"  # where they are not known
        self.failed: tuple[tuple[Leaving, Condition], ...] = ()
        self._config = config
        self._births = Births()
        self._names: list[str] = []
        self._test = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Watch the tests of this process; with pytest-xdist those are in the workers."""
        if self._config.pluginmanager.hasplugin("dsession") or self._config.getoption("collectonly"):
            return (yield)
        try:
            base = self._picture()
        except HeapdiffError as error:
            raise pytest.UsageError(f"--heapdiff: {error}") from error
        self._births.start()
        try:
            result = yield
        finally:
            self._births.stop()
        # Not where the run was broken off: fixtures that are still set up would look as if they left something.
        self._look(base)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """From here on objects are the test's."""
        self._test = item.nodeid
        self._births.change(self._number(item.nodeid))
        try:
            return (yield)
        finally:
            self._births.change(None)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, object, object]:
        """From here on they are the fixture's."""
        is_of_test = fixturedef.scope == "function"
        before = self._births.change(
            self._number(f"fixture {fixturedef.argname} of {self._test}") if is_of_test else None
        )
        try:
            return (yield)
        finally:
            self._births.change(before)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run by the conditions, and put what was found into JUnit's XML."""
        if hasattr(self._config, "workerinput"):
            return  # of pytest-xdist: the controller does it for all
        left = accused(self.leavings or (), self.settings)
        for plugin in self._config.pluginmanager.get_plugins():
            if type(plugin).__name__ == "LogXML":
                for leaving in left:
                    text = f"+{leaving.objects} {leaving.type_name} in {leaving.place} [{leaving.fingerprint}]"
                    plugin.add_global_property("heapdiff_left", text)
        self.failed = tuple(
            (leaving, condition)
            for leaving in left
            for condition in self.settings.fail_on
            if condition.holds(leaving.facts())
        )
        if self.failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker found."""
        found = (getattr(node, "workeroutput", None) or {}).get(_OUTPUT)
        if found is not None:
            theirs = tuple(Leaving(**values) for values in found)
            self.leavings = merged((*(self.leavings or ()), *theirs))

    def _look(self, base: Snapshot) -> None:
        try:
            found = find_leavings(base, self._picture(), self._births.by_address(), self._names)
        except HeapdiffError as error:
            self.problem = str(error)
            return
        self.leavings = found
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_OUTPUT] = [leaving.to_dict() for leaving in found]

    def _number(self, name: str) -> int:
        self._names.append(name)
        return len(self._names) - 1

    def _picture(self) -> Snapshot:
        return without_runner(take_snapshot(collect=True), runner_modules(self._config))
