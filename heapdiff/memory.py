"""How much memory is left to take, as the machine and the cgroup say."""

import os

__all__ = ["kernel_text", "memory_left"]


def memory_left(root: str = "/") -> int | None:
    """Bytes that the process may still take: the least of what machine and cgroup have left; None is not measured.

    Pages of files that nobody used lately count as left: the kernel takes them away before it refuses memory.

    Args:
        root: Where ``proc`` and ``sys`` are mounted.
    """
    known = [left for left in (_left_on_machine(root), _left_in_cgroup(root)) if left is not None]
    return min(known) if known else None


def kernel_text(path: str) -> str | None:
    """What a file of ``/proc`` or ``/sys`` says; None where it cannot be read."""
    # By descriptor: a text file would ask for its codec, and names that C code asks for stay in a cache.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        pieces = []
        while piece := os.read(descriptor, 1 << 16):
            pieces.append(piece)
        return b"".join(pieces).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)


# The names of limit, use and droppable pages in the two versions of cgroups.
_VERSION_1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
_VERSION_2 = "memory.max", "memory.current", "inactive_file"
_NO_LIMIT = 2**62  # version 1 writes nearly 2**63 where there is none


def _left_on_machine(root: str) -> int | None:
    for line in _lines(f"{root}/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _left_in_cgroup(root: str) -> int | None:
    """The least that the process's cgroup and those above it have left."""
    left: list[int] = []
    for line in _lines(f"{root}/proc/self/cgroup"):
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers == "":
            left += _left_up_from(f"{root}/sys/fs/cgroup", path, _VERSION_2)
        elif "memory" in controllers.split(","):
            left += _left_up_from(f"{root}/sys/fs/cgroup/memory", path, _VERSION_1)
    return min(left) if left else None


def _left_up_from(mounted: str, path: str, names: tuple[str, str, str]) -> list[int]:
    # In a container of version 1 the path is the host's and does not exist here: what exists is the mount itself.
    left: list[int] = []
    while True:
        folder = mounted + path.rstrip("/")
        limit, current = ((kernel_text(f"{folder}/{name}") or "").strip() for name in names[:2])
        if limit.isdigit() and current.isdigit() and int(limit) < _NO_LIMIT:
            used = max(0, int(current) - _droppable(f"{folder}/memory.stat", names[2]))
            left.append(max(0, int(limit) - used))
        if path in ("", "/"):
            return left
        path = os.path.dirname(path)


def _droppable(stat: str, name: str) -> int:
    for line in _lines(stat):
        key, _, number = line.partition(" ")
        if key == name and number.isdigit():
            return int(number)
    return 0


def _lines(path: str) -> list[str]:
    return (kernel_text(path) or "").splitlines()
