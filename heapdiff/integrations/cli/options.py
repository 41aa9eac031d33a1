"""The command line's words: one parser for each command, pprof's options with one dash or two."""

import argparse
import re
import signal
from collections.abc import Sequence
from typing import Any

__all__ = ["build_parser", "split_program"]

_DESCRIPTION = """\
Subtract two pictures of a CPython heap, and read why what grew cannot be freed."""

_EXAMPLES = """\
examples:
  heapdiff run --every 60 --on-signal USR1 -o snapshots service.py --port 8000
  heapdiff diff -base before.heap after.heap
  heapdiff diff -base before.heap middle.heap after.heap     three moments show a trend
  heapdiff diff -base before.heap -top -cum after.heap       as go tool pprof prints it
  heapdiff check -base before.heap after.heap --fail-on 'retained>1MB'
  heapdiff top after.heap
  heapdiff why after.heap app.locks.Lock
  heapdiff info after.heap

The words: flat is what an object itself occupies, cum what would be freed with it.
Exit codes: 0 done, 1 an error, 2 wrong usage, 3 growth fails a check, 130 interrupted."""

_DIFF_EXAMPLES = """\
examples:
  heapdiff diff -base before.heap after.heap                 what grew, who holds it, what mends it
  heapdiff diff -base before.heap -json after.heap           the same for a program
  heapdiff diff -base before.heap -top after.heap            types by what their objects occupy
  heapdiff diff -base before.heap -peek='locks' after.heap   what keeps them and what they keep
  heapdiff diff -base before.heap -lines -top after.heap     by the line that allocated (if traced)
  heapdiff diff -diff_base before.heap -top after.heap       percentages of what was there before
  heapdiff diff -base before.heap --accept known.toml after.heap
  heapdiff diff -settled before.heap busy.heap settled.heap  what of the busy time is left
  heapdiff diff -control a1.heap a2.heap -treatment b1.heap b2.heap

Without -base the first file is the base. Of several later files the report uses all, pprof's views
the last. Options may have one dash or two, and their values a space or an equals sign before them."""

_CHECK_EXAMPLES = """\
examples:
  heapdiff check -base before.heap after.heap                fails by whatever grew and is not benign
  heapdiff check -base before.heap middle.heap after.heap --fail-on verdict=leak
  heapdiff check -base before.heap after.heap --fail-on 'retained>1MB' --fail-on 'objects>1000'
  heapdiff check -base before.heap after.heap --fail-on 'type=app.Session and objects>0'
  heapdiff check -base before.heap after.heap --accept known.toml --junit heap.xml --github-summary

A condition is made of retained, shallow (bytes, 64kB, 1MB) and objects (new ones) with > or >=, and of
verdict (leak, unsure, benign), rule and type with = or !=; "and" joins them, and all must hold of one
type that grew. Of several --fail-on one is enough. Exit code 3: growth fails."""

_TOP_EXAMPLES = """\
examples:
  heapdiff top after.heap
  heapdiff top -cum -nodecount=20 after.heap
  heapdiff top -paths -peek='REGISTRY' after.heap
  heapdiff top -lines after.heap"""

_RUN_EXAMPLES = """\
examples:
  heapdiff run --every 60 -o snapshots service.py --port 8000
  heapdiff run --on-signal USR1 -m gunicorn app:app          then: kill -USR1 PID
  heapdiff run --at-exit --trace=10 job.py                   with the lines that allocated

Options of heapdiff come before the program's name; what follows is the program's. Files are called
NAME-PID-001.heap. Without --every and --on-signal one snapshot is taken when the program exits."""


