"""Shallow sizes: what the allocators were asked for."""

import array
import collections
import datetime
import decimal
import re
import sys
import threading
import types
from typing import Any

import pytest

import heapdiff
from tests.capture.living import Picture
from tests.capture.processes import FREE_THREADED, HEAD_BYTES


class Derived(list[int]):
    pass


class DerivedStr(str):
    pass


OBJECTS: dict[str, Any] = {
    "a list": [1, 2, 3] * 7,
    "a list class": Derived([1, 2]),
    "an int dict": {i: i for i in range(100)},
    "a str dict": {f"k{i}": i for i in range(100)},
    "a set": set(range(100)),
    "a small set": {1},
    "a frozenset": frozenset({1, 2}),
    "a tuple": (1, 2, 3),
    "a large int": 10**50,
    "zero": 0,
    "ASCII text": "abc" * 10,
    "Latin text": "é" * 10,
    "wide text": "世" * 10,
    "emoji": "😀" * 4,
    "bytes": b"x" * 77,
    "a bytearray": bytearray(100),
    "an array": array.array("d", range(100)),
    "a deque": collections.deque(range(200)),
    "an OrderedDict": collections.OrderedDict(a=1, b=2),
    "a defaultdict": collections.defaultdict(list, a=[1]),
    "a function": pytest.fixture,
    "code": Derived.__class__.__call__,  # type: ignore[operator]
    "a class": Derived,
    "a pattern": re.compile("a+b"),
    "a lock": threading.Lock(),
    "a module": types.ModuleType("x"),
    "a Decimal": decimal.Decimal("1." + "3" * 60),
    "a datetime": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "a float": 1.5,
    "a complex": 1j,
    "a range": range(10),
    "a slice": slice(1, 2),
    "a memoryview": memoryview(b"abc"),
}


INLINE_VALUES = 1 << 2  # a flag of types since 3.13: from 3.14 on any class with a __dict__ has it


@pytest.fixture(scope="module")
def seen() -> Picture:
    return Picture(heapdiff.take_snapshot())


@pytest.mark.parametrize("name", OBJECTS)
def test_the_size_of_an_object_without_inline_values_is_what_getsizeof_says(name: str, seen: Picture) -> None:
    inline = type(OBJECTS[name]).__flags__ & INLINE_VALUES

    left_out = 8 if FREE_THREADED and name == "a list" else 0  # the length that stands before the elements
    assert inline or seen.shallow_bytes(OBJECTS[name]) == sys.getsizeof(OBJECTS[name]) + left_out


def test_inline_values_are_counted_though_getsizeof_leaves_them_out() -> None:
    class Point:
        def __init__(self, i: int) -> None:
            self.x, self.y, self.z = i, i, i

    settled = [Point(i) for i in range(1_000)][-1]  # by now the class knows how many attributes there are

    size = Picture(heapdiff.take_snapshot()).shallow_bytes(settled)

    # three slots and a prefix (capture.md 7.2: 40 bytes on all of 3.11, 3.12 and 3.13; 48 with room for a fourth)
    assert sys.getsizeof(settled) + 32 <= size <= sys.getsizeof(settled) + 48


def test_a_size_claimed_by_python_code_is_not_believed() -> None:
    class Liar:
        def __sizeof__(self) -> int:
            return 10**12

    liar = Liar()

    assert Picture(heapdiff.take_snapshot()).shallow_bytes(liar) < 1_000


def test_generators_of_every_kind_have_the_size_that_getsizeof_says() -> None:
    def generate() -> Any:
        local = 1
        yield local

    generator = generate()
    next(generator)

    assert Picture(heapdiff.take_snapshot()).shallow_bytes(generator) == sys.getsizeof(generator)


def test_a_datetime_without_a_time_zone_has_no_room_for_one() -> None:
    """sys.getsizeof says 48 of both; 40 bytes are allocated."""
    naive, aware = datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    picture = Picture(heapdiff.take_snapshot())

    assert (picture.shallow_bytes(naive), picture.shallow_bytes(aware)) == (HEAD_BYTES + 24, HEAD_BYTES + 32)
