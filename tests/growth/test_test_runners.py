"""What pytest and mocks note down while a body runs is not taken for its leak; what hangs at fixtures is."""

from __future__ import annotations

import logging
import unittest.mock
import warnings

import pytest

import heapdiff


class Session:
    """What leaks."""


class Application:
    """What a fixture makes."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    def handle(self) -> None:
        self.sessions.append(Session())


@pytest.fixture
def application() -> Application:
    return Application()


def test_records_that_pytest_keeps_are_no_growth(caplog: pytest.LogCaptureFixture) -> None:
    heapdiff.assert_no_growth(lambda: logging.getLogger("tests.growth").warning("something"))

    assert caplog.records


def test_warnings_that_pytest_keeps_are_no_growth() -> None:
    heapdiff.assert_no_growth(lambda: warnings.warn("a warning of this test", stacklevel=1))


def test_what_a_body_prints_is_no_growth(capsys: pytest.CaptureFixture[str]) -> None:
    heapdiff.assert_no_growth(lambda: print("something"))

    assert capsys.readouterr().out


def test_calls_that_a_mock_of_the_test_keeps_are_no_growth() -> None:
    mock = unittest.mock.Mock()

    heapdiff.assert_no_growth(lambda: mock.send(1, to="x"))


@pytest.fixture
def kept() -> list[Session]:
    return []


def test_what_leaks_into_a_list_that_is_a_fixture_is_growth(kept: list[Session]) -> None:
    with pytest.raises(AssertionError, match="Session per iteration"):
        heapdiff.assert_no_growth(lambda: kept.append(Session()))


def test_what_leaks_into_an_object_of_a_fixture_is_growth(application: Application) -> None:
    with pytest.raises(AssertionError, match="Session per iteration"):
        heapdiff.assert_no_growth(application.handle)
