"""``heapdiff run``: words in; a program runs unchanged while snapshots of it are taken."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from heapdiff.errors import HeapdiffError
from heapdiff.integrations.cli.options import build_parser, split_program
from heapdiff.integrations.cli.program import Program, run_program
from heapdiff.integrations.cli.recorder import Recorder, RecordingPlan
from heapdiff.version import VERSION

__all__ = ["run_command"]

_DONE, _ERROR, _USAGE = 0, 1, 2


def run_command(words: Sequence[str]) -> int:
    """The exit code of the program, where it ends by coming to its end.

    Raises:
        SystemExit: The program has ended itself, or the words are wrong.
        KeyboardInterrupt: The program was interrupted; its traceback has been shown.
    """
    own, rest = split_program(words)
    parser = build_parser(VERSION)
    options = parser.parse_args(["run", *own])
    is_module = rest[:1] == ["-m"]
    target = rest[is_module : is_module + 1]
    if not target:
        print("heapdiff run: what shall run? Name a script, or -m and a module.", file=sys.stderr)
        return _USAGE
    program = Program(target[0], tuple(rest[is_module + 1 :]), is_module)
    waits = options.every is not None or options.on_signal is not None
    plan = RecordingPlan(
        folder=Path(options.folder).absolute(),
        name=program.name,
        every_seconds=options.every,
        on_signal=options.on_signal,
        at_exit=options.at_exit or not waits,
        traced_frames=options.trace,
        compress=options.compress,
    )
    del parser, options  # no part of the program's heap
    try:
        if not is_module:
            os.stat(program.target)
    except OSError as error:
        print(f"heapdiff: {program.target}: {error.strerror or error}", file=sys.stderr)
        return _USAGE
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
        if not os.access(plan.folder, os.W_OK | os.X_OK):
            raise PermissionError("no permission to write there")
    except OSError as error:
        print(f"heapdiff: {plan.folder}: {error.strerror or error}. Name another folder with -o.", file=sys.stderr)
        return _ERROR
    try:
        Recorder(plan).start()
        run_program(program)
    except HeapdiffError as error:
        print(f"heapdiff: {error}", file=sys.stderr)
        return _ERROR
    except OSError as error:
        print(f"heapdiff: {program.target}: {error.strerror or error}", file=sys.stderr)
        return _USAGE
    return _DONE
