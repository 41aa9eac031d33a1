"""The report as JSON: every field is documented, and every documented field is there."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from heapdiff import Report, compare
from heapdiff.snapshot.model import Limit, Process
from tests.report.schema import GROWER, HOLDER, HOP, REPORT, misfits
from tests.report.stories import STORIES, Story
from tests.sketch import registry
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap

DOCUMENT = Path(__file__).parents[2] / "docs" / "report-schema.md"


def locks(*counts: int) -> Report:
    return compare(*(registry(count).snapshot() for count in counts))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_report_has_the_documented_shape(story: Story) -> None:
    assert misfits(json.loads(story.report().to_json())) == []


@settings(max_examples=40)
@given(heap_graphs(), heap_graphs())
def test_the_report_of_any_two_heaps_has_the_documented_shape(base: TinyHeap, now: TinyHeap) -> None:
    assert misfits(json.loads(compare(base.snapshot, now.snapshot).to_json())) == []


@pytest.mark.parametrize("shape", [REPORT, GROWER, HOLDER, HOP], ids=["report", "grower", "holder", "hop"])
def test_every_field_is_documented(shape: dict[str, object]) -> None:
    documented = set(re.findall(r"`(\w+)(?:\[\])?`", DOCUMENT.read_text(encoding="utf-8")))

    assert set(shape) <= documented


def test_the_json_is_the_dict() -> None:
    report = locks(3, 40)

    assert json.loads(report.to_json()) == report.to_dict()


def test_what_was_not_measured_is_null() -> None:
    process = locks(3, 40).to_dict()["process"]

    assert (process["rss_bytes_delta"], process["now"]["pid"]) == (None, None)


def test_what_was_not_seen_is_listed_once() -> None:
    limits = (Limit("no-sites", "Allocation sites were not traced."),)
    report = compare(registry(3).snapshot(limits=limits), registry(40).snapshot(limits=limits))

    assert report.to_dict()["limits"] == [{"name": "no-sites", "text": "Allocation sites were not traced."}]


def test_the_steps_have_the_time_of_each_snapshot() -> None:
    report = compare(*(registry(count).snapshot(Process(capture_time=float(count))) for count in (3, 40, 80)))

    assert [step["capture_time"] for step in report.to_dict()["totals"]["steps"]] == [3.0, 40.0, 80.0]


def test_names_are_as_they_are_in_the_program() -> None:
    report = locks(3, 40).to_dict()

    assert report["growers"][0]["holders"][0]["expression"] == "app.locks.registry._locks"
