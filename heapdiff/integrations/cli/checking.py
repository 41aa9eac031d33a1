"""``check``: snapshots and conditions in, an exit code and files for a CI server out."""

import argparse
import json
import os

import attrs

from heapdiff.errors import HeapdiffError
from heapdiff.explain import KNOWN_LEAKS
from heapdiff.explain.conditions import DEFAULT_CONDITION, find_failures
from heapdiff.integrations.cli.files import is_coloured, put, read, short_name, write, write_review
from heapdiff.integrations.cli.progress import progress
from heapdiff.pipeline import compare
from heapdiff.report.accept_file import read_accepted
from heapdiff.report.check_text import failure_dict, render_failures
from heapdiff.report.junit import render_junit
from heapdiff.report.machine import report_dict
from heapdiff.report.markdown import render_markdown
from heapdiff.report.text import render_text

__all__ = ["check"]

_GROWTH_FAILS = 3
_EVERY_GROWER = 1_000  # all of them are checked, however few are shown


def check(options: argparse.Namespace) -> int:
    """0 where nothing that grew fails, 3 where something does.

    Raises:
        HeapdiffError: A file cannot be read or written, or there is no step summary to write.
    """
    summary = _summary() if options.github_summary else None
    files = [options.base, *options.files]
    snapshots = [read(name) for name in files]
    known = read_accepted(options.accept) if options.accept is not None else ()
    with progress("comparing " + " and ".join(map(short_name, (files[0], files[-1])))):
        leaks = () if options.no_known_leaks else KNOWN_LEAKS
        explanation = compare(*snapshots, growers=_EVERY_GROWER, accept=known, known_leaks=leaks).explanation
    conditions = tuple(options.fail_on or (DEFAULT_CONDITION,))
    failures = find_failures(explanation, conditions)
    if options.write_accept is not None:
        write_review(explanation, options.write_accept)
    if options.junit is not None:
        write(options.junit, render_junit(explanation, failures), "--junit")
    shown = attrs.evolve(explanation, growers=explanation.growers[: options.nodecount or None])
    if options.markdown is not None:
        write(options.markdown, render_markdown(shown, failures), "--markdown")
    if summary is not None:
        with open(summary, "a", encoding="utf-8") as file:
            file.write(render_markdown(shown, failures))
    if options.json:
        picture = report_dict(shown) | {"failures": [failure_dict(failure) for failure in failures]}
        put(json.dumps(picture, ensure_ascii=False, indent=2, allow_nan=False), options.output)
    else:
        colour = is_coloured(options)
        report = render_text(shown, colour=colour)
        put(f"{report}\n{render_failures(failures, conditions, colour=colour)}", options.output)
    return _GROWTH_FAILS if failures else 0


def _summary() -> str:
    """The file that becomes the summary of this step on GitHub."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        raise HeapdiffError("--github-summary: GITHUB_STEP_SUMMARY is not set. Outside GitHub, use --markdown FILE.")
    return name
