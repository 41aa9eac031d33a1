"""A cache without a bound over a function that parses what strangers send."""

import functools
from email.message import Message
from email.parser import Parser


def _parsed(text: str) -> Message:
    return Parser().parsestr(text)


parse = functools.cache(_parsed)
parse_bounded = functools.lru_cache(maxsize=4)(_parsed)


def leak(number: int) -> None:
    parse(f"Subject: order {number}\n\nDear shop")


def mended(number: int) -> None:
    parse_bounded(f"Subject: order {number}\n\nDear shop")
