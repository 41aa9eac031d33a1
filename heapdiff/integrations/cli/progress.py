"""What is being done, in words, to a terminal when it takes more than two seconds."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

__all__ = ["progress"]

_PATIENCE_SECONDS = 2.0
_STEP_SECONDS = 0.5


@contextlib.contextmanager
def progress(text: str) -> Iterator[None]:
    """Says *text* on stderr while the block runs: only on a terminal, only after two seconds, and wiped out after."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(text, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(text: str, done: threading.Event) -> None:
    started = time.monotonic()
    if done.wait(_PATIENCE_SECONDS):
        return
    try:
        from rich.console import Console
    except ImportError:
        _tell_plainly(text, done, started)
        return
    with Console(stderr=True).status(text):
        done.wait()


def _tell_plainly(text: str, done: threading.Event, started: float) -> None:
    stream, width = sys.stderr, 0
    while not done.wait(_STEP_SECONDS):
        line = f"{text} … {time.monotonic() - started:.0f} s"
        width = max(width, len(line))
        stream.write("\r" + line)
        stream.flush()
    stream.write("\r" + " " * width + "\r")
    stream.flush()
