"""A reading of the heap in, its answer out, once no other thread collects garbage."""

import sys
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from heapdiff.errors import CaptureBusyError

__all__ = ["when_idle"]

_Answer = TypeVar("_Answer")


def when_idle(read: Callable[..., _Answer], *arguments: Any) -> _Answer:
    """What ``read(*arguments)`` answers, asked again while it raises ``CaptureBusyError``.

    Where threads run at once, any of them may be collecting at any moment, for milliseconds; with the GIL it is
    most likely this one, from ``__del__``, and waiting for itself would help nothing.

    Raises:
        CaptureBusyError: A collection has been running at each try, for a second at least.
    """
    for seconds in _WAITS if _RUN_AT_ONCE else ():
        try:
            return read(*arguments)
        except CaptureBusyError:
            time.sleep(seconds)
    return read(*arguments)


_RUN_AT_ONCE: Final = "t" in sys.abiflags
_WAITS: Final = [0.001] * 50 + [0.01] * 100
