"""A snapshot: one heap at one moment, as flat columns. It holds no live object."""

import bisect
import enum
from collections.abc import Mapping

import attrs

from heapdiff.native import Columns
from heapdiff.snapshot.labels import LabelKind, kind_of, payload_of
from heapdiff.snapshot.names import text_of, type_name_of

__all__ = ["Limit", "ObjectFlag", "Process", "Root", "Snapshot"]

_LARGE = 0xFFFFFFFF  # as a size: see the column large_bytes


class ObjectFlag(enum.IntFlag):
    """What is known of one object, as in ``native/graph/heap.hpp``."""

    TRACKED = 1  # in a list of the cyclic collector
    FROZEN = 2  # in its permanent generation (gc.freeze)
    IMMORTAL = 4
    OWN = 8  # made by heapdiff itself; neither counted nor holding
    STATIC = 16  # not allocated: part of a library
    NATIVE_MEMORY = 32  # has memory of its own that could not be sized
    MODULE = 64  # in sys.modules: a root names it
    LAST_ERROR = 128  # what sys.last_exc, last_value and last_traceback keep


@attrs.frozen
class Process:
    """What the operating system and the interpreter said of the process; None is not measured."""

    pid: int | None = None
    host: str | None = None
    start_time: float | None = None  # seconds since the epoch
    capture_time: float | None = None  # seconds since the epoch
    python: str | None = None
    platform: str | None = None
    command: str | None = None  # the script's name, without its arguments
    thread_count: int | None = None
    rss_bytes: int | None = None
    rss_peak_bytes: int | None = None
    swap_bytes: int | None = None
    descriptors: Mapping[str, int] | None = None  # open file descriptors by kind
    gc_enabled: bool | None = None
    gc_collections: tuple[int, ...] | None = None  # by generation, since the start
    gc_frozen_objects: int | None = None
    allocated_blocks: int | None = None  # sys.getallocatedblocks()
    arena_bytes: int | None = None  # address space that pymalloc took from the system
    pause_seconds: float | None = None  # how long the capture held the GIL
    pause_cpu_seconds: float | None = None
    capture_seconds: float | None = None  # all of it
    collected_before: bool | None = None  # whether gc.collect() ran right before
    traced_frames: int | None = None  # tracemalloc's limit; None: it was not tracing
    packages: Mapping[str, str] | None = None  # versions of the imported distributions, by name
    epoch_start: float | None = None  # seconds since the epoch; of the gc.freeze() epoch that it was taken in

    def with_pause(self, pause_seconds: float, pause_cpu_seconds: float, capture_seconds: float) -> "Process":
        """The same with what the capture itself took."""
        return attrs.evolve(
            self,
            pause_seconds=pause_seconds,
            pause_cpu_seconds=pause_cpu_seconds,
            capture_seconds=capture_seconds,
        )


@attrs.frozen
class Limit:
    """Something the snapshot could not see, by a stable name and in a sentence."""

    name: str
    text: str


@attrs.frozen
class Root:
    """A reference that starts at the virtual root: what the interpreter itself holds."""

    kind: LabelKind
    name: str
    object: int


@attrs.frozen(eq=False, repr=False)
class Snapshot:
    """One heap at one moment: tables of objects, references, roots, types and sites.

    Objects are numbers ``0 ... object_count - 1`` in the order of their addresses; object 0 is
    the virtual root, and its references are the GC roots. The columns are described in
    ``docs/snapshot-format.md``; ``snapshot.columns["object_type"]`` is a read-only memoryview.
    """

    columns: Columns
    process: Process = attrs.field(factory=Process)
    limits: tuple[Limit, ...] = ()

    @property
    def object_count(self) -> int:
        """Objects, the virtual root not counted, garbage and heapdiff's own included."""
        return len(self.columns["object_type"]) - 1

    @property
    def reference_count(self) -> int:
        """References, those of the virtual root included."""
        return len(self.columns["reference_target"])

    @property
    def type_count(self) -> int:
        """Rows of the type table; row 0 is the virtual root's."""
        return len(self.columns["type_name"])

    @property
    def has_sites(self) -> bool:
        """Whether objects carry allocation sites (tracemalloc was tracing)."""
        return "object_site" in self.columns

    def text(self, number: int) -> str:
        """The text of that number; texts are numbered in sorted order.

        Raises:
            IndexError: There is no text of that number.
        """
        return text_of(self.columns, number)

    def type_name(self, row: int) -> str:
        """The type's full name, such as ``app.locks.Lock``; builtins without their module."""
        return type_name_of(self.columns, row)

    def shallow_bytes(self, obj: int) -> int:
        """Bytes the object itself occupies, its GC header and inline values included.

        Raises:
            IndexError: There is no object of that number.
        """
        if not 0 <= obj <= self.object_count:
            raise IndexError(f"object {obj} does not exist; the snapshot has objects 1 to {self.object_count}")
        size = self.columns["object_shallow"][obj]
        if size == _LARGE:
            large = self.columns["large_object"]  # sorted
            place = bisect.bisect_left(large, obj)
            if place < len(large) and large[place] == obj:
                return self.columns["large_bytes"][place]
        return size

    def roots(self) -> list[Root]:
        """The references of the virtual root, in their order."""
        start = self.columns["reference_start"]
        targets, labels = self.columns["reference_target"], self.columns["reference_label"]
        roots = []
        for edge in range(start[0], start[1]):
            kind = kind_of(labels[edge])
            name = self.text(payload_of(labels[edge])) if kind.has_text else ""
            roots.append(Root(kind, name, targets[edge]))
        return roots

    def site(self, obj: int) -> tuple[tuple[str, int], ...] | None:
        """Where the object was allocated, innermost (file, line) first; None where that is not known."""
        if not self.has_sites:
            return None
        row = self.columns["object_site"][obj]
        if row == 0:
            return None
        return self.site_frames(row)

    def site_frames(self, row: int) -> tuple[tuple[str, int], ...]:
        """The (file, line) frames of one row of the site table, innermost first; row 0 has none."""
        start = self.columns["site_start"]
        files, lines = self.columns["site_file"], self.columns["site_line"]
        return tuple((self.text(files[i]), lines[i]) for i in range(start[row], start[row + 1]))

    def __repr__(self) -> str:
        return f"<Snapshot of {self.object_count:,} objects, {self.reference_count:,} references>"
