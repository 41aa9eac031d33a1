"""The container of a snapshot file: a ZIP of stored members, for which there is one way only to write them.

Names, sizes and checksums of the members decide every other byte, down to the padding. So the reader
does not interpret headers, it writes them again and compares: members that overlap, names that stand
twice, data between members or a flipped bit have nowhere to hide. (The ``zipfile`` of the standard
library gave a wrong member name silently in 19 of 2304 such flips.)
"""

import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from heapdiff.errors import SnapshotCorruptError, SnapshotForeignError, SnapshotTruncatedError

__all__ = ["ALIGNMENT", "MARK_NAME", "ContainerWriter", "Member", "read_mark", "read_members"]

ALIGNMENT: Final = 64  # every member's data starts at a multiple of it
MARK_NAME: Final = "heapdiff-format"  # the first member; it holds the version of the format

_MEMBER_LIMIT = 256
_CHUNK_BYTES = 1 << 20
_WIDE = 0xFFFFFFFF  # from here on a size or an offset stands in a ZIP64 field
_DATE = 0x21  # 1 January 1980, always: equal heaps make equal files
_MODE = 0o100600 << 16
_WIDE_EXTRA = struct.Struct("<2H2Q")
_ALIGN_EXTRA = struct.Struct("<3H")
_LOCAL = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_WIDE_END = struct.Struct("<4sQ2H2I4Q")
_WIDE_LOCATOR = struct.Struct("<4sIQI")


@attrs.frozen
class Member:
    """One member: where its header starts in the file, how long its data are, and their CRC-32."""

    name: str
    offset: int
    size_bytes: int
    crc32: int

    @property
    def data_offset(self) -> int:
        """Where the data start: after the header, at the next multiple of the alignment."""
        header_bytes = _LOCAL.size + len(self.name) + (_WIDE_EXTRA.size if self.size_bytes >= _WIDE else 0)
        unaligned = self.offset + header_bytes + _ALIGN_EXTRA.size
        return unaligned + -unaligned % ALIGNMENT

    @property
    def end(self) -> int:
        """Where the next member starts."""
        return self.data_offset + self.size_bytes


