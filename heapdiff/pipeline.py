"""Snapshots in, a report out: the whole library in one screen."""

import os
from collections.abc import Sequence

from heapdiff.diff import diff_graphs
from heapdiff.explain import DEFAULT_RULES, KnownGrowth, Rule, explain_diff
from heapdiff.graph import HeapGraph
from heapdiff.report import Report
from heapdiff.report.accept_file import read_accepted
from heapdiff.snapshot.model import Snapshot

__all__ = ["compare"]


def compare(
    base: Snapshot,
    *later: Snapshot,
    growers: int = 10,
    rules: Sequence[Rule] = DEFAULT_RULES,
    accept: str | os.PathLike[str] | Sequence[KnownGrowth] = (),
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

    Raises:
        TypeError: No later snapshot was given, or something that is no snapshot.
        ValueError: *growers* is negative.
        AcceptFileError: The file of accepted growth cannot be read, or an entry has no reason.
    """
    known = read_accepted(accept) if isinstance(accept, str | os.PathLike) else tuple(accept)
    if not later:
        raise TypeError("compare() needs at least two snapshots: compare(base, now)")
    for place, snapshot in enumerate((base, *later)):
        if not isinstance(snapshot, Snapshot):
            raise TypeError(f"compare() argument {place + 1} is a {type(snapshot).__name__}, expected a Snapshot")
    *between, now = later
    diff = diff_graphs(HeapGraph.of(base), HeapGraph.of(now), (HeapGraph.of(snapshot) for snapshot in between))
    return Report(explain_diff(diff, growers, rules, known))
