"""Bodies put together at random: healthy ones pass in any company, and a leak is found in any company."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from typing import Any

import pytest

import heapdiff
from tests.growth import healthy
from tests.growth.leaky import Payload

_COMPANY = 6

HEALTHY = {name: body for name, body in healthy.BODIES.items() if not inspect.iscoroutinefunction(body)}


def company(seed: int) -> list[Callable[[], Any]]:
    return [HEALTHY[name] for name in random.Random(seed).sample(sorted(HEALTHY), _COMPANY)]


@pytest.mark.parametrize("seed", range(5))
def test_healthy_bodies_pass_in_any_company(seed: int) -> None:
    bodies = company(seed)

    def together() -> None:
        for body in bodies:
            body()

    heapdiff.assert_no_growth(together)


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_is_found_and_named_in_any_company(seed: int) -> None:
    bodies = company(seed)
    kept: list[Payload] = []

    def together() -> None:
        for body in bodies:
            body()
        kept.append(Payload())

    with pytest.raises(AssertionError) as caught:
        heapdiff.assert_no_growth(together)

    assert f"+1 {__package__}.leaky.Payload per iteration" in str(caught.value).partition("\n")[0]
