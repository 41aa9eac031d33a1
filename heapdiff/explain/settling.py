"""A diff of three moments in, before, busy and settled; what drained and what is held since out."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from operator import gt

import attrs

from heapdiff.diff.matching import is_same_process
from heapdiff.diff.model import HeapDiff, PathGrowth, TypeGrowth
from heapdiff.explain.growers import is_telling
from heapdiff.explain.model import Explanation, Settling, Standing, Trend
from heapdiff.graph import HeapGraph, path_expression
from heapdiff.native import survivors

__all__ = ["settlings_of", "with_settlings"]

_LEAST_OBJECTS = 5  # growth of the busy time; less is noise
_LEAST_BYTES = 4096
_ROWS = 50  # of types, and of label paths
_DRAINED, _MOSTLY_DRAINED = 0.1, 0.5

_ANY = bytes([0, *[1] * 255])


def settlings_of(diff: HeapDiff, busy: HeapGraph) -> tuple[Settling, ...]:
    """Types and then label paths that grew while the program was busy; 50 of each at most.

    What is left of most comes first, the types that say what they are about before int, dict and the like.

    Args:
        diff: Of three snapshots: before, busy, settled.
        busy: The graph of the second.

    Source: memlab's settle check; its set method, (target − base) ∩ final, for the objects kept.
    """
    by_type, by_node = _kept(diff, busy)
    types = [
        (
            growth,
            attrs.evolve(row, kept=None if by_type is None else sum(by_type[number] for number in growth.rows_now)),
        )
        for growth in diff.types
        if (row := _settling(growth)) is not None
    ]
    paths = [(row, path) for path in diff.paths.paths[1:] if (row := _settling(path)) is not None]
    paths.sort(key=lambda pair: (_weight(pair[0]), pair[1].number))
    named = [
        attrs.evolve(row, path=_expression(diff, path), kept=None if by_node is None else by_node[path.now_node])
        for row, path in paths[:_ROWS]
    ]
    types.sort(key=lambda pair: (not is_telling(pair[0]), _weight(pair[1])))
    return (*(row for _, row in types[:_ROWS]), *named)


def with_settlings(explanation: Explanation, settlings: tuple[Settling, ...]) -> Explanation:
    """The explanation of before and settled, each grower with what became of its type."""
    by_type = {row.type_name: row for row in settlings if row.path is None}
    growers = tuple(attrs.evolve(grower, settling=by_type.get(grower.type_name)) for grower in explanation.growers)
    next_step = explanation.next_step
    if growers and growers[0].trend is Trend.TWO_PICTURES:
        next_step = (
            "Work and rest once more, and compare the moments of rest with the first: compare(baseline, settled, "
            "settled_again) shows whether each round adds."
        )
    return attrs.evolve(explanation, growers=growers, settlings=settlings, next_step=next_step)


def _standing_of(part: float) -> Standing:
    """What it means that so much of the growth is left."""
    if part <= _DRAINED:
        return Standing.DRAINED
    if part <= _MOSTLY_DRAINED:
        return Standing.MOSTLY_DRAINED
    return Standing.HELD if part <= 1 else Standing.GROWING


def _settling(growth: TypeGrowth | PathGrowth) -> Settling | None:
    """The row of a type or a label path; None where too little was added while it was busy."""
    type_name = growth.name if isinstance(growth, TypeGrowth) else growth.type_name
    for counts, unit, least in (
        (growth.objects, "objects", _LEAST_OBJECTS),
        (growth.shallow_bytes, "bytes", _LEAST_BYTES),
    ):
        base, busy, settled = counts
        if busy - base >= least:
            standing = _standing_of((settled - base) / (busy - base))
            return Settling(type_name, None, (base, busy, settled), unit, standing)
    return None


def _weight(row: Settling) -> tuple[bool, int, int, str]:
    base, busy, settled = row.counts
    return row.unit == "bytes", base - settled, base - busy, row.type_name


def _expression(diff: HeapDiff, path: PathGrowth) -> str:
    return path_expression((diff.paths[step].kind, diff.paths[step].text) for step in diff.paths.ancestry(path.number))


def _kept(diff: HeapDiff, busy: HeapGraph) -> tuple[Counter[int] | None, Counter[int | None] | None]:
    """Objects new when it was busy and still there when it had settled, by type row and by node of the label tree."""
    base, settled = diff.base, diff.now
    processes = [graph.snapshot.process for graph in (base, busy, settled)]
    if not all(is_same_process(processes[0], process) for process in processes[1:]):
        return None, None
    is_kept = bytes(map(gt, _survived(busy, settled), _survived(base, settled)))
    return (
        Counter(compress(settled.snapshot.columns["object_type"], is_kept)),
        Counter(compress(settled.label_tree["node_of"], is_kept)),
    )


def _survived(earlier: HeapGraph, settled: HeapGraph) -> bytes:
    """A 1 for each object of the settled heap that was there earlier."""
    first, last = earlier.snapshot.process.epoch_start, settled.snapshot.process.epoch_start
    columns = survivors(
        earlier.snapshot.columns,
        earlier.paths,
        settled.snapshot.columns,
        settled.paths,
        first is not None and first == last,
    )
    return bytes(columns["survived"]).translate(_ANY)
