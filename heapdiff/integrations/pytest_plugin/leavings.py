"""The heap before and after a test run and who made which object in, what tests have left behind out."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs

from heapdiff.diff import diff_graphs
from heapdiff.explain import DEFAULT_RULES, Grower
from heapdiff.explain.growers import candidates_of
from heapdiff.explain.suspects import explain_candidates
from heapdiff.graph import Chain, HeapGraph, Hop, LabelTree, retained_by_groups, shortest_chain
from heapdiff.graph.states import LIVE
from heapdiff.growth.block import is_standard
from heapdiff.report.escape import clean
from heapdiff.report.layout import WIDTH, Pen, shortened
from heapdiff.report.suspect_text import suspect_lines
from heapdiff.snapshot.labels import LabelKind
from heapdiff.snapshot.model import ObjectFlag, Snapshot

__all__ = ["Leaving", "find_leavings", "merged"]

# What takes any number of objects. A variable that is assigned holds one, however many tests run.
_ROOM_FOR_MORE = frozenset(
    {LabelKind.KEY, LabelKind.KEY_OF_TYPE, LabelKind.KEY_OBJECT, LabelKind.ELEMENT, LabelKind.MEMBER}
)
# Ways that are no leak of a test: a cache of functools; what the interpreter holds for itself; what only native code
# is said to hold, for want of a better explanation.
_NO_LEAK = frozenset(
    {
        LabelKind.CACHE_ENTRY,
        LabelKind.TYPE,
        LabelKind.WEAK_CALLBACK,
        LabelKind.STACK,
        LabelKind.ROOT_INTERPRETER,
        LabelKind.ROOT_STATIC_TYPE,
        LabelKind.ROOT_IMMORTAL,
        LabelKind.ROOT_NATIVE,
        LabelKind.ROOT_THREAD,
    }
)
_KEPT_ON_PURPOSE = ("cache", "memo")  # in the name of what holds it
_LOGGERS = "loggerDict"  # they stay for as long as the process does, by design of logging
# What a weak dict has lives as long as its key, and the key is judged where it is held.
_WEAK = frozenset({"weakref.ReferenceType", "weakref.KeyedRef", "weakref.WeakMethod", "weakref.WeakKeyDictionary"})
_NAMESPACES = frozenset(
    {LabelKind.DICT, LabelKind.INTERNAL}
)  # a dict that is there has variables, or attributes by thread
_PEN, _LABEL_WIDTH = Pen(colour=False), 34
_LEAST_PLAIN = 2  # objects of a builtin type; a place that fills itself at its first use, as a defaultdict, has one
_TELLING = ("threading.Thread", "threading.Timer")  # of the standard library and kept by it, but started by a test
_CODE = frozenset(
    {"type", "function", "module", "builtin_function_or_method", "classmethod", "staticmethod", "property"}
)


@attrs.frozen
class Leaving:
    """Objects of one type that tests left at one place, and that were there when all tests were done."""

    type_name: str
    place: str  # such as app.REGISTRY[*]
    fingerprint: str
    objects: int
    shallow_bytes: int
    retained_bytes: int
    makers: Sequence[tuple[str, int]]  # tests and fixtures, with how many of the objects each left
    names: Sequence[str]  # on the chain to one of them, of references and types
    lines: Sequence[str]  # chain, verdict and what mends it, drawn
    verdict: str = "unsure"
    rule: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as Leaving() takes them."""
        return attrs.asdict(self)

    def facts(self) -> dict[str, str | int]:
        """What a condition of ``--heapdiff-fail-on`` may ask for."""
        return {
            "retained": self.retained_bytes,
            "shallow": self.shallow_bytes,
            "objects": self.objects,
            "verdict": self.verdict,
            "rule": self.rule,
            "type": self.type_name,
        }


def find_leavings(
    base: Snapshot, now: Snapshot, made_by: Mapping[int, int | None], names: Sequence[str]
) -> tuple[Leaving, ...]:
    """What is live, was made by a test or its fixture, and lies in something that is older and takes any number.

    Args:
        base, now: The heap before the first test and after the last, without what the test runner holds.
        made_by: Who made the object at an address, as a place in *names*; None is nobody that is to be named.
        names: Tests and fixtures.
    """
    return merged(_Search(base, now, made_by, names).leavings())


