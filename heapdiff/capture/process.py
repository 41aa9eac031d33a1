"""What the operating system and the interpreter say of this process, in a Process."""

import gc
import os
import sys
import time
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from typing import Any, Final

from heapdiff.capture.packages import package_versions
from heapdiff.memory import kernel_text
from heapdiff.native import arena_bytes
from heapdiff.snapshot.model import Process

__all__ = ["read_process"]


def read_process(**measured: Any) -> Process:
    """The facts about this process at this moment; what cannot be measured here is None.

    It reads /proc and the folders of installed packages, asks the interpreter, imports nothing, and keeps
    nothing but the answer. The
    command is the script's or module's name: arguments may hold secrets and stay out.

    Args:
        measured: Fields of Process that the caller knows, or knows better.

    Raises:
        TypeError: ``measured`` names no field of Process.
    """
    status = _status()
    # A list first: a tuple made from a generator is cut to size, and each one that goes adds a block
    # to a free list that none is taken from, up to 2000 of them.
    collections = [generation["collections"] for generation in gc.get_stats()]
    system = os.uname()
    packages = package_versions()  # before the blocks are counted: the answer is kept
    facts: dict[str, Any] = {
        "pid": os.getpid(),
        "host": system.nodename,
        "start_time": _start_time(),
        "capture_time": time.time(),
        "python": sys.version.partition(" ")[0],
        "platform": f"{system.sysname} {system.release} {system.machine}",
        "command": _command(),
        "thread_count": status.get("Threads"),
        "rss_bytes": _times_1024(status.get("VmRSS")),
        "rss_peak_bytes": _times_1024(status.get("VmHWM")),
        "swap_bytes": _times_1024(status.get("VmSwap")),
        "descriptors": _descriptors(),
        "packages": packages,
        "gc_enabled": gc.isenabled(),
        "gc_collections": tuple(collections),
        "gc_frozen_objects": gc.get_freeze_count(),
        "allocated_blocks": sys.getallocatedblocks(),
        "arena_bytes": arena_bytes(),
    }
    return Process(**facts | measured)


def _status() -> Mapping[str, int]:
    """The lines of /proc/self/status that start with a number, by name; sizes are in kB."""
    numbers = {}
    for line in (kernel_text("/proc/self/status") or "").splitlines():
        name, _, rest = line.partition(":")
        first = rest.split(maxsplit=1)[:1]
        if first and first[0].isdecimal():
            numbers[name] = int(first[0])
    return numbers


def _times_1024(kilobytes: int | None) -> int | None:
    return None if kilobytes is None else kilobytes * 1024


def _start_time() -> float | None:
    """Seconds since the epoch: the moment of the boot, and the ticks from there to the start."""
    boot = [line for line in (kernel_text("/proc/stat") or "").splitlines() if line.startswith("btime ")]
    # The second field is the program's name in parentheses, and may contain anything, these too.
    fields = (kernel_text("/proc/self/stat") or "").rpartition(")")[2].split()
    try:
        return int(boot[0].split()[1]) + int(fields[_START_TICKS]) / os.sysconf("SC_CLK_TCK")
    except (IndexError, ValueError, OSError):
        return None


_START_TICKS: Final = 22 - 3  # field 22 in proc(5); what is left starts with field 3


def _command() -> str | None:
    # vars() and no getattr(): a module may have a __getattr__ that runs, and what lies there may be anything.
    main = sys.modules.get("__main__")
    spec = vars(main).get("__spec__") if type(main) is type(sys) else None
    name = vars(spec).get("name") if type(spec) is ModuleSpec else None
    if type(name) is str:  # python -m name
        return name.removesuffix(".__main__")
    arguments = vars(sys).get("argv")
    script = arguments[0] if type(arguments) is list and arguments else None
    return os.path.basename(script) or None if type(script) is str else None


def _descriptors() -> Mapping[str, int] | None:
    """How many descriptors are open, by what they lead to; names of files stay out."""
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return None
    counts: dict[str, int] = {}
    for number in numbers:
        try:
            kind = _kind(os.readlink("/proc/self/fd/" + number))
        except OSError:  # such as the descriptor that listdir() itself had
            continue
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def _kind(link: str) -> str:
    if link.startswith("/"):
        if link.startswith("/memfd:"):
            return "memfd"
        return "device" if link.startswith("/dev/") and not link.startswith("/dev/shm/") else "file"
    if link.startswith("anon_inode:"):  # such as anon_inode:[eventfd]
        return link.removeprefix("anon_inode:").strip("[]")
    kind, separator, _ = link.partition(":")  # such as socket:[4711]
    return kind if separator and kind in ("socket", "pipe") else "other"
