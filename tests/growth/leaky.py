"""Bodies that leak one small object each time, and what is said of it; for test_no_miss.py."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import itertools
import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["BODIES", "Payload"]

BODIES: dict[str, tuple[Callable[[], Any], str]] = {}  # and the type that must be named


class Payload:
    """64 bytes with the collector's header: what leaks."""

    __slots__ = ("first", "fourth", "second", "third")


def leaks(type_name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def add(function: Callable[[], Any]) -> Callable[[], Any]:
        BODIES[function.__name__] = (function, type_name)
        return function

    return add


PAYLOAD = f"{__name__}.Payload"
NUMBERS = itertools.count()
KEPT: list[Any] = []
BY_NUMBER: dict[int, Any] = {}
LOCAL = threading.local()
VARIABLE: contextvars.ContextVar[tuple[Any, ...]] = contextvars.ContextVar("VARIABLE", default=())
BUFFER = bytearray()
PENDING: set[Any] = set()


@leaks(PAYLOAD)
def an_object_in_a_list() -> None:
    KEPT.append(Payload())


@leaks(PAYLOAD)
def an_object_in_a_dict() -> None:
    BY_NUMBER[next(NUMBERS)] = Payload()


@leaks("bytes")
def bytes_in_a_list() -> None:
    KEPT.append(bytes(31))


@leaks("float")
def a_float_in_a_list() -> None:
    KEPT.append(float(f"1.{next(NUMBERS)}"))


@leaks("tuple")
def an_untracked_tuple_in_a_list() -> None:
    KEPT.append((next(NUMBERS), 1.5, None))


@leaks("str")
def a_text_in_a_list() -> None:
    KEPT.append(f"number {next(NUMBERS)}")


@leaks("int")
def a_large_number_in_a_list() -> None:
    KEPT.append((1 << 260) + next(NUMBERS))


@leaks("list")
def lists_in_lists() -> None:
    KEPT.append([next(NUMBERS)])


@leaks(PAYLOAD)
def an_object_every_seventh_time() -> None:
    if next(NUMBERS) % 7 == 3:
        KEPT.append(Payload())


@leaks(PAYLOAD)
def among_much_that_is_freed() -> None:
    made = [Payload() for _ in range(next(NUMBERS) % 50)]
    KEPT.append(made[:1] or [Payload()])


@leaks("bytearray")
def a_buffer_that_gets_larger() -> None:
    BUFFER.extend(bytes(64))


@leaks(PAYLOAD)
def results_of_a_function_by_number() -> None:
    remembered(next(NUMBERS))


@functools.cache
def remembered(number: int) -> Payload:
    return Payload()


@leaks(PAYLOAD)
def in_the_locals_of_a_thread() -> None:
    LOCAL.__dict__.setdefault("kept", []).append(Payload())


@leaks(PAYLOAD)
def in_a_context_variable() -> None:
    VARIABLE.set((*VARIABLE.get(), Payload()))


@leaks(PAYLOAD)
def in_a_thread_that_finishes_later() -> None:
    def later() -> None:
        time.sleep(0.005)
        KEPT.append(Payload())

    threading.Thread(target=later).start()


@leaks(PAYLOAD)
def by_an_error_that_is_kept() -> None:
    def deeper() -> None:
        payload = Payload()  # noqa: F841 - the frame keeps it
        raise ValueError

    try:
        deeper()
    except ValueError as error:
        KEPT.append(error)


@leaks("logging.Logger")
def a_logger_each() -> None:
    logging.getLogger(f"tests.growth.leaky.{next(NUMBERS)}")


@leaks(PAYLOAD)
def in_a_cycle_that_something_holds() -> None:
    payload = Payload()
    payload.first = [payload]  # type: ignore[attr-defined]
    BY_NUMBER[next(NUMBERS)] = payload.first  # type: ignore[attr-defined]


@leaks("weakref.ReferenceType")
def dead_weak_references() -> None:
    KEPT.append(weakref.ref(WeakPayload()))


class WeakPayload:
    """Nothing holds it."""


@leaks(PAYLOAD)
async def in_a_coroutine() -> None:
    await asyncio.sleep(0)
    KEPT.append(Payload())


@leaks(PAYLOAD)
async def in_a_task_that_finishes_later() -> None:
    async def later() -> None:
        await asyncio.sleep(0.005)
        KEPT.append(Payload())

    task = asyncio.get_running_loop().create_task(later())
    PENDING.add(task)
    task.add_done_callback(PENDING.discard)


@leaks("_asyncio.Task")
async def tasks_that_never_finish() -> None:
    PENDING.add(asyncio.get_running_loop().create_task(asyncio.Event().wait()))
