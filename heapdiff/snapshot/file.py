"""A snapshot in a file: write_snapshot() puts it there whole or not at all, read_snapshot() believes nothing."""

import errno
import mmap
import os
import stat
import zlib
from typing import Final

import attrs

from heapdiff.errors import SnapshotCorruptError, SnapshotFileError, SnapshotVersionError
from heapdiff.files import whole_file
from heapdiff.memory import memory_left
from heapdiff.native import Columns, validate
from heapdiff.sizes import size_text
from heapdiff.snapshot.container import ALIGNMENT, MARK_NAME, ContainerWriter, Member, read_mark, read_members
from heapdiff.snapshot.manifest import (
    COLUMNS,
    FORMAT,
    ColumnEntry,
    Manifest,
    Packing,
    decode_manifest,
    encode_manifest,
)
from heapdiff.snapshot.model import Snapshot
from heapdiff.snapshot.packing import (
    BLOCK_BYTES,
    TRANSFORMS,
    Codec,
    check_packing,
    has_zstd,
    pack_column,
    unpack_column,
)
from heapdiff.version import VERSION

__all__ = ["read_snapshot", "write_snapshot"]

_MANIFEST_NAME: Final = "manifest.json"
_MANIFEST_LIMIT: Final = 1 << 24
_DTYPES: Final = {"B": "|u1", "I": "<u4", "i": "<i4", "Q": "<u8"}
_FORMATS: Final = {dtype: code for code, dtype in _DTYPES.items()}


def write_snapshot(snapshot: Snapshot, path: str | os.PathLike[str], *, compress: bool | Codec = False) -> None:
    """Writes the snapshot to a file that only its owner may read.

    The file appears whole, or the one that was there stays as it was. Equal snapshots make equal files.

    Args:
        snapshot: What to write.
        path: The file, commonly named ``*.heap``.
        compress: False: about 40 bytes an object, mapped when read. True: a few bytes an object, by
            zstd where it is installed and deflate elsewhere; or the name of one of them. Every
            Python reads deflate.

    Raises:
        SnapshotFileError: The operating system does not take it; nothing is left behind.
        TypeError: *snapshot* is something else.
        ValueError: The columns are not those of a snapshot, or the path is empty.
    """
    if not isinstance(snapshot, Snapshot):
        raise TypeError(f"snapshot is a {type(snapshot).__name__}; write_snapshot(snapshot, path) takes a Snapshot")
    name = os.fsdecode(path)
    if not name:
        raise ValueError("path is empty; name a file, such as before.heap")
    codec: Codec | None = None
    if compress:
        codec = compress if compress is not True else "zstd" if has_zstd() else "deflate"
        if codec not in ("deflate", "zstd"):
            raise ValueError(f"compress is {compress!r}, expected a bool, 'deflate' or 'zstd'")
    try:
        with whole_file(name) as descriptor:
            _write(snapshot, ContainerWriter(descriptor), codec)
    except OSError as error:
        raise SnapshotFileError(f"{name}: cannot write the snapshot: {_reason(error)}") from error
    except SnapshotFileError as error:
        raise type(error)(f"{name}: {error}") from error.__cause__


def read_snapshot(path: str | os.PathLike[str], *, limit_bytes: int | None = None) -> Snapshot:
    """The snapshot in the file, every checksum of it verified.

    A plain file is mapped and not copied: it must not be changed in place while the snapshot is in
    use (write_snapshot() never does that). A compressed one is unpacked outside the Python heap.

    Args:
        path: The file.
        limit_bytes: What a compressed file may unpack to; by default, the memory that is available.

    Raises:
        SnapshotFileError: The file cannot be opened, or unpacks to more than the limit.
        SnapshotForeignError: It is not a snapshot.
        SnapshotVersionError: Its format is newer than this heapdiff reads.
        SnapshotTruncatedError: It ends before its contents do.
        SnapshotCorruptError: Its contents contradict its checksums or themselves.
    """
    name = os.fsdecode(path)
    try:
        return _read(memoryview(_mapped_file(name)), limit_bytes)
    except OSError as error:
        raise SnapshotFileError(f"{name}: cannot read the snapshot: {_reason(error)}") from error
    except SnapshotFileError as error:
        raise type(error)(f"{name}: {error}") from error.__cause__


