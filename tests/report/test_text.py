"""The report as text: golden files, the width of a terminal, colours and names that mean harm."""

import re
import time
import unicodedata
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heapdiff import compare
from heapdiff.report import render_text
from heapdiff.report.escape import clean
from tests.conftest import Check
from tests.report.stories import STORIES, Story, hostile
from tests.sketch import Sketch, registry


@pytest.fixture(autouse=True)
def greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clock times as they are at Greenwich, so that golden files hold everywhere."""
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_text_is_the_golden_one(story: Story, golden: Check) -> None:
    golden(f"report_{story.name}.txt", str(story.report()))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_no_line_is_wider_than_a_terminal(story: Story) -> None:
    assert max(len(line) for line in str(story.report()).splitlines()) <= 100


def test_a_long_name_is_shortened_to_the_width() -> None:
    def draw(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app." + "deeply." * 20 + "nested")
        sketch.add("all", "dict", "app." + "deeply." * 20 + "nested", ("ATTRIBUTE", "registry_" * 20))
        sketch.many(count, "app." + "deeply." * 20 + "Job", "all", ("KEY_OF_TYPE", "str"))
        return sketch

    text = str(compare(draw(3).snapshot(), draw(40).snapshot()))

    assert max(len(line) for line in text.splitlines()) <= 100


def test_millions_of_entries_still_fit_the_width() -> None:
    def draw(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("all", "app.containers.OrderedRegistryDict", "app", ("ATTRIBUTE", "registry_of_everything_there_is"))
        sketch.many(count, "app.Job", "all", ("KEY_OF_TYPE", "str"))
        return sketch

    report = compare(draw(3).snapshot(), draw(40).snapshot())
    grower = report.growers[0]
    holder = attrs.evolve(grower.holders[0], entries_base=14_800_000, entries_now=115_300_000)
    huge = attrs.evolve(report.explanation, growers=(attrs.evolve(grower, holders=(holder,)),))

    assert max(len(line) for line in render_text(huge).splitlines()) <= 100


def test_the_first_line_says_what_grew_and_where() -> None:
    text = str(compare(registry(3).snapshot(), registry(40).snapshot()))

    assert text.startswith(
        "37 new app.locks.Lock retain 21.7 kB. They pile up in one dict, app.locks.registry._locks, which\n"
        "took on 22.0 kB, 100 % of the growth.\n"
    )


def test_where_nothing_grew_one_line_says_so() -> None:
    assert str(compare(registry(3).snapshot(), registry(3).snapshot())).startswith("Nothing grew.\n")


def test_without_colour_there_is_no_escape_sequence() -> None:
    assert "\x1b" not in str(compare(*hostile()))


def test_colours_only_colour() -> None:
    explanation = compare(registry(3).snapshot(), registry(40).snapshot()).explanation

    plain = re.sub(r"\x1b\[\d+m", "", render_text(explanation, colour=True))

    assert plain == render_text(explanation)


def test_a_name_cannot_turn_the_line_around() -> None:
    assert "\u202e" not in str(compare(*hostile()))


def test_the_page_of_a_notebook_runs_no_script() -> None:
    page = compare(*hostile())._repr_html_()

    assert "<script" not in page
    assert "<b>" not in page


def test_the_page_of_a_notebook_has_a_row_for_each_grower() -> None:
    report = compare(registry(3).snapshot(), registry(40).snapshot())

    assert report._repr_html_().count("<tr>") == 1 + len(report.growers)


@given(st.text())
def test_a_clean_text_is_printable(text: str) -> None:
    # Spaces of other widths do no harm, though str.isprintable() knows only the plain one.
    assert all(one.isprintable() or unicodedata.category(one) == "Zs" for one in clean(text))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]", clean(text))


@given(st.text(alphabet=st.characters(whitelist_categories=("L", "N", "P"))))
def test_a_text_of_letters_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


def importing(leaks: int, modules: int) -> Sketch:
    sketch = registry(leaks)
    for number in range(modules):
        name = sketch.module(f"lib{number}")
        sketch.many(50, f"lib{number}.Part", name, ("ATTRIBUTE", "part"), size=5_000)
    return sketch


def test_imports_beside_a_leak_are_one_line() -> None:
    text = str(compare(importing(3, 0).snapshot(), importing(40, 12).snapshot()))

    assert [line for line in text.splitlines() if line.startswith("also")] == [
        "also  modules imported meanwhile: 13 types, +2.86 MB"
    ]


def test_growth_that_came_with_imports_alone_is_called_so() -> None:
    text = str(compare(importing(3, 0).snapshot(), importing(3, 12).snapshot()))

    assert text.startswith("12 modules were imported, which took on 2.86 MB, 100 % of the growth.")


def test_imports_beside_a_leak_have_their_line_where_they_are_no_grower() -> None:
    text = str(compare(importing(3, 0).snapshot(), importing(40, 12).snapshot(), growers=1))

    assert "also  modules imported meanwhile: 13 types" in text
