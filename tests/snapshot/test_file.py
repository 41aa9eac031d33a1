"""A snapshot in a file: what is written is read, and a file is there whole or not at all."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import zipfile
from array import array
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heapdiff.errors import SnapshotFileError
from heapdiff.native import Columns
from heapdiff.snapshot.file import read_snapshot, write_snapshot
from heapdiff.snapshot.model import Process, Snapshot
from heapdiff.snapshot.packing import Codec, has_zstd
from tests.snapshot.sample import assert_equal, sample
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
MEGABYTE = 1 << 20

needs_zstd = pytest.mark.skipif(not has_zstd(), reason="zstd is not installed")
flavours = pytest.mark.parametrize("compress", [False, "deflate", pytest.param("zstd", marks=needs_zstd)])
Flavour = bool | Codec


def regular_heap(objects: int) -> Snapshot:
    """A list of that many objects of one type, each with two references."""
    start = array("I", [0, *range(objects, 3 * objects + 1, 2)])
    columns = {
        "object_type": array("I", [0]) + array("I", [1]) * objects,
        "object_shallow": array("I", [0]) + array("I", [48]) * objects,
        "object_address": array("Q", [0, *range(0x7F0000000000, 0x7F0000000000 + 48 * objects, 48)]),
        "object_flags": array("B", bytes(objects + 1)),
        "reference_start": start,
        "reference_target": array("I", range(1, objects + 1)) + array("I", [1, objects]) * objects,
        "reference_label": array("I", [21 << 27]) * objects + array("I", [0, 1]) * objects,
        "large_object": array("I"),
        "large_bytes": array("Q"),
        "native_held_object": array("I"),
        "native_held_count": array("I"),
        "type_module": array("I", [0, 2]),
        "type_name": array("I", [0, 1]),
        "type_object": array("I", [0, 0]),
        "type_flags": array("B", [0, 1]),
        "text_start": array("I", [0, 0, 4, 7]),
        "text_bytes": array("B", b"Nodeapp"),
    }
    return Snapshot(Columns(columns), Process(pid=1))


def run(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """A process of its own that runs the code."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


# ---------------------------------------------------------------- round trips


@flavours
def test_what_is_written_is_read(tmp_path: Path, compress: Flavour) -> None:
    write_snapshot(sample(), tmp_path / "a.heap", compress=compress)

    assert_equal(read_snapshot(tmp_path / "a.heap"), sample())


@flavours
def test_a_snapshot_without_sites_is_read_without_sites(tmp_path: Path, compress: Flavour) -> None:
    write_snapshot(sample(sites=False), tmp_path / "a.heap", compress=compress)

    assert not read_snapshot(tmp_path / "a.heap").has_sites


@flavours
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=50
)
@given(heap=heap_graphs())
def test_any_heap_is_read_as_it_was_written(tmp_path: Path, compress: Flavour, heap: TinyHeap) -> None:
    write_snapshot(heap.snapshot, tmp_path / "a.heap", compress=compress)

    assert_equal(read_snapshot(tmp_path / "a.heap"), heap.snapshot)


@flavours
def test_columns_of_many_blocks_are_read_as_they_were_written(tmp_path: Path, compress: Flavour) -> None:
    """200,001 objects: the addresses fill one block of 1 MiB and part of another."""
    snapshot = regular_heap(200_000)
    write_snapshot(snapshot, tmp_path / "a.heap", compress=compress)

    assert_equal(read_snapshot(tmp_path / "a.heap"), snapshot)


@given(
    process=st.builds(
        Process,
        pid=st.none() | st.integers(0, 2**63 - 1),
        host=st.none() | st.text(),
        start_time=st.none() | st.floats(-6e10, 2.4e11),
        command=st.none() | st.text(st.characters()),
        gc_enabled=st.none() | st.booleans(),
        descriptors=st.none() | st.dictionaries(st.text(), st.integers(0, 2**63 - 1)),
        packages=st.none() | st.dictionaries(st.text(), st.text()),
        gc_collections=st.none() | st.lists(st.integers(0, 2**63 - 1)).map(tuple),
    )
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=50
)
def test_any_process_is_read_as_it_was_written(tmp_path: Path, process: Process) -> None:
    write_snapshot(attrs.evolve(sample(), process=process), tmp_path / "a.heap")

    assert read_snapshot(tmp_path / "a.heap").process == process


