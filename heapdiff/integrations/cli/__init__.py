"""The command line, ``heapdiff diff``, ``check``, ``top``, ``why``, ``info``, ``run``: words in, an exit code out."""

import contextlib
import os
import sys
from collections.abc import Sequence

from heapdiff.errors import HeapdiffError
from heapdiff.version import VERSION

__all__ = ["main"]

_DONE, _ERROR, _USAGE, _INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command: 0 done, 1 an error, 2 wrong usage, 3 growth fails a check, 130 interrupted.

    Args:
        arguments: The words after the program's name; those of this process by default.

    Raises:
        SystemExit: argparse has shown help or wrong usage, or the program of ``heapdiff run`` has ended itself.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # The parser, its help texts and the graph are no part of the program that `run` runs: each command
    # imports what it needs.
    if words[:1] == ["run"]:
        from heapdiff.integrations.cli.running import run_command

        return run_command(words[1:])
    from heapdiff.integrations.cli.commands import run_commands
    from heapdiff.integrations.cli.options import build_parser

    try:
        try:
            return run_commands(build_parser(VERSION).parse_args(words))
        except SystemExit:
            if sys.stdout:
                sys.stdout.flush()  # help and version are still in its buffer
            raise
    except HeapdiffError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (heapdiff ... | head).
        _drop_output()
        return _DONE
    except OSError as error:
        return _fail(f"{error.filename or 'standard output'}: {error.strerror or error}")


def _fail(message: str) -> int:
    _drop_output()
    with contextlib.suppress(OSError):
        print(f"heapdiff: {message}", file=sys.stderr, flush=True)
    return _ERROR


def _drop_output() -> None:
    """Python would complain of what it could not write once more at its end."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
