"""watching(): what is new, gone and surviving over a block."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

import heapdiff

ROOT = Path(__file__).parents[2]


class Session:
    """Comes and goes."""


class Cart:
    """The same."""


class OnlyHere:
    """No other module that the tests load has a class of that name."""


def test_new_objects_are_those_made_in_the_block_that_still_live() -> None:
    with heapdiff.watching() as watch:
        kept = [Session() for _ in range(7)]
        Session()

    assert watch.new(Session).count == 7
    del kept


def test_objects_of_before_are_not_new_but_survivors() -> None:
    kept = [Session() for _ in range(4)]

    with heapdiff.watching() as watch:
        kept.append(Session())

    assert (watch.survivors(Session).count, watch.new(Session).count) == (4, 1)


def test_gone_objects_are_those_of_before_that_died() -> None:
    kept = [Session() for _ in range(4)]

    with heapdiff.watching() as watch:
        del kept[1:]

    assert (watch.gone(Session).count, watch.survivors(Session).count) == (3, 1)


def test_an_object_at_the_address_of_one_that_died_is_new() -> None:
    kept = [Session() for _ in range(1_000)]

    with heapdiff.watching() as watch:
        kept.clear()
        kept.extend(Session() for _ in range(1_000))

    assert (watch.new(Session).count, watch.gone(Session).count, watch.survivors(Session).count) == (1_000, 1_000, 0)


def test_garbage_in_cycles_is_gone_and_not_new() -> None:
    session = Session()
    session.me = session  # type: ignore[attr-defined]

    with heapdiff.watching() as watch:
        del session
        other = Session()
        other.me = other  # type: ignore[attr-defined]
        del other

    assert (watch.gone(Session).count, watch.new(Session).count) == (1, 0)


def test_classes_are_asked_for_by_their_name_as_well() -> None:
    with heapdiff.watching() as watch:
        kept = Session()

    assert watch.new(f"{__name__}.Session").count == 1, kept


def test_a_name_without_its_module_does_not_pass_for_a_type_of_which_nothing_is_new() -> None:
    with heapdiff.watching() as watch:
        kept = OnlyHere()

    with pytest.raises(ValueError, match=rf"'OnlyHere' is the name of no type; .* such as {__name__}.OnlyHere"):
        watch.new("OnlyHere")
    assert watch.new("NothingOfThatName").count == 0, kept


def test_without_a_class_all_types_are_counted() -> None:
    with heapdiff.watching() as watch:
        kept = [Session(), Session(), Cart()]

    by_type = dict(watch.new().by_type)
    assert (by_type[f"{__name__}.Session"], by_type[f"{__name__}.Cart"]) == (2, 1), kept


def test_in_an_empty_block_nothing_is_new() -> None:
    """In a process of its own: a test runner's threads make objects at any time.

    But for a few names of heapdiff's own attributes, which CPython's method cache keeps from its look-ups on.
    """
    code = """
import heapdiff

with heapdiff.watching() as watch:
    pass
print([name for name, _ in watch.new().by_type if name != "str"], watch.new().count < 20)
"""

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[] True\n", "")


def test_what_is_new_says_what_holds_it() -> None:
    kept = []

    with heapdiff.watching() as watch:
        kept.append(Session())

    found = repr(watch.new(Session))
    assert found.startswith(f"<1 new {__name__}.Session, held by ")
    assert "kept" in found


def test_it_may_be_asked_while_the_block_runs() -> None:
    with heapdiff.watching() as watch:
        before = watch.new(Session).count
        kept = Session()
        after = watch.new(Session).count

    assert (before, after) == (0, 1), kept


def test_the_report_compares_start_and_end() -> None:
    kept: list[object] = []

    with heapdiff.watching() as watch:
        kept.extend(Session() for _ in range(50))

    assert watch.report().growers[0].type_name == f"{__name__}.Session"


def test_a_watch_within_a_watch_goes_by_address_and_type() -> None:
    with heapdiff.watching() as outer, heapdiff.watching() as inner:
        kept = Session()

    assert (outer.new(Session).count, inner.new(Session).count) == (1, 1), kept


def test_the_collector_looks_at_all_objects_again_afterwards() -> None:
    before = gc.get_freeze_count()

    with pytest.raises(LookupError), heapdiff.watching():
        raise LookupError

    assert gc.get_freeze_count() == before


def test_a_watch_that_has_not_begun_says_so() -> None:
    with pytest.raises(ValueError, match="the watch has not begun"):
        heapdiff.watching().new()
