"""Censuses between rounds in, the types that grew in every round out."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator

import attrs

from heapdiff.capture import take_census
from heapdiff.native import Columns
from heapdiff.snapshot.names import type_name_of

__all__ = ["BLOCKS", "Rate", "Rounds"]

BLOCKS = "memory blocks"  # a row of its own, for memory that C has lost and no object accounts for
_TABLE = ("type_module", "type_name", "text_start", "text_bytes")  # that name the rows
_KEPT = 0.5  # of its rate in the first rounds a leak still has at the end; a cache that gets full has not


@attrs.frozen
class Rate:
    """By how much one type grew for each iteration."""

    objects: float
    bytes: float


class Rounds:
    """The pictures after each round.

    Only the native columns of a census are kept, in places that are there from the start: whatever else this
    kept would be counted by the next one.
    """

    def __init__(self, most: int) -> None:
        self.count = 0  # pictures taken
        self._columns: list[Columns | None] = [None] * most
        self._iterations = array("q", [0] * most)
        self._blocks = array("q", [0] * most)

    def add(self, iterations: int) -> None:
        """Collects garbage and takes the picture after so many more iterations."""
        place, self.count = self.count, self.count + 1
        gc.collect()
        census = take_census()
        self._columns[place] = census.columns
        self._iterations[place] = iterations
        self._blocks[place] = census.process.allocated_blocks or 0

    def growing(self) -> dict[str, Rate]:
        """The types that grew in every round, by name.

        In a round objects were added, or with no object more, at least one byte for each iteration. What comes
        to an end is not meant: fewer than one object for each iteration, and less than half of what it was.
        """
        steps = [self._step(place) for place in range(1, self.count)]
        common = set.intersection(*(set(step) for step in steps)) if steps else set()
        if len(common) > 1:
            common.discard(BLOCKS)  # objects are blocks
        return {name: rate for name in sorted(common) if (rate := _lasting([step[name] for step in steps])) is not None}

    def _step(self, place: int) -> dict[str, Rate]:
        """What grew up to that picture since the one before."""
        iterations = self._iterations[place]
        before, after = self._columns[place - 1], self._columns[place]
        assert before is not None and after is not None
        rates = {
            name: Rate(objects / iterations, size / iterations)
            for name, (objects, size) in _changes(before, after).items()
            if objects > 0 or (objects == 0 and size >= iterations)
        }
        blocks = self._blocks[place] - self._blocks[place - 1]
        if blocks >= iterations:
            rates[BLOCKS] = Rate(blocks / iterations, 0.0)
        return rates


def _lasting(rates: list[Rate]) -> Rate | None:
    """The last of the rates; None where it has fallen too far below those before.

    One object for each iteration is a leak, whatever a cache of the same type added before it was full.
    """
    last, earlier = rates[-1], rates[:-1] or rates
    if last.objects > 0:
        is_kept = last.objects >= min(1.0, _KEPT * min(rate.objects for rate in earlier))
    else:
        is_kept = last.bytes >= _KEPT * min(rate.bytes for rate in earlier)
    return last if is_kept else None


def _changes(before: Columns, after: Columns) -> dict[str, tuple[int, int]]:
    """Objects and bytes by which types changed; classes of one name are added up."""
    rows = _changed_rows(before, after) if _same_table(before, after) else _all_rows(before, after)
    changes: dict[str, tuple[int, int]] = {}
    for name, objects, size in rows:
        known = changes.get(name, (0, 0))
        changes[name] = (known[0] + objects, known[1] + size)
    return changes


def _same_table(before: Columns, after: Columns) -> bool:
    return all(before[name] == after[name] for name in _TABLE)


def _changed_rows(before: Columns, after: Columns) -> Iterator[tuple[str, int, int]]:
    """Only what changed needs a name, which costs more than the rest of it."""
    columns = zip(before["objects"], after["objects"], before["bytes"], after["bytes"], strict=True)
    for row, (objects, more, size, larger) in enumerate(columns):
        if objects != more or size != larger:
            yield type_name_of(after, row), more - objects, larger - size


def _all_rows(before: Columns, after: Columns) -> Iterator[tuple[str, int, int]]:
    for columns, sign in ((before, -1), (after, 1)):
        for row, (objects, size) in enumerate(zip(columns["objects"], columns["bytes"], strict=True)):
            if objects:
                yield type_name_of(columns, row), sign * objects, sign * size
