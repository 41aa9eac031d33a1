"""What is known of each message, kept weakly by the message, but it leads back to it."""

import weakref
from email.message import Message

replies: weakref.WeakKeyDictionary[Message, list[Message]] = weakref.WeakKeyDictionary()
numbers: weakref.WeakKeyDictionary[Message, int] = weakref.WeakKeyDictionary()


def leak(number: int) -> None:
    message = Message()
    replies[message] = [message]


def mended(number: int) -> None:
    numbers[Message()] = number
