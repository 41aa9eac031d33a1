"""Cases: what lies where a walk over the collector's lists does not come."""

import asyncio
import contextlib
import contextvars
import functools
import gc
import sys
import threading
import types
from collections.abc import AsyncIterator, Iterator
from typing import Any

from benchmarks.what_is_seen.model import Case, Marks, Question, held_by_a_module

__all__ = ["OBJECT_CASES"]

_BUFFER_BYTES = 20_000_000


class Marked:
    """An object that the collector tracks."""


class Slotless:
    """An object that the collector does not track."""

    __slots__ = ()


@contextlib.contextmanager
def _nested_strings() -> Iterator[Marks]:
    nest = tuple((f"nested-{i}-{'x' * 40}", {"only": f"value-{i}-{'y' * 40}"}) for i in range(10_000))
    gc.collect()  # the collector untracks tuples and dicts of atoms
    with held_by_a_module(nest):
        yield Marks(tuple(id(text) for key, only in nest for text in (key, only["only"])))


@contextlib.contextmanager
def _after_freeze() -> Iterator[Marks]:
    kept = [Marked() for _ in range(100)]
    gc.collect()
    gc.freeze()
    try:
        with held_by_a_module(kept):
            yield Marks(tuple(map(id, kept)))
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _local_of_a_running_frame() -> Iterator[Marks]:
    ready, stop, found = threading.Event(), threading.Event(), []

    def hold() -> None:
        buffer = bytearray(_BUFFER_BYTES)
        found.append(id(buffer))
        ready.set()
        stop.wait()
        del buffer

    thread = threading.Thread(target=hold, name="the-holder")
    thread.start()
    ready.wait()
    try:
        yield Marks(tuple(found), bytes=_BUFFER_BYTES)
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def _generator() -> Iterator[Marks]:
    def generate() -> Iterator[int]:
        scratch = "scratch " + "x" * 40
        yield id(scratch)
        del scratch

    waiting = generate()
    with held_by_a_module(waiting):
        yield Marks((next(waiting),), id(waiting))
    waiting.close()


@types.coroutine
def _pause(value: object) -> Any:
    yield value


@contextlib.contextmanager
def _coroutine() -> Iterator[Marks]:
    async def work() -> None:
        scratch = "scratch " + "y" * 40
        await _pause(id(scratch))
        del scratch

    waiting = work()
    with held_by_a_module(waiting):
        yield Marks((waiting.send(None),), id(waiting))
    waiting.close()


@contextlib.contextmanager
def _async_generator() -> Iterator[Marks]:
    async def stream() -> AsyncIterator[int]:
        scratch = "scratch " + "z" * 40
        yield id(scratch)
        del scratch

    waiting: Any = stream()
    found = 0
    try:
        waiting.asend(None).send(None)
    except StopIteration as given:
        found = given.value
    with held_by_a_module(waiting):
        yield Marks((found,), id(waiting))
    with contextlib.suppress(StopIteration):
        waiting.aclose().send(None)


