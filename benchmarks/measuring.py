"""What one process says of itself: CPU time, resident memory and its peak, live objects, how long it stood still."""

import ctypes
import gc
import os
import resource
import statistics
import sys
import threading
import time
from types import TracebackType

import attrs

__all__ = [
    "Live",
    "StandstillWatch",
    "collection_seconds",
    "cpu_seconds",
    "live",
    "peak_bytes",
    "reset_peak",
    "resident_bytes",
    "resident_bytes_of",
    "trim",
]

_LIBC = ctypes.CDLL(None)
_RESET_PEAK = "5"  # man 5 proc, clear_refs


@attrs.frozen
class Live:
    """What is alive: objects that the collector tracks, and blocks of pymalloc (up to 512 bytes each)."""

    tracked: int
    blocks: int

    def __sub__(self, other: "Live") -> "Live":
        return Live(self.tracked - other.tracked, self.blocks - other.blocks)


def live() -> Live:
    """What is alive now; the list that counts is gone again when the blocks are counted."""
    return Live(len(gc.get_objects()), sys.getallocatedblocks())


def cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for, user and system."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def resident_bytes() -> int:
    """Resident memory of this process (VmRSS)."""
    return _status_bytes("VmRSS")


def resident_bytes_of(pid: int) -> int | None:
    """Resident memory of another process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return None


def peak_bytes() -> int:
    """The highest resident memory since reset_peak() (VmHWM)."""
    return _status_bytes("VmHWM")


def reset_peak() -> None:
    """Makes the resident memory of now the peak."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as clear_refs:
        clear_refs.write(_RESET_PEAK)


def trim() -> None:
    """Gives back to the system what malloc keeps in reserve, so that a base line is one."""
    trim_glibc = getattr(_LIBC, "malloc_trim", None)  # musl keeps no reserve and has no such function
    if trim_glibc is not None:
        trim_glibc(0)


def collection_seconds(runs: int = 3) -> float:
    """CPU time of one full ``gc.collect()`` of the heap as it stands, the median: the unit of every ratio."""
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        gc.collect()
        seconds.append(time.process_time() - started)
    return statistics.median(seconds)


class StandstillWatch:
    """The longest time in which no other Python thread could run, measured from outside.

    A second thread does nothing but read the clock; its longest gap is how long somebody else held the GIL, as the
    threads of a service feel it. The gap holds besides the pause one switch of threads (``sys.getswitchinterval()``,
    5 ms) and whatever the machine did meanwhile, so it is wall time and never less than what a tool says of itself.
    """

    def __init__(self) -> None:
        self.longest_seconds = 0.0
        self._stop = False
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)

    def __enter__(self) -> "StandstillWatch":
        self._thread.start()
        self._running.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop = True
        self._thread.join()

    def _spin(self) -> None:
        clock = time.perf_counter
        longest, last = 0.0, clock()
        self._running.set()
        while not self._stop:
            now = clock()
            longest = max(longest, now - last)
            last = now
        self.longest_seconds = longest


def _status_bytes(field: str) -> int:
    with open("/proc/self/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no line {field}; the benchmarks need Linux with procfs")
