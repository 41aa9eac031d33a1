"""What shortest_paths() finds every object to be."""

from heapdiff.errors import UnreachableObjectError
from heapdiff.native import Columns
from heapdiff.snapshot.model import Snapshot

__all__ = ["GARBAGE", "LIVE", "OWN", "require_live"]

GARBAGE = 0  # no root reaches it
LIVE = 1
OWN = 2  # made by heapdiff, or held by nothing else


def require_live(snapshot: Snapshot, paths: Columns, obj: int) -> None:
    """Nothing, where a root reaches the object.

    Raises:
        ValueError: There is no object of that number.
        UnreachableObjectError: It is garbage, or heapdiff's own.
    """
    if not 0 <= obj <= snapshot.object_count:
        raise ValueError(f"object {obj} does not exist; the snapshot has objects 1 to {snapshot.object_count}")
    state = paths["state"][obj]
    if state == LIVE:
        return
    name = snapshot.type_name(snapshot.columns["object_type"][obj])
    if state == GARBAGE:
        raise UnreachableObjectError(
            f"object {obj} ({name}) is garbage: no root reaches it, it waits for the collector. "
            "Take the snapshot after gc.collect() to see whether something holds it."
        )
    raise UnreachableObjectError(
        f"object {obj} ({name}) is heapdiff's own: nothing of the program holds it, so it retains nothing."
    )
