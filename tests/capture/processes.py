"""A process of its own for what a test must not do to itself."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

__all__ = ["FREE_THREADED", "HEAD_BYTES", "run_python"]

FREE_THREADED = "t" in sys.abiflags  # threads run at once, and mimalloc is the only allocator
HEAD_BYTES = object.__basicsize__  # where the fields of an object start: 16, or 32 where threads run at once

_ROOT = Path(__file__).resolve().parents[2]


def run_python(code: str, *options: str, seconds: float = 300, environment: dict[str, str] | None = None) -> str:
    """What the code prints; AssertionError with the end of what it complained of where it does not end with 0."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", *options, "-c", textwrap.dedent(code)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-3000:]}"
    return done.stdout.strip()
