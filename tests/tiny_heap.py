"""A small heap drawn by hand: lines of ``source -> target target`` in, a real Snapshot out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from heapdiff.native import Columns
from heapdiff.snapshot.labels import LabelKind, make_label
from heapdiff.snapshot.model import Limit, ObjectFlag, Process, Snapshot

if TYPE_CHECKING:
    from heapdiff.graph import HeapGraph

__all__ = ["TinyHeap"]

Label = tuple[str, str | int]
Site = tuple[tuple[str, int], ...]

ROOT = "root"
NUMBERED_BELOW = 0xFFFFFFFF  # sizes from here on are written in large_bytes


class TinyHeap:
    """A heap as somebody would draw it on paper.

    ``root`` is the virtual root; every other name is an object of one byte and of type
    ``object`` unless the options say otherwise. Names get their addresses, and so their
    numbers, in the order in which they are mentioned first.

    Args:
        drawing: Lines of ``source -> target target``; a name without an arrow is an object
            that refers to nothing. A target named twice is referred to twice.
        size: Shallow bytes by name.
        types: Type by name, ``module.Name``, or ``module:Outer.Inner`` where the name has dots.
            ``module.Name#2`` is another class of the same name.
        labels: Label by (source, target): the name of a LabelKind, and a text or a number.
            A list of labels serves the references of that pair in turn.
        flags: ObjectFlag by name.
        sites: Traceback by name, innermost (file, line) first; with it the heap has sites.
        addresses: Address by name.
        native_held: Count of native references by name.
        process: What the snapshot says of the process.
        limits: What the snapshot says it could not see.
    """

    def __init__(
        self,
        drawing: str,
        *,
        size: Mapping[str, int] | None = None,
        types: Mapping[str, str] | None = None,
        labels: Mapping[tuple[str, str], Label | list[Label]] | None = None,
        flags: Mapping[str, ObjectFlag] | None = None,
        sites: Mapping[str, Site] | None = None,
        addresses: Mapping[str, int] | None = None,
        native_held: Mapping[str, int] | None = None,
        process: Process | None = None,
        limits: tuple[Limit, ...] = (),
    ) -> None:
        references = _parse(drawing)
        for options in (size, types, flags, sites, addresses, native_held):
            for name in options or {}:
                references.setdefault(name, [])
        self.names = _by_address(references, addresses or {})
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._references = references
        place = {name: 16 * k for k, name in enumerate(references)} | dict(addresses or {})
        self._addresses = [place[name] for name in self.names]
        self.snapshot = Snapshot(
            Columns(self._columns(size or {}, types or {}, labels or {}, flags or {}, sites, native_held or {})),
            process or Process(),
            limits,
        )

    def __getitem__(self, name: str) -> int:
        """The number of the object of that name."""
        return self._numbers[name]

    @cached_property
    def graph(self) -> HeapGraph:
        """The graph of the snapshot."""
        from heapdiff.graph import HeapGraph

        return HeapGraph.of(self.snapshot)

    def __repr__(self) -> str:
        lines = (f"{name} -> {' '.join(self._references[name])}" for name in self.names)
        return f"TinyHeap({'; '.join(lines)})"

    def _columns(
        self,
        size: Mapping[str, int],
        types: Mapping[str, str],
        labels: Mapping[tuple[str, str], Label | list[Label]],
        flags: Mapping[str, ObjectFlag],
        sites: Mapping[str, Site] | None,
        native_held: Mapping[str, int],
    ) -> dict[str, array[int]]:
        full_names = {name: _full_name(types.get(name, "builtins.object")) for name in self.names[1:]}
        table = sorted({("", "", ""), *full_names.values()}, key=_in_bytes)
        edges = {source: self._labelled(source, labels) for source in self.names}
        rows = [(), *sorted(set((sites or {}).values()) - {()})]
        texts = _sorted_texts(
            [text for module, name, _ in table for text in (module, name)],
            [label[1] for held in edges.values() for _, label in held if isinstance(label[1], str)],
            [file for row in rows for file, _ in row],
        )
        number = {text: k for k, text in enumerate(texts)}
        bytes_of = [0, *(size.get(name, 1) for name in self.names[1:])]
        columns: dict[str, array[int]] = {
            "object_type": array("I", [0, *(table.index(full_names[name]) for name in self.names[1:])]),
            "object_shallow": array("I", [min(size, NUMBERED_BELOW) for size in bytes_of]),
            "object_address": array("Q", self._addresses),
            "object_flags": array("B", [int(flags.get(name, 0)) for name in self.names]),
        }
        columns |= self._reference_columns(edges, number)
        large = [k for k, size in enumerate(bytes_of) if size >= NUMBERED_BELOW]
        held_natively = sorted((self[name], count) for name, count in native_held.items())
        columns |= {
            "large_object": array("I", large),
            "large_bytes": array("Q", [bytes_of[k] for k in large]),
            "native_held_object": array("I", [obj for obj, _ in held_natively]),
            "native_held_count": array("I", [count for _, count in held_natively]),
            "type_module": array("I", [number[module] for module, _, _ in table]),
            "type_name": array("I", [number[name] for _, name, _ in table]),
            "type_object": array("I", [0] * len(table)),
            "type_flags": array("B", [0 if module in ("", "builtins") else 1 for module, _, _ in table]),
            "text_start": array("I", _offsets(len(text.encode()) for text in texts)),
            "text_bytes": array("B", "".join(texts).encode()),
        }
        if sites is not None:
            columns |= {
                "object_site": array("I", [rows.index(sites.get(name, ())) for name in self.names]),
                "site_start": array("I", _offsets(len(row) for row in rows)),
                "site_file": array("I", [number[file] for row in rows for file, _ in row]),
                "site_line": array("I", [line for row in rows for _, line in row]),
            }
        return columns

    def _labelled(
        self, source: str, labels: Mapping[tuple[str, str], Label | list[Label]]
    ) -> list[tuple[str, tuple[LabelKind, str | int]]]:
        taken: dict[str, int] = {}
        held = []
        for target in self._references[source]:
            default = ("ROOT_MODULE" if source == ROOT else "ATTRIBUTE", target)
            given = labels.get((source, target), default)
            if isinstance(given, list):
                given = given[taken.setdefault(target, 0)]
                taken[target] += 1
            kind = LabelKind[given[0]]
            held.append((target, (kind, given[1] if kind.has_text else int(given[1] or 0))))
        return held

    def _reference_columns(
        self, edges: Mapping[str, list[tuple[str, tuple[LabelKind, str | int]]]], number: Mapping[str, int]
    ) -> dict[str, array[int]]:
        numbered = {
            source: [
                (make_label(kind, number[payload] if isinstance(payload, str) else payload), self[target])
                for target, (kind, payload) in held
            ]
            for source, held in edges.items()
        }
        numbered[ROOT].sort()  # by (label kind, text, target), as the contract says
        flat = [reference for source in self.names for reference in numbered[source]]
        return {
            "reference_start": array("I", _offsets(len(numbered[source]) for source in self.names)),
            "reference_target": array("I", [target for _, target in flat]),
            "reference_label": array("I", [label for label, _ in flat]),
        }


def _parse(drawing: str) -> dict[str, list[str]]:
    references: dict[str, list[str]] = {ROOT: []}
    for line in drawing.splitlines():
        source, _, rest = line.partition("->")
        for name in source.split() + rest.split():
            references.setdefault(name, [])
        if rest:
            references[source.strip()] += rest.split()
    return references


def _by_address(references: Iterable[str], addresses: Mapping[str, int]) -> list[str]:
    place = {name: 16 * k for k, name in enumerate(references)} | dict(addresses)
    return sorted(place, key=lambda name: (name != ROOT, place[name]))


def _full_name(text: str) -> tuple[str, str, str]:
    text, _, twin = text.partition("#")
    separator = ":" if ":" in text else "."
    module, _, name = text.partition(separator) if separator == ":" else text.rpartition(separator)
    return module, name, twin


def _in_bytes(full_name: tuple[str, str, str]) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in full_name)


def _sorted_texts(*groups: Iterable[str | int]) -> list[str]:
    texts = {"", *(str(text) for group in groups for text in group)}
    return sorted(texts, key=str.encode)


def _offsets(lengths: Iterable[int]) -> Sequence[int]:
    offsets = [0]
    for length in lengths:
        offsets.append(offsets[-1] + length)
    return offsets
