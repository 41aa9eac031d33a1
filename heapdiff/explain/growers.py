"""The diff in, the types worth explaining out, the most telling first."""

import sys
from collections.abc import Collection, Sequence
from itertools import pairwise

import attrs

from heapdiff.diff.model import HeapDiff, TypeGrowth
from heapdiff.explain.accumulation import Branch, find_branches, growth_below
from heapdiff.explain.model import Trend
from heapdiff.snapshot.labels import LabelKind

__all__ = ["Candidate", "candidates_of", "is_telling", "rank_growers", "trend_of"]

_LEAST_OBJECTS = 5  # fewer new objects are noise, unless they are large
_LEAST_BYTES = 4096
_ONE_OFF_OBJECTS = 5  # in each step; fewer are rather an import than a leak
_ONE_OFF_BYTES = 65_536
_SLOWER = 0.7  # the later half of the steps adds less than this part of the earlier half
_CONSIDERED = 60  # types whose branches are looked for
_NOISE_PART = 0.005  # of the largest growth; a grower below all three is in the table only, unless it is steady
_NOISE_BYTES = 4096
_NOISE_OBJECTS = 10
_HANDFUL = 12  # objects that only native code holds, such as names that it keeps for later
_HANDFUL_BYTES = 1024
_FEW_CONTAINERS = 2  # new ones where another grower piles up
_OWN_STORY = 100  # new objects in one container of a new module, too many for an import
_FINDERS = "path_importer_cache"  # of the module sys: one for each folder that was imported from
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

# Handles and futures on the way to a task say less than its name does.
_TASKS = frozenset({"_asyncio.Task", "asyncio.tasks.Task"})

_ENTRY_KINDS = frozenset({LabelKind.KEY, LabelKind.KEY_OF_TYPE, LabelKind.ELEMENT, LabelKind.MEMBER})
_ONCE = frozenset({Trend.TWO_PICTURES, Trend.STOPPED})
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
    root_kind: LabelKind | None = None  # of the heaviest branch; None: many roots
    imported: bool = False  # it came with modules that were imported between the snapshots
    weight: int = 0  # bytes by which the growers of its group grew themselves

    @property
    def branch(self) -> Branch:
        """The heaviest branch."""
        return self.branches[0]

    @property
    def held_by_native(self) -> bool:
        """Whether the new objects hang at a reference of native code and nowhere else that is known."""
        branch = self.branch
        return self.root_kind is LabelKind.ROOT_NATIVE and branch.point <= 1


def rank_growers(diff: HeapDiff, count: int) -> tuple[Candidate, ...]:
    """The types that grew, at most *count*, the most telling first.

    Growers that pile up at one point are one group. Groups go by what their growers retain, those that
    did not stop growing first. In each group the program's own classes come before those of the
    standard library; plain containers come last of all where a class tells the same story. What
    came with newly imported modules is one group, and the very last.
    """
    considered = [candidate for row in _likely(diff) if (candidate := _candidate(diff, row)) is not None]
    considered = _without_held_growers(_weighed(diff, _without_noise(considered)))
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
        return (candidate.imported, rank, candidate not in leading, size, candidate.group, *_within(candidate))

    return tuple(_with_second_group(sorted(grouped, key=place), best)[:count])


def candidates_of(diff: HeapDiff, type_names: Collection[str]) -> tuple[Candidate, ...]:
    """These types as candidates, where they grew at all: for somebody who knows already that each object matters."""
    rows = [row for row in diff.types if row.name in type_names]
    return tuple(candidate for row in rows if (candidate := _candidate(diff, row)) is not None)


