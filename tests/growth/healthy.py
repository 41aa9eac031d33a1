"""Bodies that leak nothing, each with something that looks like growth for a while; for test_no_false_alarm.py."""

from __future__ import annotations

import abc
import ast
import asyncio
import collections
import concurrent.futures
import contextlib
import contextvars
import copy
import csv
import dataclasses
import datetime
import decimal
import enum
import functools
import gc
import hashlib
import importlib
import inspect
import io
import itertools
import json
import logging
import pickle
import queue
import random
import re
import socket
import sqlite3
import string
import struct
import sys
import tempfile
import threading
import time
import traceback
import typing
import unittest.mock
import urllib.parse
import warnings
import weakref
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["BODIES"]

BODIES: dict[str, Callable[[], Any]] = {}


def body(function: Callable[[], Any]) -> Callable[[], Any]:
    BODIES[function.__name__] = function
    return function


class Node:
    """In cycles with others."""

    def __init__(self) -> None:
        self.other: Node | None = None


class Finalized:
    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        FINALIZED.append(1)


NUMBERS = itertools.count()
CACHE: collections.OrderedDict[int, list[int]] = collections.OrderedDict()
SEEN: dict[int, str] = {}
RECENT: collections.deque[list[int]] = collections.deque(maxlen=900)
FINALIZED: collections.deque[int] = collections.deque(maxlen=5)
VARIABLE: contextvars.ContextVar[object] = contextvars.ContextVar("VARIABLE")
WEAK: weakref.WeakValueDictionary[int, Node] = weakref.WeakValueDictionary()
LOGGER = logging.getLogger("tests.growth.healthy")
POOL = concurrent.futures.ThreadPoolExecutor(max_workers=3)
LAST: list[Any] = [None]
RANDOM = random.Random(7)


@functools.lru_cache(maxsize=256)
def cached(number: int) -> list[int]:
    return [number]


@body
def nothing() -> None:
    pass


@body
def fills_an_lru_cache() -> None:
    cached(next(NUMBERS))


@body
def fills_a_cache_of_its_own() -> None:
    CACHE[next(NUMBERS)] = [1, 2]
    if len(CACHE) > 400:
        CACHE.popitem(last=False)


@body
def prunes_its_cache_now_and_then() -> None:
    SEEN[next(NUMBERS)] = str(time.perf_counter())
    if len(SEEN) > 150:
        for key in list(SEEN)[:50]:
            del SEEN[key]


@body
def fills_a_bounded_deque() -> None:
    RECENT.append([next(NUMBERS)])


@body
def asks_for_keys_at_random() -> None:
    cached(RANDOM.randrange(100))


@body
def replaces_what_it_made_last() -> None:
    LAST[0] = [object() for _ in range(RANDOM.randrange(50))]


@body
def compiles_patterns() -> None:
    assert re.compile(f"a{next(NUMBERS)}b*").match("x") is None


@body
def logs() -> None:
    handler = logging.StreamHandler(io.StringIO())
    LOGGER.addHandler(handler)
    LOGGER.propagate = False
    try:
        LOGGER.warning("iteration %d", next(NUMBERS), extra={"more": {}})
    finally:
        LOGGER.removeHandler(handler)


@body
def logs_exceptions() -> None:
    try:
        raise ValueError(next(NUMBERS))
    except ValueError:
        with contextlib.redirect_stderr(io.StringIO()):
            LOGGER.exception("failed")


@body
def speaks_json() -> None:
    text = json.dumps({"numbers": list(range(50)), str(next(NUMBERS)): [1.5, None]})
    assert json.loads(text)


@body
def makes_dataclasses() -> None:
    kind = dataclasses.make_dataclass("Made", [("first", int), ("second", str)])
    assert kind(1, "x") == kind(1, "x")


@body
def makes_classes() -> None:
    class Base(abc.ABC):
        @abc.abstractmethod
        def method(self) -> object:
            return super()

    class Child(Base):
        def method(self) -> object:
            return super().method()

    assert isinstance(Child(), Base)
    assert issubclass(Child, collections.abc.Iterable) is False


@body
def makes_enums_and_named_tuples() -> None:
    assert enum.Enum("Colour", ["RED", "GREEN"])
    assert collections.namedtuple("Pair", "a b")(1, 2)  # type: ignore[call-arg, arg-type]


@body
def makes_cycles() -> None:
    first, second = Node(), Node()
    first.other, second.other = second, first


@body
def makes_cycles_with_finalizers() -> None:
    Finalized()


