"""A heap drawn object by object, for tests that need many alike objects or two moments of one program."""

from collections.abc import Sequence

from heapdiff.snapshot.model import Limit, ObjectFlag, Process, Snapshot
from tests.tiny_heap import Label, Site, TinyHeap

__all__ = ["Sketch", "registry"]

GAP = 64  # between addresses


class Sketch:
    """Add objects in any order; ``snapshot()`` draws the TinyHeap.

    Args:
        first_address: Where the objects start; another one stands for another process.
        reverse: Whether later objects have lower addresses, so that all numbers differ.
    """

    def __init__(self, *, first_address: int = 0x1000, reverse: bool = False) -> None:
        self._first, self._reverse = first_address, reverse
        self._references: dict[str, list[str]] = {"root": []}
        self._labels: dict[tuple[str, str], Label | list[Label]] = {}
        self._types: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._flags: dict[str, ObjectFlag] = {}
        self._sites: dict[str, Site] = {}

    def add(
        self,
        name: str,
        type_name: str,
        holder: str,
        label: Label,
        *,
        size: int = 100,
        site: Site | None = None,
        flags: ObjectFlag | None = None,
    ) -> str:
        """A new object under *holder*, and its name."""
        self._references[name] = []
        self._types[name] = type_name if "." in type_name else f"builtins.{type_name}"
        self._sizes[name] = size
        if site is not None:
            self._sites[name] = site
        if flags is not None:
            self._flags[name] = flags
        self.refer(holder, name, label)
        return name

    def refer(self, holder: str, target: str, label: Label) -> None:
        """One more reference; several between the same two keep their order."""
        known = self._labels.get((holder, target))
        self._references[holder].append(target)
        if known is None:
            self._labels[holder, target] = label
        else:
            self._labels[holder, target] = [*known, label] if isinstance(known, list) else [known, label]

    def module(self, name: str) -> str:
        """A module among the roots."""
        return self.add(name, "module", "root", ("ROOT_MODULE", name))

    def many(self, count: int, type_name: str, holder: str, label: Label, *, size: int = 100) -> list[str]:
        """So many alike objects under one holder."""
        names = [f"{holder}/{type_name}{number}" for number in range(count)]
        for name in names:
            self.add(name, type_name, holder, label, size=size)
        return names

    def snapshot(self, process: Process | None = None, limits: tuple[Limit, ...] = ()) -> Snapshot:
        """The heap as a snapshot."""
        return self.heap(process, limits).snapshot

    def heap(self, process: Process | None = None, limits: tuple[Limit, ...] = ()) -> TinyHeap:
        """The heap."""
        names = [name for name in self._references if name != "root"]
        order: Sequence[str] = names[::-1] if self._reverse else names
        lines = [f"{source} -> {' '.join(targets)}" for source, targets in self._references.items() if targets]
        return TinyHeap(
            "\n".join(lines),
            size=self._sizes,
            types=self._types,
            labels=self._labels,
            flags=self._flags,
            sites=self._sites or None,
            addresses={name: self._first + GAP * number for number, name in enumerate(order)},
            process=process,
            limits=limits,
        )


def registry(count: int, *, first_address: int = 0x1000, reverse: bool = False) -> Sketch:
    """A program with so many locks in ``app.locks.registry._locks``, each with a buffer."""
    sketch = Sketch(first_address=first_address, reverse=reverse)
    sketch.module("app.locks")
    sketch.add("registry", "app.locks.Registry", "app.locks", ("ATTRIBUTE", "registry"))
    sketch.add("locks", "dict", "registry", ("ATTRIBUTE", "_locks"), size=64 + 8 * count)
    for lock in sketch.many(count, "app.locks.Lock", "locks", ("KEY_OF_TYPE", "str")):
        sketch.add(f"{lock}.buffer", "bytes", lock, ("ATTRIBUTE", "buffer"), size=500)
    return sketch
