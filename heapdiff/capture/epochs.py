"""A moment in, out comes which tracked objects are older: an epoch, by the collector's permanent generation."""

from __future__ import annotations

import atexit
import gc
import sys
import time
from bisect import bisect_left
from types import TracebackType
from typing import Self

from heapdiff.errors import EpochRefusedError
from heapdiff.native import Columns
from heapdiff.snapshot.model import ObjectFlag

__all__ = ["Epoch", "epoch", "running_epoch", "start_epoch"]

_OLDEST = 2  # generation that a full collection leaves everything in


class Epoch:
    """A stretch of time from whose start on survivors are told from new objects without doubt.

    Take the base snapshot inside it: what is in the collector's permanent generation in both snapshots is
    the same object, and an object at the address of one that died is known as another. That is exact for
    the objects that the collector tracks. Of numbers, strings and other untracked objects the address
    and the type are all that is known.
    """

    def __init__(self) -> None:
        started = time.perf_counter()
        self._before: list[object] = []  # stays in the permanent generation as long as nobody calls unfreeze()
        gc.collect()
        gc.freeze()
        self._after: list[object] = []  # stays out of it as long as nobody calls freeze()
        self.start_time = time.time()
        self.start_seconds = time.perf_counter() - started  # as long as one full collection
        self.is_exact = True

    def stop(self) -> None:
        """Ends the epoch: the collector looks at all objects again. Nothing happens when it has ended."""
        if _State.running is self:
            _State.running = None
            atexit.unregister(self.stop)
            gc.unfreeze()
        self.is_exact = False

    def holds_in(self, columns: Columns) -> bool:
        """Whether nobody else has used gc.freeze() or gc.unfreeze() up to that snapshot of this process.

        Once somebody has, the epoch is no longer exact.
        """
        self.is_exact = (
            self.is_exact
            and bool(_flags_of(columns, self._before) & ObjectFlag.FROZEN)
            and not _flags_of(columns, self._after) & ObjectFlag.FROZEN
        )
        return self.is_exact

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "exact" if self.is_exact else "ended" if _State.running is not self else "no longer exact"
        return f"<Epoch, {state}>"


class _State:
    running: Epoch | None = None


def start_epoch() -> Epoch:
    """A new epoch, exact for tracked objects; ``stop()`` ends it, and so does the end of the program.

    It runs a full collection and then ``gc.freeze()``: all objects go to the collector's permanent generation.
    Allocating costs nothing more. Until the end, cycles that were there before are not freed.

    Raises:
        EpochRefusedError: Another epoch is running, or the program uses ``gc.freeze()`` itself.
    """
    if _State.running is not None:
        raise EpochRefusedError("an epoch is running already: call its stop() first, there is one at a time")
    if _program_freezes():
        raise EpochRefusedError(
            f"the program itself has called gc.freeze() ({gc.get_freeze_count():,} objects are frozen), and an epoch "
            "would undo that. Compare without an epoch: survivors are then told by address and type."
        )
    running = Epoch()
    atexit.register(running.stop)  # cycles that die at the very end shall be finalized
    _State.running = running
    return running


def epoch() -> Epoch:
    """The same for a with statement: ``with heapdiff.epoch(): base = take_snapshot() …``.

    Raises:
        EpochRefusedError: Another epoch is running, or the program uses ``gc.freeze()`` itself.
    """
    return start_epoch()


def running_epoch() -> Epoch | None:
    """The epoch that runs; None where none does."""
    return _State.running


def _program_freezes() -> bool:
    """Whether something but the interpreter has put objects into the permanent generation.

    Python 3.12 keeps immortal objects there from the start. sys.modules is as old and not immortal: it is
    there if and only if somebody has called gc.freeze().
    """
    if gc.get_freeze_count() == 0:
        return False
    return _is_frozen(sys.modules)


def _is_frozen(obj: object) -> bool:
    return all(other is not obj for generation in range(_OLDEST + 1) for other in gc.get_objects(generation))


def _flags_of(columns: Columns, obj: object) -> int:
    addresses = columns["object_address"]
    found = bisect_left(addresses, id(obj))
    is_there = found < len(addresses) and addresses[found] == id(obj)
    return columns["object_flags"][found] if is_there else 0
