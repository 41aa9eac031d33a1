"""The growth report as text, JSON and HTML."""

from __future__ import annotations

import json

import pytest

import heapdiff


class Session:
    """What leaks."""


SESSIONS: list[Session] = []


@pytest.fixture(scope="module")
def report() -> heapdiff.GrowthReport:
    return heapdiff.find_growth(lambda: SESSIONS.append(Session()), patience=50)


def test_the_json_has_each_growth_with_its_rate_holder_and_rule(report: heapdiff.GrowthReport) -> None:
    growth = json.loads(report.to_json())["growths"][0]

    assert (growth["type"], growth["objects_per_iteration"]) == (f"{__name__}.Session", 1.0)
    assert (growth["holder"], growth["verdict"]) == (f"{__name__}.SESSIONS", "unbounded-sequence")


def test_the_json_has_the_report_of_the_traced_rounds(report: heapdiff.GrowthReport) -> None:
    assert json.loads(report.to_json())["report"]["growers"][0]["type"] == f"{__name__}.Session"


def test_a_page_in_a_notebook_shows_the_text(report: heapdiff.GrowthReport) -> None:
    assert "Session per iteration" in report._repr_html_()


def test_the_text_says_that_nothing_grew() -> None:
    assert str(heapdiff.find_growth(lambda: None)) == "Nothing grew with every round: 30 iterations.\n"


def test_the_text_says_what_was_ignored() -> None:
    report = heapdiff.find_growth(lambda: SESSIONS.append(Session()), patience=50, ignore=[Session])

    assert f"ignored  +1 {__name__}.Session per iteration" in str(report)


def test_checking_a_report_without_growth_does_nothing() -> None:
    heapdiff.find_growth(lambda: None).check()


def test_checking_a_report_with_growth_fails(report: heapdiff.GrowthReport) -> None:
    with pytest.raises(heapdiff.HeapGrowthError, match="Session per iteration"):
        report.check()