class _Loop:
    """An event loop that stands still between two callbacks, as one does for a picture taken from outside."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.found: list[int] = []

    def turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def held(self) -> str:
        made = "held by the loop " + "x" * len(self.found)
        self.found.append(id(made))
        return made

    @contextlib.contextmanager
    def marks(self) -> Iterator[Marks]:
        try:
            with held_by_a_module(self.loop):
                yield Marks(tuple(self.found), id(self.loop))
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.turn()
            self.turn()
            self.loop.close()


@contextlib.contextmanager
def _ready_queue() -> Iterator[Marks]:
    still = _Loop()
    still.loop.call_soon(id, still.held())
    with still.marks() as marks:
        yield marks


@contextlib.contextmanager
def _timer() -> Iterator[Marks]:
    still = _Loop()
    still.loop.call_later(3600, id, still.held())
    with still.marks() as marks:
        yield marks


@contextlib.contextmanager
def _task() -> Iterator[Marks]:
    still = _Loop()

    async def wait(argument: object) -> None:
        await asyncio.sleep(3600)

    task = still.loop.create_task(wait(still.held()), name="the-waiting-task")
    still.turn()
    with still.marks() as marks, held_by_a_module(task):
        yield Marks(marks.targets, id(task))


@contextlib.contextmanager
def _future() -> Iterator[Marks]:
    still = _Loop()
    done, waiting = still.loop.create_future(), still.loop.create_future()
    done.set_result(still.held())
    waiting.add_done_callback(functools.partial(max, still.held()))
    holders = [done, waiting]
    with still.marks() as marks, held_by_a_module(holders):
        yield Marks(marks.targets, id(holders))


@contextlib.contextmanager
def _context_variable() -> Iterator[Marks]:
    variable: contextvars.ContextVar[object] = contextvars.ContextVar("variable")
    context = contextvars.copy_context()

    def fill() -> int:
        made = "in a context " + "x" * 40
        variable.set(made)
        return id(made)

    with held_by_a_module(context):
        yield Marks((context.run(fill),), id(context))


@contextlib.contextmanager
def _thread_local() -> Iterator[Marks]:
    local, ready, stop, found = threading.local(), threading.Event(), threading.Event(), []

    def hold() -> None:
        local.held = "of another thread " + "x" * 40
        found.append(id(local.held))
        ready.set()
        stop.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait()
    try:
        with held_by_a_module(local):
            yield Marks(tuple(found), id(local))
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def _traceback() -> Iterator[Marks]:
    def fail() -> None:
        pinned = "pinned by the frame " + "x" * 40
        raise ValueError(id(pinned))

    try:
        fail()
    except ValueError as error:
        kept = error
    with held_by_a_module(kept):
        yield Marks((kept.args[0],), id(kept))


@contextlib.contextmanager
def _last_error() -> Iterator[Marks]:
    error = ValueError("last " + "x" * 40)
    sys.last_value = error
    marks = Marks((id(error.args[0]),), id(sys.modules))
    del error
    try:
        yield marks
    finally:
        vars(sys).pop("last_value", None)


@contextlib.contextmanager
def _handled_error() -> Iterator[Marks]:
    """The error that another thread handles is held by its state alone."""
    ready, stop, found = threading.Event(), threading.Event(), []

    def handle() -> None:
        try:
            raise ValueError("handled " + repr(1) * 40)
        except ValueError:
            found.append(id(sys.exc_info()[1].args[0]))  # type: ignore[union-attr]
            ready.set()
            stop.wait()

    thread = threading.Thread(target=handle)
    thread.start()
    ready.wait()
    try:
        yield Marks(tuple(found))
    finally:
        stop.set()
        thread.join()


_HIDDEN, _WAITING = "Objects out of the collector's sight", "What runs and what waits"

OBJECT_CASES = (
    Case("20,000 strings in nested untracked tuples and dicts", _HIDDEN, Question.OBJECTS, _nested_strings),
    Case("objects after `gc.freeze()`", _HIDDEN, Question.OBJECTS, _after_freeze),
    Case("a 20 MB local of a running frame of another thread", _WAITING, Question.OBJECTS, _local_of_a_running_frame),
    Case("its bytes", _WAITING, Question.BYTES, _local_of_a_running_frame),
    Case("a local of a suspended generator", _WAITING, Question.HELD, _generator),
    Case("a local of a suspended coroutine", _WAITING, Question.HELD, _coroutine),
    Case("a local of a suspended async generator", _WAITING, Question.HELD, _async_generator),
    Case("asyncio: loop → ready queue", _WAITING, Question.HELD, _ready_queue),
    Case("asyncio: loop → scheduled timer", _WAITING, Question.HELD, _timer),
    Case("asyncio: task → its coroutine's argument", _WAITING, Question.HELD, _task),
    Case("asyncio: futures → result and callback", _WAITING, Question.HELD, _future),
    Case("context → value of a context variable", _WAITING, Question.HELD, _context_variable),
    Case("`threading.local` → value of another living thread", _WAITING, Question.HELD, _thread_local),
    Case("exception → traceback → local of its frame", _WAITING, Question.HELD, _traceback),
    Case("what `sys.last_value` keeps", _WAITING, Question.OBJECTS, _last_error),
    Case("the error that another thread handles", _WAITING, Question.OBJECTS, _handled_error),
)
