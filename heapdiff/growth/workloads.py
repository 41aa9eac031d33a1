"""Whatever can be run again and again in, a function for one iteration out; and the drivers that run it."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from heapdiff.errors import WorkloadError
from heapdiff.growth.settling import Settling

__all__ = ["drive", "drive_async", "is_async", "iteration_of"]

Outcome = TypeVar("Outcome")

# What only heapdiff's frames hold is left out of snapshots as its own, and so would be what a workload holds itself:
# the objects of a closure, of a generator, of an instance. So a variable of the context holds it as well.
_WORKLOAD: ContextVar[object] = ContextVar("workload")


def is_async(workload: object) -> bool:
    """Whether it is to be awaited: a coroutine function, an async iterator, or an object with an async __call__."""
    while isinstance(workload, functools.partial):
        workload = workload.func
    return (
        inspect.iscoroutinefunction(workload)
        or isinstance(workload, AsyncIterator)
        or inspect.iscoroutinefunction(getattr(type(workload), "__call__", None))  # noqa: B004 - not whether it has one
    )


def iteration_of(workload: Any) -> Callable[[], Any]:
    """A function that runs it once.

    Raises:
        TypeError: It is neither callable nor an iterator.
    """
    if isinstance(workload, AsyncIterator):
        return functools.partial(_next_async, workload)
    if isinstance(workload, Iterator):
        return functools.partial(_next, workload)
    if callable(workload):
        return functools.partial(_call, workload) if not is_async(workload) else workload
    raise TypeError(
        f"the workload is a {type(workload).__name__}; expected a function without arguments, a coroutine function, or "
        "an iterator that does one iteration each time"
    )


def drive(search: Generator[int, float, Outcome], workload: object, settling: Settling) -> Outcome:
    """Runs so many iterations as the search asks for, until it has its answer.

    Raises:
        Whatever the workload raises, with a note in which iteration that was.
    """
    run = iteration_of(workload)
    with closing(search), _held(workload):
        done, count = 0, next(search)
        while True:
            start = time.perf_counter()
            with _located(done) as place:
                for place[0] in range(count):
                    run()
            done += count
            seconds = time.perf_counter() - start
            settling.wait()
            try:
                count = search.send(seconds)
            except StopIteration as end:
                return cast("Outcome", end.value)


async def drive_async(search: Generator[int, float, Outcome], workload: object, settling: Settling) -> Outcome:
    """The same in the event loop that runs, with a workload that may be async."""
    run, awaits = iteration_of(workload), is_async(workload)
    with closing(search), _held(workload):
        done, count = 0, next(search)
        while True:
            start = time.perf_counter()
            with _located(done) as place:
                for place[0] in range(count):
                    if awaits:
                        await run()
                    else:
                        run()
            done += count
            seconds = time.perf_counter() - start
            await settling.wait_async()
            try:
                count = search.send(seconds)
            except StopIteration as end:
                return cast("Outcome", end.value)


@contextmanager
def _held(workload: object) -> Iterator[None]:
    token = _WORKLOAD.set(workload)
    try:
        yield
    finally:
        _WORKLOAD.reset(token)


@contextmanager
def _located(done: int) -> Iterator[list[int]]:
    place = [0]
    try:
        yield place
    except Exception as error:
        error.add_note(f"heapdiff: raised in iteration {done + place[0] + 1}; nothing is said about growth.")
        raise


def _call(workload: Callable[[], object]) -> None:
    result = workload()
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError("the workload returned a coroutine; expected a coroutine function (async def) to be given")
    # Calling a function with a yield in it runs no line of it, and so would never find anything.
    if inspect.isasyncgen(result) or (
        inspect.isgenerator(result) and inspect.getgeneratorstate(result) == inspect.GEN_CREATED
    ):
        raise TypeError(
            "the workload returned a generator of which no line has run; expected the generator itself, which does one "
            "iteration up to each yield, or a function that runs it"
        )


def _next(workload: Iterator[object]) -> None:
    try:
        next(workload)
    except StopIteration:
        raise WorkloadError(_ENDED) from None


async def _next_async(workload: AsyncIterator[object]) -> None:
    try:
        await anext(workload)
    except StopAsyncIteration:
        raise WorkloadError(_ENDED) from None


_ENDED = (
    "the workload is an iterator, and it ended before it was known whether something grows. Give one that does not "
    "end, such as a generator with while True; the number of iterations depends on what grows"
)
