"""Snapshots in, a report out: the whole library in one screen."""

import os
from collections.abc import Sequence

from heapdiff.diff import diff_graphs
from heapdiff.diff.model import HeapDiff
from heapdiff.explain import (
    DEFAULT_RULES,
    KNOWN_LEAKS,
    KnownGrowth,
    KnownLeak,
    Rule,
    explain_diff,
    with_known_leaks,
)
from heapdiff.explain.contrast import explain_contrast
from heapdiff.explain.settling import settlings_of, with_settlings
from heapdiff.graph import HeapGraph
from heapdiff.report import Report
from heapdiff.report.accept_file import read_accepted
from heapdiff.snapshot.model import Snapshot

__all__ = ["compare", "compare_groups", "compare_settled"]


def compare(
    base: Snapshot,
    *later: Snapshot,
    growers: int = 10,
    rules: Sequence[Rule] = DEFAULT_RULES,
    accept: str | os.PathLike[str] | Sequence[KnownGrowth] = (),
    known_leaks: Sequence[KnownLeak] = KNOWN_LEAKS,
) -> Report:
    """What grew from *base* to the last of the later snapshots, and why it cannot be freed.

    Live heap → snapshot → graph → diff → explanation → report. Two snapshots show what grew; three or
    more, taken after equal amounts of work, show whether it stops.

    Args:
        base: The earlier moment, or another process of the same program.
        *later: One or more later moments, in their order.
        growers: Types to explain at most, 0 or more.
        rules: Known patterns of growth, from the general to the particular; the last that fits gives the
            verdict. Add yours: ``rules=(*DEFAULT_RULES, mine)``.
        accept: Growth that is known and accepted, or the TOML file that lists it (``read_accepted``). It is
            told apart, with its reason.
        known_leaks: Leaks of published packages that are on record. Where one fits, the verdict says so and which
            version mends it; nothing else changes. ``()`` for none.

    Raises:
        TypeError: No later snapshot was given, or something that is no snapshot; *growers* is no whole number, or
            *rules* are no functions.
        ValueError: *growers* is negative.
        AcceptFileError: The file of accepted growth cannot be read, or an entry has no reason.
    """
    _check_options(growers, rules)
    known = read_accepted(accept) if isinstance(accept, str | os.PathLike) else tuple(accept)
    if not later:
        raise TypeError("compare() needs at least two snapshots: compare(base, now)")
    _check("compare", base, *later)
    *between, now = later
    diff = diff_graphs(HeapGraph.of(base), HeapGraph.of(now), (HeapGraph.of(snapshot) for snapshot in between))
    return Report(with_known_leaks(explain_diff(diff, growers, rules, known), known_leaks))


def compare_groups(
    *,
    control: Sequence[Sequence[Snapshot]],
    treatment: Sequence[Sequence[Snapshot]],
    growers: int = 10,
    rules: Sequence[Rule] = DEFAULT_RULES,
    known_leaks: Sequence[KnownLeak] = KNOWN_LEAKS,
) -> Report:
    """What grows with a change and not without it: for noisy programs and canary deployments.

    Each element is one run or process, ``(base, now)`` or more moments in their order; all runs are to do
    the same work. Growth of one type at one label path in every treatment and in no control comes
    first ("treatment only"), then that in some treatments ("likely"). What grew in a control as
    well ("also in the control") is not accused: at least a tenth of the least growth with the treatment.

    Args:
        control: Runs without the change, at least one.
        treatment: Runs with it, at least one.
        growers: Types to explain at most, 0 or more.
        rules: As for compare().
        known_leaks: As for compare().

    Raises:
        TypeError: A run has fewer than two snapshots, or something that is no snapshot.
        ValueError: A group is empty, or *growers* is negative.

    Source: memlab's ``diff-leaks``.
    """
    _check_options(growers, rules)
    if not control or not treatment:
        raise ValueError("compare_groups() needs at least one control and one treatment, each (base, now)")
    controls, treatments = (
        [_diff(f"compare_groups() {name} {number}", run) for number, run in enumerate(group, start=1)]
        for name, group in (("control", control), ("treatment", treatment))
    )
    return Report(with_known_leaks(explain_contrast(controls, treatments, growers, rules), known_leaks))


def _diff(where: str, run: Sequence[Snapshot]) -> HeapDiff:
    if isinstance(run, Snapshot) or len(run) < 2:  # noqa: PLR2004
        raise TypeError(f"{where} needs two or more snapshots: (base, now)")
    for snapshot in run:
        if not isinstance(snapshot, Snapshot):
            raise TypeError(f"{where} has a {type(snapshot).__name__}, expected a Snapshot")
    base, *between, now = run
    return diff_graphs(HeapGraph.of(base), HeapGraph.of(now), (HeapGraph.of(snapshot) for snapshot in between))


def compare_settled(
    baseline: Snapshot,
    busy: Snapshot,
    settled: Snapshot,
    *,
    growers: int = 10,
    rules: Sequence[Rule] = DEFAULT_RULES,
    known_leaks: Sequence[KnownLeak] = KNOWN_LEAKS,
) -> Report:
    """What a busy time has left behind once the program came to rest, and what holds it.

    Take one snapshot before, one while it works, and one when it has been idle for half a minute and the
    collector has run (``take_snapshot(collect=True)``). Of the growth of the busy time a tenth or less is left:
    drained; half or less: mostly drained; more: held; more than all: still growing. The report is that of
    *baseline* and *settled*, each grower with what became of it.

    Args:
        baseline: Before the work.
        busy: During the work, or right after it.
        settled: At rest again.
        growers: Types to explain at most, 0 or more.
        rules: As for compare().
        known_leaks: As for compare().

    Raises:
        TypeError: Something is no snapshot.
        ValueError: *growers* is negative.

    Source: memlab's settle check, and its set method: what is in busy, not in baseline, and still in settled.
    """
    _check_options(growers, rules)
    _check("compare_settled", baseline, busy, settled)
    first, middle, last = (HeapGraph.of(snapshot) for snapshot in (baseline, busy, settled))
    settlings = settlings_of(diff_graphs(first, last, [middle]), middle)
    explanation = with_settlings(explain_diff(diff_graphs(first, last), growers, rules), settlings)
    return Report(with_known_leaks(explanation, known_leaks))


def _check(name: str, *snapshots: object) -> None:
    for place, snapshot in enumerate(snapshots, start=1):
        if not isinstance(snapshot, Snapshot):
            raise TypeError(f"{name}() argument {place} is a {type(snapshot).__name__}, expected a Snapshot")


def _check_options(growers: object, rules: object) -> None:
    if not isinstance(growers, int):
        raise TypeError(f"growers is {growers!r}; expected a whole number, 0 or more")
    if growers < 0:
        raise ValueError(f"growers is {growers}; expected 0 or more")
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise TypeError(f"rules is a {type(rules).__name__}; expected a sequence such as (*DEFAULT_RULES, mine)")
    for place, rule in enumerate(rules):
        if not callable(rule):
            raise TypeError(f"rules[{place}] is a {type(rule).__name__}; expected a function of one Evidence")