class ContainerWriter:
    """Writes members one after the other to a descriptor that can seek."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._members: list[Member] = []
        self._position = 0

    def add(self, name: str, head: bytes, pieces: Iterable[bytes | memoryview], pieces_bytes: int) -> int:
        """Writes one member, ``head`` and then the pieces.

        Returns:
            The CRC-32 of the pieces alone.

        Raises:
            OSError: The operating system does not take the bytes.
        """
        member = Member(name, self._position, len(head) + pieces_bytes, 0)
        self._write(_local_header(member))
        self._write(head)
        pieces_crc32 = 0
        for piece in pieces:
            for start in range(0, len(piece), _CHUNK_BYTES):
                chunk = piece[start : start + _CHUNK_BYTES]
                pieces_crc32 = zlib.crc32(chunk, pieces_crc32)
                self._write(chunk)
        # The header stands before the data and carries their checksum, so it is written again.
        member = attrs.evolve(member, crc32=_joined_crc32(zlib.crc32(head), pieces_crc32, pieces_bytes))
        os.pwrite(self._descriptor, _local_header(member), member.offset)
        self._members.append(member)
        return pieces_crc32

    def finish(self) -> None:
        """Writes the directory; the file is complete then."""
        self._write(_directory(self._members))

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self._position += written
            view = view[written:]


def read_mark(data: memoryview) -> str:
    """What the first member says: the version of the format, as text.

    Raises:
        SnapshotForeignError: The data are not those of a snapshot.
        SnapshotTruncatedError: They end within the first member.
        SnapshotCorruptError: The first member contradicts its checksum.
    """
    if not len(data):
        raise SnapshotForeignError("the file is empty, not a heapdiff snapshot. Was its writer cut short?")
    expected = _local_header(Member(MARK_NAME, 0, 0, 0))
    name_end = _LOCAL.size + len(MARK_NAME)
    start = bytes(data[:4]), bytes(data[_LOCAL.size : name_end])
    if not (expected.startswith(start[0]) and MARK_NAME.encode().startswith(start[1])):
        raise SnapshotForeignError(
            f"not a heapdiff snapshot: it starts with {start[0]!r}, expected a ZIP whose first member "
            f"is {MARK_NAME!r}. Snapshots are written by heapdiff.write_snapshot()."
        )
    if len(data) < len(expected):
        raise SnapshotTruncatedError(f"the file ends after {len(data)} bytes, within its first header. Copy it again.")
    crc32, size_bytes = struct.unpack_from("<2I", data, 14)
    member = Member(MARK_NAME, 0, size_bytes, crc32)
    mark = bytes(data[member.data_offset : member.end][: _LOCAL.size])
    if len(data) < member.end:
        raise SnapshotTruncatedError(f"the file ends after {len(data)} bytes, within its first member. Copy it again.")
    if bytes(data[: len(expected)]) != _local_header(member) or zlib.crc32(mark) != crc32 or len(mark) != size_bytes:
        raise SnapshotCorruptError("the first member contradicts its checksum. Copy the file again.")
    return mark.decode("ascii", "replace")


def read_members(data: memoryview) -> list[Member]:
    """The members in their order, from the directory at the end; their data are not read.

    Raises:
        SnapshotTruncatedError: The data do not end with a directory.
        SnapshotCorruptError: The directory or a header is not what these members have.
    """
    count, directory_bytes, directory_offset = _read_end(data)
    if count > _MEMBER_LIMIT or directory_offset + directory_bytes > len(data):
        raise SnapshotCorruptError(
            f"its directory has {count:,} members in {directory_bytes:,} bytes at {directory_offset:,}; expected "
            f"{_MEMBER_LIMIT} members at most, within {len(data):,} bytes. Copy it again."
        )
    members = _read_entries(data[directory_offset : directory_offset + directory_bytes], count)
    end = 0
    for member in members:
        if member.offset != end or bytes(data[member.offset : member.data_offset]) != _local_header(member):
            raise SnapshotCorruptError(f"the header of member {member.name!r} is not what its directory says.")
        end = member.end
        if end > directory_offset:
            raise SnapshotCorruptError(f"member {member.name!r} reaches into the directory.")
    if len({member.name for member in members}) != len(members):
        raise SnapshotCorruptError("two members have the same name.")
    if end != directory_offset or bytes(data[directory_offset:]) != _directory(members):
        raise SnapshotCorruptError("its directory is not the one that heapdiff writes for these members.")
    return members


def _local_header(member: Member) -> bytes:
    name = member.name.encode("ascii")
    wide = member.size_bytes >= _WIDE
    size = _WIDE if wide else member.size_bytes
    extra = _WIDE_EXTRA.pack(1, 16, member.size_bytes, member.size_bytes) if wide else b""
    # The extra field of Android's zipalign: its own alignment, then zeros up to where the data shall start.
    padding = member.data_offset - (member.offset + _LOCAL.size + len(name) + len(extra) + _ALIGN_EXTRA.size)
    extra += _ALIGN_EXTRA.pack(0xD935, 2 + padding, ALIGNMENT) + bytes(padding)
    version = 45 if wide else 20
    numbers = (version, 0, 0, 0, _DATE, member.crc32, size, size, len(name), len(extra))
    return _LOCAL.pack(b"PK\3\4", *numbers) + name + extra


def _directory(members: Sequence[Member]) -> bytes:
    entries = b"".join(map(_entry, members))
    offset, count = (members[-1].end if members else 0), len(members)
    tail = b""
    if offset >= _WIDE:
        tail = _WIDE_END.pack(b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(entries), offset)
        tail += _WIDE_LOCATOR.pack(b"PK\6\7", 0, offset + len(entries), 1)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(entries), min(offset, _WIDE), 0)
    return entries + tail + end


def _entry(member: Member) -> bytes:
    name = member.name.encode("ascii")
    wide = [number for number in (member.size_bytes, member.size_bytes, member.offset) if number >= _WIDE]
    extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    size, offset = min(member.size_bytes, _WIDE), min(member.offset, _WIDE)
    version = 45 if wide else 20
    numbers = (0x300 | version, version, 0, 0, 0, _DATE, member.crc32, size, size)
    return _ENTRY.pack(b"PK\1\2", *numbers, len(name), len(extra), 0, 0, 0, _MODE, offset) + name + extra


def _read_end(data: memoryview) -> tuple[int, int, int]:
    """Members, bytes of the directory, and where it starts."""
    at = len(data) - _END.size
    if at < 0 or bytes(data[at : at + 4]) != b"PK\5\6":
        raise SnapshotTruncatedError(
            f"the file of {len(data):,} bytes does not end with the directory of a snapshot: it was cut short, or "
            "something was appended. Copy it again."
        )
    *_, count, directory_bytes, directory_offset, _comment = _END.unpack(data[at:])
    if directory_offset == _WIDE:
        wide_at = at - _WIDE_LOCATOR.size - _WIDE_END.size
        if wide_at < 0:
            raise SnapshotCorruptError("its directory has no ZIP64 record.")
        *_, directory_offset = _WIDE_END.unpack(data[wide_at : wide_at + _WIDE_END.size])
    return count, directory_bytes, directory_offset


def _read_entries(directory: memoryview, count: int) -> list[Member]:
    members, at = [], 0
    for _ in range(count):
        if at + _ENTRY.size > len(directory):
            raise SnapshotCorruptError(f"its directory ends before its {count} entries do.")
        numbers = _ENTRY.unpack(directory[at : at + _ENTRY.size])
        crc32, size_bytes, name_bytes, extra_bytes, offset = (
            numbers[7],
            numbers[9],
            numbers[10],
            numbers[11],
            numbers[16],
        )
        name_end = at + _ENTRY.size + name_bytes
        name = bytes(directory[at + _ENTRY.size : name_end])
        wide = _read_wide(directory[name_end : name_end + extra_bytes])
        if size_bytes == _WIDE and len(wide) > 1:
            size_bytes, wide = wide[0], wide[2:]
        if offset == _WIDE and wide:
            offset = wide[0]
        if not name.isascii():
            raise SnapshotCorruptError(f"a member is called {name!r}; names are ASCII.")
        members.append(Member(name.decode("ascii"), offset, size_bytes, crc32))
        at = name_end + extra_bytes
    return members


def _read_wide(extra: memoryview) -> Sequence[int]:
    """The numbers of a ZIP64 field; whether they are all and right shows when the entry is written again."""
    count = max(0, (len(extra) - 4) // 8)
    return struct.unpack_from(f"<{count}Q", extra, 4) if count else ()


# The CRC-32 of a member is computed from those of its parts, so that its data are read once and not
# twice. Appending n bytes multiplies by x to the 8n modulo the polynomial, as in zlib's crc32_combine.


def _joined_crc32(first: int, second: int, second_bytes: int) -> int:
    power, square, exponent = 1 << 31, 1 << 30, 8 * second_bytes
    while exponent:
        if exponent & 1:
            power = _multiplied(power, square)
        square = _multiplied(square, square)
        exponent >>= 1
    return _multiplied(power, first) ^ second


def _multiplied(left: int, right: int) -> int:
    product = 0
    for bit in range(31, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (0xEDB88320 if right & 1 else 0)
    return product
