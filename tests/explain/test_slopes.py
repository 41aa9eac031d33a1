"""Slopes: how fast it grows, how sure that is, and staircases."""

import pytest

from heapdiff import Report, compare
from heapdiff.explain import Trend, VerdictKind
from heapdiff.explain.slopes import slope_of
from tests.sketch import registry


def locks(*counts: int) -> Report:
    return compare(*(registry(count).snapshot() for count in counts))


def test_fewer_than_three_steps_have_no_slope() -> None:
    assert slope_of((0, 40, 80), "objects") is None


def test_even_growth_has_its_step_as_slope_without_doubt() -> None:
    slope = slope_of((10, 50, 90, 130), "objects")

    assert slope is not None
    assert slope.per_step == pytest.approx(40.0)
    assert slope.confidence == pytest.approx(0.0, abs=1e-9)


def test_the_confidence_is_that_of_the_textbook() -> None:
    """Residuals ±1 about a line of slope 10: s² = 4/2, Sxx = 5, t(2) = 4.303."""
    slope = slope_of((1, 9, 19, 31), "objects")

    assert slope is not None
    assert slope.per_step == pytest.approx(10.0)
    assert slope.confidence == pytest.approx(4.303 * (4 / 2 / 5) ** 0.5)


def test_many_snapshots_make_it_surer() -> None:
    few = slope_of([10 * n + n % 2 for n in range(6)], "objects")
    many = slope_of([10 * n + n % 2 for n in range(60)], "objects")

    assert few is not None
    assert many is not None
    assert many.confidence < few.confidence / 10


@pytest.mark.parametrize(
    ("counts", "rises"),
    [
        ((0, 100, 100, 200), 2),
        ((0, 100, 100, 200, 200, 300, 300), 3),
        ((0, 50, 100, 100, 150, 200, 200), 2),  # a rise may take two steps
        ((0, 400, 500, 500), 0),  # a cache that is full
        ((0, 400, 400, 450), 0),  # it comes to its end
        ((0, 40, 80, 120), 0),
        ((0, 100, 50, 150), 0),  # it falls
        ((5, 5, 5, 5), 0),
    ],
)
def test_the_rises_of_a_staircase(counts: tuple[int, ...], rises: int) -> None:
    slope = slope_of(counts, "objects")

    assert slope is not None
    assert slope.rises == rises


def test_a_rest_at_the_end_of_a_staircase_is_no_end_of_the_growth() -> None:
    grower = locks(0, 100, 100, 200, 200, 300, 300).growers[0]

    assert grower.verdict is not None
    assert (grower.trend, grower.verdict.kind) == (Trend.STAIRCASE, VerdictKind.LEAK)


def test_two_rises_are_too_few_for_a_leak() -> None:
    grower = locks(0, 100, 100, 200).growers[0]

    assert grower.verdict is not None
    assert (grower.trend, grower.verdict.kind) == (Trend.STAIRCASE, VerdictKind.UNSURE)


def test_the_report_gives_the_slope() -> None:
    assert "slope        +40.0 a step, ±0.0" in str(locks(3, 43, 83, 123))


def test_the_report_gives_no_slope_of_what_has_stopped() -> None:
    assert "slope" not in str(locks(0, 400, 500, 500))
