"""A C extension that forgets to release what it was handed."""

from email.message import Message

import forgetful


def leak(number: int) -> None:
    forgetful.index(Message())


def mended(number: int) -> None:
    forgetful.index_and_release(Message())
