"""Files that are damaged, foreign or malicious: each is refused by name, none is read wrong."""

import io
import json
import mmap
import os
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heapdiff.errors import (
    SnapshotCorruptError,
    SnapshotFileError,
    SnapshotForeignError,
    SnapshotTruncatedError,
    SnapshotVersionError,
)
from heapdiff.native import decode_transform, shuffle
from heapdiff.snapshot import container
from heapdiff.snapshot.container import ContainerWriter, Member, read_members
from heapdiff.snapshot.file import read_snapshot, write_snapshot
from tests.snapshot.sample import assert_equal, sample

MEGABYTE = 1 << 20
Manifest = dict[str, Any]
flavours = pytest.mark.parametrize("compress", [False, "deflate"])


class Forgery:
    """A snapshot file taken apart, to be put together with something changed and every checksum right."""

    def __init__(self, folder: Path, *, compress: Any = False) -> None:
        self.path = folder / "forged.heap"
        write_snapshot(sample(), self.path, compress=compress)
        with zipfile.ZipFile(self.path) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
        self.manifest: Manifest = json.loads(self.members.pop("manifest.json"))

    def column(self, name: str) -> Manifest:
        """The manifest's entry of that column."""
        return next(entry for entry in self.manifest["columns"] if entry["name"] == name)

    def numbers(self, name: str, numbers: bytes) -> None:
        """Gives a plain column other numbers, as many as before."""
        old = self.members[f"{name}.npy"]
        self.members[f"{name}.npy"] = old[: len(old) - len(numbers)] + numbers
        self.column(name)["crc32"] = zlib.crc32(numbers)

    def write(self) -> Path:
        """Puts it together as heapdiff would."""
        return self.write_members([*self.members.items(), ("manifest.json", json.dumps(self.manifest).encode())])

    def write_members(self, members: list[tuple[str, bytes]]) -> Path:
        """Puts these members together, whatever they are."""
        self.path.unlink()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        try:
            writer = ContainerWriter(descriptor)
            for name, data in members:
                writer.add(name, b"", [data], len(data))
            writer.finish()
        finally:
            os.close(descriptor)
        return self.path


@flavours
def test_a_forgery_without_changes_is_read(tmp_path: Path, compress: Any) -> None:
    """The tool of these tests works: what they refuse is refused for what they changed."""
    assert_equal(read_snapshot(Forgery(tmp_path, compress=compress).write()), sample())


# ---------------------------------------------------------------- damage


@flavours
def test_every_prefix_of_a_file_is_refused(tmp_path: Path, compress: Any) -> None:
    path = tmp_path / "a.heap"
    write_snapshot(sample(), path, compress=compress)
    for size in range(path.stat().st_size - 1, -1, -1):
        os.truncate(path, size)
        with pytest.raises(SnapshotTruncatedError if size else SnapshotForeignError):
            read_snapshot(path)


@pytest.mark.parametrize("bits", [(0, 1), (2, 3), (4, 5), (6, 7)])  # four parts, for four processes
@flavours
def test_no_flipped_bit_is_read_wrong(tmp_path: Path, compress: Any, bits: tuple[int, int]) -> None:
    path = tmp_path / "a.heap"
    write_snapshot(sample(), path, compress=compress)
    data = path.read_bytes()
    descriptor = os.open(path, os.O_RDWR)
    try:
        for at, byte in enumerate(data):
            for bit in bits:
                os.pwrite(descriptor, bytes([byte ^ 1 << bit]), at)
                try:
                    snapshot = read_snapshot(path)
                except SnapshotFileError:
                    continue
                assert_equal(snapshot, sample())
            os.pwrite(descriptor, bytes([byte]), at)
    finally:
        os.close(descriptor)


@flavours
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(seed=st.integers(0, 1 << 32), count=st.integers(1, 40))
def test_no_heap_of_changed_bytes_is_read_wrong(tmp_path: Path, compress: Any, seed: int, count: int) -> None:
    path = tmp_path / "a.heap"
    write_snapshot(sample(), path, compress=compress)
    data, chance = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(count):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)
    try:
        snapshot = read_snapshot(path)
    except SnapshotFileError:
        return
    assert_equal(snapshot, sample())


