"""The growth of one type over the label paths in, the branches on which it piles up out."""

from collections.abc import Callable, Iterable

import attrs

from heapdiff.diff.model import PathGrowth, PathTree
from heapdiff.snapshot.labels import LabelKind

__all__ = ["Branch", "find_branches", "growth_below", "named_steps"]

_HEAVY = 0.7  # the child keeps that much of its parent's growth: the branch goes on (MAT's "big drop")
_SPLIT = 0.2  # a part of the whole growth that is followed on its own
_SPLITS = 3
_OWN = 0.3  # the type's own objects are that much of what hangs here: this is where they are
_EXPLAINED = 0.5  # the holder grew so much itself that its own number accounts for what it holds
_FEW = 2  # so few new holders for ...
_FEW_OBJECTS = 5
_USUAL_BYTES = 1024  # a new object of that size is nothing special
_MUCH_LARGER = 8
_MANY = 20  # ... so many new objects each are one place, not a population

# Names that a program makes up as it runs, so that each entry is a label path of its own.
_MADE_UP = frozenset({LabelKind.KEY, LabelKind.ROOT_LOCAL, LabelKind.ROOT_THREAD, LabelKind.ROOT_NATIVE})
_MADE_UP_WHEN_NEW = frozenset({LabelKind.ATTRIBUTE, LabelKind.CELL, LabelKind.LOCAL, LabelKind.ROOT_MODULE})

_VARYING = frozenset({LabelKind.KEY_OF_TYPE})  # the types of keys


@attrs.frozen
class Branch:
    """One way from the virtual root to new objects of a type.

    Each step is a set of paths, mostly of one: paths that differ only in a made-up name go together.
    """

    steps: tuple[tuple[int, ...], ...]  # the virtual root first
    point: int  # index of the step at which the growth piles up; 0: at the roots themselves
    new_objects: int
    growth: int  # in what was measured: objects, or bytes where no objects were added
    in_place: bool = False  # the objects at the point are of the type itself and got larger

    @property
    def point_paths(self) -> tuple[int, ...]:
        """The label paths at which the growth piles up."""
        return self.steps[self.point]

    @property
    def end_paths(self) -> tuple[int, ...]:
        """The label paths at which the descent ended, mostly those of the type itself."""
        return self.steps[-1]


def find_branches(tree: PathTree, type_name: str) -> tuple[Branch, ...]:
    """Where the new objects of a type hang, the heaviest branch first.

    The growth of each label path is summed up towards the root; from there the descent takes the
    heaviest child as long as it keeps 0.7 of its parent's growth. Where objects of the type were
    not added but got larger, bytes are followed in place of objects.
    """
    paths = tree.by_type.get(type_name, ())
    measures: tuple[Callable[[PathGrowth], int], ...] = (_objects_delta, _bytes_delta)
    if _got_larger(paths):
        measures = (_bytes_delta, _objects_delta)
    for measure in measures:
        own = {path.number: measure(path) for path in paths if measure(path)}
        search = _Search(tree, own, in_bytes=measure is _bytes_delta)
        if search.sums.get(0, 0) > 0:
            return tuple(sorted(search.follow(((0,),)), key=lambda branch: -branch.growth))
    return ()


def growth_below(tree: PathTree, type_name: str, above: Iterable[int]) -> tuple[int, ...]:
    """Objects of a type on the changed paths at and below some paths, in each snapshot."""
    inside = set(above)
    outside: set[int] = set()
    counts = [0] * len(tree[0].objects)
    for path in tree.by_type.get(type_name, ()):
        climb, number = [], path.number
        while number not in inside and number not in outside and number:
            climb.append(number)
            number = tree[number].parent
        (inside if number in inside else outside).update(climb)
        if path.number in inside:
            counts = [count + more for count, more in zip(counts, path.objects, strict=True)]
    return tuple(counts)


def named_steps(tree: PathTree, branch: Branch) -> list[tuple[LabelKind, str, str]]:
    """Label kind, text and type name of each step but the root; without the text where it is made up or may vary."""
    steps = []
    for numbers in branch.steps[1:]:
        first = tree[numbers[0]]
        is_one_name = len({tree[number].text for number in numbers}) == 1
        kind = first.kind if is_one_name or first.kind.is_root else LabelKind.KEY_OF_TYPE
        text = first.text if is_one_name and kind not in _VARYING else ""
        steps.append((kind, text, first.type_name))
    return steps


def _got_larger(paths: Iterable[PathGrowth]) -> bool:
    """Whether hardly any objects were added, or the bytes grew far more than new ones of the usual size account for."""
    new_objects = new_bytes = old_objects = old_bytes = 0
    for path in paths:
        new_objects += path.objects_delta
        new_bytes += path.shallow_bytes_delta
        old_objects += path.objects[0]
        old_bytes += path.shallow_bytes[0]
    if new_objects < _FEW_OBJECTS and new_bytes > 0:
        return True
    usual = max(old_bytes / old_objects if old_objects else 0.0, _USUAL_BYTES)
    return new_bytes > _MUCH_LARGER * usual * max(new_objects, 0) and new_bytes > _MUCH_LARGER * _USUAL_BYTES


