"""A C extension that loses the texts it makes."""

import forgetful


def leak(number: int) -> None:
    for part in range(60):
        forgetful.encode(number * 100 + part)


def mended(number: int) -> None:
    for part in range(60):
        forgetful.encode_and_release(number * 100 + part)