def test_bytes_after_the_end_are_refused(tmp_path: Path) -> None:
    write_snapshot(sample(), tmp_path / "a.heap")
    with open(tmp_path / "a.heap", "ab") as file:
        file.write(b"x")

    with pytest.raises(SnapshotTruncatedError, match="something was appended"):
        read_snapshot(tmp_path / "a.heap")


def test_bytes_before_the_start_are_refused(tmp_path: Path) -> None:
    """zipfile would read it: it looks for the directory at the end."""
    write_snapshot(sample(), tmp_path / "a.heap")
    (tmp_path / "a.heap").write_bytes(b"#!/bin/sh\n" + (tmp_path / "a.heap").read_bytes())

    with pytest.raises(SnapshotForeignError):
        read_snapshot(tmp_path / "a.heap")


# ---------------------------------------------------------------- what is no snapshot


def other_zip() -> bytes:
    """A ZIP that heapdiff did not write."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"Hello\n", b"\x89PNG\r\n\x1a\n" + bytes(100), other_zip(), b"PK\5\6" + bytes(18), bytes(1000), b"\x80\4N."],
    ids=["empty", "text", "png", "zip", "empty zip", "zeros", "pickle"],
)
def test_what_is_no_snapshot_is_called_foreign(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.heap").write_bytes(data)

    with pytest.raises(SnapshotForeignError, match=r"a\.heap: .*not a heapdiff snapshot"):
        read_snapshot(tmp_path / "a.heap")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotFileError, match=r"gone\.heap: cannot read the snapshot: No such file") as caught:
        read_snapshot(tmp_path / "gone.heap")

    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_a_folder_is_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(SnapshotFileError, match="Is a directory") as caught:
        read_snapshot(tmp_path)

    assert isinstance(caught.value.__cause__, IsADirectoryError)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.heap")

    with pytest.raises(SnapshotFileError, match="not a regular file"):
        read_snapshot(tmp_path / "a.heap")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_named(tmp_path: Path) -> None:
    write_snapshot(sample(), tmp_path / "a.heap")
    (tmp_path / "a.heap").chmod(0)

    with pytest.raises(SnapshotFileError, match="Permission denied"):
        read_snapshot(tmp_path / "a.heap")


# ---------------------------------------------------------------- versions


def with_version(folder: Path, mark: bytes, version: int) -> Path:
    """A file of another version."""
    forgery = Forgery(folder)
    forgery.members[container.MARK_NAME] = mark
    forgery.manifest["format"] = version
    return forgery.write()


@pytest.mark.parametrize("version", [2, 7, 10**20])
def test_a_newer_version_says_what_to_do(tmp_path: Path, version: int) -> None:
    with pytest.raises(SnapshotVersionError, match=rf"format {version} is newer .*\(up to 1\)\. Upgrade heapdiff"):
        read_snapshot(with_version(tmp_path, b"%d\n" % version, version))


def test_a_newer_version_is_known_by_its_first_member_alone(tmp_path: Path) -> None:
    """Whatever a later format does with the rest of the file."""
    data = with_version(tmp_path, b"7\n", 7).read_bytes()
    (tmp_path / "a.heap").write_bytes(data[:200] + b"anything")

    with pytest.raises(SnapshotVersionError):
        read_snapshot(tmp_path / "a.heap")


def test_a_version_before_the_first_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotVersionError, match="no snapshot format 0"):
        read_snapshot(with_version(tmp_path, b"0\n", 0))


@pytest.mark.parametrize("mark", [b"", b"1", b"one\n", b"-1\n", b"1.0\n", b"\xb2\n", b"9" * 5000 + b"\n"])
def test_a_version_that_is_no_number_is_corrupt(tmp_path: Path, mark: bytes) -> None:
    with pytest.raises(SnapshotCorruptError):
        read_snapshot(with_version(tmp_path, mark, 1))


def test_two_versions_in_one_file_are_corrupt(tmp_path: Path) -> None:
    with pytest.raises(SnapshotCorruptError, match="says format 2, its first member 1"):
        read_snapshot(with_version(tmp_path, b"1\n", 2))


# ---------------------------------------------------------------- the container


def test_a_name_that_stands_twice_is_corrupt(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path)
    members = [*forgery.members.items(), ("manifest.json", json.dumps(forgery.manifest).encode())]

    with pytest.raises(SnapshotCorruptError, match="the same name"):
        read_snapshot(forgery.write_members([*members, members[1]]))


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "object_type.npy\0", "", "x" * 300, "notes.txt"])
def test_a_member_that_the_manifest_does_not_name_is_corrupt(tmp_path: Path, name: str) -> None:
    forgery = Forgery(tmp_path)
    forgery.members[name] = b"x"

    with pytest.raises(SnapshotCorruptError, match="not those of its manifest"):
        read_snapshot(forgery.write())


@pytest.mark.parametrize("member", ["../object_type.npy", "object_shallow.npy", "", 7, None])
def test_a_column_in_another_member_than_its_own_is_corrupt(tmp_path: Path, member: object) -> None:
    forgery = Forgery(tmp_path)
    forgery.column("object_type")["member"] = member

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(forgery.write())


@pytest.mark.parametrize("gone", ["object_type.npy", "manifest.json", "text_bytes.npy"])
def test_a_member_that_is_missing_is_corrupt(tmp_path: Path, gone: str) -> None:
    forgery = Forgery(tmp_path)
    members = [*forgery.members.items(), ("manifest.json", json.dumps(forgery.manifest).encode())]

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(forgery.write_members([member for member in members if member[0] != gone]))


@pytest.mark.parametrize("said", [100_000 % 65_536, 65_535, 200])
def test_a_hundred_thousand_members_are_refused(tmp_path: Path, said: int) -> None:
    """Whatever number the end of the directory says; it has 16 bits."""
    path = Forgery(tmp_path).write()
    data = path.read_bytes()
    start = data.index(b"PK\1\2")
    entry = data[start : data.index(b"PK\1\2", start + 1)]
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, said, said, 100_000 * len(entry), start, 0)
    path.write_bytes(data[:start] + entry * 100_000 + end)

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(path)


def test_three_hundred_members_are_refused(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path)
    forgery.members |= {f"{number}.npy": b"" for number in range(300)}

    with pytest.raises(SnapshotCorruptError, match="expected 256 members at most"):
        read_snapshot(forgery.write())


def changed_entry(path: Path, member: str, change: Callable[[bytearray, int], None]) -> Path:
    """The file with the directory's entry of that member changed; the entry's place is given to the function."""
    data = bytearray(path.read_bytes())
    change(data, data.rindex(b"PK\1\2", 0, data.rindex(member.encode())))
    path.write_bytes(data)
    return path


def test_members_that_overlap_are_corrupt(tmp_path: Path) -> None:
    def overlap(data: bytearray, at: int) -> None:
        data[at + 42 : at + 46] = struct.pack("<I", data.index(b"PK\3\4", 10))

    path = changed_entry(Forgery(tmp_path).write(), "object_flags.npy", overlap)
    with pytest.raises(SnapshotCorruptError, match="is not what its directory says"):
        read_snapshot(path)


@pytest.mark.parametrize("size", [0, 1, 1 << 31, 0xFFFFFFFE, 0xFFFFFFFF])
def test_a_member_of_another_size_than_its_header_says_is_corrupt(tmp_path: Path, size: int) -> None:
    def resize(data: bytearray, at: int) -> None:
        data[at + 20 : at + 28] = struct.pack("<2I", size, size)

    path = changed_entry(Forgery(tmp_path).write(), "object_flags.npy", resize)
    with pytest.raises(SnapshotCorruptError):
        read_snapshot(path)


def test_zip_flags_and_methods_that_heapdiff_does_not_write_are_corrupt(tmp_path: Path) -> None:
    def encrypted(data: bytearray, at: int) -> None:
        data[at + 8] |= 1

    path = changed_entry(Forgery(tmp_path).write(), "object_flags.npy", encrypted)
    with pytest.raises(SnapshotCorruptError, match="not the one that heapdiff writes"):
        read_snapshot(path)


def test_a_snapshot_that_another_tool_packed_again_is_corrupt(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path)
    with zipfile.ZipFile(forgery.path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in forgery.members.items():
            archive.writestr(name, data)

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(forgery.path)


def test_members_of_4_gib_and_more_stand_in_a_directory_that_zipfile_understands() -> None:
    """The bytes of the columns are left out: only headers and directory are compared."""
    members, offset = [], 0
    for name, size in (("small", 5), ("large", 5 << 30), ("beyond", 7), ("largest", 9 << 40)):
        members.append(Member(name, offset, size, 0x1234))
        offset = members[-1].end
    directory = container._directory(members)

    class Sparse(io.RawIOBase):
        """A file that is zeros up to the directory."""

        at = 0

        def seekable(self) -> bool:
            return True

        def seek(self, to: int, whence: int = 0) -> int:
            self.at = to + (0, self.at, offset + len(directory))[whence]
            return self.at

        def tell(self) -> int:
            return self.at

        def read(self, size: int = -1) -> bytes:
            start = self.at - offset
            data = directory[start : len(directory) if size < 0 else start + size]
            self.at += len(data)
            return data

    with zipfile.ZipFile(Sparse()) as archive:
        found = [(info.filename, info.header_offset, info.file_size) for info in archive.infolist()]
    assert found == [(member.name, member.offset, member.size_bytes) for member in members]


def test_a_directory_of_4_gib_and_more_is_read_back(tmp_path: Path) -> None:
    """A sparse file: headers and directory are written, the 5 GiB between them are a hole."""
    mark = Member("heapdiff-format", 0, 2, zlib.crc32(b"1\n"))
    large = Member("large", mark.end, 5 << 30, 0)
    last = Member("last", large.end, 3, 0)
    with open(tmp_path / "a.heap", "w+b") as file:
        for member in (mark, large, last):
            os.pwrite(file.fileno(), container._local_header(member), member.offset)
        os.pwrite(file.fileno(), container._directory([mark, large, last]), last.end)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
            assert read_members(data) == [mark, large, last]


# ---------------------------------------------------------------- the manifest


@pytest.mark.parametrize(
    "length", [-1, 0, 1, 1 << 31, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, 1 << 64, 10**40, 5.0, True, "5", None, []]
)
@flavours
def test_a_length_that_is_not_the_columns_own_is_corrupt(tmp_path: Path, compress: Any, length: object) -> None:
    forgery = Forgery(tmp_path, compress=compress)
    forgery.column("text_bytes")["length"] = length

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(forgery.write())


@pytest.mark.parametrize("length", [1 << 31, (1 << 32) - 2, 1 << 39, 1 << 63])
@flavours
def test_lengths_that_agree_and_are_too_long_are_corrupt(tmp_path: Path, compress: Any, length: int) -> None:
    forgery = Forgery(tmp_path, compress=compress)
    for entry in forgery.manifest["columns"]:
        if entry["name"].startswith("object_"):
            entry["length"] = length
    forgery.column("reference_start")["length"] = length + 1

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(forgery.write())


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"[" * 100_000, b'{"format": ' + b"9" * 5000 + b"}", b"{}"],
    ids=["empty", "open", "list", "null", "number", "bytes", "deep", "long number", "nothing"],
)
def test_a_manifest_that_is_none_is_corrupt(tmp_path: Path, data: bytes) -> None:
    forgery = Forgery(tmp_path)

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(forgery.write_members([*forgery.members.items(), ("manifest.json", data)]))


JUNK: tuple[object, ...] = (None, True, -1, 1 << 70, 0.5, "junk", "\ud800", [], [1], {}, {"x": {}}, float("nan"))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=200
)
@given(data=st.data())
def test_junk_anywhere_in_the_manifest_is_refused_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever stands in the place of a field: a named error, or the numbers as they were."""
    forgery = Forgery(tmp_path, compress="deflate")
    place: Any = forgery.manifest
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(st.sampled_from(JUNK))
    try:
        found = read_snapshot(forgery.write())
    except SnapshotFileError:
        return
    assert found.columns["object_type"].tobytes() == sample().columns["object_type"].tobytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("capture_time", 1e300),
        ("start_time", float("nan")),
        ("epoch_start", float("-inf")),
        ("pause_seconds", float("inf")),
        ("capture_seconds", -1.0),
        ("rss_bytes", 10**400),
        ("thread_count", -1),
        ("descriptors", {"file": 10**400}),
        ("gc_collections", [1, -1, 0]),
    ],
)
def test_a_number_that_no_system_says_is_refused(tmp_path: Path, name: str, value: Any) -> None:
    forgery = Forgery(tmp_path)
    forgery.manifest["process"][name] = value

    with pytest.raises(SnapshotCorruptError, match=r"the process has .* expected"):
        read_snapshot(forgery.write())


