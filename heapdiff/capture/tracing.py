"""Allocation sites: tracemalloc switched on and off."""

import sys
from typing import Any

__all__ = ["start_tracing", "stop_tracing", "traced_frames"]

_BUILTIN: type = type(len)


def start_tracing(frames: int = 1) -> None:
    """Let tracemalloc record where objects are allocated; snapshots taken from now on carry their sites.

    Objects that are older have no site, nor have those that reuse memory which a free list kept from
    before. A service runs three to four times slower under it, a loop that only computes with numbers up to
    thirty times, with ten frames four times slower still; each block in use takes 50 to 90 bytes more
    (``benchmarks/tracing.py``).

    Args:
        frames: Frames to record of each traceback, the innermost first.

    Raises:
        ValueError: ``frames`` is less than one.
    """
    import tracemalloc

    tracemalloc.start(frames)


def stop_tracing() -> None:
    """Stop recording, and forget what was recorded."""
    tracemalloc = sys.modules.get("tracemalloc")
    if tracemalloc is not None:
        tracemalloc.stop()


def traced_frames() -> int | None:
    """The frames that tracemalloc records of each traceback; None where it does not trace."""
    tracemalloc = sys.modules.get("_tracemalloc")
    if type(tracemalloc) is not type(sys):
        return None
    functions: list[Any] = [vars(tracemalloc).get(name) for name in ("is_tracing", "get_traceback_limit")]
    # Only functions written in C: a capture runs no code of the program, and that may be what lies there.
    if any(type(function) is not _BUILTIN for function in functions) or not functions[0]():
        return None
    frames = functions[1]()
    return frames if type(frames) is int else None
