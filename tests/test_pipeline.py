"""compare(): snapshots in, a report out."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from heapdiff import DEFAULT_RULES, Report, Snapshot, compare
from heapdiff.explain import Evidence, Verdict, VerdictKind
from heapdiff.snapshot.model import Process
from tests.sketch import Sketch, registry
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap

PROCESS = Process(pid=4242, host="box", start_time=1.5)


def locks(*counts: int) -> Report:
    return compare(*(registry(count).snapshot(PROCESS) for count in counts))


def cache_with_turnover(first: int, size: int) -> Snapshot:
    """A bounded cache whose entries are others each time."""
    sketch = Sketch(first_address=0x1000 + 64 * first)
    sketch.module("app")
    sketch.add("cache", "dict", "app", ("ATTRIBUTE", "CACHE"))
    sketch.many(size, "app.Page", "cache", ("KEY_OF_TYPE", "str"))
    return sketch.snapshot()


def test_the_growing_type_is_the_first_grower() -> None:
    assert locks(3, 40).growers[0].type_name == "app.locks.Lock"


def test_two_processes_get_the_report_of_one() -> None:
    base = registry(3).snapshot()
    here, there = registry(40).snapshot(), registry(40, first_address=0x90000, reverse=True).snapshot()

    assert str(compare(base, here)) == str(compare(base, there))


def test_the_fingerprint_does_not_depend_on_addresses_and_counts() -> None:
    here = compare(registry(3).snapshot(), registry(40).snapshot())
    there = compare(registry(9).snapshot(), registry(80, first_address=0x90000, reverse=True).snapshot())

    assert here.growers[0].fingerprint == there.growers[0].fingerprint


def test_another_holder_has_another_fingerprint() -> None:
    def held_by(name: str, count: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("all", "dict", "app", ("ATTRIBUTE", name))
        sketch.many(count, "app.Job", "all", ("KEY_OF_TYPE", "str"))
        return sketch.snapshot()

    first, second = (compare(held_by(name, 3), held_by(name, 40)).growers[0] for name in ("JOBS", "TASKS"))

    assert first.fingerprint != second.fingerprint


def test_a_bounded_cache_with_turnover_shows_no_growth() -> None:
    assert compare(cache_with_turnover(0, 50), cache_with_turnover(500, 50)).growers == ()


def test_two_snapshots_do_not_support_a_leak() -> None:
    verdict = locks(3, 40).growers[0].verdict

    assert verdict is not None
    assert (verdict.rule, verdict.kind) == ("unbounded-mapping", VerdictKind.UNSURE)


def test_growth_in_every_step_is_a_leak() -> None:
    verdict = locks(3, 40, 80, 120).growers[0].verdict

    assert verdict is not None
    assert (verdict.rule, verdict.kind) == ("unbounded-mapping", VerdictKind.LEAK)


def test_growth_that_stops_is_benign() -> None:
    verdict = locks(3, 40, 50, 50).growers[0].verdict

    assert verdict is not None
    assert (verdict.rule, verdict.kind) == ("bounded-cache-filling", VerdictKind.BENIGN)


def test_growth_with_a_saw_tooth_is_benign() -> None:
    verdict = locks(3, 40, 80, 50, 90).growers[0].verdict

    assert verdict is not None
    assert verdict.kind is VerdictKind.BENIGN


def test_a_rule_of_the_users_own_is_asked_first() -> None:
    def mine(evidence: Evidence) -> Verdict | None:
        if evidence.grower.type_name != "app.locks.Lock":
            return None
        return Verdict("our-lock-registry", VerdictKind.BENIGN, "We know.")

    report = compare(registry(3).snapshot(), registry(40).snapshot(), rules=(*DEFAULT_RULES, mine))

    assert next(grower.verdict.rule for grower in report.growers if grower.verdict) == "our-lock-registry"


def test_without_rules_there_is_no_verdict() -> None:
    report = compare(registry(3).snapshot(), registry(40).snapshot(), rules=())

    assert report.growers[0].verdict is None


def test_a_heap_that_shrank_has_no_growers() -> None:
    report = locks(40, 3)

    assert report.growers == ()
    assert [row.name for row in report.explanation.diff.shrunk] == ["dict", "app.locks.Lock", "bytes"]


def test_no_later_snapshot_is_refused() -> None:
    with pytest.raises(TypeError, match="at least two snapshots"):
        compare(registry(3).snapshot())


def test_something_that_is_no_snapshot_is_refused() -> None:
    with pytest.raises(TypeError, match="argument 2 is a str, expected a Snapshot"):
        compare(registry(3).snapshot(), "now.heap")  # type: ignore[arg-type]


def test_a_negative_number_of_growers_is_refused() -> None:
    with pytest.raises(ValueError, match="growers is -1"):
        compare(registry(3).snapshot(), registry(4).snapshot(), growers=-1)


def test_no_growers_can_be_asked_for() -> None:
    assert compare(registry(3).snapshot(), registry(40).snapshot(), growers=0).growers == ()


@given(heap_graphs())
def test_a_snapshot_compared_with_itself_reports_nothing(heap: TinyHeap) -> None:
    report = compare(heap.snapshot, heap.snapshot)

    assert report.growers == ()
    assert str(report).startswith("Nothing grew.")


@settings(max_examples=60)
@given(heap_graphs(), heap_graphs(), heap_graphs())
def test_any_heaps_can_be_compared(first: TinyHeap, second: TinyHeap, third: TinyHeap) -> None:
    report = compare(first.snapshot, second.snapshot, third.snapshot)

    assert all(len(line) <= 100 for line in str(report).splitlines())
    assert [len(grower.steps) for grower in report.growers] == [3] * len(report.growers)


def test_the_steps_of_a_grower_are_its_counts_in_each_snapshot() -> None:
    steps = locks(3, 40, 80, 120).growers[0].steps

    assert [later - earlier for earlier, later in pairwise(steps)] == [37, 40, 40]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rules": None}, "rules is a NoneType"),
        ({"rules": [1]}, r"rules\[0\] is a int"),
        ({"growers": 1.5}, "growers is 1.5; expected a whole number"),
    ],
)
def test_an_option_that_cannot_be_meant_is_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        compare(registry(3).snapshot(), registry(4).snapshot(), **options)


def test_swapped_snapshots_are_remarked() -> None:
    early, late = (registry(3).snapshot(Process(capture_time=moment)) for moment in (1e9, 1e9 + 5))

    assert ("are the two swapped?" in str(compare(late, early)), "swapped" in str(compare(early, late))) == (
        True,
        False,
    )


def test_moments_of_different_days_have_their_dates() -> None:
    early, soon, late = (registry(3).snapshot(Process(capture_time=1e9 + later)) for later in (0, 1, 86400 * 3))

    assert ("2001-09-" in str(compare(early, late)), "2001-09-" in str(compare(early, soon))) == (True, False)
