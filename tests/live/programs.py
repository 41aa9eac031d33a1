"""Small leaky programs; test_programs.py runs each in a process of its own.

20 units of work and a snapshot, then three times 100 more and a snapshot.
"""

import asyncio
import contextvars
import functools
import gc
import io
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import heapdiff

WARM_UP, STEPS, ROUNDS = 20, 100, 3


class Payload:
    """What leaks."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.data = b"x" * 200 + str(number).encode()


class Registry:
    """Holds payloads in an attribute."""

    def __init__(self) -> None:
        self.items: dict[str, Payload] = {}
        self.listeners: list[Callable[[], object]] = []


registry = Registry()
CACHE: OrderedDict[int, Payload] = OrderedDict()
LOCAL = threading.local()
VARIABLE: contextvars.ContextVar[list[Payload]] = contextvars.ContextVar("VARIABLE")
WEAK: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
LOG = io.BytesIO()
PENDING = bytearray()
TASKS: set[Any] = set()
ERRORS: list[BaseException] = []
REGISTERED: dict[int, Payload] = {}
INDEX: dict[str, Payload] = {}


def leaky_dict(number: int) -> None:
    registry.items[f"request {number}"] = Payload(number)


@functools.lru_cache(maxsize=None)  # noqa: UP033 - this spelling is the common one
def load(number: int) -> Payload:
    return Payload(number)


def lru_cache(number: int) -> None:
    load(number)


class Service:
    """A cached method keeps each instance."""

    def __init__(self, number: int) -> None:
        self.payload = Payload(number)

    @functools.lru_cache(maxsize=None)  # noqa: B019, UP033 - it is what leaks
    def answer(self, question: int) -> int:
        return question


def cached_method(number: int) -> None:
    Service(number).answer(number)


def thread_local(number: int) -> None:
    if not hasattr(LOCAL, "items"):
        LOCAL.items = []
    LOCAL.items.append(Payload(number))


def listeners(number: int) -> None:
    payload = Payload(number)
    registry.listeners.append(lambda: payload)


def context_variable(number: int) -> None:
    held = VARIABLE.get(None)
    if held is None:
        held = []
        VARIABLE.set(held)
    held.append(Payload(number))


def weak_mapping(number: int) -> None:
    key = Service(number)
    WEAK[key] = [key]


async def _wait(payload: Payload) -> None:
    await asyncio.Event().wait()


LOOP = asyncio.new_event_loop()


def tasks(number: int) -> None:
    async def start() -> None:
        TASKS.add(asyncio.ensure_future(_wait(Payload(number))))
        await asyncio.sleep(0)

    LOOP.run_until_complete(start())


def _fail(payload: Payload) -> None:
    raise ValueError("no")


def exceptions(number: int) -> None:
    try:
        _fail(Payload(number))
    except ValueError as error:
        ERRORS.append(error)


def buffer(number: int) -> None:
    PENDING.extend(b"y" * 2000)


def joint(number: int) -> None:
    payload = Payload(number)
    REGISTERED[number] = payload
    INDEX[f"name {number}"] = payload


def bounded(number: int) -> None:
    CACHE[number] = Payload(number)
    if len(CACHE) > 150:
        CACHE.popitem(last=False)


def nothing(number: int) -> None:
    Payload(number)


def run(name: str) -> heapdiff.Report:
    """The report on the program of that name."""
    step = globals()[name]
    number = 0
    snapshots = []
    for count in (WARM_UP, *[STEPS] * ROUNDS):
        for _ in range(count):
            step(number)
            number += 1
        gc.collect()
        snapshots.append(heapdiff.take_snapshot())
    return heapdiff.compare(*snapshots)
