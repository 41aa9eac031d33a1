"""A program right after its work in, the same at rest out: threads and tasks that finish later have finished."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, cast

__all__ = ["Settling"]

_PAUSE = 0.002  # seconds between looks
_TURNS = 3  # of the event loop, for callbacks of what has just finished


class Settling:
    """Waits until no more threads and tasks run than at the last rest, at most so many seconds.

    Args:
        hook: Called before each wait: the program's own way to come to rest; may be a coroutine function where
            the workload is async.
        seconds: At most, without one of them ending; work that goes on for longer is taken for what is always there.
    """

    def __init__(self, hook: Callable[[], Any] | None, seconds: float) -> None:
        self._hook, self._seconds = hook, seconds
        self._threads = _busy_threads()
        self._tasks = 0

    def wait(self) -> None:
        """Until the threads are at rest."""
        if self._hook is not None:
            self._hook()
        patience = _Patience(self._seconds)
        while (busy := _busy_threads()) > self._threads and patience.lasts(busy):
            time.sleep(_PAUSE)
        self._threads = _busy_threads()

    async def wait_async(self) -> None:
        """Until the threads and the tasks of the event loop are at rest."""
        sleep = _sleep_of_the_loop()
        if self._hook is not None:
            result = self._hook()
            if hasattr(result, "__await__"):
                await result
        for _ in range(_TURNS):
            await sleep(0)
        patience = _Patience(self._seconds)
        while _busy_threads() > self._threads or (self._tasks and _tasks() > self._tasks):
            if not patience.lasts(_busy_threads() + _tasks()):
                break
            await sleep(_PAUSE)
        self._threads, self._tasks = _busy_threads(), _tasks()


class _Patience:
    """So many seconds from when one of those that are waited for last came to its end: a busy machine is slow."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._least: int | None = None
        self._deadline = 0.0

    def lasts(self, running: int) -> bool:
        """Whether to wait on, with so many still running."""
        now = time.monotonic()
        if self._least is None or running < self._least:
            self._least, self._deadline = running, now + self._seconds
        return now < self._deadline


def _busy_threads() -> int:
    """Threads that may end by themselves: those of executors wait for work for ever."""
    executors = sys.modules.get("concurrent.futures.thread")
    idle = len(getattr(executors, "_threads_queues", ()))
    return threading.active_count() - idle


def _tasks() -> int:
    """Unfinished tasks of the running asyncio loop; 0 where another library's loop runs."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return 0
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0


def _sleep_of_the_loop() -> Callable[[float], Any]:
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        return cast("Callable[[float], Any]", asyncio.sleep)
    import anyio

    return cast("Callable[[float], Any]", anyio.sleep)
