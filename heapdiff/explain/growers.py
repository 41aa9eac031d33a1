"""The diff in, the types worth explaining out, the most telling first."""

import sys
from collections.abc import Sequence
from itertools import pairwise

import attrs

from heapdiff.diff.model import HeapDiff, TypeGrowth
from heapdiff.explain.accumulation import Branch, find_branches, growth_below
from heapdiff.explain.model import Trend
from heapdiff.snapshot.labels import LabelKind

__all__ = ["Candidate", "is_telling", "rank_growers", "trend_of"]

_LEAST_OBJECTS = 5  # fewer new objects are noise, unless they are large
_LEAST_BYTES = 4096
_ONE_OFF_OBJECTS = 5  # in each step; fewer are rather an import than a leak
_ONE_OFF_BYTES = 65_536
_SLOWER = 0.7  # the later half of the steps adds less than this part of the earlier half
_CONSIDERED = 60  # types whose branches are looked for
_AMONG_FIRST = 2
_MUCH_AS_WELL = 20
_PLAIN_WEIGHT = 16  # growth of plain containers counts that much less than that of a class with a name

# Types without a meaning of their own: what holds them tells more. Those of builtins are added by rule.
_PLAIN = frozenset(
    {
        "_asyncio.FutureIter",
        "_contextvars.Context",
        "_contextvars.Token",
        "_io.BytesIO",
        "_io.StringIO",
        "_thread.RLock",
        "_thread._local",
        "_thread._localdummy",
        "_thread.lock",
        "_weakrefset.WeakSet",
        "array.array",
        "collections.ChainMap",
        "collections.Counter",
        "collections.OrderedDict",
        "collections.UserDict",
        "collections.UserList",
        "collections.defaultdict",
        "collections.deque",
        "functools._lru_list_elem",
        "functools.partial",
        "types.GenericAlias",
        "types.MappingProxyType",
        "types.SimpleNamespace",
        "weakref.KeyedRef",
        "weakref.ReferenceType",
        "weakref.WeakKeyDictionary",
        "weakref.WeakMethod",
        "weakref.WeakSet",
        "weakref.WeakValueDictionary",
        "weakref.finalize",
    }
)

_ENTRY_KINDS = frozenset({LabelKind.KEY, LabelKind.KEY_OF_TYPE, LabelKind.ELEMENT, LabelKind.MEMBER})
_TREND_RANK = {Trend.STEADY: 0, Trend.TWO_PICTURES: 0, Trend.SLOWING: 1, Trend.SAW_TOOTH: 2, Trend.STOPPED: 2}


@attrs.frozen
class Candidate:
    """A type that grew, and the branches on which it did."""

    growth: TypeGrowth
    branches: tuple[Branch, ...]
    steps: tuple[int, ...]  # its live objects below the accumulation point, in each snapshot
    trend: Trend
    group: int
    group_growth_bytes: int

    @property
    def branch(self) -> Branch:
        """The heaviest branch."""
        return self.branches[0]


def rank_growers(diff: HeapDiff, count: int) -> tuple[Candidate, ...]:
    """The types that grew, at most *count*, the most telling first.

    Growers that pile up at one point are one group. Groups go by their growth, those that did not
    stop growing first. In each group the program's own classes come before those of the
    standard library; plain containers come last of all where a class tells the same story.
    """
    considered = [candidate for row in _likely(diff) if (candidate := _candidate(diff, row)) is not None]
    ordered = sorted(considered, key=_importance)
    numbers: dict[object, int] = {}
    for candidate in ordered:
        numbers.setdefault(_point_key(diff, candidate), len(numbers))
    grouped = [attrs.evolve(candidate, group=numbers[_point_key(diff, candidate)]) for candidate in ordered]
    grouped = _without_echoes(grouped)
    best = {candidate.group: _importance(candidate)[:2] for candidate in reversed(grouped)}
    leading = _leading(diff, grouped)
    telling = {candidate.group for candidate in grouped if is_telling(candidate.growth)}

    def place(candidate: Candidate) -> tuple[object, ...]:
        rank, size = best[candidate.group]
        if candidate.group not in telling:
            size //= _PLAIN_WEIGHT
        return (rank, candidate not in leading, size, candidate.group, *_within(candidate))

    return tuple(_with_second_group(sorted(grouped, key=place), best)[:count])


def _with_second_group(ranked: list[Candidate], best: dict[int, tuple[tuple[int, bool], int]]) -> list[Candidate]:
    """The same growers; a second group that grew much as well has its first grower among the first three.

    A client and its server in one process are two groups of many types each, and either may be the one to mend.
    """
    second = next((number for number, candidate in enumerate(ranked) if candidate.group != ranked[0].group), 0)
    if second <= _AMONG_FIRST or not is_telling(ranked[second].growth):
        return ranked
    (rank, size), (other_rank, other_size) = best[ranked[0].group], best[ranked[second].group]
    if rank != other_rank or other_size > size // _MUCH_AS_WELL:  # sizes are negative
        return ranked
    return [*ranked[:_AMONG_FIRST], ranked[second], *ranked[_AMONG_FIRST:second], *ranked[second + 1 :]]


def is_telling(growth: TypeGrowth) -> bool:
    """Whether the type's name says what it is about, as that of a class does and dict does not."""
    return growth.name == "type" or (growth.module not in ("builtins", "types", "") and growth.name not in _PLAIN)


