"""A running program in; out come numbered snapshot files of it: every so often, on a signal, at its exit."""

import _thread
import atexit
import contextlib
import os
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import attrs

from heapdiff.capture import start_tracing, take_snapshot
from heapdiff.errors import CaptureBusyError, HeapdiffError
from heapdiff.sizes import count_text
from heapdiff.snapshot.file import write_snapshot

__all__ = ["Recorder", "RecordingPlan"]

_BUSY_TRIES = 20
_BUSY_PAUSE_SECONDS = 0.05


@attrs.frozen
class RecordingPlan:
    """When to take snapshots and where to put them."""

    folder: Path  # absolute: the program may go elsewhere
    name: str
    every_seconds: float | None = None
    on_signal: signal.Signals | None = None
    at_exit: bool = False
    traced_frames: int | None = None
    compress: bool = False


class Recorder:
    """Takes the snapshots of a plan in the process that runs the program.

    All work is done by one thread that ``threading`` does not know of, so that the program sees the threads it
    has started and no other. Snapshots never raise in the program; what went wrong is told on stderr.
    """

    def __init__(self, plan: RecordingPlan) -> None:
        self._plan = plan
        self._written: list[Path] = []
        self._number = 0
        self._writing = _thread.allocate_lock()
        self._wake = _Bell()
        self._messages = _Messages()

    def start(self) -> None:
        """Begins to record; call it once, in the main thread, before the program starts."""
        plan = self._plan
        if plan.traced_frames is not None:
            start_tracing(frames=plan.traced_frames)
        # The first to register is the last to be called: the program's own farewells are over by then.
        atexit.register(self._finish)
        if plan.on_signal is not None:
            _chain_signal(plan.on_signal, self._wake.ring)
        if plan.every_seconds is not None or plan.on_signal is not None:
            self._start_thread()
            os.register_at_fork(after_in_child=self._restart_in_child)

    def _start_thread(self) -> None:
        _thread.start_new_thread(self._record, ())

    def _restart_in_child(self) -> None:
        """A forked process inherits the program and not the thread; it numbers its own files."""
        self._written, self._number = [], 0
        self._writing = _thread.allocate_lock()
        self._wake.renew()
        self._start_thread()

    def _record(self) -> None:
        # The program's signals are the business of its own threads.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        every = self._plan.every_seconds
        due = None if every is None else time.monotonic() + every
        while True:
            rung = self._wake.wait(None if due is None else max(0.0, due - time.monotonic()))
            self._take()
            if not rung and due is not None and every is not None:
                # What a slow disk has missed is not made up for.
                due = max(due + every, time.monotonic())

    def _finish(self) -> None:
        if self._wake.is_unanswered():
            self._take()  # the program ends before the thread has had its turn
        if self._plan.at_exit:
            self._take()
        self._writing.acquire()  # a file that is being written is finished; no other is begun
        self._say_farewell()

    def _take(self) -> None:
        with self._writing:
            self._wake.answer()
            self._number += 1
            path = self._plan.folder / f"{self._plan.name}-{os.getpid()}-{self._number:03d}.heap"
            try:
                snapshot = _take_when_possible()
                write_snapshot(snapshot, path, compress=self._plan.compress)
            except (HeapdiffError, OSError, MemoryError) as error:
                self._number -= 1
                self._messages.say(str(error) or type(error).__name__)
                return
            self._written.append(path)
            pause = snapshot.process.pause_seconds
            held = "" if pause is None else f", the program stood still for {pause * 1e3:,.0f} ms"
            self._messages.say(f"{path}: {count_text(snapshot.object_count)} objects{held}")

    def _say_farewell(self) -> None:
        files = self._written
        if not files:
            self._messages.say("no snapshot was taken.")
        elif len(files) == 1:
            self._messages.say(f"one snapshot. See what is in it:  heapdiff top {_shell(files[0])}")
        else:
            self._messages.say(f"{len(files)} snapshots. Subtract the first from the last:")
            self._messages.say(f"  heapdiff diff -base {_shell(files[0])} {_shell(files[-1])}")


class _Bell:
    """What a signal handler may ring at any moment: a lock that is released where it was held."""

    def __init__(self) -> None:
        self.renew()

    def is_unanswered(self) -> bool:
        """Whether it was rung, and nobody has begun to do what it was rung for."""
        return self._is_unanswered

    def renew(self) -> None:
        """Makes it silent and nobody's, as a forked process needs it."""
        self._lock = _thread.allocate_lock()
        self._lock.acquire()
        self._is_unanswered = False

    def answer(self) -> None:
        """What is begun now is what it was rung for; whoever waits goes on waiting."""
        self._is_unanswered = False
        self._lock.acquire(blocking=False)

    def ring(self) -> None:
        """Wakes the thread that waits, or the next that does; ringing twice before that wakes it once."""
        self._is_unanswered = True
        if self._lock.locked():
            self._lock.release()

    def wait(self, seconds: float | None) -> bool:
        """Whether the bell was rung; False when the time was over first."""
        return self._lock.acquire(timeout=-1 if seconds is None else min(seconds, _thread.TIMEOUT_MAX))


def _take_when_possible() -> Any:
    for _ in range(_BUSY_TRIES):
        try:
            return take_snapshot()
        except CaptureBusyError:
            time.sleep(_BUSY_PAUSE_SECONDS)
    return take_snapshot()


def _chain_signal(number: signal.Signals, ring: Callable[[], None]) -> None:
    """Rings on the signal and then calls whatever handler the program has, now or later.

    ``signal.signal`` and ``signal.getsignal`` answer for that one signal as if this handler were not there.
    """
    set_handler, get_handler = signal.signal, signal.getsignal
    theirs: Any = get_handler(number)

    def on_signal(received: int, frame: FrameType | None) -> None:
        ring()
        if callable(theirs):
            theirs(received, frame)

    def chained_signal(signalnum: Any, handler: Any) -> Any:
        nonlocal theirs
        if signalnum != number:
            return set_handler(signalnum, handler)
        # The real function judges the thread and the handler; then this one goes back in front.
        set_handler(number, handler)
        set_handler(number, on_signal)
        before, theirs = theirs, handler
        return before

    def chained_getsignal(signalnum: Any) -> Any:
        return theirs if signalnum == number else get_handler(signalnum)

    set_handler(number, on_signal)
    vars(signal).update(signal=chained_signal, getsignal=chained_getsignal)


class _Messages:
    """The stderr that the process was started with.

    The program may have put something else in the place of ``sys.stderr``, or closed descriptor 2 and opened a file of
    its own there. So the messages have a descriptor of their own, which children do not inherit.
    """

    def __init__(self) -> None:
        self._descriptor, self._identity = -1, (0, 0)
        with contextlib.suppress(OSError):  # it was started without
            self._descriptor = os.dup(2)
            self._identity = _identity(self._descriptor)

    def say(self, text: str) -> None:
        """Writes the line; it is lost where the program has closed that descriptor too."""
        with contextlib.suppress(OSError):
            if _identity(self._descriptor) == self._identity:  # a daemon closes whatever is open and opens others
                os.write(self._descriptor, f"heapdiff: {text}\n".encode(errors="backslashreplace"))


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _shell(path: Path) -> str:
    return shlex.quote(str(path).removeprefix(os.getcwd() + os.sep))
