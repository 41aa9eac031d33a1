"""The reference graph by ``gc.get_referents``, for libraries that know graphs but no heaps; not a tool of its own."""

import array
import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from benchmarks.contenders import Claim, Job
from benchmarks.service_heap import Session
from benchmarks.stage import Stage

__all__ = ["ReferenceGraph", "dominator_job"]


@attrs.frozen(eq=False)
class ReferenceGraph:
    """Objects 0 … count-1, number *count* is the virtual root; references from sources[i] to targets[i]."""

    count: int
    sources: "array.array[int]"
    targets: "array.array[int]"
    sizes: "array.array[int]"
    is_session: bytearray


def dominator_job(how: str, dominators: Callable[[ReferenceGraph], Sequence[int]]) -> Job:
    """A job that asks a graph library for the immediate dominator of every object (-1: not reached)."""

    def run(stage: Stage) -> int:
        with stage.phase("graph in Python"):
            graph = _extract()
        with stage.phase("dominators"):
            parents = dominators(graph)
        with stage.phase("retained in Python"):
            return _sessions_retain(graph, parents)

    def claims(stage: Stage, result: int) -> list[Claim]:
        truth = stage.single_retained_bytes(allocated=False)
        return [Claim("retained bytes", result, truth, tolerance=0.001 * truth)]

    return Job(how, run, claims)


def _extract() -> ReferenceGraph:
    objects: list[Any] = gc.get_objects()
    number = {id(found): i for i, found in enumerate(objects)}
    sources, targets, sizes = array.array("I"), array.array("I"), array.array("Q")
    is_session, is_held = bytearray(), bytearray(len(objects))
    own = {id(mine) for mine in (objects, number, sources, targets, sizes, is_session, is_held)}
    for i, found in enumerate(objects):  # it grows as it is walked
        mine = id(found) in own
        sizes.append(0 if mine else sys.getsizeof(found))
        is_session.append(type(found) is Session)
        if mine:
            continue
        for referent in gc.get_referents(found):
            j = number.get(id(referent))
            if j is None:
                j = number[id(referent)] = len(objects)
                objects.append(referent)
                is_held.append(0)
            sources.append(i)
            targets.append(j)
            is_held[j] |= i != j
    count = len(objects)
    roots = {number[id(module)] for module in sys.modules.values() if id(module) in number}
    roots.update(i for i in range(count) if not is_held[i])
    for root in _with_lumps(count, sources, targets, roots):
        sources.append(count)
        targets.append(root)
    return ReferenceGraph(count, sources, targets, sizes, is_session)


def _with_lumps(count: int, sources: "array.array[int]", targets: "array.array[int]", roots: set[int]) -> set[int]:
    """The roots, and one more for each lump that nothing but itself holds: nobody says what the interpreter holds."""
    source, target = np.frombuffer(sources, dtype=np.uint32), np.frombuffer(targets, dtype=np.uint32)
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=count), out=starts[1:])
    start, follow = starts.tolist(), target[np.argsort(source, kind="stable")].tolist()
    seen = bytearray(count)

    def mark(root: int) -> None:
        pending = [root]
        seen[root] = 1
        while pending:
            found = pending.pop()
            for referent in follow[start[found] : start[found + 1]]:
                if not seen[referent]:
                    seen[referent] = 1
                    pending.append(referent)

    for root in roots:
        mark(root)
    lumps = set(roots)
    for i in range(count):
        if not seen[i]:
            lumps.add(i)
            mark(i)
    return lumps


def _sessions_retain(graph: ReferenceGraph, parents: Sequence[int]) -> int:
    """The sum, over the Sessions, of the retained size of each: leaves first, each adds itself to its parent."""
    waiting = [0] * (graph.count + 1)
    for parent in parents:
        if parent >= 0:
            waiting[parent] += 1
    retained = [*graph.sizes, 0]
    ready = [i for i in range(graph.count) if not waiting[i] and parents[i] >= 0]
    while ready:
        i = ready.pop()
        parent = parents[i]
        retained[parent] += retained[i]
        waiting[parent] -= 1
        if not waiting[parent] and parent != graph.count:
            ready.append(parent)
    return sum(retained[i] for i in range(graph.count) if graph.is_session[i])
