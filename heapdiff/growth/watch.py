"""watching(): a bracket around code in; which objects are new, gone, or survived it, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress
from types import TracebackType
from typing import Self

import attrs

from heapdiff.capture import Epoch, epoch, take_snapshot
from heapdiff.diff.identity import find_survivors
from heapdiff.errors import EpochRefusedError
from heapdiff.graph import HeapGraph, shortest_chain
from heapdiff.graph.states import LIVE
from heapdiff.growth.model import type_names
from heapdiff.pipeline import compare
from heapdiff.report import Report

__all__ = ["ObjectSet", "Watch", "watching"]

_LIVE_ONLY = bytes(int(state == LIVE) for state in range(256))
_KNOWN = bytes([0, *[1] * 255])  # of what find_survivors() says
_NEW = bytes([1, *[0] * 255])


@attrs.frozen(repr=False)
class ObjectSet:
    """Live objects of one type, or of all types: how many, and how they are held."""

    kind: str  # "new", "gone" or "surviving"
    type_name: str | None  # None: of all types
    count: int
    shallow_bytes: int | None  # None: not measured, of what is gone
    by_type: tuple[tuple[str, int], ...]  # objects by type, most first
    chain: str | None = None  # to one of them, as code; None: they are gone, or none

    def __repr__(self) -> str:
        text = f"{self.count:,} {self.kind} {self.type_name or 'objects'}"
        return f"<{text}, held by {self.chain}>" if self.chain else f"<{text}>"


class Watch:
    """The heap at the start of a ``with heapdiff.watching()`` block and at its end, or now while it runs.

    Classes are named by themselves or in full, such as ``"app.web.Session"``; their subclasses are others. A name
    without its module, where a type has it, is a ValueError.
    """

    def __init__(self) -> None:
        self._epoch: Epoch | None = None
        self._base: HeapGraph | None = None
        self._now: HeapGraph | None = None

    def new(self, of: type | str | None = None) -> ObjectSet:
        """Live objects that were not there at the start."""
        base, now = self._moments()
        return _objects("new", now, find_survivors(base, now).translate(_NEW), _name(of, base, now))

    def survivors(self, of: type | str | None = None) -> ObjectSet:
        """Live objects that were there at the start."""
        base, now = self._moments()
        return _objects("surviving", now, find_survivors(base, now).translate(_KNOWN), _name(of, base, now))

    def gone(self, of: type | str | None = None) -> ObjectSet:
        """Objects that lived at the start and do no longer. Their bytes are not measured."""
        base, now = self._moments()
        name = _name(of, base, now)
        counts = _counts(base, b"\1" * (base.object_count + 1), name)
        counts.subtract(_counts(now, find_survivors(base, now).translate(_KNOWN), name))
        rows = tuple((each, count) for each, count in counts.most_common() if count > 0)
        return ObjectSet("gone", name, sum(count for _, count in rows), None, rows)

    def report(self) -> Report:
        """What grew, as compare() has it."""
        base, now = self._moments()
        return compare(base.snapshot, now.snapshot)

    def _moments(self) -> tuple[HeapGraph, HeapGraph]:
        if self._base is None:
            raise ValueError("the watch has not begun; expected it in a with statement: with heapdiff.watching() as w")
        return self._base, self._now or HeapGraph.of(take_snapshot(collect=True))

    def __enter__(self) -> Self:
        self._now = None
        try:
            self._epoch = epoch()
        except EpochRefusedError:  # then survivors are told by address and type
            self._epoch = None
        try:
            self._base = HeapGraph.of(take_snapshot())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._now = HeapGraph.of(take_snapshot(collect=True))
        finally:
            self._end()

    def _end(self) -> None:
        if self._epoch is not None:
            self._epoch.stop()
        self._epoch = None

    def __repr__(self) -> str:
        state = "not begun" if self._base is None else "running" if self._now is None else "ended"
        return f"<Watch, {state}>"


def watching() -> Watch:
    """A watch over the block: ``with heapdiff.watching() as w: …`` and then ``assert w.new(Session).count == 0``.

    Inside it runs an epoch, so that it is known without doubt which tracked objects are new; where the program uses
    gc.freeze() itself, or in a watch within another, survivors are told by address and type
    (``docs/identity.md``). Cycles that were there before the block are not freed in it.

    Raises:
        CaptureError: As take_snapshot().
    """
    return Watch()


def _name(of: type | str | None, *graphs: HeapGraph) -> str | None:
    if of is not None and not isinstance(of, type | str):
        raise TypeError(f"expected a class, the full name of one, or nothing, not {type(of).__name__}")
    if isinstance(of, str) and "." not in of:
        _refuse_short(of, graphs)
    return None if of is None else type_names([of])[0]


def _refuse_short(name: str, graphs: Sequence[HeapGraph]) -> None:
    """No answer for the name of a class without its module: of that there would be nothing, whatever leaks."""
    names = {graph.snapshot.type_name(row) for graph in graphs for row in _rows(graph, None)}
    if name in names:
        return
    if fitting := sorted(full for full in names if full.endswith(f".{name}")):
        raise ValueError(f"{name!r} is the name of no type; expected one in full, such as {', '.join(fitting[:5])}")


def _objects(kind: str, graph: HeapGraph, chosen: bytes, name: str | None) -> ObjectSet:
    counts = _counts(graph, chosen, name)
    rows = set(_rows(graph, name))
    types, states = graph.snapshot.columns["object_type"], bytes(graph.paths["state"]).translate(_LIVE_ONLY)
    size, first = 0, None
    for obj in compress(range(len(types)), map(int.__and__, chosen, states)):
        if obj and types[obj] in rows:
            first = first or obj
            size += graph.snapshot.shallow_bytes(obj)
    chain = None if first is None else shortest_chain(graph, first).expression
    return ObjectSet(kind, name, counts.total(), size, tuple(counts.most_common()), chain)


def _counts(graph: HeapGraph, chosen: bytes, name: str | None) -> Counter[str]:
    """The live ones of the chosen objects, by type; the virtual root is none."""
    states = bytes(graph.paths["state"]).translate(_LIVE_ONLY)
    is_counted = bytearray(map(int.__and__, chosen, states))
    is_counted[0] = 0
    by_row = Counter(compress(graph.snapshot.columns["object_type"], is_counted))
    counts: Counter[str] = Counter()
    for row in _rows(graph, name):
        if by_row[row]:
            counts[graph.snapshot.type_name(row)] += by_row[row]
    return counts


def _rows(graph: HeapGraph, name: str | None) -> list[int]:
    """The rows of the type table of that name, or all but that of the virtual root."""
    snapshot = graph.snapshot
    return [row for row in range(1, snapshot.type_count) if name is None or snapshot.type_name(row) == name]
