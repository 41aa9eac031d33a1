"""The nouns of the diff: what grew by type, by allocation site and by label path."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from functools import cached_property

import attrs

from heapdiff.graph import HeapGraph
from heapdiff.snapshot.labels import LabelKind

__all__ = ["Garbage", "HeapDiff", "Identity", "IdentityMode", "PathGrowth", "PathTree", "SiteGrowth", "TypeGrowth"]


@attrs.frozen
class TypeGrowth:
    """The live objects of one type in each snapshot, the base first.

    Types are matched by module and name. Two classes of one name are one row here: ``row_count``
    says how many were summed.
    """

    name: str  # full, such as "app.locks.Lock"; builtins without their module
    module: str
    objects: tuple[int, ...]
    shallow_bytes: tuple[int, ...]
    rows_base: tuple[int, ...] = ()  # rows of the type tables
    rows_now: tuple[int, ...] = ()
    retained_bytes_base: int | None = None  # exact, of all its objects as one set; None: not computed
    retained_bytes_now: int | None = None

    @property
    def objects_delta(self) -> int:
        """Live objects now minus live objects in the base."""
        return self.objects[-1] - self.objects[0]

    @property
    def shallow_bytes_delta(self) -> int:
        """Bytes of the live objects themselves, now minus base."""
        return self.shallow_bytes[-1] - self.shallow_bytes[0]

    @property
    def retained_bytes_delta(self) -> int | None:
        """Bytes that all objects of the type keep alive together, now minus base."""
        if self.retained_bytes_base is None or self.retained_bytes_now is None:
            return None
        return self.retained_bytes_now - self.retained_bytes_base

    @property
    def row_count(self) -> int:
        """Types of this very name in the snapshot that has more of them."""
        return max(len(self.rows_base), len(self.rows_now))


@attrs.frozen
class SiteGrowth:
    """Live objects of one type that one line of code allocated."""

    frames: tuple[tuple[str, int], ...]  # innermost (file, line) first
    type_name: str
    objects_base: int
    objects_now: int
    shallow_bytes_base: int
    shallow_bytes_now: int

    @property
    def objects_delta(self) -> int:
        """Live objects now minus live objects in the base."""
        return self.objects_now - self.objects_base

    @property
    def shallow_bytes_delta(self) -> int:
        """Their bytes, now minus base."""
        return self.shallow_bytes_now - self.shallow_bytes_base


@attrs.frozen
class PathGrowth:
    """All objects that one label path leads to, in each snapshot, the base first."""

    number: int
    parent: int  # number of the path that is one reference shorter; the root is its own
    kind: LabelKind
    text: str  # of the label, where its kind has one
    type_name: str
    objects: tuple[int, ...]
    shallow_bytes: tuple[int, ...]
    base_node: int | None = None  # node of the label tree of the first and of the last snapshot
    now_node: int | None = None

    @property
    def objects_delta(self) -> int:
        """Live objects now minus live objects in the base."""
        return self.objects[-1] - self.objects[0]

    @property
    def shallow_bytes_delta(self) -> int:
        """Their bytes, now minus base."""
        return self.shallow_bytes[-1] - self.shallow_bytes[0]


@attrs.frozen(eq=False, repr=False)
class PathTree:
    """The label paths that changed, and the paths that lead to them.

    Path 0 is the virtual root; a parent's number is smaller than its children's.
    """

    paths: tuple[PathGrowth, ...]

    def __getitem__(self, number: int) -> PathGrowth:
        return self.paths[number]

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[PathGrowth]:
        return iter(self.paths)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the paths that are one reference longer, for each path."""
        children: list[list[int]] = [[] for _ in self.paths]
        for path in self.paths[1:]:
            children[path.parent].append(path.number)
        return tuple(tuple(numbers) for numbers in children)

    @cached_property
    def subtree_bytes_delta(self) -> tuple[int, ...]:
        """Bytes by which each path and all that continues it grew. Unlike retained sizes these add up."""
        deltas = [path.shallow_bytes_delta for path in self.paths]
        for path in reversed(self.paths[1:]):
            deltas[path.parent] += deltas[path.number]
        return tuple(deltas)

    @cached_property
    def by_type(self) -> dict[str, tuple[PathGrowth, ...]]:
        """The changed paths that end in an object of each type."""
        grouped: dict[str, list[PathGrowth]] = {}
        for path in self.paths[1:]:
            grouped.setdefault(path.type_name, []).append(path)
        return {name: tuple(paths) for name, paths in grouped.items()}

    @cached_property
    def by_now_node(self) -> dict[int, int]:
        """The number of the first path of each node of the last label tree that has one."""
        found: dict[int, int] = {}
        for path in self.paths:
            if path.now_node is not None:
                found.setdefault(path.now_node, path.number)
        return found

    def ancestry(self, number: int) -> tuple[int, ...]:
        """The path numbers from the first reference of the root down to *number*."""
        steps = []
        while number:
            steps.append(number)
            number = self.paths[number].parent
        return tuple(reversed(steps))