def test_a_snapshot_that_was_read_can_be_written_over_its_own_file(tmp_path: Path) -> None:
    write_snapshot(sample(), tmp_path / "a.heap")
    write_snapshot(read_snapshot(tmp_path / "a.heap"), tmp_path / "a.heap", compress=True)

    assert_equal(read_snapshot(tmp_path / "a.heap"), sample())


@flavours
def test_equal_snapshots_make_equal_files(tmp_path: Path, compress: Flavour) -> None:
    write_snapshot(sample(), tmp_path / "a.heap", compress=compress)
    write_snapshot(sample(), tmp_path / "b.heap", compress=compress)

    assert (tmp_path / "a.heap").read_bytes() == (tmp_path / "b.heap").read_bytes()


@pytest.mark.parametrize("name", ["format-1.heap", "format-1-deflate.heap"])
def test_every_later_version_reads_format_1(name: str) -> None:
    assert_equal(read_snapshot(DATA / name), sample())


def test_what_lacks_a_column_is_not_written(tmp_path: Path) -> None:
    snapshot = Snapshot(Columns({"object_type": array("I", [0]), "type_name": array("I", [0])}))
    with pytest.raises(ValueError, match="lacks object_shallow"):
        write_snapshot(snapshot, tmp_path / "a.heap")

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_compression_is_a_programming_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a bool"):
        write_snapshot(sample(), tmp_path / "a.heap", compress="lzma")  # type: ignore[arg-type]


# ---------------------------------------------------------------- sizes


def test_a_compressed_snapshot_is_smaller_than_14_bytes_an_object(tmp_path: Path) -> None:
    write_snapshot(regular_heap(200_000), tmp_path / "a.heap", compress="deflate")

    assert (tmp_path / "a.heap").stat().st_size < 14 * 200_000


def test_a_plain_snapshot_is_mapped_and_not_read(tmp_path: Path) -> None:
    """Pages of a file are the system's to drop; anonymous memory would be ours."""
    write_snapshot(regular_heap(1_000_000), tmp_path / "a.heap")
    code = """if True:
        import sys
        from heapdiff.snapshot.file import read_snapshot
        def anonymous():
            return [int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("RssAnon")][0]
        before = anonymous()
        snapshot = read_snapshot(sys.argv[1])
        print(anonymous() - before)
    """

    assert int(run(code, tmp_path / "a.heap").stdout) < 8 * MEGABYTE


def test_writing_a_plain_snapshot_takes_little_memory(tmp_path: Path) -> None:
    code = """if True:
        import sys
        from heapdiff.snapshot.file import write_snapshot
        from tests.snapshot.test_file import regular_heap
        snapshot = regular_heap(1_000_000)
        def status(name):
            return [int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(name)][0]
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")
        before = status("VmRSS")
        write_snapshot(snapshot, sys.argv[1])
        print(status("VmHWM") - before)
    """

    assert int(run(code, tmp_path / "a.heap").stdout) < 8 * MEGABYTE


# ---------------------------------------------------------------- other tools


@flavours
def test_zipfile_opens_a_snapshot(tmp_path: Path, compress: Flavour) -> None:
    write_snapshot(sample(), tmp_path / "a.heap", compress=compress)

    with zipfile.ZipFile(tmp_path / "a.heap") as archive:
        assert archive.testzip() is None


