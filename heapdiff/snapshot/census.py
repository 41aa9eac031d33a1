"""A census: the cheap picture of a heap, objects and shallow bytes per type and no graph."""

from collections.abc import Iterator

import attrs

from heapdiff.native import Columns
from heapdiff.snapshot.model import Limit, Process
from heapdiff.snapshot.names import type_name_of

__all__ = ["Census", "CensusRow"]


@attrs.frozen
class CensusRow:
    """The objects of one type."""

    type: str
    objects: int
    shallow_bytes: int


@attrs.frozen(eq=False, repr=False)
class Census:
    """Objects and shallow bytes of every type at one moment; heapdiff's own are left out.

    Garbage that waits for the collector is counted: without a graph it cannot be told apart.
    """

    columns: Columns
    process: Process = attrs.field(factory=Process)
    limits: tuple[Limit, ...] = ()

    @property
    def pause_seconds(self) -> float | None:
        """Wall time for which the GIL was held."""
        return self.process.pause_seconds

    @property
    def pause_cpu_seconds(self) -> float | None:
        """CPU time of the same."""
        return self.process.pause_cpu_seconds

    @property
    def object_count(self) -> int:
        """Objects of all types."""
        return sum(self.columns["objects"])

    @property
    def shallow_bytes(self) -> int:
        """Bytes of all objects."""
        return sum(self.columns["bytes"])

    def rows(self) -> list[CensusRow]:
        """The types that have objects, most bytes first; two classes of one name stay two rows."""
        return sorted(self._rows(), key=lambda row: (-row.shallow_bytes, -row.objects, row.type))

    def counts(self) -> dict[str, int]:
        """Objects by type name; classes of one name are added up."""
        counts: dict[str, int] = {}
        for row in self._rows():
            counts[row.type] = counts.get(row.type, 0) + row.objects
        return counts

    def _rows(self) -> Iterator[CensusRow]:
        for row, (objects, size) in enumerate(zip(self.columns["objects"], self.columns["bytes"], strict=True)):
            if objects:
                yield CensusRow(type_name_of(self.columns, row), objects, size)

    def __repr__(self) -> str:
        return f"<Census of {self.object_count:,} objects, {self.shallow_bytes:,} bytes>"
