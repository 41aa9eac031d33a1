"""A cache with a bound: healthy, although it grows at first."""

from email.message import Message

from cachetools import LRUCache

orders: LRUCache[int, Message] = LRUCache(maxsize=45)


def leak(number: int) -> None:
    """Nothing leaks: it fills up."""
    orders[number] = Message()


def mended(number: int) -> None:
    orders.clear()
