"""An object in, out the shortest chain of named references that holds it, from a root."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from heapdiff.graph.model import HeapGraph
from heapdiff.graph.naming import label_text, path_expression, read_label, task_name
from heapdiff.graph.states import require_live
from heapdiff.snapshot.labels import LabelKind, kind_of, make_label, payload_of

__all__ = ["Chain", "Hop", "shortest_chain"]

_RUN = 4  # equal references in a row, from which on they are shown as one

# Labels that differ only in position or key are equal to somebody who looks for a linked list.
_WITHOUT_TEXT = frozenset({LabelKind.ELEMENT, LabelKind.MEMBER, LabelKind.KEY_OF_TYPE, LabelKind.CACHE_ENTRY})


@attrs.frozen
class Hop:
    """One reference of a chain, and the object it leads to.

    Where ``repeats`` is more than 1 it stands for so many references of one name and type in a
    row, as in a linked list; ``object`` is then the last of them.
    """

    object: int
    kind: LabelKind
    text: str  # of the label; a number where its kind has one
    type_name: str
    shallow_bytes: int
    retained_bytes: int
    repeats: int = 1
    name: str = ""  # of a task: its name and coroutine, such as '"poller-…" (app.poll)'

    @property
    def label_text(self) -> str:
        """The reference as a person would write it, such as ``.name``, ``['…']`` or ``module app.locks``."""
        return label_text(self.kind, self.text)


@attrs.frozen
class Chain:
    """Named references from a GC root (the first hop) to an object (the last)."""

    hops: tuple[Hop, ...]

    @property
    def expression(self) -> str:
        """The chain as code, such as ``app.cache.CACHE[*].items``; positions and data keys are ``[*]``."""
        return path_expression((hop.kind, hop.text) for hop in self.hops)

    def __str__(self) -> str:
        lines = (
            f"{hop.label_text}{f' ×{hop.repeats:,}' if hop.repeats > 1 else ''} → {hop.type_name} {hop.name}".rstrip()
            for hop in self.hops
        )
        return "\n".join(lines)


def shortest_chain(graph: HeapGraph, obj: int) -> Chain:
    """The shortest chain that holds the object, in the order a person would follow it.

    References that nobody would name first (evaluation stacks, classes, machinery) are taken only
    where no others lead there. What an instance's ``__dict__`` has under a key is shown as
    the instance's attribute.

    Raises:
        ValueError: There is no such object, or it is the virtual root.
        UnreachableObjectError: No root holds it; the message says whether it is garbage or heapdiff's own.
    """
    if obj == 0:
        raise ValueError("object 0 is the virtual root, where chains begin; ask for objects from 1")
    require_live(graph.snapshot, graph.paths, obj)
    runs: list[_Run] = []
    for step in _climb(graph, obj):
        if not runs or not runs[-1].take(step):
            runs.append(_Run(step))
    hops = [hop for run in runs for hop in run.hops(graph)]
    return Chain(tuple(reversed(hops)))


@attrs.frozen
class _Step:
    object: int
    label: int
    type: int

    def is_like(self, other: _Step) -> bool:
        if self.type != other.type:
            return False
        return self.label == other.label or (
            kind_of(self.label) in _WITHOUT_TEXT and kind_of(self.label) is kind_of(other.label)
        )


class _Run:
    """Equal steps in a row, the last first. A linked list has millions, so only the first few are kept."""

    def __init__(self, step: _Step) -> None:
        self.steps = [step]
        self.count = 1

    def take(self, step: _Step) -> bool:
        if not step.is_like(self.steps[0]):
            return False
        self.count += 1
        if len(self.steps) < _RUN:
            self.steps.append(step)
        return True

    def hops(self, graph: HeapGraph) -> list[Hop]:
        if self.count >= _RUN:
            return [_hop(graph, self.steps[0], self.count)]
        return [_hop(graph, step, 1) for step in self.steps]


def _climb(graph: HeapGraph, obj: int) -> Iterator[_Step]:
    """The references from the object up to the root, those through a ``__dict__`` as attributes."""
    parent, via = graph.paths["parent"], graph.paths["via"]
    labels, types = graph.snapshot.columns["reference_label"], graph.snapshot.columns["object_type"]
    while obj:
        holder, label = parent[obj], labels[via[obj]]
        if holder and kind_of(label) is LabelKind.KEY and _is_namespace(graph, holder, labels[via[holder]]):
            label = make_label(LabelKind.ATTRIBUTE, payload_of(label))
            holder = parent[holder]
        yield _Step(obj, label, types[obj])
        obj = holder


def _is_namespace(graph: HeapGraph, obj: int, label: int) -> bool:
    return (
        kind_of(label) is LabelKind.DICT
        and graph.snapshot.type_name(graph.snapshot.columns["object_type"][obj]) == "dict"
    )


def _hop(graph: HeapGraph, step: _Step, repeats: int) -> Hop:
    kind, text = read_label(graph.snapshot, step.label)
    return Hop(
        object=step.object,
        kind=kind,
        text=text,
        type_name=graph.snapshot.type_name(step.type),
        shallow_bytes=graph.snapshot.shallow_bytes(step.object),
        retained_bytes=graph.dominators["retained_bytes"][step.object],
        repeats=repeats,
        name=task_name(graph.snapshot, step.object),
    )
