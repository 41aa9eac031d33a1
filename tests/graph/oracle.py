"""The definitions, slow and plainly right: what the native passes are compared with."""

from collections.abc import Collection, Iterator

from heapdiff.snapshot.labels import LabelKind, kind_of
from heapdiff.snapshot.model import ObjectFlag, Snapshot

__all__ = ["held_by_own", "objects", "reachable", "references", "retained", "shallow"]


def objects(snapshot: Snapshot) -> range:
    """All object numbers but the virtual root's."""
    return range(1, snapshot.object_count + 1)


def references(snapshot: Snapshot, source: int) -> Iterator[tuple[int, int]]:
    """Edge and target of every reference of *source* that holds."""
    columns = snapshot.columns
    start, target, label = columns["reference_start"], columns["reference_target"], columns["reference_label"]
    flags = columns["object_flags"]
    for edge in range(start[source], start[source + 1]):
        weak = kind_of(label[edge]) in (LabelKind.WEAK, LabelKind.ROOT_OWN)
        own = (flags[source] | flags[target[edge]]) & ObjectFlag.OWN
        if not weak and not own:
            yield edge, target[edge]


def reachable(snapshot: Snapshot, without: Collection[int] = ()) -> set[int]:
    """Objects that the root reaches without passing any of *without*."""
    seen, waiting = {0}, [0]
    while waiting:
        for _, target in references(snapshot, waiting.pop()):
            if target not in seen and target not in without:
                seen.add(target)
                waiting.append(target)
    return seen - {0}


def retained(snapshot: Snapshot, members: Collection[int]) -> set[int]:
    """Objects that would be freed if all *members* were let go."""
    return reachable(snapshot) - reachable(snapshot, without=members)


def shallow(snapshot: Snapshot, members: Collection[int]) -> int:
    """Bytes of those objects themselves."""
    return sum(snapshot.shallow_bytes(obj) for obj in members)


def held_by_own(snapshot: Snapshot) -> set[int]:
    """Objects flagged OWN, and what is not live and hangs on them or on a ROOT_OWN reference."""
    columns = snapshot.columns
    start, target, label = columns["reference_start"], columns["reference_target"], columns["reference_label"]
    live = reachable(snapshot)
    own = {obj for obj in objects(snapshot) if columns["object_flags"][obj] & ObjectFlag.OWN}
    own |= {
        target[edge]
        for edge in range(start[0], start[1])
        if kind_of(label[edge]) is LabelKind.ROOT_OWN and target[edge] not in live
    }
    waiting = list(own)
    while waiting:
        source = waiting.pop()
        for edge in range(start[source], start[source + 1]):
            found = target[edge]
            if kind_of(label[edge]) is not LabelKind.WEAK and found not in live and found not in own:
                own.add(found)
                waiting.append(found)
    return own