def build_parser(version: str) -> argparse.ArgumentParser:
    """The parser of everything but a program's own arguments (see split_program)."""
    parser = _Parser(
        prog="heapdiff",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", "-version", action="version", version=f"heapdiff {version}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    diff = commands.add_parser("diff", help="what grew between two moments, and what holds it", epilog=_DIFF_EXAMPLES)
    diff.add_argument("files", nargs="*", metavar="FILE", help="snapshots, the earlier first")
    bases = diff.add_mutually_exclusive_group()
    bases.add_argument("-base", "--base", metavar="FILE", help="the earlier snapshot, subtracted from the later")
    bases.add_argument(
        "-diff_base", "--diff_base", "--diff-base", metavar="FILE", help="as -base, with percentages of its total"
    )
    diff.add_argument(
        "-normalize", "--normalize", action="store_true", help="scale the later one to the base's total first"
    )
    groups = diff.add_argument_group("groups in place of files (both can be given several times)")
    groups.add_argument(
        "-control", "--control", action="append", nargs="+", metavar="FILE", help="a run without the change: A1 A2"
    )
    groups.add_argument(
        "-treatment", "--treatment", action="append", nargs="+", metavar="FILE", help="a run with it: B1 B2"
    )
    diff.add_argument(
        "-settled", "--settled", action="store_true", help="three files are before, busy and settled: what is held?"
    )
    _add_known(diff)
    _add_profile_options(diff)

    _add_check(commands)

    top = commands.add_parser("top", help="what is in one snapshot", epilog=_TOP_EXAMPLES)
    top.add_argument("file", metavar="FILE")
    _add_profile_options(top)

    why = commands.add_parser("why", help="what holds the objects of a type")
    why.add_argument("file", metavar="FILE")
    why.add_argument("type_name", metavar="TYPE", help="full or short name, such as app.locks.Lock or Lock")
    why.add_argument("-nodecount", "--nodecount", type=_count, default=10, metavar="N", help="rows (default: 10)")
    _add_output_options(why)

    info = commands.add_parser("info", help="what a snapshot holds, where it is from, what it could not see")
    info.add_argument("file", metavar="FILE")
    _add_output_options(info)

    _add_run(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Keeps the line breaks of the examples, and takes no word for a longer one."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", _Formatter)
        settings.setdefault("allow_abbrev", False)
        if "help" in settings:
            settings.setdefault("description", settings["help"])
        super().__init__(**settings)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Shows each option by its first name; that two dashes do as well is said once."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=26, **settings)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if action.nargs == "?" and action.option_strings:
            return f"{action.option_strings[0]}[={action.metavar}]"
        if len(action.option_strings) < 2 or action.dest == "help":  # noqa: PLR2004
            return super()._format_action_invocation(action)
        value = "" if action.nargs == 0 else " " + self._format_args(action, action.dest.upper())
        return action.option_strings[0] + value


def split_program(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words for heapdiff, and from the program's name (or ``-m``) on what belongs to the program."""
    with_value = ("--every", "--on-signal", "-o")
    position = 0
    while position < len(arguments):
        word = arguments[position]
        if word == "--":
            return list(arguments[:position]), list(arguments[position + 1 :])
        if word == "-m" or not word.startswith("-") or word == "-":
            break
        position += 2 if word in with_value else 1
    return list(arguments[:position]), list(arguments[position:])


def _add_run(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="run a program unchanged and take snapshots of it",
        usage="heapdiff run [options] script.py [arguments]\n       heapdiff run [options] -m module [arguments]",
        epilog=_RUN_EXAMPLES,
    )
    run.add_argument("--every", type=_seconds, metavar="S", help="a snapshot every S seconds")
    run.add_argument("--on-signal", type=_signal, metavar="SIG", help="a snapshot on this signal, such as USR1")
    run.add_argument("--at-exit", action="store_true", help="a snapshot when the program exits")
    run.add_argument("-o", dest="folder", default=".", metavar="DIR", help="where the files go (default: here)")
    run.add_argument(
        "--trace",
        nargs="?",
        type=_frames,
        const=1,
        metavar="FRAMES",
        help="remember the lines that allocate, so many frames of each (1); slows the program down",
    )
    run.add_argument("--compress", action="store_true", help="smaller files that take longer to write")


def _add_check(commands: Any) -> None:
    check = commands.add_parser("check", help="fail where something grew, for a CI job", epilog=_CHECK_EXAMPLES)
    check.add_argument("files", nargs="+", metavar="FILE", help="later snapshots, in their order")
    check.add_argument("-base", "--base", required=True, metavar="FILE", help="the first snapshot")
    check.add_argument(
        "--fail-on",
        "-fail-on",
        "--fail_on",
        action="append",
        type=_condition,
        metavar="CONDITION",
        help="what fails (default: verdict!=benign)",
    )
    _add_known(check)
    files = check.add_argument_group("files for a CI server")
    files.add_argument("--junit", "-junit", metavar="FILE", help="a test case for each type that grew")
    files.add_argument("--markdown", "-markdown", metavar="FILE", help="for a comment on a pull request")
    files.add_argument("--github-summary", "-github-summary", action="store_true", help="the same as step summary")
    check.add_argument("-nodecount", "--nodecount", type=_count, default=10, metavar="N", help="types shown (10)")
    _add_output_options(check)


def _add_known(parser: argparse.ArgumentParser) -> None:
    known = parser.add_argument_group("growth that is known")
    known.add_argument(
        "--accept", "-accept", metavar="FILE", help="TOML: fingerprints that are accepted, each with a reason"
    )
    known.add_argument(
        "--write-accept", "-write-accept", "--write_accept", metavar="FILE", help="write what grew there, for review"
    )
    known.add_argument(
        "--no-known-leaks",
        "-no-known-leaks",
        "--no_known_leaks",
        action="store_true",
        help="do not say which packages are known to leak so",
    )


def _add_profile_options(parser: argparse.ArgumentParser) -> None:
    views = parser.add_argument_group("views of pprof").add_mutually_exclusive_group()
    views.add_argument("-top", "--top", action="store_true", help="one row a type")
    views.add_argument("-tree", "--tree", action="store_true", help="each type between what keeps it and what it keeps")
    views.add_argument("-peek", "--peek", type=_pattern, metavar="REGEX", help="the same of the types that match")
    views.add_argument("-traces", "--traces", action="store_true", help="every stack")

    stacks = parser.add_argument_group("what a stack is (default: types, each kept alive by the next)")
    kinds = stacks.add_mutually_exclusive_group()
    kinds.add_argument("-lines", "--lines", action="store_true", help="the lines that allocated (traced snapshots)")
    kinds.add_argument("-paths", "--paths", action="store_true", help="the names on the way from the root")

    choice = parser.add_argument_group("pprof's options")
    choice.add_argument("-cum", "--cum", action="store_true", help="order by cum, not by flat")
    choice.add_argument("-focus", "--focus", type=_pattern, metavar="REGEX", help="stacks with a frame that matches")
    choice.add_argument("-ignore", "--ignore", type=_pattern, metavar="REGEX", help="stacks with no frame that matches")
    choice.add_argument("-tagfocus", "--tagfocus", type=_pattern, metavar="REGEX", help="with -lines: types that match")
    choice.add_argument("-tagignore", "--tagignore", type=_pattern, metavar="REGEX", help="… that do not match")
    choice.add_argument("-nodecount", "--nodecount", type=_count, metavar="N", help="rows (report: growers)")
    choice.add_argument(
        "-nodefraction", "--nodefraction", type=_fraction, metavar="F", help="hide what is below F of the total (0.005)"
    )
    choice.add_argument(
        "-sample_index",
        "--sample_index",
        "--sample-index",
        choices=("inuse_space", "inuse_objects", "retained"),
        metavar="INDEX",
        help="inuse_space, inuse_objects, or retained: inuse_space ordered by what is retained",
    )
    _add_output_options(parser)


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument("-json", "--json", action="store_true", help="for a program to read")
    output.add_argument("-output", "--output", metavar="FILE", help="into a file")
    output.add_argument(
        "--color",
        "--colour",
        "-color",
        dest="colour",
        choices=("auto", "always", "never"),
        default="auto",
        metavar="WHEN",
        help="colours in the report: auto (on a terminal), always or never",
    )


def _condition(text: str) -> Any:
    from heapdiff.explain.conditions import read_condition  # `run` has a parser too, and no need of this

    try:
        return read_condition(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a regular expression: {error}") from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a count (0 is all)")
    return int(text)


def _number(text: str, expected: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {expected}") from None


def _fraction(text: str) -> float:
    value = _number(text, "a fraction from 0 to 1")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a fraction from 0 to 1")
    return value


def _seconds(text: str) -> float:
    value = _number(text.removesuffix("s"), "a number of seconds")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _frames(text: str) -> int:
    value = _count(text)
    if not 1 <= value <= 65535:  # noqa: PLR2004 - tracemalloc's own bounds
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of frames from 1 to 65535")
    return value


def _signal(text: str) -> signal.Signals:
    name = text.upper()
    try:
        number = signal.Signals(int(name)) if name.isdecimal() else signal.Signals["SIG" + name.removeprefix("SIG")]
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a signal of this system, such as USR1") from None
    if number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGFPE, signal.SIGILL, signal.SIGBUS):
        raise argparse.ArgumentTypeError(f"{number.name} cannot be waited for; USR1 and USR2 are there for this")
    return number
