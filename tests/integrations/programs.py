"""Runs the command line as a person would: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "environment", "heapdiff", "python"]

ROOT = Path(__file__).parents[2]


def heapdiff(*words: str | Path, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """``heapdiff WORDS`` in that folder; the settings are environment variables."""
    return python("-m", "heapdiff", *words, folder=folder, **settings)


def python(*words: str | Path, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """``python WORDS`` in that folder, with heapdiff on its path."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with heapdiff on the path and without what would change its output."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PYTHONWARNINGS")}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}