def trend_of(counts: Sequence[int]) -> Trend:
    """How the counts went from snapshot to snapshot; two of them cannot show it.

    The first steps may be a warm-up: the very first whatever it was, others where nothing was added yet.
    """
    steps = [later - earlier for earlier, later in pairwise(counts)]
    if len(steps) < 2:  # noqa: PLR2004 - a trend takes two steps
        return Trend.TWO_PICTURES
    slack = max(1, max(steps) // 20)
    settled = steps if len(steps) == 2 else steps[1:]  # noqa: PLR2004 - one step alone is no trend
    if min(settled) < -slack:
        return Trend.SAW_TOOTH
    if steps[-1] <= slack:
        return Trend.STOPPED
    while len(settled) > max(2, len(steps) // 2) and settled[0] <= slack:
        settled = settled[1:]
    if min(settled) <= slack or settled[-1] <= max(settled) / 2 or _slows_down(settled):
        return Trend.SLOWING
    return Trend.STEADY


def _slows_down(steps: Sequence[int]) -> bool:
    """Whether the later half of four or more steps added much less than the earlier half, as in a cache that fills."""
    half = len(steps) // 2
    return len(steps) >= 4 and sum(steps[-half:]) < _SLOWER * sum(steps[:half])  # noqa: PLR2004 - halves of two


def _likely(diff: HeapDiff) -> list[TypeGrowth]:
    grown = [
        row for row in diff.types if row.objects_delta >= _LEAST_OBJECTS or row.shallow_bytes_delta >= _LEAST_BYTES
    ]
    grown.sort(key=lambda row: (-max(row.retained_bytes_delta or 0, row.shallow_bytes_delta), row.name))
    by_count = sorted(grown, key=lambda row: (not is_telling(row), -row.objects_delta, row.name))
    chosen = {row.name: row for row in (*grown[:_CONSIDERED], *by_count[: _CONSIDERED // 2])}
    return list(chosen.values())


def _candidate(diff: HeapDiff, row: TypeGrowth) -> Candidate | None:
    branches = find_branches(diff.paths, row.name)
    if not branches:
        return None
    branch = branches[0]
    steps = growth_below(diff.paths, row.name, branch.point_paths)
    sizes = diff.paths.subtree_bytes_delta
    above = branch.steps[min(1, len(branch.steps) - 1)] if branch.point == 0 else branch.point_paths
    trend = trend_of(_in_place_steps(diff, branch) if branch.in_place else steps)
    if trend is Trend.STEADY and branch.point and not branch.in_place:
        # Small numbers and shared strings are counted elsewhere at first, and so seem to come late to a full container.
        is_full = _entry_trend(diff, branch, steps[-1] - steps[0]) in (Trend.STOPPED, Trend.SAW_TOOTH)
        trend = Trend.SLOWING if is_full else trend
    return Candidate(
        growth=row,
        branches=branches,
        steps=steps,
        trend=trend,
        group=0,
        group_growth_bytes=sum(sizes[number] for number in above),
    )


def _in_place_steps(diff: HeapDiff, branch: Branch) -> list[int]:
    columns = zip(*(diff.paths[number].shallow_bytes for number in branch.point_paths), strict=True)
    return [sum(sizes) for sizes in columns]


def _entry_trend(diff: HeapDiff, branch: Branch, new_objects: int) -> Trend | None:
    """How the number of the holder's elements went; None where they are too few to bring the new objects."""
    paths = diff.paths
    children = {child for number in branch.point_paths for child in paths.children[number]}
    entries = [paths[child].objects for child in children if paths[child].kind in _ENTRY_KINDS]
    if sum(objects[-1] - objects[0] for objects in entries) <= new_objects // 2:
        return None
    return trend_of([sum(column) for column in zip(*entries, strict=True)])


def _point_key(diff: HeapDiff, candidate: Candidate) -> object:
    branch = candidate.branch
    if branch.point > 0:
        return frozenset(branch.point_paths)
    if len(branch.steps) == 1:
        return ("spread", candidate.growth.name)
    return ("roots", diff.paths[branch.steps[1][0]].kind)


def _is_one_off(candidate: Candidate) -> bool:
    steps = len(candidate.growth.objects) - 1
    return candidate.growth.objects_delta < _ONE_OFF_OBJECTS * steps and candidate.group_growth_bytes < _ONE_OFF_BYTES


def _importance(candidate: Candidate) -> tuple[tuple[int, bool], int, str]:
    rank = (_TREND_RANK[candidate.trend], _is_one_off(candidate))
    return rank, -candidate.group_growth_bytes, candidate.growth.name


def _within(candidate: Candidate) -> tuple[bool, bool, int, str]:
    growth = candidate.growth
    is_standard = growth.module.partition(".")[0] in sys.stdlib_module_names
    retained = max(growth.retained_bytes_delta or 0, growth.shallow_bytes_delta)
    return not is_telling(growth), is_standard, -retained, growth.name


def _leading(diff: HeapDiff, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The growers that tell something new; the others contain or follow what these are.

    That is every telling type, and of the plain ones the first of each group that has no telling
    type, unless its point is above or below that of a group that grew more.
    """
    telling = {candidate.group for candidate in candidates if is_telling(candidate.growth)}
    leading = [candidate for candidate in candidates if is_telling(candidate.growth)]
    points: list[tuple[set[int], set[int]]] = []
    seen: set[int] = set()
    for candidate in candidates:
        if candidate.group in telling or candidate.group in seen or candidate.growth.module == "weakref":
            continue
        seen.add(candidate.group)
        point = set(candidate.branch.point_paths) if candidate.branch.point else set()
        above = {step for number in point for step in diff.paths.ancestry(number)}
        if not any(point & other_above or other & above for other, other_above in points):
            leading.append(candidate)
        points.append((point, above))
    return leading


def _without_echoes(candidates: list[Candidate]) -> list[Candidate]:
    """Without the containers that got larger because of what another grower put into them."""
    explained = {candidate.group for candidate in candidates if not candidate.branch.in_place}
    return [candidate for candidate in candidates if not (candidate.branch.in_place and candidate.group in explained)]
