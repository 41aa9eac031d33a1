"""The settle check: what a busy time leaves behind."""

import pytest

from heapdiff import Report, Snapshot, compare_settled
from heapdiff.explain import Settling, Standing
from heapdiff.snapshot.model import Process
from tests.report.schema import misfits
from tests.sketch import Sketch

PROCESS = Process(pid=4242, host="box", start_time=1.5)


def cache(first: int, last: int, *, process: Process = PROCESS) -> Snapshot:
    """A cache with the entries of these numbers, each at an address of its own."""
    sketch = Sketch(first_address=0x1000)
    sketch.module("app")
    sketch.add("cache", "dict", "app", ("ATTRIBUTE", "CACHE"))
    for number in range(last):
        holder = "cache" if number >= first else "own"
        if holder == "cache":
            sketch.add(f"page{number}", "app.Page", "cache", ("KEY_OF_TYPE", "str"))
        else:
            sketch.add(f"page{number}", "app.Gone", "root", ("ROOT_OWN", ""))  # keeps the addresses of the others
    return sketch.snapshot(process)


def pages(base: int, busy: int, settled: int) -> Report:
    return compare_settled(*(cache(0, count) for count in (base, busy, settled)))


def row(report: Report, type_name: str = "app.Page", path: str | None = None) -> Settling:
    rows = report.explanation.settlings
    assert rows is not None
    return next(row for row in rows if (row.type_name, row.path) == (type_name, path))


@pytest.mark.parametrize(
    ("settled", "standing"),
    [
        (100, Standing.DRAINED),
        (200, Standing.DRAINED),
        (201, Standing.MOSTLY_DRAINED),
        (600, Standing.MOSTLY_DRAINED),
        (601, Standing.HELD),
        (1100, Standing.HELD),
        (1101, Standing.GROWING),
    ],
)
def test_what_is_left_of_the_growth_decides(settled: int, standing: Standing) -> None:
    assert row(pages(100, 1100, settled)).standing is standing


def test_label_paths_are_judged_as_well() -> None:
    assert row(pages(100, 1100, 1000), path="app.CACHE[*]").standing is Standing.HELD


def test_what_was_not_added_while_busy_has_no_row() -> None:
    assert pages(100, 100, 900).explanation.settlings == ()


def test_objects_new_in_the_busy_time_that_are_still_there_are_counted() -> None:
    """memlab's (target − base) ∩ final."""
    assert row(pages(100, 1100, 700)).kept == 600


def test_objects_that_were_made_since_are_not_counted_as_kept() -> None:
    """The entries of the busy time went, as many others came: the count is held, the objects are not."""
    turned_over = compare_settled(cache(0, 100), cache(0, 600), cache(600, 1200))

    assert row(turned_over).standing is Standing.HELD
    assert row(turned_over).kept == 0


def test_between_two_processes_no_object_is_known_to_be_kept() -> None:
    other = Process(pid=7, host="box", start_time=2.5)
    report = compare_settled(cache(0, 100), cache(0, 600), cache(0, 600, process=other))

    assert row(report).kept is None


def test_each_grower_says_what_became_of_it() -> None:
    text = str(pages(100, 1100, 1000))

    assert "settled      held: 100 → 1,100 busy → 1,000 settled, 90 % is left; 900 of the settled" in text
    assert "Next: Work and rest once more" in text


def test_the_drained_are_in_the_table() -> None:
    text = str(pages(100, 1100, 100))

    assert text.startswith("Nothing grew.")
    assert "    +1,000          +0      0%         0  app.Page: drained" in text


def test_a_settle_check_has_the_documented_shape_in_json() -> None:
    assert misfits(pages(100, 1100, 1000).to_dict()) == []


def test_something_that_is_no_snapshot_is_refused() -> None:
    with pytest.raises(TypeError, match=r"compare_settled\(\) argument 2 is a str"):
        compare_settled(cache(0, 1), "busy.heap", cache(0, 1))  # type: ignore[arg-type]
