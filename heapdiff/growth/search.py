"""find_growth(): a workload in, what grows with every iteration of it out."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from heapdiff.errors import WorkloadError
from heapdiff.explain import DEFAULT_RULES, KnownGrowth, Rule
from heapdiff.growth.engine import search
from heapdiff.growth.model import GrowthReport, Plan
from heapdiff.growth.settling import Settling
from heapdiff.growth.workloads import drive, drive_async, is_async

__all__ = ["find_growth", "find_growth_async", "run_plan", "run_plan_async"]


def find_growth(  # noqa: PLR0913 - each option is an argument of its own
    workload: Any,
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
) -> GrowthReport:
    """What grows every time that *workload* runs, how much each time, what holds it, and which line adds it.

    After the warm-up it runs in rounds with a census after each, and stops with the first round in which
    nothing grew. What grew in all of them must go on in one long round, in which caches get full, and in two
    traced ones, whose snapshots explain it. The collector runs before each picture.

    Args:
        workload: A function without arguments, a coroutine function, or an iterator or async iterator that does
            one iteration each time and does not end.
        rounds: Rounds that must all show growth, 1 or more.
        warmup: Iterations before the first picture, 0 or more.
        per_round: Iterations between two pictures, 1 or more. What leaks less often is not found.
        patience: Iterations of the long round at most; it also ends near 5 seconds of work or 32 MB of growth.
            A cache with room for more looks like a leak. 0: no long round.
        settle: Called before each picture: the program's own way to come to rest. May be a coroutine function
            where the workload is async.
        settle_seconds: How long to wait at most, before each picture, for threads and tasks that were started.
        ignore: Growth to leave out: classes, fingerprints, and patterns such as ``app.cache.*`` of the names of
            types, of holders, and of what stands on the chain.
        accept: Growth that is known, or the TOML file that lists it, as for compare().
        rules: As for compare().
        backend: Event loop for an async workload: "asyncio", or "trio", which needs anyio.

    Returns:
        The report; ``has_growth`` says whether there is any.

    Raises:
        TypeError, ValueError: An argument is none of these.
        WorkloadError: The iterator ended, or an event loop runs already (await find_growth_async() there).
        CaptureError: As take_snapshot().
        Whatever the workload raises, with a note in which iteration.

    Source: Shark's ObjectGrowthDetector; BLeak (Vilk & Berger, PLDI 2018).
    """
    plan = Plan(rounds, warmup, per_round, patience, settle_seconds, ignore, accept, rules)
    return run_plan(workload, plan, settle, backend)


async def find_growth_async(  # noqa: PLR0913 - each option is an argument of its own
    workload: Any,
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
) -> GrowthReport:
    """The same in the event loop that runs, of asyncio or of trio (which needs anyio); to be awaited.

    Args:
        workload: A coroutine function or an async iterator; or anything else that find_growth() takes.
        rounds, warmup, per_round, patience, settle, settle_seconds, ignore, accept, rules: As for find_growth().

    Raises:
        As find_growth().
    """
    plan = Plan(rounds, warmup, per_round, patience, settle_seconds, ignore, accept, rules)
    return await run_plan_async(workload, plan, settle)


def run_plan(workload: Any, plan: Plan, settle: Callable[[], object] | None, backend: str = "asyncio") -> GrowthReport:
    """The search of that plan; an async workload gets an event loop of its own."""
    if not is_async(workload):
        return drive(search(plan), workload, Settling(settle, plan.settle_seconds))
    return _run(backend, lambda: run_plan_async(workload, plan, settle))


async def run_plan_async(workload: Any, plan: Plan, settle: Callable[[], object] | None) -> GrowthReport:
    """The search of that plan in the event loop that runs."""
    settling = Settling(settle, plan.settle_seconds)
    return await drive_async(search(plan), workload, settling)


def _run(backend: str, start: Callable[[], Awaitable[GrowthReport]]) -> GrowthReport:
    if backend not in ("asyncio", "trio"):
        raise ValueError(f'backend is {backend!r}; expected "asyncio" or "trio"')
    import asyncio

    if asyncio._get_running_loop() is not None:
        raise WorkloadError(
            "the workload is async and an event loop runs already in this thread; expected none. Await "
            "find_growth_async() here, or decorate the coroutine function with assert_no_growth()"
        )
    if backend == "asyncio":
        return asyncio.run(_awaited(start))
    import anyio

    report: GrowthReport = anyio.run(start, backend=backend)
    return report


async def _awaited(start: Callable[[], Awaitable[GrowthReport]]) -> GrowthReport:
    return await start()
