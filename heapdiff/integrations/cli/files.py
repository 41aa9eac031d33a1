"""Names of files in, snapshots out; texts in, on stdout or whole in a file."""

import argparse
import os
import sys
from pathlib import Path
from typing import cast

from heapdiff.errors import HeapdiffError
from heapdiff.explain.model import Explanation
from heapdiff.files import put_text
from heapdiff.integrations.cli.progress import progress
from heapdiff.report.accept_file import write_accepted
from heapdiff.snapshot.file import read_snapshot
from heapdiff.snapshot.model import Snapshot

__all__ = ["is_coloured", "put", "read", "short_name", "write", "write_review"]


def read(name: str) -> Snapshot:
    """The snapshot of that file, with its progress."""
    with progress(f"reading {short_name(name)}"):
        return read_snapshot(name)


def short_name(name: str) -> str:
    """The file without its folder."""
    return Path(name).name


def is_coloured(options: argparse.Namespace) -> bool:
    """Whether the report goes to somebody who sees colours."""
    if options.colour != "auto":
        return bool(options.colour == "always")
    # https://no-color.org: any value but the empty one
    return options.output is None and _has_stdout() and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def put(text: str, output: str | None) -> None:
    """Print the text, or make it the contents of the file of ``-output``.

    Raises:
        HeapdiffError: It cannot be written.
    """
    if output is None:
        _print(text if text.endswith("\n") else text + "\n")
        return
    write(output, text, "-output")
    print(f"Generating report in {output}", file=sys.stderr)


def write(name: str, text: str, option: str) -> None:
    """Make the text the contents of the file; it is whole, or as it was.

    Raises:
        HeapdiffError: It cannot be written.
    """
    try:
        put_text(name, text)
    except OSError as error:
        raise HeapdiffError(f"{name}: {error.strerror}. Name another file with {option}.") from error


def write_review(explanation: Explanation, name: str) -> None:
    """Add what grew to the file of ``--write-accept``, and say how much of it is new."""
    count = write_accepted(explanation, name)
    print(f"{name}: {count} new to review, each needs a reason", file=sys.stderr)


def _print(text: str) -> None:
    if not _has_stdout():
        raise HeapdiffError("standard output is closed. Name a file with -output.")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise HeapdiffError(f"standard output: {error.strerror}. Name a file with -output.") from error


def _has_stdout() -> bool:
    # Python has None there, whatever its types say, when it was started with that descriptor closed.
    return cast(object, sys.stdout) is not None
