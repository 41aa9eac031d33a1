"""What leaks nothing is not accused, whatever it caches, starts, raises or warms up."""

import pytest

import heapdiff
from tests.growth.healthy import BODIES


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_healthy_body_passes_with_the_defaults(name: str) -> None:
    heapdiff.assert_no_growth(BODIES[name])