@pytest.mark.parametrize("packages", [{"attrs": 26}, {"attrs": None}, ["attrs"], "attrs"])
def test_packages_are_names_and_versions(tmp_path: Path, packages: Any) -> None:
    forgery = Forgery(tmp_path)
    forgery.manifest["process"]["packages"] = packages

    with pytest.raises(SnapshotCorruptError, match=r"the packages (has|is) .* expected"):
        read_snapshot(forgery.write())


def test_a_field_of_the_process_that_is_not_known_yet_is_passed_over(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path)
    forgery.manifest["process"]["colour"] = "green"

    assert read_snapshot(forgery.write()).process == sample().process


def test_a_column_that_is_not_known_yet_is_kept(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path)
    numbers = forgery.members["object_flags.npy"]
    forgery.members["object_age.npy"] = numbers
    entry = forgery.column("object_flags") | {"name": "object_age", "member": "object_age.npy"}
    forgery.manifest["columns"].append(entry)

    assert "object_age" in read_snapshot(forgery.write()).columns


@pytest.mark.parametrize("name", ["object_flags", "type_object", "text_start"])
def test_a_column_of_another_type_is_corrupt(tmp_path: Path, name: str) -> None:
    forgery = Forgery(tmp_path)
    forgery.column(name)["dtype"] = "<u8"

    with pytest.raises(SnapshotCorruptError, match="numbers of type '<u8'"):
        read_snapshot(forgery.write())


