"""What waits for the collector in the first and the last snapshot in, the verdict out whether it will ever be freed."""

from __future__ import annotations

from heapdiff.diff.model import HeapDiff
from heapdiff.explain.evidence import LEAST_BYTES_TO_JUDGE
from heapdiff.explain.model import Verdict, VerdictKind
from heapdiff.graph import HeapGraph
from heapdiff.graph.states import GARBAGE
from heapdiff.sizes import count_text, size_text
from heapdiff.snapshot.model import ObjectFlag

__all__ = ["judge_garbage"]

_MOSTLY = 0.5
_LEAST_OBJECTS = 5  # in each step; a cycle or two may be an import's or an error's


def judge_garbage(diff: HeapDiff) -> Verdict | None:
    """The verdict ``garbage-waiting`` where more garbage waits for the collector than in the base."""
    garbage, process = diff.garbage, diff.now.snapshot.process
    new_objects = garbage.objects_now - garbage.objects_base
    new_bytes = garbage.shallow_bytes_now - garbage.shallow_bytes_base
    if new_objects <= 0 and new_bytes <= 0:
        return None
    what = (
        f"{count_text(new_objects)} more objects ({size_text(new_bytes)}) that nothing reaches wait for the collector."
    )
    steps = diff.snapshot_count - 1
    is_substantial = new_objects >= _LEAST_OBJECTS * steps or new_bytes >= LEAST_BYTES_TO_JUDGE * steps
    kind = VerdictKind.LEAK if is_substantial else VerdictKind.UNSURE
    if process.gc_enabled is False:
        return Verdict(
            "garbage-waiting",
            kind,
            f"{what} It is disabled, so cyclic garbage is never freed.",
            "Call gc.enable(), or gc.collect() where the program can afford it.",
        )
    if process.gc_frozen_objects and process.epoch_start is None:
        frozen = _frozen_garbage(diff.now) - _frozen_garbage(diff.base)
        if new_objects > 0 and frozen >= _MOSTLY * new_objects:
            return Verdict(
                "garbage-waiting",
                kind,
                f"{what} {count_text(frozen)} of them are frozen (gc.freeze()); the collector never looks at those.",
                "Freeze only what is to live as long as the process, after gc.collect(), or call gc.unfreeze().",
            )
    return Verdict("garbage-waiting", VerdictKind.BENIGN, f"{what} It will free them when it next runs.")


def _frozen_garbage(graph: HeapGraph) -> int:
    states, flags = bytes(graph.paths["state"]), graph.snapshot.columns["object_flags"]
    count, obj = 0, states.find(GARBAGE, 1)  # object 0 is the virtual root
    while obj != -1:
        count += bool(flags[obj] & ObjectFlag.FROZEN)
        obj = states.find(GARBAGE, obj + 1)
    return count
