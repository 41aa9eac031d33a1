"""The memory blocks in use in each snapshot in, the verdict out whether native code lost some."""

from __future__ import annotations

from itertools import pairwise

from heapdiff.diff.model import HeapDiff
from heapdiff.explain.model import Verdict, VerdictKind
from heapdiff.sizes import count_text

__all__ = ["judge_blocks", "unexplained_blocks"]

_BLOCKS_OF_OBJECT = 3  # at most: the object, its table, and what grows with it out of sight
_LEAST_TO_TELL = 150  # in each step: snapshots, caches of the interpreter and code that warms up take so many
_LEAST_TO_BLAME = 300
_EVEN = 0.5  # the step that added least, beside the one that added most


def unexplained_blocks(diff: HeapDiff) -> int | None:
    """Blocks by which the memory in use grew beyond what objects account for; None is not measured."""
    steps = _steps(diff)
    return None if steps is None else max(0, sum(steps))


def judge_blocks(diff: HeapDiff) -> Verdict | None:
    """The verdict ``native-lost`` where blocks grow that no object explains.

    An object without a place in any object or root, and that the collector does not track, such as a
    str whose reference count native code forgot to lower, is in no snapshot. Its memory block is counted.
    """
    steps = _steps(diff)
    if steps is None or sum(steps) < _LEAST_TO_TELL * len(steps):
        return None
    lost = count_text(sum(steps))
    is_even = len(steps) > 1 and min(steps) >= max(_LEAST_TO_BLAME, _EVEN * max(steps))
    return Verdict(
        "native-lost",
        VerdictKind.LEAK if is_even else VerdictKind.UNSURE,
        f"{lost} more memory blocks are in use than the objects that grew account for: native code (a C extension) "
        "lost objects that the collector does not track, such as str and bytes, or holds memory of its own.",
        "Look at which extension was called in between; upgrade it, or report it with the smallest call after which "
        "sys.getallocatedblocks() is higher.",
    )


def _steps(diff: HeapDiff) -> list[int] | None:
    """Unexplained blocks from each snapshot to the next; what became garbage is spread evenly."""
    blocks = [count for count in diff.allocated_blocks if count is not None]
    if len(blocks) != diff.snapshot_count or not diff.same_process:
        return None
    garbage = max(0, diff.garbage.objects_now - diff.garbage.objects_base) // (len(blocks) - 1)
    return [
        more - _BLOCKS_OF_OBJECT * (max(0, objects) + garbage)
        for more, objects in zip(_deltas(blocks), _deltas(diff.live_objects), strict=True)
    ]


def _deltas(counts: list[int] | tuple[int, ...]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(counts)]
