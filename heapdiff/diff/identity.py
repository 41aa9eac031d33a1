"""Two heaps in, how many objects of the one are in the other, and how sure that is, out."""

from __future__ import annotations

from heapdiff.diff.matching import is_same_process
from heapdiff.diff.model import Identity, IdentityMode
from heapdiff.graph import HeapGraph
from heapdiff.graph.states import LIVE
from heapdiff.native import survivors

__all__ = ["find_identity", "find_survivors"]

_PROVEN = 2


def find_identity(base: HeapGraph, now: HeapGraph) -> Identity:
    """Survivors, new and gone objects of one process; between two processes nothing survives.

    Exact in an epoch (``heapdiff.start_epoch``), for the objects that the collector tracks.
    """
    before, after = base.snapshot.process, now.snapshot.process
    if not is_same_process(before, after):
        return Identity(IdentityMode.NONE)
    is_exact = _is_exact(base, now)
    columns = survivors(base.snapshot.columns, base.paths, now.snapshot.columns, now.paths, is_exact)
    survived = bytes(columns["survived"])
    count = len(survived) - survived.count(0)
    return Identity(
        mode=IdentityMode.EXACT if is_exact else IdentityMode.ADDRESS,
        survivors=count,
        proven=survived.count(_PROVEN),
        recycled=columns["recycled"][0] if is_exact else None,
        new=_live_objects(now) - count,
        gone=_live_objects(base) - count,
    )


def find_survivors(base: HeapGraph, now: HeapGraph) -> bytes:
    """For each object of *now* 0 where it is new, 1 or 2 (proven) where it was there in the base."""
    if not is_same_process(base.snapshot.process, now.snapshot.process):
        return bytes(now.object_count + 1)
    exact = _is_exact(base, now)
    return bytes(survivors(base.snapshot.columns, base.paths, now.snapshot.columns, now.paths, exact)["survived"])


def _is_exact(base: HeapGraph, now: HeapGraph) -> bool:
    before, after = base.snapshot.process, now.snapshot.process
    return before.epoch_start is not None and before.epoch_start == after.epoch_start


def _live_objects(graph: HeapGraph) -> int:
    return bytes(graph.paths["state"]).count(LIVE) - 1  # but the virtual root