def merged(leavings: Iterable[Leaving]) -> tuple[Leaving, ...]:
    """The same with those of several processes at one place put together; most objects first."""
    places: dict[str, list[Leaving]] = {}
    for leaving in leavings:
        places.setdefault(leaving.fingerprint, []).append(leaving)
    return tuple(sorted((_sum(group) for group in places.values()), key=lambda each: (-each.objects, each.place)))


def _sum(group: Sequence[Leaving]) -> Leaving:
    makers: Counter[str] = Counter()
    for leaving in group:
        makers.update(dict(leaving.makers))
    return attrs.evolve(
        group[0],
        objects=sum(leaving.objects for leaving in group),
        shallow_bytes=sum(leaving.shallow_bytes for leaving in group),
        retained_bytes=sum(leaving.retained_bytes for leaving in group),
        makers=tuple(makers.most_common()),
    )


class _Search:
    def __init__(self, base: Snapshot, now: Snapshot, made_by: Mapping[int, int | None], names: Sequence[str]) -> None:
        self._base, self._now, self._names = base, now, names
        self._graph = HeapGraph.of(now)
        self._tree = LabelTree.of(self._graph)
        self._parents = self._graph.paths["parent"]
        flags, states = now.columns["object_flags"], self._graph.paths["state"]
        self._makers: dict[int, int] = {}
        self._undated: set[int] = set()  # dicts that may be older than who seems to have made them
        for obj, address in enumerate(now.columns["object_address"]):
            maker = made_by.get(address)
            # What the collector no longer tracks it has not been asked for, so who made it is not known.
            if maker is not None and states[obj] == LIVE and flags[obj] & ObjectFlag.TRACKED:
                if self._is_dict(now, obj) and self._was_untracked(address):
                    self._undated.add(obj)
                else:
                    self._makers[obj] = maker

    def leavings(self) -> Iterator[Leaving]:
        entries: dict[int, list[int]] = {}
        for obj, maker in self._makers.items():
            if self._maker_of_holder(obj) != maker:
                entries.setdefault(self._tree.node_of(obj), []).append(obj)
        accused = [(node, objects) for node, objects in entries.items() if self._is_left(node, objects)]
        if not accused:
            return
        retained = retained_by_groups(self._now, [objects for _, objects in accused])
        explained = self._explained({self._tree.type_name(node) for node, _ in accused})
        for (node, objects), kept in zip(accused, retained, strict=True):
            fingerprint, chain = self._fingerprint(node), shortest_chain(self._graph, objects[0])
            grower = explained.get(fingerprint)
            verdict = None if grower is None else grower.verdict
            makers = Counter(self._names[self._makers[obj]] for obj in objects)
            yield Leaving(
                type_name=self._tree.type_name(node),
                place=self._tree.expression(node),
                fingerprint=fingerprint,
                objects=len(objects),
                shallow_bytes=sum(map(self._now.shallow_bytes, objects)),
                retained_bytes=kept.retained_bytes,
                makers=tuple(makers.most_common()),
                names=tuple(name for hop in chain.hops for name in (hop.label_text, hop.type_name)),
                lines=_chain_lines(chain, fingerprint) if grower is None else suspect_lines([grower], _PEN),
                verdict="unsure" if verdict is None else verdict.kind.value,
                rule="" if verdict is None else verdict.rule,
            )

    def _explained(self, type_names: Collection[str]) -> dict[str, Grower]:
        """Why objects of these types cannot be freed, by fingerprint."""
        diff = diff_graphs(HeapGraph.of(self._base), self._graph)
        growers = explain_candidates(diff, candidates_of(diff, type_names), DEFAULT_RULES).growers
        return {grower.fingerprint: grower for grower in growers if grower.holders}

    def _maker_of_holder(self, obj: int) -> int | None:
        """Who made what holds it; an undated dict is taken to be as old as what holds that."""
        holder = self._parents[obj]
        while holder in self._undated:
            holder = self._parents[holder]
        return self._makers.get(holder)

    def _was_untracked(self, address: int) -> bool:
        """Whether it may be a dict that was there before: one of plain values is tracked when it takes another."""
        addresses = self._base.columns["object_address"]
        place = bisect_left(addresses, address)
        if place == len(addresses) or addresses[place] != address:
            return False
        return self._is_dict(self._base, place) and not self._base.columns["object_flags"][place] & ObjectFlag.TRACKED

    @staticmethod
    def _is_dict(snapshot: Snapshot, obj: int) -> bool:
        return snapshot.type_name(snapshot.columns["object_type"][obj]) == "dict"

    def _is_left(self, node: int, objects: Sequence[int]) -> bool:
        tree = self._tree
        way = tree.ancestry(node)
        labels = [tree.label(step) for step in way]
        if not _has_room_for_more(labels) or any(tree.type_name(step) in _WEAK for step in way):
            return False
        if any(kind in _NO_LEAK for kind, _ in labels):
            return False
        if any(word in text.lower() for _, text in labels for word in _KEPT_ON_PURPOSE):
            return False
        if len(labels) > 1 and labels[-2][1] == _LOGGERS:
            return False
        type_name = tree.type_name(node)
        if type_name in _TELLING:
            return True
        if type_name in _CODE:
            return False
        is_own = not is_standard(_module(type_name)) or self._has_own(objects)
        return is_own or (len(objects) >= _LEAST_PLAIN and not self._is_standards(way))

    def _is_standards(self, way: Sequence[int]) -> bool:
        """Whether the standard library alone is on the way."""
        kind, text = self._tree.label(way[0])
        return kind is LabelKind.ROOT_MACHINERY or (
            kind is LabelKind.ROOT_MODULE
            and is_standard(text)
            and all(is_standard(_module(self._tree.type_name(step))) for step in way)
        )

    def _has_own(self, objects: Sequence[int]) -> bool:
        """Whether an object of a class that is not the standard library's came with one of these."""
        return not self._with_own.isdisjoint(objects)

    @cached_property
    def _with_own(self) -> set[int]:
        types = self._now.columns["object_type"]
        own_rows = {row for row in range(1, self._now.type_count) if not is_standard(_module(self._now.type_name(row)))}
        found: set[int] = set()
        for obj, maker in self._makers.items():
            if types[obj] in own_rows:
                above = obj
                while self._makers.get(above) == maker and above not in found:
                    found.add(above)
                    above = self._parents[above]
        return found

    def _fingerprint(self, node: int) -> str:
        """The same as of a grower at this place: label kinds, names and types, no positions and no keys."""
        stretch = []
        for step in self._tree.ancestry(node):
            kind, text = self._tree.label(step)
            if kind in (LabelKind.KEY, LabelKind.KEY_OF_TYPE):
                kind, text = LabelKind.KEY_OF_TYPE, ""
            elif kind is LabelKind.ELEMENT:
                text = ""
            stretch.append(f"{kind.name} {text} {self._tree.type_name(step)}")
        digest = hashlib.sha256("\n".join([*stretch, self._tree.type_name(node)]).encode("utf-8", "backslashreplace"))
        return digest.hexdigest()[:8]


def _chain_lines(chain: Chain, fingerprint: str) -> list[str]:
    """A chain drawn as in a report, where there are too few objects for more."""
    first, *others, last = chain.hops
    return [
        f"   ╭ GC root: {shortened(clean(first.label_text), WIDTH - 14)}",
        *(f"   │   {_label(hop):<{_LABEL_WIDTH}}  {shortened(clean(hop.type_name), 50)}" for hop in others),
        f"   │   {_label(last)}",
        f"   ╰→ {shortened(clean(last.type_name), 80)}",
        *_PEN.field("fingerprint", fingerprint),
    ]


def _label(hop: Hop) -> str:
    return shortened(clean(hop.label_text), _LABEL_WIDTH)


def _has_room_for_more(labels: Sequence[tuple[LabelKind, str]]) -> bool:
    """Whether the last of the references is one of any number: no variable, and no attribute by thread."""
    kind, _ = labels[-1]
    if kind is LabelKind.KEY:
        # ['name'] in what has a name itself is data; in __globals__, or below the key that is a thread, a variable
        return not any(before in _NAMESPACES for before, _ in labels[-3:-1])
    return kind in _ROOM_FOR_MORE


def _module(type_name: str) -> str:
    return type_name.rpartition(".")[0]