def _with_second_group(ranked: list[Candidate], best: dict[int, tuple[tuple[int, bool], int]]) -> list[Candidate]:
    """The same growers; a second group that grew much as well has its first grower among the first three.

    A client and its server in one process are two groups of many types each, and either may be the one to mend.
    """
    second = next((number for number, candidate in enumerate(ranked) if candidate.group != ranked[0].group), 0)
    if second <= _AMONG_FIRST or ranked[second].imported or not is_telling(ranked[second].growth):
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
    if set(steps) == {1}:
        return Trend.STEADY  # one each time is less than the slack, but never misses
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
        row
        for row in diff.types
        if row.objects_delta >= _LEAST_OBJECTS or row.shallow_bytes_delta >= _LEAST_BYTES or _grows_slowly(row)
    ]
    grown.sort(key=lambda row: (-max(row.retained_bytes_delta or 0, row.shallow_bytes_delta), row.name))
    by_count = sorted(grown, key=lambda row: (not is_telling(row), -row.objects_delta, row.name))
    chosen = {row.name: row for row in (*grown[:_CONSIDERED], *by_count[: _CONSIDERED // 2])}
    return list(chosen.values())


def _grows_slowly(row: TypeGrowth) -> bool:
    """Whether the program's own class had more objects in each of three or more snapshots, however few."""
    return (
        len(row.objects) > 2  # noqa: PLR2004 - two pictures show no trend
        and all(later > earlier for earlier, later in pairwise(row.objects))
        and is_telling(row)
        and not _is_standard(row)
    )


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
        root_kind=diff.paths[branch.steps[1][0]].kind if len(branch.steps) > 1 else None,
        imported=trend in _ONCE and _is_imported(diff, branch, row),
    )


def _is_imported(diff: HeapDiff, branch: Branch, row: TypeGrowth) -> bool:
    """Whether the new objects hang in modules that were not there in the base, and not as a story of their own."""
    if len(branch.steps) == 1:
        return False
    if diff.paths[branch.point_paths[0]].text == _FINDERS and diff.paths[branch.steps[1][0]].text == "sys":
        return True
    roots = [diff.paths[number] for number in branch.steps[1]]
    if any(root.kind is not LabelKind.ROOT_MODULE or root.objects[0] > 0 for root in roots):
        return False
    return branch.point <= 1 or branch.new_objects < _OWN_STORY or not is_telling(row) or _is_standard(row)


def _own_growth(candidate: Candidate) -> int:
    growth = candidate.growth
    return max(growth.retained_bytes_delta or 0, growth.shallow_bytes_delta)


def _without_noise(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without the growers that are too small to be worth explaining; those that go on growing steadily stay."""
    largest = max((_own_growth(candidate) for candidate in candidates if not candidate.imported), default=0)
    floor = min(_NOISE_BYTES, _NOISE_PART * largest)
    return [candidate for candidate in candidates if not _is_noise(candidate, floor)]


def _is_noise(candidate: Candidate, floor: float) -> bool:
    growth, size = candidate.growth, _own_growth(candidate)
    if candidate.trend is Trend.STEADY:
        return False
    retained = growth.retained_bytes_delta
    if retained is not None and retained <= 0 and growth.shallow_bytes_delta < _NOISE_BYTES:
        return True
    if candidate.held_by_native and growth.objects_delta < _HANDFUL and size < _HANDFUL_BYTES:
        return True
    return growth.objects_delta < _NOISE_OBJECTS and size < floor


def _weighed(diff: HeapDiff, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The same, each with what the growers of its group grew themselves.

    All that hangs below a point is no measure where that is the roots: then it is the program as a whole.
    """
    groups: dict[object, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(_point_key(diff, candidate), []).append(candidate)
    weights = {key: _weight(members) for key, members in groups.items()}
    return [attrs.evolve(candidate, weight=weights[_point_key(diff, candidate)]) for candidate in candidates]


def _weight(members: Sequence[Candidate]) -> int:
    at_roots = members[0].branch.point == 0
    telling = [candidate for candidate in members if is_telling(candidate.growth)] if at_roots else []
    size = max(_own_growth(candidate) for candidate in telling or members)
    below = members[0].group_growth_bytes
    return min(size, below) if below > 0 else size


def _without_held_growers(candidates: list[Candidate]) -> list[Candidate]:
    """Without the plain containers at which other growers pile up: they are their holders, not suspects."""
    held: dict[int, set[str]] = {}
    for candidate in candidates:
        if candidate.branch.point and not candidate.branch.in_place:
            for number in candidate.branch.point_paths:
                held.setdefault(number, set()).add(candidate.growth.name)

    def is_holder(candidate: Candidate) -> bool:
        ends = candidate.branch.end_paths
        return (
            not is_telling(candidate.growth)
            and candidate.branch.new_objects <= _FEW_CONTAINERS
            and all(held.get(number, set()) - {candidate.growth.name} for number in ends)
        )

    return [candidate for candidate in candidates if candidate.branch.in_place or not is_holder(candidate)]


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
    if candidate.imported:
        return "imported"
    if branch.point > 0:
        return frozenset(branch.point_paths)
    if len(branch.steps) == 1:
        return ("spread", candidate.growth.name)
    return ("roots", diff.paths[branch.steps[1][0]].kind)


def _is_one_off(candidate: Candidate) -> bool:
    steps = len(candidate.growth.objects) - 1
    return candidate.growth.objects_delta < _ONE_OFF_OBJECTS * steps and candidate.weight < _ONE_OFF_BYTES


def _importance(candidate: Candidate) -> tuple[tuple[int, bool], int, str]:
    rank = (_TREND_RANK[candidate.trend], _is_one_off(candidate))
    return rank, -candidate.weight, candidate.growth.name


def _within(candidate: Candidate) -> tuple[bool, bool, bool, int, str]:
    growth = candidate.growth
    return not is_telling(growth), _is_standard(growth), growth.name not in _TASKS, -_own_growth(candidate), growth.name


def _is_standard(growth: TypeGrowth) -> bool:
    return growth.module.partition(".")[0] in sys.stdlib_module_names and growth.module != "__main__"


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