@attrs.frozen
class Garbage:
    """Objects that no root reaches and that only wait for the collector."""

    objects_base: int
    objects_now: int
    shallow_bytes_base: int
    shallow_bytes_now: int


class IdentityMode(enum.Enum):
    """How it is known that an object of the base and one of now are the same."""

    EXACT = "exact"  # for tracked objects, by the collector's permanent generation
    ADDRESS = "address and type"  # the address may have been reused in between
    NONE = "none"  # two processes


@attrs.frozen
class Identity:
    """How many objects survived from base to now; None between two processes."""

    mode: IdentityMode
    survivors: int | None = None
    proven: int | None = None  # of the survivors, those that are the same without doubt
    recycled: int | None = None  # new objects at the address of one of their type that died; None: cannot be told
    new: int | None = None
    gone: int | None = None


@attrs.frozen(eq=False, repr=False)
class HeapDiff:
    """Two heaps subtracted: the live objects of *now* minus those of *base*.

    Garbage is counted apart, and what heapdiff itself made is not counted at all.
    ``snapshot_count`` is 2 or more: the moments between base and now are in the tuples of each row.
    """

    base: HeapGraph
    now: HeapGraph
    types: tuple[TypeGrowth, ...]  # whatever changed, most shallow bytes first
    paths: PathTree
    sites: tuple[SiteGrowth, ...] | None  # None: not traced in both
    garbage: Garbage
    live_objects: tuple[int, ...]
    live_bytes: tuple[int, ...]
    same_process: bool
    capture_times: tuple[float | None, ...] = ()
    snapshot_bytes: tuple[int, ...] = ()  # memory that each snapshot itself takes
    allocated_blocks: tuple[int | None, ...] = ()  # memory blocks that Python's allocators had handed out
    remarks: tuple[str, ...] = ()
    identity: Identity = Identity(IdentityMode.NONE)

    @property
    def snapshot_count(self) -> int:
        """Snapshots that were compared, base and now included."""
        return len(self.live_objects)

    @property
    def live_bytes_delta(self) -> int:
        """Shallow bytes of all live objects, now minus base."""
        return self.live_bytes[-1] - self.live_bytes[0]

    @property
    def grown(self) -> Sequence[TypeGrowth]:
        """Types with more live objects or bytes than in the base."""
        return [row for row in self.types if row.objects_delta > 0 or row.shallow_bytes_delta > 0]

    @property
    def shrunk(self) -> Sequence[TypeGrowth]:
        """Types with fewer live objects or bytes than in the base, and not more of the other."""
        return [row for row in self.types if row not in self.grown and (row.objects_delta or row.shallow_bytes_delta)]

    def __repr__(self) -> str:
        return f"<HeapDiff of {self.snapshot_count} snapshots, {self.live_bytes_delta:+,} live bytes>"
