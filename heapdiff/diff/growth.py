"""Two heaps in, what grew between them out."""

from collections.abc import Iterable, Sequence
from typing import Self

import attrs

from heapdiff.diff.identity import find_identity
from heapdiff.diff.matching import PathMatcher, is_same_process, type_rows
from heapdiff.diff.model import Garbage, HeapDiff, SiteGrowth, TypeGrowth
from heapdiff.graph import HeapGraph
from heapdiff.graph.states import GARBAGE
from heapdiff.native import label_growth, retained_by_groups, select_types, state_totals
from heapdiff.snapshot.names import full_name

__all__ = ["diff_graphs"]

_GROUPS = 63  # sets whose retained size one native pass finds
_SWAPPED = "The base was taken after now: are the two swapped?"


def diff_graphs(base: HeapGraph, now: HeapGraph, between: Iterable[HeapGraph] = ()) -> HeapDiff:
    """The live heap of *now* minus that of *base*, by type, by allocation site and by label path.

    Args:
        base: The earlier heap, or that of another process of the same program.
        now: The later heap.
        between: Heaps from moments between the two, in their order; they show how it grew. They are
            taken one by one and not kept, so that a generator needs the memory of one.

    Source: pprof's ``-base`` for the subtraction, Shark's ObjectGrowthDetector for label paths.
    """
    matcher = PathMatcher(base)
    moments = [_Moment.of(base)]
    for graph in between:
        _add(matcher, base, graph)
        moments.append(_Moment.of(graph))
    _add(matcher, base, now, is_last=True)
    moments.append(_Moment.of(now))
    types, remarks = _types(moments)
    if _is_swapped(moments[0].capture_time, moments[-1].capture_time):
        remarks.insert(0, _SWAPPED)
    return HeapDiff(
        base=base,
        now=now,
        types=_with_retained(types, base, now),
        paths=matcher.tree(),
        sites=_sites(base, now),
        garbage=_garbage(base, now),
        live_objects=tuple(sum(moment.objects) for moment in moments),
        live_bytes=tuple(sum(moment.bytes) for moment in moments),
        same_process=is_same_process(base.snapshot.process, now.snapshot.process),
        capture_times=tuple(moment.capture_time for moment in moments),
        snapshot_bytes=tuple(moment.snapshot_bytes for moment in moments),
        allocated_blocks=tuple(moment.allocated_blocks for moment in moments),
        remarks=tuple(remarks),
        identity=find_identity(base, now),
    )


@attrs.frozen
class _Moment:
    """The live objects of one heap by type, and when that was."""

    rows: dict[tuple[str, str], tuple[int, ...]]  # of the type table, by module and name
    objects: list[int]  # by row
    bytes: list[int]
    capture_time: float | None
    snapshot_bytes: int
    allocated_blocks: int | None

    @classmethod
    def of(cls, graph: HeapGraph) -> Self:
        totals, columns = graph.type_totals, graph.snapshot.columns
        return cls(
            rows=type_rows(graph.snapshot),
            objects=totals["objects"].tolist(),
            bytes=totals["bytes"].tolist(),
            capture_time=graph.snapshot.process.capture_time,
            snapshot_bytes=sum(columns[name].nbytes for name in columns.names()),
            allocated_blocks=graph.snapshot.process.allocated_blocks,
        )


def _add(matcher: PathMatcher, base: HeapGraph, graph: HeapGraph, *, is_last: bool = False) -> None:
    growth = label_growth(base.snapshot.columns, base.label_tree, graph.snapshot.columns, graph.label_tree)
    matcher.add(graph, growth, is_last=is_last)


def _is_swapped(base: float | None, now: float | None) -> bool:
    return base is not None and now is not None and base > now


