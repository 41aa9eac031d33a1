"""``diff``, ``top``, ``why`` and ``info``: parsed words in, text on stdout or into a file out."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from heapdiff.diff.heap_profile import profile_of_dominators, profile_of_paths, profile_of_sites
from heapdiff.diff.profile import Profile, subtract_profiles
from heapdiff.explain.keepers import find_keepers
from heapdiff.graph import HeapGraph
from heapdiff.integrations.cli.checking import check
from heapdiff.integrations.cli.files import is_coloured, put, read, short_name, write_review
from heapdiff.integrations.cli.inventory import describe_snapshot
from heapdiff.integrations.cli.progress import progress
from heapdiff.pipeline import compare, compare_groups, compare_settled
from heapdiff.report import Report
from heapdiff.report.accept_file import read_accepted
from heapdiff.report.keepers_text import render_keepers, render_keepers_json
from heapdiff.report.profile_text import (
    ProfileOptions,
    profile_json,
    profile_peek,
    profile_top,
    profile_traces,
    profile_tree,
)
from heapdiff.report.text import render_text
from heapdiff.snapshot.model import Snapshot

__all__ = ["run_commands"]

_WRONG_USAGE = 2


def run_commands(options: argparse.Namespace) -> int:
    """The exit code of the command that the words name.

    Raises:
        HeapdiffError: A file cannot be read or written, or does not hold what was asked for.
    """
    if options.command == "check":
        return check(options)
    command: Callable[[argparse.Namespace], str] = _COMMANDS[options.command]
    put(command(options), options.output)
    return 0


def _diff(options: argparse.Namespace) -> str:
    base = options.base or options.diff_base
    files = [base, *options.files] if base else options.files
    _check_diff(options, files)
    if _wants_profile(options):
        pictures = [_profile(read(name), options) for name in (files[0], files[-1])]
        with progress("subtracting"):
            profile = subtract_profiles(
                *pictures, against_base=options.diff_base is not None, normalise=options.normalize
            )
        return _view(profile, options, (f"File: {files[0]} → {files[-1]}",))
    report = _report(options, files)
    if options.write_accept is not None:
        write_review(report.explanation, options.write_accept)
    return report.to_json() + "\n" if options.json else render_text(report.explanation, colour=is_coloured(options))


def _report(options: argparse.Namespace, files: Sequence[str]) -> Report:
    settings: dict[str, Any] = {} if options.nodecount is None else {"growers": options.nodecount}
    if options.no_known_leaks:
        settings["known_leaks"] = ()
    if options.control:
        control = [[read(name) for name in run] for run in options.control]
        treatment = [[read(name) for name in run] for run in options.treatment]
        with progress(f"comparing {len(treatment)} with {len(control)}"):
            return compare_groups(control=control, treatment=treatment, **settings)
    snapshots = [read(name) for name in files]
    with progress("comparing " + " and ".join(map(short_name, (files[0], files[-1])))):
        if options.settled:
            return compare_settled(*snapshots, **settings)
        if options.accept is not None:
            settings["accept"] = read_accepted(options.accept)
        return compare(*snapshots, **settings)


def _check_diff(options: argparse.Namespace, files: Sequence[str]) -> None:
    """Nothing, where the words go together; else the exit for wrong usage."""
    groups = [*(options.control or ()), *(options.treatment or ())]
    special = bool(groups) or options.settled
    complaint = None
    if bool(options.control) != bool(options.treatment):
        complaint = "-control and -treatment go together: -control a1.heap a2.heap -treatment b1.heap b2.heap"
    elif groups and (files or options.settled):
        complaint = "-control and -treatment take the place of other files and of -settled"
    elif any(len(run) < 2 for run in groups):  # noqa: PLR2004
        complaint = "each -control and -treatment needs two snapshots: -control a1.heap a2.heap"
    elif options.settled and len(files) != 3:  # noqa: PLR2004
        complaint = "-settled needs three snapshots: heapdiff diff -settled before.heap busy.heap settled.heap"
    elif not groups and len(files) < 2:  # noqa: PLR2004
        complaint = "two snapshots are needed: heapdiff diff -base before.heap after.heap"
    elif special and options.accept:
        complaint = "--accept is for the report on two or more moments"
    elif _wants_profile(options) and (special or options.accept or options.write_accept):
        complaint = "-settled, -control, -treatment and --accept are for the report, not for the views of pprof"
    if complaint is not None:
        print(f"heapdiff diff: {complaint}", file=sys.stderr)
        raise SystemExit(_WRONG_USAGE)


def _top(options: argparse.Namespace) -> str:
    return _view(_profile(read(options.file), options), options, (f"File: {options.file}",))


def _why(options: argparse.Namespace) -> str:
    snapshot = read(options.file)
    with progress(f"looking for what holds {options.type_name}"):
        keepers = find_keepers(HeapGraph.of(snapshot), options.type_name)
    return render_keepers_json(keepers) if options.json else render_keepers(keepers, rows=options.nodecount)


def _info(options: argparse.Namespace) -> str:
    snapshot = read(options.file)
    with progress("counting"):
        return describe_snapshot(HeapGraph.of(snapshot), options.file, as_json=options.json)


_COMMANDS = {"diff": _diff, "top": _top, "why": _why, "info": _info}


def _wants_profile(options: argparse.Namespace) -> bool:
    """Whether any of the words is one of pprof's; the report knows no other than -nodecount and -json."""
    return bool(
        options.top
        or options.tree
        or options.peek
        or options.traces
        or options.lines
        or options.paths
        or options.cum
        or options.focus
        or options.ignore
        or options.tagfocus
        or options.tagignore
        or options.sample_index
        or options.normalize
        or options.diff_base
        or options.nodefraction is not None
    )


def _profile(snapshot: Snapshot, options: argparse.Namespace) -> Profile:
    with progress("summing up"):
        graph = HeapGraph.of(snapshot)
        if options.lines:
            return profile_of_sites(graph)
        return profile_of_paths(graph) if options.paths else profile_of_dominators(graph)


def _view(profile: Profile, options: argparse.Namespace, header: tuple[str, ...]) -> str:
    settings = ProfileOptions(
        sample_index=options.sample_index or "inuse_space",
        by_cum=options.cum,
        node_count=options.nodecount,
        focus=options.focus,
        ignore=options.ignore,
        tag_focus=options.tagfocus,
        tag_ignore=options.tagignore,
        header=header,
        **({} if options.nodefraction is None else {"node_fraction": options.nodefraction}),
    )
    if options.json:
        return profile_json(profile, settings)
    if options.peek:
        return profile_peek(profile, settings, options.peek)
    if options.tree:
        return profile_tree(profile, settings)
    return profile_traces(profile, settings) if options.traces else profile_top(profile, settings)