def _objects_delta(path: PathGrowth) -> int:
    return path.objects_delta


def _bytes_delta(path: PathGrowth) -> int:
    return path.shallow_bytes_delta


class _Search:
    """The descent through the sums of one type's growth."""

    def __init__(self, tree: PathTree, own: dict[int, int], *, in_bytes: bool) -> None:
        self._tree = tree
        self._own = own
        self._in_bytes = in_bytes
        self.sums: dict[int, int] = {}
        for number, growth in own.items():
            while True:
                self.sums[number] = self.sums.get(number, 0) + growth
                if number == 0:
                    break
                number = tree[number].parent  # noqa: PLW2901 - climbing to the root

    def follow(self, steps: tuple[tuple[int, ...], ...]) -> list[Branch]:
        """The branches that continue these steps."""
        while True:
            here = steps[-1]
            whole = sum(self.sums[number] for number in here)
            own = sum(self._own.get(number, 0) for number in here)
            if own >= _OWN * whole:
                return [self._branch(steps, whole)]
            heaviest = self._heaviest(self._children(here, _exact), whole) or self._heaviest(
                self._children(here, _loose), whole
            )
            if heaviest is None:
                return self._split(steps, whole)
            steps = (*steps, heaviest)

    def _children(
        self, here: tuple[int, ...], key_of: Callable[[PathGrowth], object]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """Children with growth of the type, those of one key together, the heaviest first."""
        groups: dict[object, list[int]] = {}
        for number in here:
            for child in self._tree.children[number]:
                if child in self.sums:
                    groups.setdefault(key_of(self._tree[child]), []).append(child)
        weighed = [(sum(self.sums[child] for child in group), tuple(group)) for group in groups.values()]
        return sorted(weighed, key=lambda item: -item[0])

    def _heaviest(self, children: list[tuple[int, tuple[int, ...]]], whole: int) -> tuple[int, ...] | None:
        return children[0][1] if children and children[0][0] >= _HEAVY * whole else None

    def _split(self, steps: tuple[tuple[int, ...], ...], whole: int) -> list[Branch]:
        """One branch for each heavy child of a place that did not grow itself, else the place as a whole."""
        if not self._is_point(steps[-1], None):
            return [self._branch(steps, whole)]
        parts = [
            group for growth, group in self._children(steps[-1], _loose)[:_SPLITS] if growth >= _SPLIT * self.sums[0]
        ]
        # A container whose entries all differ is one place; a module or the root is none.
        if not parts or (len(parts) == 1 and len(steps) > 1):
            return [self._branch(steps, whole)]
        return [branch for group in parts for branch in self.follow((*steps, group))]

    def _branch(self, steps: tuple[tuple[int, ...], ...], whole: int) -> Branch:
        end = steps[-1]
        new_objects = sum(self._tree[number].objects_delta for number in self._below(end))
        ends_in_type = any(number in self._own for number in end)
        if self._in_bytes and ends_in_type and new_objects <= 0:
            return Branch(steps, len(steps) - 1, 0, whole, in_place=True)
        point = len(steps) - 1
        if ends_in_type:
            point -= 1
        elif self._is_point(end, None):
            return Branch(steps, point, new_objects, whole)
        else:
            point -= 1
        while point > 0 and not self._is_point(steps[point], steps[point + 1]):
            point -= 1
        return Branch(steps, max(point, 0), new_objects, whole)

    def _below(self, here: tuple[int, ...]) -> list[int]:
        """The type's own paths at and below some paths."""
        found, queue = [], list(here)
        while queue:
            number = queue.pop()
            if number in self._own:
                found.append(number)
            queue += [child for child in self._tree.children[number] if child in self.sums]
        return found

    def _is_point(self, here: tuple[int, ...], successor: tuple[int, ...] | None) -> bool:
        """Whether what hangs here grew while the number of objects here did not, or not enough to account for it."""
        holders = self._counts(here)
        held = self._counts(self._below(here) if successor is None else successor)
        # A place that is younger than the base is judged by what it did since it was there.
        start = next((k for k, count in enumerate(holders[:-1]) if count > 0), 0)
        new_holders, new_held = holders[-1] - holders[start], held[-1] - held[start]
        if new_holders <= 0:
            return True
        if new_holders <= _FEW and new_held >= _MANY * new_holders:
            return True
        return new_holders * held[-1] / holders[-1] < _EXPLAINED * new_held

    def _counts(self, numbers: Iterable[int]) -> list[int]:
        counts = [0] * len(self._tree[0].objects)
        for number in numbers:
            counts = [count + more for count, more in zip(counts, self._tree[number].objects, strict=True)]
        return counts


def _exact(path: PathGrowth) -> object:
    return (path.kind, path.text, path.type_name)


def _loose(path: PathGrowth) -> object:
    if path.kind in _MADE_UP or (path.kind in _MADE_UP_WHEN_NEW and path.objects[0] == 0):
        return (path.kind, path.type_name)
    return (path.kind, path.text, path.type_name)
