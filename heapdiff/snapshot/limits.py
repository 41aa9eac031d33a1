"""What a snapshot could not see, in sentences."""

from heapdiff.native import Columns
from heapdiff.snapshot.model import Limit, ObjectFlag

__all__ = ["limits_of"]


def limits_of(columns: Columns, *, traced: bool) -> tuple[Limit, ...]:
    """The limits of a fresh capture, by stable names."""
    limits = []
    if not traced:
        limits.append(Limit("sites", "Allocation sites: tracemalloc was not tracing (heapdiff.start_tracing())."))
    flags = bytes(columns["object_flags"])
    unsized = sum(flags.count(value) for value in range(256) if value & ObjectFlag.NATIVE_MEMORY)
    if unsized:
        limits.append(
            Limit(
                "native-memory",
                f"{unsized:,} objects (sockets, compressors, database connections and the like) have memory of their "
                "own in C that nothing outside can size; it is not in their bytes.",
            )
        )
    held = len(columns["native_held_object"])
    if held:
        limits.append(
            Limit(
                "native-references",
                f"{held:,} objects have references that no Python object, frame or known memory explains; "
                "native code is taken to hold them.",
            )
        )
    return tuple(limits)