# ---------------------------------------------------------------- numbers that point outside


@pytest.mark.parametrize(
    ("name", "at", "number"),
    [
        ("reference_target", 0, 5),
        ("reference_target", 2, 0xFFFFFFFF),
        ("reference_start", 1, 0xFFFFFFFF),
        ("object_type", 1, 99),
        ("reference_label", 0, 31 << 27),
        ("reference_label", 0, 17 << 27 | 0x7FFFFFF),
        ("type_name", 1, 1000),
        ("text_start", 1, 0x7FFFFFFF),
        ("large_object", 0, 77),
        ("site_file", 0, 0xFFFFFF),
        ("object_site", 1, 44),
    ],
)
def test_numbers_that_point_outside_are_corrupt_whatever_their_checksums_say(
    tmp_path: Path, name: str, at: int, number: int
) -> None:
    forgery = Forgery(tmp_path)
    numbers = bytearray(sample().columns[name].tobytes())
    numbers[4 * at : 4 * at + 4] = struct.pack("<I", number)
    forgery.numbers(name, bytes(numbers))

    with pytest.raises(SnapshotCorruptError, match="contradict each other"):
        read_snapshot(forgery.write())


# ---------------------------------------------------------------- bombs, and blocks that lie


def bomb(folder: Path, plain_bytes: int) -> Path:
    """A file whose texts unpack to that many zeros."""
    forgery = Forgery(folder, compress="deflate")
    block_bytes = MEGABYTE
    block = zlib.compress(bytes(block_bytes), 9)
    forgery.members["text_bytes.packed"] = (struct.pack("<I", len(block)) + block) * (plain_bytes // block_bytes)
    forgery.column("text_bytes")["length"] = plain_bytes
    return forgery.write()


def test_a_bomb_is_refused_before_there_is_memory_for_it(tmp_path: Path) -> None:
    """1 MB on disk that unpacks to 1 GiB, where 256 MiB are allowed."""
    path = bomb(tmp_path, 1 << 30)
    code = """if True:
        import resource, sys
        from heapdiff.errors import SnapshotFileError
        from heapdiff.snapshot.file import read_snapshot
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), -1))
        try:
            read_snapshot(sys.argv[1], limit_bytes=256 << 20)
        except SnapshotFileError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )

    assert "more than the 256.0 MB that it may take" in done.stdout, done.stderr


def test_a_column_that_promises_more_than_deflate_can_give_is_corrupt(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path, compress="deflate")
    forgery.column("text_bytes")["length"] = 1 << 39

    with pytest.raises(SnapshotCorruptError, match="deflate can at most"):
        read_snapshot(forgery.write())


def test_a_block_that_has_more_than_it_should_is_not_unpacked_further(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path, compress="deflate")
    block = zlib.compress(bytes(64 * MEGABYTE), 9)
    forgery.members["text_bytes.packed"] = struct.pack("<I", len(block)) + block
    path = forgery.write()

    tracemalloc.start()
    try:
        with pytest.raises(SnapshotCorruptError, match="does not unpack to"):
            read_snapshot(path)
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\1",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        struct.pack("<I", 5) + b"junk!",
        struct.pack("<I", len(zlib.compress(b"x"))) + zlib.compress(b"x"),
        struct.pack("<I", len(zlib.compress(b"x")) - 3) + zlib.compress(b"x")[:-3],
    ],
    ids=["nothing", "cut", "empty block", "beyond the end", "junk", "too few", "cut block"],
)
def test_blocks_that_are_none_are_corrupt(tmp_path: Path, packed: bytes) -> None:
    forgery = Forgery(tmp_path, compress="deflate")
    forgery.members["object_type.packed"] = packed

    with pytest.raises(SnapshotCorruptError, match="object_type"):
        read_snapshot(forgery.write())


def test_bytes_after_the_last_block_are_corrupt(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path, compress="deflate")
    forgery.members["object_type.packed"] += b"x"

    with pytest.raises(SnapshotCorruptError, match="after its last block"):
        read_snapshot(forgery.write())


@pytest.mark.parametrize(
    "packing",
    [
        {"transform": "none", "codec": "lzma", "block_bytes": 1 << 20},
        {"transform": "guess", "codec": "deflate", "block_bytes": 1 << 20},
        {"transform": "none", "codec": "deflate", "block_bytes": 0},
        {"transform": "none", "codec": "deflate", "block_bytes": -8},
        {"transform": "none", "codec": "deflate", "block_bytes": 7},
        {"transform": "none", "codec": "deflate", "block_bytes": 1 << 40},
        {"transform": "target", "codec": "deflate", "block_bytes": 1 << 20},
        {"transform": "label", "codec": "deflate", "block_bytes": 1 << 20},
        {"transform": "same_type", "codec": "deflate", "block_bytes": 1 << 20},
        {},
    ],
)
@pytest.mark.parametrize("column", ["object_type", "object_address", "text_bytes", "reference_start"])
def test_a_packing_that_does_not_fit_its_column_is_corrupt(tmp_path: Path, column: str, packing: object) -> None:
    forgery = Forgery(tmp_path, compress="deflate")
    forgery.column(column)["packing"] = packing

    with pytest.raises(SnapshotCorruptError):
        read_snapshot(forgery.write())


def test_a_column_before_what_its_prediction_looks_at_is_corrupt(tmp_path: Path) -> None:
    forgery = Forgery(tmp_path, compress="deflate")
    columns = forgery.manifest["columns"]
    columns.insert(0, columns.pop([entry["name"] for entry in columns].index("reference_target")))

    with pytest.raises(SnapshotCorruptError, match="do not belong together"):
        read_snapshot(forgery.write())


# ---------------------------------------------------------------- the transforms alone


def numbers(*values: int) -> "array[int]":
    """Numbers of 32 bits."""
    return array("I", values)


@pytest.mark.parametrize("transform", ["same_type", "label", "target"])
@pytest.mark.parametrize(
    ("types", "type_count", "start", "label"),
    [
        (numbers(0, 9), 2, numbers(0, 1, 2), numbers(0, 0)),
        (numbers(0, 1), 0, numbers(0, 1, 2), numbers(0, 0)),
        (numbers(0, 1, 1), 2, numbers(0, 9, 2), numbers(0, 0)),
        (numbers(0, 1, 1), 2, numbers(0, 1, 2), numbers(0)),
        (numbers(0, 1, 1), 2, numbers(1, 1, 1, 2), numbers(0, 0)),
        (numbers(), 2, numbers(), numbers()),
        (None, 2, None, None),
    ],
)
def test_a_transform_refuses_columns_that_do_not_belong_together(
    transform: str, types: Any, type_count: int, start: Any, label: Any
) -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        decode_transform(transform, 4, numbers(5, 6), types, type_count, start, label)


def test_a_transform_refuses_a_buffer_that_is_read_only() -> None:
    with pytest.raises(BufferError):
        decode_transform("delta", 4, bytes(8))


@pytest.mark.parametrize(("item_bytes", "planes"), [(4, 7), (4, 12), (8, 4), (3, 8), (0, 8), (-4, 8)])
def test_shuffling_refuses_buffers_that_do_not_fit(item_bytes: int, planes: int) -> None:
    with pytest.raises(ValueError, match="cannot move"):
        shuffle(bytes(8), item_bytes, bytearray(planes))
