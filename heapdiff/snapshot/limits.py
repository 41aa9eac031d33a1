"""What a snapshot could not see, in sentences."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from heapdiff.native import Columns
from heapdiff.sizes import size_text
from heapdiff.snapshot.model import Limit, ObjectFlag, Snapshot

__all__ = ["limits_of"]


def limits_of(columns: Columns, *, traced: bool, unseen: Mapping[str, int]) -> tuple[Limit, ...]:
    """The limits of a fresh capture, by stable names.

    Args:
        columns: What was captured.
        traced: Whether allocation sites were looked up.
        unseen: What the walk counted and could not read, as ``native.capture`` returns it.
    """
    limits = []
    if not traced:
        limits.append(Limit("sites", "Allocation sites: tracemalloc was not tracing (heapdiff.start_tracing())."))
    types = _types_with_native_memory(columns)
    if types:
        top = sorted(types.items(), key=lambda pair: (-pair[1], pair[0]))
        named = ", ".join(f"{count:,} {name}" for name, count in top[:_TOP])
        more = f", and {len(types) - _TOP:,} more types" if len(types) > _TOP else ""
        limits.append(
            Limit(
                "native-memory",
                f"{types.total():,} objects have memory of their own in C that nothing outside can size; "
                f"it is not in their bytes: {named}{more}.",
            )
        )
    if unseen["mapped_files"]:
        limits.append(
            Limit(
                "mapped-files",
                f"{unseen['mapped_files']:,} mmap objects map {size_text(unseen['mapped_file_bytes'])} of files; "
                "what of it is in memory belongs to the files, and is not in the objects' bytes.",
            )
        )
    if unseen["data_types"]:
        limits.append(
            Limit(
                "data-types",
                f"{unseen['data_types']:,} numpy dtypes hold objects in a way that is not known; "
                "what arrays of them hold is not seen.",
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


_TOP: Final = 6


def _types_with_native_memory(columns: Columns) -> Counter[str]:
    """Objects that have memory which could not be sized, by the name of their type."""
    marks = bytes(bool(value & ObjectFlag.NATIVE_MEMORY) for value in range(256))
    flags, rows = bytes(columns["object_flags"]).translate(marks), columns["object_type"]
    counts: Counter[int] = Counter()
    at = flags.find(1)
    while at >= 0:
        counts[rows[at]] += 1
        at = flags.find(1, at + 1)
    found: Counter[str] = Counter()
    snapshot = Snapshot(columns)
    for row, count in counts.items():
        found[snapshot.type_name(row)] += count
    return found
