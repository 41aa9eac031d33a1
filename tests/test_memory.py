"""What machine and cgroup say is left, in folders that look like theirs."""

from pathlib import Path

import pytest

from heapdiff.capture.bounds import default_max_bytes
from heapdiff.memory import memory_left

MIB = 1 << 20


def drawn(root: Path, **files: str) -> str:
    """The files under a root of their own; ``__`` in a name is a slash."""
    for name, text in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(root)


def machine(root: Path, left: int) -> str:
    return drawn(root, proc__meminfo=f"MemTotal: 999999 kB\nMemAvailable: {left // 1024} kB\n")


def cgroup(root: Path, folder: str, version: int, limit: str, used: int, droppable: int = 0) -> None:
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    here = root / "sys/fs/cgroup" / ("" if version == 2 else "memory") / folder
    here.mkdir(parents=True, exist_ok=True)
    (here / names[0]).write_text(f"{limit}\n")
    (here / names[1]).write_text(f"{used}\n")
    prefix = "" if version == 2 else "total_"
    (here / "memory.stat").write_text(f"anon 1\n{prefix}inactive_file {droppable}\n")


def member_of(root: Path, version: int, path: str) -> None:
    line = f"0::{path}" if version == 2 else f"5:cpu,cpuacct:/elsewhere\n4:memory:{path}"
    drawn(root, proc__self__cgroup=f"{line}\n")


def test_without_a_cgroup_the_machine_decides(tmp_path: Path) -> None:
    assert memory_left(machine(tmp_path, 700 * MIB)) == 700 * MIB


@pytest.mark.parametrize("version", [1, 2])
def test_the_cgroup_decides_where_it_has_less_left(tmp_path: Path, version: int) -> None:
    root = machine(tmp_path, 700 * MIB)
    member_of(tmp_path, version, "/pod/service")
    cgroup(tmp_path, "pod/service", version, str(500 * MIB), 400 * MIB)

    assert memory_left(root) == 100 * MIB


@pytest.mark.parametrize("version", [1, 2])
def test_the_cgroup_above_counts_too(tmp_path: Path, version: int) -> None:
    root = machine(tmp_path, 700 * MIB)
    member_of(tmp_path, version, "/pod/service")
    cgroup(tmp_path, "pod/service", version, str(500 * MIB), 100 * MIB)
    cgroup(tmp_path, "pod", version, str(510 * MIB), 500 * MIB)

    assert memory_left(root) == 10 * MIB


@pytest.mark.parametrize("version", [1, 2])
def test_pages_that_can_be_dropped_are_left(tmp_path: Path, version: int) -> None:
    """A service that reads files fills its limit with them, and has memory all the same."""
    root = machine(tmp_path, 700 * MIB)
    member_of(tmp_path, version, "/service")
    cgroup(tmp_path, "service", version, str(500 * MIB), 500 * MIB, droppable=300 * MIB)

    assert memory_left(root) == 300 * MIB


@pytest.mark.parametrize(("version", "unlimited"), [(1, "9223372036854771712"), (2, "max")])
def test_a_cgroup_without_a_limit_does_not_decide(tmp_path: Path, version: int, unlimited: str) -> None:
    root = machine(tmp_path, 700 * MIB)
    member_of(tmp_path, version, "/service")
    cgroup(tmp_path, "service", version, unlimited, 400 * MIB)

    assert memory_left(root) == 700 * MIB


def test_in_a_container_whose_path_is_the_hosts_the_mount_decides(tmp_path: Path) -> None:
    root = machine(tmp_path, 700 * MIB)
    member_of(tmp_path, 1, "/docker/0123abcd")
    cgroup(tmp_path, "", 1, str(500 * MIB), 450 * MIB)

    assert memory_left(root) == 50 * MIB


def test_what_nothing_tells_is_not_measured(tmp_path: Path) -> None:
    assert memory_left(str(tmp_path)) is None


def test_a_capture_may_take_half_of_what_is_left() -> None:
    left = memory_left()
    assert left is not None

    assert 0.3 * left < default_max_bytes() < 0.7 * left  # other processes take and give back meanwhile
