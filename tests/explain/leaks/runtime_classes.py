"""A class of rows for each query, kept by the table of what is known of classes."""

from collections import namedtuple
from functools import singledispatch
from typing import Any


@singledispatch
def as_json(row: Any) -> str:
    return str(row)


Known = namedtuple("Known", "name price")


def leak(number: int) -> None:
    Row = namedtuple("Row", "name price")
    as_json.register(Row, repr)


def mended(number: int) -> None:
    as_json.register(Known, repr)
