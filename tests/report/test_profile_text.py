"""The views of pprof. The files in ``pprof/`` are the output of Go 1.19.8's own pprof on the same two profiles."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from heapdiff.diff.profile import Profile, ProfileSample, build_profile, subtract_profiles
from heapdiff.errors import NothingFoundError
from heapdiff.report.profile_text import (
    ProfileOptions,
    profile_json,
    profile_peek,
    profile_top,
    profile_traces,
    profile_tree,
)
from tests.diff.profiles import AFTER, BEFORE, profile_of

_GROWTH = subtract_profiles(BEFORE, AFTER)
_OPTIONS = ProfileOptions()

_VIEWS: dict[str, Callable[[], str]] = {
    "top": lambda: profile_top(AFTER, _OPTIONS),
    "top-base": lambda: profile_top(_GROWTH, _OPTIONS),
    "top-diff_base": lambda: profile_top(subtract_profiles(BEFORE, AFTER, against_base=True), _OPTIONS),
    "top-normalize": lambda: profile_top(subtract_profiles(BEFORE, AFTER, normalise=True), _OPTIONS),
    "top-cum-focus": lambda: profile_top(_GROWTH, ProfileOptions(by_cum=True, focus=re.compile("Lock"))),
    "top-objects-ignore": lambda: profile_top(
        AFTER, ProfileOptions(sample_index="inuse_objects", ignore=re.compile("Lock"))
    ),
    "top-focus-ignore": lambda: profile_top(AFTER, ProfileOptions(focus=re.compile("dict"), ignore=re.compile("Lock"))),
    "top-nodecount": lambda: profile_top(AFTER, ProfileOptions(node_count=2)),
    "tree-base": lambda: profile_tree(_GROWTH, _OPTIONS),
    "tree-base-all": lambda: profile_tree(_GROWTH, ProfileOptions(node_fraction=0.0)),
    "tree-nodecount": lambda: profile_tree(AFTER, ProfileOptions(node_count=3)),
    "tree-focus-ignore": lambda: profile_tree(
        AFTER, ProfileOptions(focus=re.compile("dict"), ignore=re.compile("Lock"))
    ),
    "peek-base": lambda: profile_peek(_GROWTH, _OPTIONS, re.compile("dict")),
}


@pytest.mark.parametrize("name", _VIEWS)
def test_the_text_is_that_of_pprof(name: str) -> None:
    """Spaces at the ends of lines apart."""
    theirs = (Path(__file__).parent / "pprof" / f"{name}.txt").read_text()

    assert _VIEWS[name]() == theirs


def test_traces_are_those_of_pprof_in_another_order() -> None:
    """pprof keeps the order of the file; ours begins with the heaviest."""
    rule = re.compile(r"^-+\+-+\n", re.MULTILINE)
    theirs = (Path(__file__).parent / "pprof" / "traces.txt").read_text()

    assert sorted(rule.split(profile_traces(AFTER, _OPTIONS))) == sorted(rule.split(theirs))


def test_each_view_of_pprof_that_is_kept_is_compared() -> None:
    kept = {path.stem for path in (Path(__file__).parent / "pprof").iterdir()}

    assert kept == {*_VIEWS, "traces"}


def test_retained_is_ordered_by_cum() -> None:
    text = profile_top(AFTER, ProfileOptions(sample_index="retained"))

    assert text.index("module app.locks") < text.index("  Lock")


def test_nothing_grown_is_a_table_without_rows() -> None:
    assert profile_top(Profile(()), _OPTIONS).splitlines()[-1].split() == ["flat", "flat%", "sum%", "cum", "cum%"]


def test_a_peek_that_matches_nothing_says_so() -> None:
    with pytest.raises(NothingFoundError, match="no frame matches 'Session'"):
        profile_peek(AFTER, _OPTIONS, re.compile("Session"))


def test_a_trace_names_the_type_that_was_allocated() -> None:
    profile = build_profile([ProfileSample(("app/locks.py:31", "app/web.py:7"), 3, 300, "app.locks.Lock")])

    assert "      type:  app.locks.Lock\n      300B   app/locks.py:31\n" in profile_traces(profile, _OPTIONS)


def test_traces_begin_with_the_heaviest() -> None:
    text = profile_traces(profile_of(("small", 1, 1), ("large", 1, 900)), _OPTIONS)

    assert text.index("large") < text.index("small")


def test_the_header_comes_first() -> None:
    text = profile_top(AFTER, ProfileOptions(header=("File: after.heap",)))

    assert text.startswith("File: after.heap\nType: inuse_space\n")


def test_json_has_numbers_and_no_units() -> None:
    picture = json.loads(profile_json(AFTER, ProfileOptions(node_count=1)))

    assert picture["rows"] == [{"name": "Lock", "flat": 12_400_000, "cum": 12_400_000}]


def test_a_name_of_a_type_cannot_move_the_cursor() -> None:
    assert "\x1b" not in profile_top(profile_of(("\x1b[2J", 1, 10)), _OPTIONS)
