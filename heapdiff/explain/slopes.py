"""Counts from snapshot to snapshot in, their slope with its confidence out; and whether they go up by steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

from heapdiff.explain.model import Slope

__all__ = ["slope_of"]

_LEAST_STEPS = 3
_LEAST_RISES = 2

# Two-sided 95 % quantiles of Student's t by degrees of freedom; above them by expansion, right to 0.003.
_QUANTILES = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def slope_of(counts: Sequence[int], unit: str) -> Slope | None:
    """The slope of the straight line through the counts; None for fewer than three steps.

    The confidence is that of a line through counts whose residuals are normal. It says how evenly they
    grew, not that they will go on to.

    Source: ordinary least squares.
    """
    if len(counts) <= _LEAST_STEPS:
        return None
    number = len(counts)
    middle, mean = (number - 1) / 2, sum(counts) / number
    spread = sum((place - middle) ** 2 for place in range(number))
    per_step = sum((place - middle) * (count - mean) for place, count in enumerate(counts)) / spread
    residuals = sum((count - mean - per_step * (place - middle)) ** 2 for place, count in enumerate(counts))
    free = number - 2
    quantile = _QUANTILES.get(free, 1.960 + 2.372 / free + 2.823 / free**2)
    return Slope(per_step, quantile * sqrt(residuals / free / spread), unit, _count_rises(counts))


def _count_rises(counts: Sequence[int]) -> int:
    """How many rises a staircase has, with rests between them and no fall; 0 where it is none.

    The last rise must be half as high as the highest, else it is coming to its end.
    """
    steps = [later - earlier for earlier, later in pairwise(counts)]
    slack = max(1, max(steps, default=0) // 20)
    rises = [step for step in steps if step > slack]
    if len(rises) < _LEAST_RISES or min(steps) < -slack or 2 * rises[-1] < max(rises):
        return 0
    flights = 0  # stretches of rises, between which there is a rest
    resting = True
    for step in steps:
        if step > slack and resting:
            flights += 1
        resting = step <= slack
    return flights if flights >= _LEAST_RISES else 0