# ---------------------------------------------------------------- writing


def _write(snapshot: Snapshot, container: ContainerWriter, codec: Codec | None) -> None:
    mark = f"{FORMAT}\n".encode()
    container.add(MARK_NAME, b"", [mark], len(mark))
    present = snapshot.columns.names()
    names = [name for name in COLUMNS if name in present] + [name for name in present if name not in COLUMNS]
    entries = [_write_column(snapshot.columns, name, container, codec) for name in names]
    manifest = encode_manifest(Manifest(VERSION, tuple(entries), snapshot.process, snapshot.limits))
    try:
        decode_manifest(manifest)  # what cannot be read shall not be written
    except SnapshotCorruptError as error:
        raise ValueError(f"this is not a snapshot: {error}") from error
    container.add(_MANIFEST_NAME, b"", [manifest], len(manifest))
    container.finish()


def _write_column(columns: Columns, name: str, container: ContainerWriter, codec: Codec | None) -> ColumnEntry:
    numbers = columns[name]
    # memoryview.cast() refuses a view without numbers.
    data = numbers.cast("B") if len(numbers) else memoryview(b"")
    entry = ColumnEntry(name, _DTYPES[numbers.format], len(numbers), f"{name}.npy", 0)
    if codec is None:
        crc32 = container.add(entry.member, _npy_header(entry), [data], len(data))
        return attrs.evolve(entry, crc32=crc32)
    packing = Packing(TRANSFORMS.get(name, "none"), codec, BLOCK_BYTES)
    entry = attrs.evolve(entry, member=f"{name}.packed", packing=packing, crc32=zlib.crc32(data))
    seen = {other: columns[other] for other in ("object_type", "reference_start", "reference_label")}
    blocks = list(pack_column(entry, seen, data, len(columns["type_name"])))
    container.add(entry.member, b"", blocks, sum(map(len, blocks)))
    return entry


def _npy_header(entry: ColumnEntry) -> bytes:
    """What numpy.save() writes before the numbers; its length is a multiple of 64, so the numbers are aligned."""
    text = f"{{'descr': '{entry.dtype}', 'fortran_order': False, 'shape': ({entry.length},), }}"
    length = len(text) + 1 + -(len(text) + 11) % ALIGNMENT
    return b"\x93NUMPY\1\0" + length.to_bytes(2, "little") + text.ljust(length - 1).encode("ascii") + b"\n"


# ---------------------------------------------------------------- reading


def _mapped_file(name: str) -> mmap.mmap | bytes:
    # Opening a pipe would wait for its writer without O_NONBLOCK.
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(_IRREGULAR, "it is not a regular file")
        return mmap.mmap(descriptor, status.st_size, access=mmap.ACCESS_READ) if status.st_size else b""
    finally:
        os.close(descriptor)


def _read(data: memoryview, limit_bytes: int | None) -> Snapshot:
    _check_version(read_mark(data))
    members = {member.name: member for member in read_members(data)}
    manifest = _read_manifest(data, members)
    expected = {MARK_NAME, _MANIFEST_NAME, *(entry.member for entry in manifest.columns)}
    if members.keys() != expected:
        strangers = ", ".join(sorted(members.keys() ^ expected)[:3])
        raise SnapshotCorruptError(f"its members are not those of its manifest: {strangers}.")
    if any(entry.packing is not None for entry in manifest.columns):
        columns = _unpacked_columns(data, members, manifest, limit_bytes)
    else:
        columns = _mapped_columns(data, members, manifest)
    try:
        validate(columns)
    except ValueError as error:
        raise SnapshotCorruptError(f"its columns contradict each other: {error}") from error
    return Snapshot(columns, manifest.process, manifest.limits)


def _check_version(mark: str) -> None:
    number = mark.removesuffix("\n")
    if not (number.isdecimal() and number.isascii() and mark.endswith("\n")):
        raise SnapshotCorruptError(f"its first member says {mark!r}, expected the version of its format.")
    if int(number) > FORMAT:
        raise SnapshotVersionError(
            f"snapshot format {number} is newer than this heapdiff reads (up to {FORMAT}). Upgrade heapdiff, or "
            "capture again with this version."
        )
    if int(number) < FORMAT:
        raise SnapshotVersionError(f"there is no snapshot format {number}; expected {FORMAT}. Capture again.")


