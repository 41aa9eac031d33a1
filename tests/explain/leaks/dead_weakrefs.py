"""Weak references to messages in a list that nobody tidies."""

import weakref
from email.message import Message

seen: list[weakref.ref[Message]] = []


def leak(number: int) -> None:
    seen.append(weakref.ref(Message()))


def mended(number: int) -> None:
    message = Message()
    seen.append(weakref.ref(message, seen.remove))