def _types(moments: Sequence[_Moment]) -> tuple[list[TypeGrowth], list[str]]:
    growths, twins = [], []
    for key in {key: None for moment in moments for key in moment.rows}:
        rows = [moment.rows.get(key, ()) for moment in moments]
        counts = tuple(sum(m.objects[row] for row in taken) for m, taken in zip(moments, rows, strict=True))
        sizes = tuple(sum(m.bytes[row] for row in taken) for m, taken in zip(moments, rows, strict=True))
        if len(set(counts)) == len(set(sizes)) == 1:
            continue
        module, name = key
        growth = TypeGrowth(full_name(module, name), module, counts, sizes, rows[0], rows[-1])
        growths.append(growth)
        if growth.row_count > 1:
            twins.append(growth)
    growths.sort(key=lambda row: (-row.shallow_bytes_delta, -row.objects_delta, row.name))
    twins.sort(key=lambda row: -row.row_count)
    return growths, [f"{row.row_count:,} classes are called {row.name}; they are summed." for row in twins[:3]]


def _with_retained(types: list[TypeGrowth], base: HeapGraph, now: HeapGraph) -> tuple[TypeGrowth, ...]:
    """The same rows, those that are likely to retain most growth with their exact retained sizes."""
    bound = now.type_retained["bytes"]

    def likely_growth(row: TypeGrowth) -> float:
        new = row.objects_delta / row.objects[-1] if row.objects[-1] else 0.0
        return max(new * sum(bound[number] for number in row.rows_now), float(row.shallow_bytes_delta))

    grown = [row for row in types if row.objects_delta > 0 or row.shallow_bytes_delta > 0]
    chosen = sorted(grown, key=lambda row: (-likely_growth(row), row.name))[:_GROUPS]
    if not chosen:
        return tuple(types)
    before = _retained_by_types(base, [row.rows_base for row in chosen])
    after = _retained_by_types(now, [row.rows_now for row in chosen])
    retained = {row.name: pair for row, pair in zip(chosen, zip(before, after, strict=True), strict=True)}
    return tuple(
        attrs.evolve(row, retained_bytes_base=retained[row.name][0], retained_bytes_now=retained[row.name][1])
        if row.name in retained
        else row
        for row in types
    )


def _retained_by_types(graph: HeapGraph, row_sets: list[tuple[int, ...]]) -> list[int]:
    group_of_type = bytearray(graph.snapshot.type_count)
    for number, rows in enumerate(row_sets, start=1):
        for row in rows:
            group_of_type[row] = number
    groups = select_types(graph.snapshot.columns, group_of_type)["group"]
    return list(retained_by_groups(graph.snapshot.columns, groups)["bytes"][1 : len(row_sets) + 1])


def _sites(base: HeapGraph, now: HeapGraph) -> tuple[SiteGrowth, ...] | None:
    if not (base.snapshot.has_sites and now.snapshot.has_sites):
        return None
    before, after = _site_table(base), _site_table(now)
    growths = []
    for key in before.keys() | after.keys():
        then, later = before.get(key, (0, 0)), after.get(key, (0, 0))
        if then != later:
            growths.append(SiteGrowth(*key, then[0], later[0], then[1], later[1]))
    growths.sort(key=lambda row: (-row.shallow_bytes_delta, -row.objects_delta, row.frames, row.type_name))
    return tuple(growths)


def _site_table(graph: HeapGraph) -> dict[tuple[tuple[tuple[str, int], ...], str], tuple[int, int]]:
    """Objects and bytes by traceback and type; unknown sites are left out."""
    snapshot, totals = graph.snapshot, graph.site_totals
    columns = ("site", "type", "objects", "bytes")
    frames: dict[int, tuple[tuple[str, int], ...]] = {}
    table: dict[tuple[tuple[tuple[str, int], ...], str], tuple[int, int]] = {}
    for site, row, objects, size in zip(*(totals[name].tolist() for name in columns), strict=True):
        if site == 0:
            continue
        if site not in frames:
            frames[site] = snapshot.site_frames(site)
        key = (frames[site], snapshot.type_name(row))
        known = table.get(key, (0, 0))
        table[key] = (known[0] + objects, known[1] + size)
    return table


def _garbage(base: HeapGraph, now: HeapGraph) -> Garbage:
    before, after = (state_totals(graph.snapshot.columns, graph.paths) for graph in (base, now))
    return Garbage(
        before["objects"][GARBAGE], after["objects"][GARBAGE], before["bytes"][GARBAGE], after["bytes"][GARBAGE]
    )
