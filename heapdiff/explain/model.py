"""The nouns of the explanation: what grows, what holds it, how it hangs together, and what mends it."""

from __future__ import annotations

import enum

import attrs

from heapdiff.diff.model import HeapDiff, SiteGrowth
from heapdiff.snapshot.labels import LabelKind

__all__ = [
    "AcceptedGrower",
    "ChainHop",
    "Contrast",
    "ContrastKind",
    "Coverage",
    "Explanation",
    "Grower",
    "Holder",
    "HolderKind",
    "Imported",
    "KnownGrowth",
    "KnownLeak",
    "Settling",
    "Slope",
    "Standing",
    "Trend",
    "Verdict",
    "VerdictKind",
]


class Trend(enum.Enum):
    """How a count went from snapshot to snapshot."""

    TWO_PICTURES = "two pictures"  # they cannot show whether it stops
    STEADY = "steady"  # grew in every step
    SLOWING = "slowing"  # grew in every step, but ever less, or not in all of them
    STOPPED = "stopped"  # grew at first, then no longer
    STAIRCASE = "staircase"  # grew by steps, with rests between them
    SAW_TOOTH = "saw-tooth"  # shrank in between: something takes entries out


class VerdictKind(enum.Enum):
    """What a rule says of the growth."""

    LEAK = "leak"
    BENIGN = "benign"
    UNSURE = "unsure"


class HolderKind(enum.Enum):
    """What sort of thing keeps the new objects alive."""

    OBJECT = "object"  # one object, or a set of objects at one label path
    LOCAL = "local variable"  # of a frame that is running
    NATIVE = "native code"  # references that no object explains
    INTERPRETER = "interpreter"  # the interpreter's own state
    ROOT = "GC root"  # another root
    SPREAD = "many places"  # no single holder


@attrs.frozen
class Verdict:
    """What a rule made of the evidence; a kind of leak names what is wrong and what mends it."""

    rule: str  # stable identifier, such as "unbounded-mapping"
    kind: VerdictKind
    text: str
    mend: str = ""
    known: str = ""  # which package is known to leak so, and the version that mends it


@attrs.frozen
class KnownLeak:
    """A leak of a published package that is on record: how it is recognised, and what mends it.

    It only adds a sentence to a verdict that stands without it.
    """

    package: str  # the distribution, lower case with hyphens
    affected: str  # versions, such as ">=6.3.0,<6.4.0"; empty: all
    fixed: str  # the first version that is mended; empty: none is known
    text: str  # what leaks, after "such and such a version"
    reference: str  # where it is on record
    module: str = ""  # a type or module of the growth is in it; empty: not asked
    path: tuple[str, ...] = ()  # parts of the chain or of a holder's expression, in their order
    rules: tuple[str, ...] = ()  # verdicts that it fits; empty: any
    mend: str = ""  # where no version is mended


@attrs.frozen
class Holder:
    """What keeps the new objects alive: the point of the chains where they pile up."""

    kind: HolderKind
    expression: str  # as in code, such as "app.locks.registry._locks"
    type_name: str
    object_count: int  # objects at this label path now; 1 where one object holds all
    object_count_base: int
    new_objects: int  # growth of the grower's type below it
    path: int | None  # number of its label path in HeapDiff.paths
    objects: tuple[int, ...] = ()  # numbers in the last snapshot
    retained_bytes_base: int | None = None
    retained_bytes_now: int | None = None
    entries_base: int | None = None  # elements it refers to; None: it is no container, or unknown
    entries_now: int | None = None
    shallow_bytes_delta: int = 0
    joint: bool = False  # others keep the same objects alive: all must let go
    exclusive_bytes: int | None = None  # freed if only this holder let go
    share_bytes: int | None = None  # that, and its even part of what all of them keep alive

    @property
    def retained_bytes_delta(self) -> int | None:
        """Bytes that only this holder keeps alive, now minus base."""
        if self.retained_bytes_base is None or self.retained_bytes_now is None:
            return None
        return self.retained_bytes_now - self.retained_bytes_base


@attrs.frozen
class ChainHop:
    """One object on the chain from a GC root to a new object, and the reference that leads to it."""

    kind: LabelKind
    label: str  # as in code: ".registry", "['…']", "module app.locks"
    type_name: str
    shallow_bytes: int
    retained_bytes: int
    repeats: int = 1  # objects of one linked list that are drawn as one hop
    objects_base: int | None = None  # at this label path; None: unchanged or not known
    objects_now: int | None = None
    is_holder: bool = False  # here it piles up
    is_owner: bool = False  # the first thing on the chain that is not of the standard library
    name: str = ""  # of a task: its name and coroutine, such as '"poller-…" (app.poll)'


@attrs.frozen
class Slope:
    """By how much a count goes up from one snapshot to the next: least squares over all of them."""

    per_step: float
    confidence: float  # half the width of the interval that has it with 95 %
    unit: str  # "objects" or "bytes"
    rises: int = 0  # of a staircase; 0: it is none


