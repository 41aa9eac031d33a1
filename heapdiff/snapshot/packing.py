"""The compressed flavour: numbers in, small blocks out, and back without trusting a byte of them."""

import importlib
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from mmap import mmap
from typing import Any, Final, Literal, cast

from heapdiff.errors import SnapshotCorruptError, SnapshotFileError
from heapdiff.native import decode_transform, encode_transform, shuffle, unshuffle
from heapdiff.snapshot.manifest import ITEM_BYTES, ColumnEntry

__all__ = ["BLOCK_BYTES", "TRANSFORMS", "Codec", "check_packing", "has_zstd", "pack_column", "unpack_column"]

Codec = Literal["deflate", "zstd"]

# Which prediction serves which column, by measurement (docs/snapshot-format.md). The order in which
# columns stand in a file is that of manifest.COLUMNS: what a prediction looks at comes before it.
TRANSFORMS: Final[Mapping[str, str]] = {
    "object_shallow": "same_type",
    "object_address": "delta",
    "reference_start": "delta",
    "reference_label": "label",
    "reference_target": "target",
    "site_start": "delta",
    "text_start": "delta",
}
BLOCK_BYTES: Final = 1 << 20
_BLOCK_LIMIT: Final = 1 << 26  # a block of another writer; two of them are in memory at a time
_DEFLATE_LEVEL: Final = 4  # 6 takes twice the time and saves 4 %
_DEFLATE_RATIO: Final = 1032  # deflate cannot do better, so whoever says more is lying
_ZSTD_LEVEL: Final = 3
_FRAME = struct.Struct("<I")

_BLOCK_MULTIPLE: Final = 8  # the widest numbers: none lies across two blocks


def has_zstd() -> bool:
    """Whether a zstd codec can be imported: Python 3.14's own, or ``backports.zstd``."""
    return _zstd() is not None


def pack_column(
    entry: ColumnEntry, columns: Mapping[str, memoryview], numbers: memoryview, type_count: int
) -> Iterator[bytes]:
    """The compressed blocks of one column, each after its length.

    Args:
        entry: The column; its packing says how.
        columns: The plain columns that predictions look at.
        numbers: The plain numbers.
        type_count: Rows of the type table.
    """
    assert entry.packing is not None
    item_bytes = ITEM_BYTES[entry.dtype]
    source = numbers
    if entry.packing.transform != "none" and entry.length:
        source = memoryview(mmap(-1, entry.plain_bytes))
        encode_transform(entry.packing.transform, item_bytes, numbers, source, *_context(entry, columns, type_count))
    compress = _compressor(entry.packing.codec)
    shuffled = bytearray(entry.packing.block_bytes)
    for start in range(0, entry.plain_bytes, entry.packing.block_bytes):
        block = source[start : start + entry.packing.block_bytes]
        planes = memoryview(shuffled)[: len(block)]
        shuffle(block, item_bytes, planes)
        packed = compress(planes)
        yield _FRAME.pack(len(packed))
        yield packed


def unpack_column(
    entry: ColumnEntry, columns: Mapping[str, memoryview], packed: memoryview, numbers: memoryview, type_count: int
) -> None:
    """Writes the plain numbers of a packed column to ``numbers``, which has exactly the room for them.

    Raises:
        SnapshotCorruptError: The blocks do not unpack to that many numbers.
        SnapshotFileError: No codec of that name is installed.
    """
    check_packing(entry, len(packed))
    assert entry.packing is not None
    item_bytes = ITEM_BYTES[entry.dtype]
    decompress = _decompressor(entry.packing.codec)
    at = 0
    for start in range(0, entry.plain_bytes, entry.packing.block_bytes):
        room = numbers[start : start + entry.packing.block_bytes]
        if at + _FRAME.size > len(packed):
            raise SnapshotCorruptError(f"column {entry.name} ends before its blocks do.")
        (packed_bytes,) = _FRAME.unpack(packed[at : at + _FRAME.size])
        at += _FRAME.size
        if packed_bytes > len(packed) - at:
            raise SnapshotCorruptError(f"a block of column {entry.name} reaches beyond its member.")
        planes = decompress(packed[at : at + packed_bytes], len(room))
        at += packed_bytes
        if planes is None or len(planes) != len(room):
            raise SnapshotCorruptError(f"a block of column {entry.name} does not unpack to {len(room):,} bytes.")
        unshuffle(planes, item_bytes, room)
    if at != len(packed):
        raise SnapshotCorruptError(f"column {entry.name} has {len(packed) - at:,} bytes after its last block.")
    if entry.packing.transform != "none" and entry.length:
        try:
            decode_transform(entry.packing.transform, item_bytes, numbers, *_context(entry, columns, type_count))
        except ValueError as error:
            raise SnapshotCorruptError(f"column {entry.name}: {error}") from error


