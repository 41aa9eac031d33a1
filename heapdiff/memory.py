"""How much memory is left to take, as the machine and the cgroup say."""

import os

__all__ = ["memory_left"]


def memory_left() -> int | None:
    """Bytes that the process may still take: the least of what machine and cgroup have left; None is not measured."""
    known = [left for left in (_left_on_machine(), _left_in_cgroup()) if left is not None]
    return min(known) if known else None


def _left_on_machine() -> int | None:
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _left_in_cgroup() -> int | None:
    """What the process's cgroup (version 2) and those above it have left."""
    path = next((line.split("::", 1)[1] for line in _read("/proc/self/cgroup").splitlines() if "::" in line), None)
    if path is None:
        return None
    left: list[int] = []
    while True:
        folder = "/sys/fs/cgroup" + path.rstrip("/")
        limit, current = _read(f"{folder}/memory.max").strip(), _read(f"{folder}/memory.current").strip()
        if limit.isdigit() and current.isdigit():
            left.append(max(0, int(limit) - int(current)))
        if path in ("", "/"):
            return min(left) if left else None
        path = os.path.dirname(path)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
