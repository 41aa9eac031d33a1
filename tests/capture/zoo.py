"""One object of every kind of the standard library that holds another in a way of its own."""

import array
import asyncio
import collections
import contextvars
import csv
import ctypes
import datetime
import decimal
import fractions
import functools
import io
import itertools
import json
import operator
import pickle
import queue
import re
import sqlite3
import ssl
import struct
import threading
import types
import typing
import weakref
import zlib
import zoneinfo
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

__all__ = ["zoo"]


class Payload:
    """Something to hold."""

    def __call__(self, *_: object) -> int:
        return 0


class Zone(datetime.tzinfo):
    """A time zone written in Python."""

    def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta:
        return datetime.timedelta(0)

    def dst(self, _: datetime.datetime | None) -> None:
        return None

    def tzname(self, _: datetime.datetime | None) -> str:
        return "zone"


class Slotted:
    """An attribute in a slot."""

    __slots__ = ("held",)
    held: object


class Point(typing.NamedTuple):
    """A tuple with names."""

    x: object
    y: object


def zoo() -> list[Any]:
    """The animals, in a list."""
    return [*_containers(), *_functions(), *_iterators(), *_data(), *_waiting()]


def _containers() -> Iterator[Any]:
    payload = Payload()
    slotted = Slotted()
    slotted.held = payload
    bare, dicted = Payload(), Payload()
    vars(dicted)["attribute"] = payload
    setattr(bare, "attribute", payload)  # noqa: B010 - mypy knows no such attribute
    yield from (slotted, bare, dicted, dicted.__dict__)
    yield from ({payload: 1, "a" + repr(1): payload}, [payload], (payload,), {payload}, frozenset([payload]))
    yield from (collections.deque([payload]), collections.OrderedDict({payload: payload}))
    yield from (collections.defaultdict(Payload), collections.Counter("abc"), collections.ChainMap({1: 2}))
    yield from (types.MappingProxyType({1: payload}), types.SimpleNamespace(held=payload), types.ModuleType("made"))
    yield from (weakref.ref(payload, print), weakref.WeakKeyDictionary({payload: 1}), weakref.WeakSet([payload]))
    yield from (Point(payload, 2), array.array("q", range(10)))


def _functions() -> Iterator[Any]:
    payload = Payload()
    bounded, unbounded = functools.lru_cache(2)(Payload()), functools.cache(Payload())
    for key in range(5):
        bounded((key, "key"))
        unbounded((key, "key"))
    yield from (lambda given=payload: (payload, given), payload.__call__, [].append, [].__len__, bounded, unbounded)
    yield from (property(payload), staticmethod(payload), classmethod(payload), super(Payload, payload))
    yield from (functools.partial(print, payload, sep=payload), functools.cmp_to_key(payload)(payload))
    yield from (operator.itemgetter(payload), operator.attrgetter("name.other"), operator.methodcaller("name", payload))
    yield from (type("Made", (Payload,), {"held": payload}), typing.TypeVar("T", bound=Payload), list[int], int | str)
    yield from (slice(payload, None), range(10**30, 10**31), memoryview(bytearray(10))[2:])


def _iterators() -> Iterator[Any]:
    def generate(held: object) -> Iterator[object]:
        yield held

    payload = Payload()
    waiting = generate(payload)
    next(waiting)
    yield from (waiting, generate(payload), map(payload, [payload]), filter(payload, [payload]), zip([payload]))
    yield from (enumerate([payload]), reversed([payload]), iter(payload, 1), iter({1: payload}), iter("text"))
    yield from (itertools.chain([payload]), itertools.cycle([payload]), itertools.repeat(payload), itertools.count())
    yield from (itertools.tee([payload])[0], itertools.product([payload], [1]), itertools.combinations([payload], 1))
    yield from (itertools.groupby([payload]), itertools.accumulate([payload]), itertools.islice([payload], 3))


def _data() -> Iterator[Any]:
    payload, zone = Payload(), Zone()
    try:
        raise ValueError(payload)
    except ValueError as error:
        yield error
    yield from (OSError(1, "x", "file"), StopIteration(payload), AttributeError("x", name="y", obj=payload))
    yield from (datetime.datetime(2020, 1, 1, tzinfo=zone), datetime.time(1, tzinfo=zone))
    yield from (datetime.timezone(datetime.timedelta(seconds=77), "zone"), zoneinfo.ZoneInfo.no_cache("UTC"))
    yield from (re.compile("a+b?c"), re.match("a", "a" + repr(2)), struct.Struct("<iiq"), zlib.compressobj())
    yield from (io.BytesIO(b"z" * 1_000), io.StringIO("text" * 100))
    yield io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    yield from (decimal.Decimal(10) ** 50, decimal.Context(), fractions.Fraction(10**25, 7), 10**50, 1.5, 2j)
    yield from (csv.reader(["a,b"]), json.JSONDecoder(object_hook=payload), pickle.Pickler(io.BytesIO()))
    yield from (ElementTree.fromstring("<a k='v'><b>text</b></a>"), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    yield from (ctypes.py_object(payload), ctypes.c_char_p(b"bytes"), (ctypes.c_char * 10).from_buffer(bytearray(10)))
    database = sqlite3.connect(":memory:")
    database.create_function("f", 1, payload)
    yield from (database, database.execute("select 1"))


def _waiting() -> Iterator[Any]:
    async def wait(held: object) -> object:
        await asyncio.sleep(0)
        return held

    payload = Payload()
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.add_done_callback(payload)
    task = loop.create_task(wait(payload))
    variable = contextvars.ContextVar("variable", default=payload)
    context = contextvars.copy_context()
    token = context.run(variable.set, payload)
    local = threading.local()
    local.held = payload
    simple: queue.SimpleQueue[object] = queue.SimpleQueue()
    simple.put(payload)
    yield from (loop, future, task, variable, context, token, local, simple, loop.call_soon(payload, payload))
    yield from (threading.Event(), threading.RLock(), queue.Queue(), asyncio.Queue())