def check_packing(entry: ColumnEntry, packed_bytes: int) -> None:
    """Refuses what cannot be unpacked, before there is memory for it.

    Raises:
        SnapshotCorruptError: The packing is unknown, or promises more than its bytes can hold.
        SnapshotFileError: No codec of that name is installed.
    """
    assert entry.packing is not None
    packing = entry.packing
    if not 0 < packing.block_bytes <= _BLOCK_LIMIT or packing.block_bytes % _BLOCK_MULTIPLE:
        raise SnapshotCorruptError(f"column {entry.name} has blocks of {packing.block_bytes} bytes.")
    if packing.transform not in ("none", "delta", "same_type", "label", "target"):
        raise SnapshotCorruptError(f"column {entry.name} has the unknown transform {packing.transform[:20]!r}.")
    if packing.codec == "deflate":
        if entry.plain_bytes > packed_bytes * _DEFLATE_RATIO:
            raise SnapshotCorruptError(
                f"column {entry.name} promises {entry.plain_bytes:,} bytes from {packed_bytes:,}; deflate can at most "
                f"make {packed_bytes * _DEFLATE_RATIO:,} of them."
            )
    elif packing.codec != "zstd":
        raise SnapshotCorruptError(f"column {entry.name} has the unknown codec {packing.codec[:20]!r}.")
    elif not has_zstd():
        raise SnapshotFileError(
            "its columns are packed with zstd, which this Python does not have. Install heapdiff[zstd], or write "
            "the snapshot with compress='deflate'."
        )


def _context(entry: ColumnEntry, columns: Mapping[str, memoryview], type_count: int) -> tuple[Any, ...]:
    if entry.packing is None or entry.packing.transform == "delta":
        return ()
    if entry.packing.transform == "same_type":
        return columns.get("object_type"), type_count
    label = columns.get("reference_label") if entry.packing.transform == "target" else None
    return columns.get("object_type"), type_count, columns.get("reference_start"), label


def _compressor(codec: str) -> Callable[[memoryview], bytes]:
    if codec == "deflate":
        return lambda block: zlib.compress(block, _DEFLATE_LEVEL)
    zstd = _zstd()
    if zstd is None:
        raise SnapshotFileError("zstd is not installed. Install heapdiff[zstd], or pass compress='deflate'.")
    return lambda block: cast(bytes, zstd.compress(block, level=_ZSTD_LEVEL))


def _decompressor(codec: str) -> Callable[[memoryview, int], bytes | None]:
    """A function from a block and the bytes to expect to these bytes; None where it is damaged or has more."""
    zstd = _zstd() if codec == "zstd" else None

    def decompress(block: memoryview, expected_bytes: int) -> bytes | None:
        stream: Any = zlib.decompressobj() if zstd is None else zstd.ZstdDecompressor(options=_window(zstd))
        try:
            # One byte more than expected, so that a block which has more does not pass for a good one.
            plain = cast(bytes, stream.decompress(block, expected_bytes + 1))
        except Exception as error:
            if isinstance(error, (zlib.error, ValueError, EOFError)) or type(error).__name__ == "ZstdError":
                return None
            raise
        return plain if stream.eof and not stream.unused_data else None

    return decompress


def _window(zstd: Any) -> dict[Any, int]:
    """No block needs to look back further than a block is long; a frame that wants more memory lies."""
    return {zstd.DecompressionParameter.window_log_max: _BLOCK_LIMIT.bit_length() - 1}


def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