@body
def runs_threads() -> None:
    threads = [threading.Thread(target=sum, args=(range(10),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@body
def leaves_threads_to_finish() -> None:
    threading.Thread(target=time.sleep, args=(0.01,)).start()


@body
def uses_a_pool_of_threads() -> None:
    assert sum(POOL.map(abs, range(5))) == 10


@body
def runs_an_event_loop() -> None:
    async def one() -> int:
        await asyncio.sleep(0)
        return 1

    async def all_of_them() -> None:
        assert sum(await asyncio.gather(one(), one(), one())) == 3

    asyncio.run(all_of_them())


@body
def raises_and_catches() -> None:
    def deeper(depth: int) -> None:
        if depth == 0:
            raise KeyError(next(NUMBERS))
        deeper(depth - 1)

    try:
        deeper(5)
    except KeyError as error:
        kept = error
        assert "KeyError" in "".join(traceback.format_exception(error))
    del kept


@body
def keeps_the_last_error() -> None:
    try:
        raise LookupError(next(NUMBERS))
    except LookupError as error:
        LAST[0] = error


@body
def warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn(f"number {next(NUMBERS)}", stacklevel=1)


@body
def uses_context_variables() -> None:
    token = VARIABLE.set([next(NUMBERS)])
    contextvars.copy_context().run(VARIABLE.get)
    VARIABLE.reset(token)


@body
def refers_weakly() -> None:
    node = Node()
    WEAK[next(NUMBERS)] = node
    weakref.finalize(node, len, "x")
    assert weakref.ref(node)() is node


@body
def uses_sqlite() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table t (a integer)")
        connection.executemany("insert into t values (?)", [(n,) for n in range(20)])
        assert connection.execute("select sum(a) from t").fetchone()[0] == 190


@body
def writes_files() -> None:
    with tempfile.TemporaryFile("w+") as file:
        csv.writer(file).writerows([[1, 2], ["a", "b"]])
        file.seek(0)
        assert len(list(csv.reader(file))) == 2


@body
def talks_to_itself() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"hello")
        assert right.recv(5) == b"hello"


@body
def copies_and_pickles() -> None:
    thing = {"a": [1, (2, 3)], "b": Node()}
    assert copy.deepcopy(thing)["a"] == pickle.loads(pickle.dumps(thing))["a"]


@body
def computes() -> None:
    number = next(NUMBERS)
    assert decimal.Decimal(number) / 3 < 10**9
    assert datetime.datetime.fromtimestamp(number, datetime.UTC).isoformat()
    assert hashlib.sha256(str(number).encode()).hexdigest()
    assert zlib.decompress(zlib.compress(b"x" * 1000))
    assert struct.pack(f"{number % 300}i", *range(number % 300)) is not None


@body
def compiles_code() -> None:
    name = f"function_{next(NUMBERS)}"
    namespace: dict[str, Any] = {}
    exec(compile(ast.parse(f"def {name}(x): return x + 1"), name, "exec"), namespace)
    assert namespace[name](1) == 2
    assert inspect.signature(namespace[name])


@body
def parses() -> None:
    assert ET.fromstring("<a><b c='d'/></a>")[0].tag == "b"
    assert urllib.parse.urlparse(f"http://h/{next(NUMBERS)}?q=1").query == "q=1"
    assert string.Template("$a").substitute(a=1) == "1"


@body
def subscripts_types() -> None:
    assert typing.get_args(dict[str, list[int]])
    assert typing.Optional[typing.Literal[f"x{next(NUMBERS)}"]]  # noqa: UP045


@body
def reloads_a_module() -> None:
    importlib.reload(sys.modules["colorsys"]) if "colorsys" in sys.modules else importlib.import_module("colorsys")


@body
def mocks() -> None:
    mock = unittest.mock.Mock()
    mock.method(1, key=2)
    with unittest.mock.patch("time.time", return_value=1.0):
        assert time.time() == 1.0
    mock.method.assert_called_once_with(1, key=2)


@body
def hands_over_a_queue() -> None:
    line: queue.Queue[int] = queue.Queue(maxsize=2)
    line.put(1)
    assert line.get() == 1


@body
def collects() -> None:
    gc.collect(1)


@body
async def leaves_tasks_to_finish() -> None:
    task = asyncio.get_running_loop().create_task(asyncio.sleep(0.01))
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)


@body
async def streams_asynchronously() -> None:
    async def numbers() -> Any:
        for number in range(5):
            yield number
            await asyncio.sleep(0)

    async with asyncio.timeout(5), asyncio.Lock():
        async for number in numbers():
            if number == 3:
                break  # an unfinished asynchronous generator


TASKS: set[asyncio.Task[None]] = set()
