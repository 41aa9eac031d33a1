"""A generator of random numbers for each order, seeded anew in forked workers."""

import os
import random

latest: list[random.Random] = []


def _seed() -> None:
    for dice in latest:
        dice.seed()


os.register_at_fork(after_in_child=_seed)


def leak(number: int) -> None:
    dice = random.Random(number)
    os.register_at_fork(after_in_child=dice.seed)


def mended(number: int) -> None:
    latest[:] = [random.Random(number)]
