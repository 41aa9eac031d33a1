"""A feed that is parsed piece by piece, whose root element keeps every piece."""

from typing import Any
from xml.etree.ElementTree import XMLPullParser

parser: Any = XMLPullParser(["start", "end"])
parser.feed("<orders>")
_, root = next(iter(parser.read_events()))


def leak(number: int) -> None:
    parser.feed(f"<order number='{number}'/>")
    list(parser.read_events())


def mended(number: int) -> None:
    leak(number)
    root.clear()