def _read_manifest(data: memoryview, members: dict[str, Member]) -> Manifest:
    member = members.get(_MANIFEST_NAME)
    if member is None or member.size_bytes > _MANIFEST_LIMIT:
        found = "no" if member is None else size_text(member.size_bytes) + " of"
        raise SnapshotCorruptError(f"it has {found} {_MANIFEST_NAME}, expected {size_text(_MANIFEST_LIMIT)} at most.")
    content = bytes(data[member.data_offset : member.end])
    if zlib.crc32(content) != member.crc32:
        raise SnapshotCorruptError("its manifest contradicts its checksum. Copy the file again.")
    return decode_manifest(content)


def _mapped_columns(data: memoryview, members: dict[str, Member], manifest: Manifest) -> Columns:
    layout = []
    for entry in manifest.columns:
        member, header = members[entry.member], _npy_header(entry)
        start = member.data_offset + len(header)
        if start + entry.plain_bytes != member.end or bytes(data[member.data_offset : start]) != header:
            raise SnapshotCorruptError(f"column {entry.name} is not the {entry.length:,} numbers of its manifest.")
        _check_column(entry, data[start : member.end])
        layout.append((entry.name, _FORMATS[entry.dtype], start, entry.length))
    return Columns.over(data, layout)


def _unpacked_columns(
    data: memoryview, members: dict[str, Member], manifest: Manifest, limit_bytes: int | None
) -> Columns:
    layout, total = [], 0
    for entry in manifest.columns:
        if entry.packing is None:
            raise SnapshotCorruptError(f"column {entry.name} is plain among packed ones.")
        check_packing(entry, members[entry.member].size_bytes)
        layout.append((entry.name, _FORMATS[entry.dtype], total, entry.length))
        total += entry.plain_bytes + -entry.plain_bytes % ALIGNMENT
    limit = memory_left() if limit_bytes is None else limit_bytes
    if limit is not None and total > limit:
        raise SnapshotFileError(
            f"it unpacks to {size_text(total)}, more than the {size_text(limit)} that it may take. Read it where "
            "there is more memory, or pass limit_bytes."
        )
    # Pages of the operating system, which are only paid for as the numbers arrive.
    room = memoryview(mmap.mmap(-1, total, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    type_count = next(entry.length for entry in manifest.columns if entry.name == "type_name")
    done: dict[str, memoryview] = {}
    for entry, (_, _, start, _) in zip(manifest.columns, layout, strict=True):
        member = members[entry.member]
        packed = data[member.data_offset : member.end]
        if zlib.crc32(packed) != member.crc32:
            raise SnapshotCorruptError(f"column {entry.name} contradicts its checksum. Copy the file again.")
        numbers = room[start : start + entry.plain_bytes]
        unpack_column(entry, done, packed, numbers, type_count)
        _check_column(entry, numbers)
        done[entry.name] = numbers
    return Columns.over(room, layout)


def _check_column(entry: ColumnEntry, numbers: memoryview) -> None:
    found = zlib.crc32(numbers)
    if found != entry.crc32:
        raise SnapshotCorruptError(
            f"column {entry.name} has CRC-32 {found:#010x}, its manifest says {entry.crc32:#010x}. Copy the file again."
        )


def _reason(error: OSError) -> str:
    return f"{(error.strerror or str(error))}. {_WAYS_OUT.get(error.errno or 0, 'Name another file.')}"


_IRREGULAR: Final = errno.ESPIPE  # it cannot be mapped
_WAYS_OUT: Final = {
    _IRREGULAR: "Copy it into one first.",
    errno.ENOENT: "Is the name spelled right, and does the folder exist?",
    errno.EACCES: "Ask its owner, or name a file of your own.",
    errno.EPERM: "Ask its owner, or name a file of your own.",
    errno.EISDIR: "Name a file in it.",
    errno.ENOSPC: "Free some room, or name a file on another disk.",
    errno.EDQUOT: "Free some room, or name a file on another disk.",
    errno.EFBIG: "Raise the limit of file sizes (ulimit -f), or compress.",
    errno.ENOMEM: "Read it where there is more memory.",
}