class Standing(enum.Enum):
    """What became of the growth of a busy time once the program had settled."""

    DRAINED = "drained"  # a tenth of it is left, or less
    MOSTLY_DRAINED = "mostly drained"  # a half, or less
    HELD = "held"
    GROWING = "still growing"  # more is there than when it was busy


@attrs.frozen
class Settling:
    """One type or label path at the three moments of a settle check: before, busy and settled."""

    type_name: str
    path: str | None  # label path as code; None: all objects of the type
    counts: tuple[int, int, int]
    unit: str  # "objects", or "bytes" where objects got larger in place
    standing: Standing
    kept: int | None = None  # objects made while it was busy and there when it had settled; None: two processes

    @property
    def part(self) -> float:
        """The part of the busy time's growth that is left, above 1 where more was added since."""
        base, busy, settled = self.counts
        return (settled - base) / (busy - base)


class ContrastKind(enum.Enum):
    """Whether growth belongs to what is tested."""

    TREATMENT_ONLY = "treatment only"  # in every treatment and no control
    LIKELY = "likely"  # in some treatments and no control
    ALSO_IN_CONTROL = "also in the control"


@attrs.frozen
class Contrast:
    """Growth of one type at one label path, with what is tested and without."""

    kind: ContrastKind
    treatment: tuple[int, ...]  # in each treatment
    control: tuple[int, ...]
    unit: str  # "objects", or "bytes" where objects got larger in place


@attrs.frozen
class Grower:
    """A type whose live objects grew, and why they cannot be freed."""

    type_name: str
    objects: tuple[int, ...]  # live objects in each snapshot, the base first
    shallow_bytes_delta: int
    retained_bytes_delta: int | None
    steps: tuple[int, ...]  # those below the accumulation point, in each snapshot
    trend: Trend
    holders: tuple[Holder, ...]
    chain: tuple[ChainHop, ...]
    sites: tuple[SiteGrowth, ...]
    group: int  # growers of one number pile up at one point
    group_growth_bytes: int  # by which all that hangs below that point grew
    in_place: bool = False  # the same objects got larger
    imported: bool = False  # it came with modules that were imported between the snapshots
    verdict: Verdict | None = None
    fingerprint: str = ""
    slope: Slope | None = None  # None: fewer than three steps
    settling: Settling | None = None  # None: no settle check
    contrast: Contrast | None = None  # None: no groups were compared

    @property
    def objects_base(self) -> int:
        """Live objects of the type in the base."""
        return self.objects[0]

    @property
    def objects_now(self) -> int:
        """Live objects of the type in the last snapshot."""
        return self.objects[-1]

    @property
    def objects_delta(self) -> int:
        """Live objects now minus live objects in the base."""
        return self.objects[-1] - self.objects[0]

    @property
    def holder(self) -> Holder | None:
        """The holder with most of the new objects."""
        return self.holders[0] if self.holders else None


@attrs.frozen
class KnownGrowth:
    """Growth that somebody has looked at and accepts: a fingerprint, and the reason."""

    fingerprint: str
    reason: str
    type_name: str = ""  # empty: not said, the fingerprint decides alone
    holder: str = ""  # for the reader


@attrs.frozen
class AcceptedGrower:
    """A type that grew as it is known to."""

    known: KnownGrowth
    type_name: str
    objects_delta: int
    shallow_bytes_delta: int
    in_place: bool = False


@attrs.frozen
class Coverage:
    """How much of the growth of the process the growers explain; None is not measured."""

    rss_bytes_delta: int | None
    live_bytes_delta: int
    explained_bytes: int  # growth below the accumulation points of the growers
    arena_bytes_delta: int | None  # address space that pymalloc took
    unexplained_blocks: int | None = None  # memory blocks in use beyond what objects account for
    snapshot_bytes: int = 0  # of the RSS, what the earlier snapshots take that this very process holds

    @property
    def explained_part(self) -> float | None:
        """The explained part of the growth of RSS, 0 to 1; None where RSS did not grow or was not measured.

        What heapdiff's own earlier snapshots take is not counted as growth.
        """
        if self.rss_bytes_delta is None or self.rss_bytes_delta <= self.snapshot_bytes:
            return None
        return max(0.0, min(1.0, self.explained_bytes / (self.rss_bytes_delta - self.snapshot_bytes)))


@attrs.frozen
class Imported:
    """What came with modules that were not there in the base."""

    module_count: int
    type_count: int  # types with more live objects below them
    shallow_bytes: int  # of all that hangs below them


@attrs.frozen(eq=False)
class Explanation:
    """Why what grew cannot be freed: the growers, most telling first."""

    diff: HeapDiff
    growers: tuple[Grower, ...]
    coverage: Coverage
    garbage_verdict: Verdict | None = None
    blocks_verdict: Verdict | None = None  # memory that no object accounts for
    next_step: str | None = None
    accepted: tuple[AcceptedGrower, ...] = ()  # apart from the growers
    gone: tuple[KnownGrowth, ...] = ()  # accepted, but grown no longer
    imported: Imported | None = None  # None: no growth came with new modules
    settlings: tuple[Settling, ...] | None = None  # of a settle check; None: it is none