@flavours
def test_unzip_finds_no_fault_with_a_snapshot(tmp_path: Path, compress: Flavour) -> None:
    write_snapshot(sample(), tmp_path / "a.heap", compress=compress)
    try:
        done = subprocess.run(["unzip", "-t", tmp_path / "a.heap"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("unzip is not installed")

    assert (done.returncode, "No errors detected" in done.stdout) == (0, True), done.stdout


def test_numpy_reads_the_columns(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    write_snapshot(sample(), tmp_path / "a.heap")

    with numpy.load(tmp_path / "a.heap") as archive:
        assert archive["object_address"].tolist() == sample().columns["object_address"].tolist()


def test_the_columns_of_a_plain_snapshot_are_aligned_to_64_bytes(tmp_path: Path) -> None:
    write_snapshot(sample(), tmp_path / "a.heap")
    data = (tmp_path / "a.heap").read_bytes()

    with zipfile.ZipFile(tmp_path / "a.heap") as archive:
        starts = [data.index(b"\x93NUMPY", info.header_offset) for info in archive.infolist() if "npy" in info.filename]
    assert len(starts) > 10
    assert [start % 64 for start in starts] == [0] * len(starts)


def documented(number: int) -> str:
    """The code of that number on the page that describes the format."""
    return (ROOT / "docs" / "snapshot-format.md").read_text().split("```python\n")[number].split("```")[0]


def test_the_documented_reader_reads_a_plain_file(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    write_snapshot(sample(), tmp_path / "before.heap")
    done = subprocess.run(
        [sys.executable, "-c", documented(1)], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines()[0].split() == ["2", "2", "B", "Entry"], done.stderr


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=50
)
@given(heap=heap_graphs())
def test_the_documented_transforms_read_a_compressed_file(tmp_path: Path, heap: TinyHeap) -> None:
    write_snapshot(heap.snapshot, tmp_path / "a.heap", compress="deflate")
    page: dict[str, Any] = {}
    exec(documented(2), page)  # the page is ours

    columns: dict[str, list[int]] = {}
    with zipfile.ZipFile(tmp_path / "a.heap") as archive:
        for entry in json.loads(archive.read("manifest.json"))["columns"]:
            columns[entry["name"]] = page["unpack"](entry, archive.read(entry["member"]), columns)
    assert columns == {name: heap.snapshot.columns[name].tolist() for name in heap.snapshot.columns.names()}


# ---------------------------------------------------------------- writing, whole or not at all


def test_only_the_owner_may_read_a_snapshot(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_snapshot(sample(), tmp_path / "a.heap")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a.heap").stat().st_mode) == 0o600


def test_writing_leaves_nothing_but_the_file(tmp_path: Path) -> None:
    write_snapshot(sample(), tmp_path / "a.heap")
    write_snapshot(sample(), tmp_path / "a.heap", compress=True)

    assert [path.name for path in tmp_path.iterdir()] == ["a.heap"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotFileError, match=r"gone/a\.heap: cannot write the snapshot: No such file") as caught:
        write_snapshot(sample(), tmp_path / "gone" / "a.heap")

    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_a_folder_that_takes_no_files_is_named() -> None:
    """/proc takes none, not even from root."""
    with pytest.raises(SnapshotFileError, match=r"^/proc/a\.heap: cannot write"):
        write_snapshot(sample(), "/proc/a.heap")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SnapshotFileError, match="Permission denied"):
            write_snapshot(sample(), tmp_path / "a.heap")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.heap").mkdir()

    with pytest.raises(SnapshotFileError, match="it is a folder"):
        write_snapshot(sample(), tmp_path / "a.heap")
    assert [path.name for path in tmp_path.iterdir()] == ["a.heap"]


def test_a_device_is_not_replaced_by_a_file() -> None:
    with pytest.raises(SnapshotFileError, match="something else than a file"):
        write_snapshot(sample(), "/dev/full")

    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "a.heap").symlink_to("other")

    write_snapshot(sample(), tmp_path / "a.heap")

    assert ((tmp_path / "other").read_text(), (tmp_path / "a.heap").is_symlink()) == ("theirs", False)


@pytest.mark.parametrize("compress", [False, "deflate"])
def test_a_file_that_may_not_grow_leaves_the_old_one_and_nothing_else(tmp_path: Path, compress: Flavour) -> None:
    write_snapshot(sample(), tmp_path / "a.heap")
    code = """if True:
        import resource, sys
        from heapdiff.errors import SnapshotFileError
        from heapdiff.snapshot.file import write_snapshot
        from tests.snapshot.test_file import regular_heap
        snapshot = regular_heap(50_000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        try:
            write_snapshot(snapshot, sys.argv[1], compress=eval(sys.argv[2]))
        except SnapshotFileError as error:
            print(error.__cause__.errno)
    """
    done = run(code, tmp_path / "a.heap", repr(compress))

    assert done.stdout == f"{errno.EFBIG}\n", done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.heap"]
    assert_equal(read_snapshot(tmp_path / "a.heap"), sample())


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """A real file system of 64 KiB, in a mount namespace of its own."""
    code = """if True:
        import os, subprocess, sys
        from heapdiff.errors import SnapshotFileError
        from heapdiff.snapshot.file import read_snapshot, write_snapshot
        from tests.snapshot.test_file import regular_heap
        from tests.snapshot.sample import assert_equal, sample
        folder = sys.argv[1]
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).returncode:
            sys.exit("no mount")
        write_snapshot(sample(), folder + "/a.heap")
        try:
            write_snapshot(regular_heap(50_000), folder + "/a.heap")
        except SnapshotFileError as error:
            assert_equal(read_snapshot(folder + "/a.heap"), sample())
            print(error.__cause__.errno, os.listdir(folder))
    """
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", code, str(tmp_path)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if "no mount" in done.stderr or done.stderr.startswith("unshare:"):
        pytest.skip("this process may not mount")

    assert done.stdout == f"{errno.ENOSPC} ['a.heap']\n", done.stderr


def test_a_writer_that_is_killed_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """The kernel kills it at the byte where the file gets too long, in the middle of a column."""
    write_snapshot(sample(), tmp_path / "a.heap")
    code = """if True:
        import resource, signal, sys
        from heapdiff.snapshot.file import write_snapshot
        from tests.snapshot.test_file import regular_heap
        snapshot = regular_heap(50_000)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        write_snapshot(snapshot, sys.argv[1])
    """

    assert run(code, tmp_path / "a.heap").returncode == -signal.SIGXFSZ
    assert_equal(read_snapshot(tmp_path / "a.heap"), sample())


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """It comes at the worst moment, when all is written and not yet in its place."""
    write_snapshot(sample(), tmp_path / "a.heap")
    code = """if True:
        import sys
        from heapdiff.snapshot.file import write_snapshot
        from tests.snapshot.test_file import regular_heap
        def interrupt(event, arguments):
            if event == "os.rename":
                raise KeyboardInterrupt
        sys.addaudithook(interrupt)
        try:
            write_snapshot(regular_heap(1_000), sys.argv[1])
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = run(code, tmp_path / "a.heap")

    assert done.stdout == "interrupted\n", done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.heap"]
    assert_equal(read_snapshot(tmp_path / "a.heap"), sample())


def test_a_written_snapshot_keeps_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    write_snapshot(sample(), tmp_path / "a.heap")

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_snapshot_that_is_let_go_is_unmapped(tmp_path: Path) -> None:
    write_snapshot(sample(), tmp_path / "mapped-once.heap")
    snapshot = read_snapshot(tmp_path / "mapped-once.heap")
    during = Path("/proc/self/maps").read_text()
    del snapshot

    assert ("mapped-once" in during, "mapped-once" in Path("/proc/self/maps").read_text()) == (True, False)


def test_a_compressed_file_is_not_unpacked_beyond_the_limit(tmp_path: Path) -> None:
    write_snapshot(regular_heap(1_000), tmp_path / "a.heap", compress="deflate")

    with pytest.raises(SnapshotFileError, match="more than the 1000 B that it may take"):
        read_snapshot(tmp_path / "a.heap", limit_bytes=1000)


def test_what_is_no_snapshot_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="takes a Snapshot"):
        write_snapshot(1, tmp_path / "a.heap")  # type: ignore[arg-type]


def test_an_empty_path_is_said_to_be_empty() -> None:
    with pytest.raises(ValueError, match="path is empty"):
        write_snapshot(sample(), "")


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(SnapshotFileError, match=r"it is a folder\. Name a file in it\."):
        write_snapshot(sample(), tmp_path)


def test_what_is_no_regular_file_has_one_way_out() -> None:
    with pytest.raises(SnapshotFileError) as caught:
        read_snapshot("/dev/null")

    assert str(caught.value).endswith("it is not a regular file. Copy it into one first.")


@pytest.mark.parametrize("number", [-1, 1 << 20])
def test_a_number_that_nothing_has_is_an_index_error(number: int) -> None:
    with pytest.raises(IndexError, match="does not exist"):
        sample().shallow_bytes(number)
    with pytest.raises(IndexError, match="does not exist"):
        sample().text(number)


def test_a_large_object_has_its_whole_size() -> None:
    snapshot = sample()

    assert 5 << 30 in [snapshot.shallow_bytes(obj) for obj in range(1, snapshot.object_count + 1)]
