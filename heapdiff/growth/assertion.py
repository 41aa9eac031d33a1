"""assert_no_growth(): a function, a context manager and a decorator that fail with the report as their message."""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any, Self, TypeVar, cast, overload

from heapdiff.errors import WorkloadError
from heapdiff.explain import DEFAULT_RULES, KnownGrowth, Rule
from heapdiff.growth.block import Block
from heapdiff.growth.engine import search
from heapdiff.growth.model import GrowthReport, Plan
from heapdiff.growth.search import run_plan, run_plan_async
from heapdiff.growth.settling import Settling

__all__ = ["GrowthGuard", "assert_no_growth"]

Function = TypeVar("Function", bound=Callable[..., Any])


class GrowthGuard:
    """What ``assert_no_growth()`` without a workload gives: a decorator, a context manager, and rounds to loop over.

    ``report`` is the GrowthReport once the rounds are through; None before, and where a block ran once.
    """

    def __init__(self, plan: Plan, settle: Callable[[], object] | None, backend: str) -> None:
        self.report: GrowthReport | None = None
        self._plan, self._settle, self._backend = plan, settle, backend
        self._block: Block | None = None

    def __call__(self, function: Function) -> Function:
        """The function, which then runs in rounds with the arguments of one call, and returns None."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*arguments: Any, **named: Any) -> None:
                workload = functools.partial(function, *arguments, **named)
                (await run_plan_async(workload, self._plan, self._settle)).check()

            return cast(Function, run_async)  # of the same parameters

        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> None:
            workload = functools.partial(function, *arguments, **named)
            run_plan(workload, self._plan, self._settle, self._backend).check()

        return cast(Function, run)

    def __enter__(self) -> Self:
        self.report = None
        self._block = Block(self._plan, self._settle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        block, self._block = self._block, None
        if kind is not None:
            return
        if block is not None:
            block.check()
        elif self.report is None:
            raise WorkloadError(
                "the loop over the rounds ended before it was known whether something grows; expected no break in it"
            )
        else:
            self.report.check()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._block is not None and kind is None:
            await Settling(None, self._plan.settle_seconds).wait_async()
        __tracebackhide__ = True
        self.__exit__(kind, error, traceback)

    def __iter__(self) -> Iterator[None]:
        """One pass for each iteration, as many as are needed; leave the loop by its own end only."""
        settling = self._begin()
        with closing(search(self._plan)) as pictures:
            count = next(pictures)
            while self.report is None:
                start = time.perf_counter()
                for _ in range(count):
                    yield
                seconds = time.perf_counter() - start
                settling.wait()
                try:
                    count = pictures.send(seconds)
                except StopIteration as end:
                    self.report = end.value

    async def __aiter__(self) -> AsyncIterator[None]:
        """The same for ``async for``: between the rounds it waits for tasks as well."""
        settling = self._begin()
        with closing(search(self._plan)) as pictures:
            count = next(pictures)
            while self.report is None:
                start = time.perf_counter()
                for _ in range(count):
                    yield
                seconds = time.perf_counter() - start
                await settling.wait_async()
                try:
                    count = pictures.send(seconds)
                except StopIteration as end:
                    self.report = end.value

    def _begin(self) -> Settling:
        self.report = self._block = None  # it does not run once, so the picture of its start is not needed
        return Settling(self._settle, self._plan.settle_seconds)


@overload
def assert_no_growth(
    *,
    rounds: int = ...,
    warmup: int = ...,
    per_round: int = ...,
    patience: int = ...,
    settle: Callable[[], object] | None = ...,
    settle_seconds: float = ...,
    ignore: Sequence[str | type] = ...,
    accept: str | os.PathLike[str] | Sequence[KnownGrowth] = ...,
    rules: Sequence[Rule] = ...,
    backend: str = ...,
) -> GrowthGuard: ...


@overload
def assert_no_growth(
    workload: Any,
    *,
    rounds: int = ...,
    warmup: int = ...,
    per_round: int = ...,
    patience: int = ...,
    settle: Callable[[], object] | None = ...,
    settle_seconds: float = ...,
    ignore: Sequence[str | type] = ...,
    accept: str | os.PathLike[str] | Sequence[KnownGrowth] = ...,
    rules: Sequence[Rule] = ...,
    backend: str = ...,
) -> GrowthReport: ...


def assert_no_growth(  # noqa: PLR0913 - each option is an argument of its own
    workload: Any = ...,  # None is what a call gives that was to be a lambda, and no reason to pass
    *,
    rounds: int = 3,
    warmup: int = 10,
    per_round: int = 20,
    patience: int = 1000,
    settle: Callable[[], object] | None = None,
    settle_seconds: float = 1.0,
    ignore: Sequence[str | type] = (),
    accept: str | os.PathLike[str] | Sequence[KnownGrowth] = (),
    rules: Sequence[Rule] = DEFAULT_RULES,
    backend: str = "asyncio",
) -> GrowthReport | GrowthGuard:
    """Fails where something grows with every iteration; the message is the report.

    * ``assert_no_growth(workload)`` runs it as find_growth() does;
    * ``@assert_no_growth()`` runs the decorated function so, also a coroutine function or a method of a TestCase, each
      time with the arguments of the call; what sets it up runs once. The parentheses are needed;
    * ``with assert_no_growth() as rounds:`` and in it ``for _ in rounds: …`` does the same with the body of a loop,
      ``async with`` and ``async for`` in a coroutine;
    * ``with assert_no_growth(): …`` without a loop runs its block once. That cannot tell a cache from a leak: it
      fails where the block leaves objects of a class that is not the standard library's, or *per_round* and more
      of any other type, or 64 kB.

    Args:
        workload: As for find_growth(); without one a GrowthGuard is returned.
        rounds, warmup, per_round, patience, settle, settle_seconds, ignore, accept, rules, backend: As for
            find_growth().

    Raises:
        HeapGrowthError: Something grows. It is an AssertionError.
        Others as find_growth().
    """
    plan = Plan(rounds, warmup, per_round, patience, settle_seconds, ignore, accept, rules)
    if workload is ...:
        return GrowthGuard(plan, settle, backend)
    __tracebackhide__ = True  # pytest then shows the line of the test
    report = run_plan(workload, plan, settle, backend)
    report.check()
    return report
