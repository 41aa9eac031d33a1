"""How each tool looks at this process; out: a Sight."""

import gc
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.what_is_seen.model import Sight

__all__ = ["TOOLS", "Heapdiff"]

_MANY = 1_000  # no holder of a case refers to so many objects


class Heapdiff:
    """``take_snapshot()``."""

    def __init__(self) -> None:
        import heapdiff
        from heapdiff.snapshot.labels import LabelKind
        from heapdiff.snapshot.model import ObjectFlag

        self.snapshot = heapdiff.take_snapshot()
        self._columns = self.snapshot.columns
        self._addresses = self._columns["object_address"].tolist()
        self._numbers = {address: number for number, address in enumerate(self._addresses)}
        self._native = set(self._columns["native_held_object"])
        self._kinds, self._unsized = LabelKind, int(ObjectFlag.NATIVE_MEMORY)

    def sees(self, address: int) -> bool:  # noqa: D102 - as in Sight, here and below
        return address in self._numbers

    def bytes_of(self, address: int) -> int | None:  # noqa: D102
        return self.snapshot.shallow_bytes(self._numbers[address])

    def held_by(self, address: int) -> set[int]:  # noqa: D102
        return self._references(address, lambda kind: kind not in (self._kinds.WEAK, self._kinds.TYPE))

    def weakly_held_by(self, address: int) -> set[int]:  # noqa: D102
        return self._references(address, lambda kind: kind == self._kinds.WEAK)

    def says_unseen(self, address: int) -> bool:  # noqa: D102
        flagged = bool(self._columns["object_flags"][self._numbers[address]] & self._unsized)
        return flagged and any(limit.name == "native-memory" for limit in self.snapshot.limits)

    def says_native(self, address: int) -> bool:  # noqa: D102
        return self._numbers[address] in self._native

    def _references(self, address: int, wanted: Callable[[int], bool]) -> set[int]:
        number = self._numbers.get(address)
        if number is None:
            return set()
        from heapdiff.snapshot.labels import kind_of

        start, target, label = (self._columns[f"reference_{name}"] for name in ("start", "target", "label"))
        edges = range(start[number], start[number + 1])
        return {self._addresses[target[edge]] for edge in edges if wanted(kind_of(label[edge]))}


class _Peer:
    """A tool that works on the living objects themselves; it knows nothing of weak edges and of what it misses."""

    def __init__(self, objects: Mapping[int, Any]) -> None:
        self.objects = dict(objects)

    def sees(self, address: int) -> bool:
        return address in self.objects

    def bytes_of(self, address: int) -> int | None:
        return None

    def held_by(self, address: int) -> set[int]:
        if address not in self.objects:
            return set()
        referents = list(self._referents(self.objects[address]))
        if len(referents) > _MANY:
            return set()
        found = {id(held): held for held in referents if not _leads_everywhere(held)}
        self.objects |= found
        return set(found)

    def weakly_held_by(self, address: int) -> set[int]:
        return set()

    def says_unseen(self, address: int) -> bool:
        return False

    def says_native(self, address: int) -> bool:
        return False

    def _referents(self, obj: object) -> Any:
        return gc.get_referents(obj)


def _leads_everywhere(obj: object) -> bool:
    """No case marks a class, a module or its namespace, and to go through them takes long."""
    return isinstance(obj, type | type(gc)) or (type(obj) is dict and "__builtins__" in obj)


class _Guppy(_Peer):
    """``hpy().heap()``."""

    def __init__(self) -> None:
        from guppy import hpy

        self._heapy = hpy()
        super().__init__({id(obj): obj for obj in self._heapy.heap().nodes})

    def bytes_of(self, address: int) -> int | None:
        return int(self._heapy.iso(self.objects[address]).size)

    def _referents(self, obj: object) -> Any:
        return self._heapy.iso(obj).referents.nodes


class _Pympler(_Peer):
    """``muppy.get_objects()``, sized by ``muppy.get_size()``."""

    def __init__(self) -> None:
        from pympler import muppy

        self._muppy: Any = muppy
        super().__init__({id(obj): obj for obj in self._muppy.get_objects()})

    def bytes_of(self, address: int) -> int | None:
        return int(self._muppy.get_size([self.objects[address]]))


class _Objgraph(_Peer):
    """What ``objgraph.typestats()`` counts, and what ``show_refs()`` draws; it has no sizes."""

    def __init__(self) -> None:
        super().__init__({id(obj): obj for obj in gc.get_objects()})
        self._tracked = set(self.objects)

    def sees(self, address: int) -> bool:
        return address in self._tracked


TOOLS: Mapping[str, Callable[[], Sight]] = {
    "heapdiff": Heapdiff,
    "guppy3": _Guppy,
    "pympler": _Pympler,
    "objgraph": _Objgraph,
}
