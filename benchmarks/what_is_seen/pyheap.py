"""pyheap beside the other tools: its dumper looks with gdb at a process that holds a case; out: a Sight of its file.

pyheap is not among the packages of an index; it is run from a checkout of github.com/ivanyu/pyheap, whose directory
``--pyheap`` names. The interpreter that runs this module needs what its dumper and its reader import: pyelftools, tqdm
and typing_extensions. Its dumper waits at a breakpoint where C enters the evaluation loop, so the process that holds
the case keeps calling Python functions through ``map``.
"""

import builtins
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import attrs

from benchmarks.what_is_seen.model import Case, Marks, answer_of

__all__ = ["PyheapFile", "ask_pyheap", "hold", "pyheap_supports", "pyheap_version", "why_pyheap_cannot_run"]

_SECONDS = 120
_OLDEST, _NEWEST = (3, 8), (3, 12)  # as its README says
_NEEDED = {"elftools": "pyelftools", "tqdm": "tqdm", "typing_extensions": "typing_extensions"}
_MANY = 1_000  # as for the tools that look from inside
_DUMPER, _READER = Path("pyheap", "src", "pyheap_dump.py"), Path("pyheap-ui", "src")
_HELD_BY_CLASSES = "__mro__"  # what a type has among its attributes if its instances are classes


def why_pyheap_cannot_run(checkout: Path) -> str | None:
    """What is missing here, and the way to it; None where nothing is."""
    if not (checkout / _DUMPER).is_file():
        return f"{checkout} has no {_DUMPER}: expected a checkout of github.com/ivanyu/pyheap"
    missing = [package for module, package in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        return f"{sys.executable} lacks what pyheap imports: install {', '.join(missing)}"
    return None if shutil.which("gdb") else "there is no gdb on PATH, with which pyheap attaches: install it"


def pyheap_version(checkout: Path) -> str:
    """The commit of the checkout; its releases are tags of the same repository."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def pyheap_supports(python: str) -> bool:
    """Whether pyheap is made for that version, such as ``3.12.1``."""
    return _OLDEST <= tuple(int(part) for part in python.split(".")[:2]) <= _NEWEST


def hold(case: Case) -> None:
    """Builds the case, tells of its marks on a line, and enters the evaluation loop from C until it is ended."""
    with case.build() as marks:
        namespaces = [id(builtins), id(vars(builtins))]
        print(json.dumps({"marks": attrs.asdict(marks), "builtins": namespaces}), flush=True)
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            list(map(_turn, range(3)))
            time.sleep(0.01)


def _turn(_: int) -> None:
    """A call of Python that comes from C."""


def ask_pyheap(holding: list[str], case: Case, *, checkout: Path, root: Path) -> str:
    """What pyheap answers of one case.

    Args:
        holding: The command that holds the case, see ``hold``.
        case: The same case.
        checkout: Of pyheap.
        root: Where the command is run.

    Raises:
        subprocess.CalledProcessError: The command or the dumper failed.
        subprocess.TimeoutExpired: The breakpoint was not reached, or the dump took too long.
    """
    with subprocess.Popen(holding, cwd=root, stdout=subprocess.PIPE, text=True) as target:
        try:
            assert target.stdout is not None
            told = target.stdout.readline()
            if not told:
                raise subprocess.CalledProcessError(target.wait(), holding, stderr="")
            held = json.loads(told)
            if held is None:
                return "not measured"
            with tempfile.TemporaryDirectory() as directory:
                file = Path(directory, "case.pyheap")
                _dump(checkout, target.pid, file)
                sight = PyheapFile(_read(checkout, file), held["builtins"])
        finally:
            target.kill()
    return answer_of(case, Marks(**held["marks"]), sight)


def _dump(checkout: Path, pid: int, file: Path) -> None:
    """Runs the dumper; without the texts of objects, which no question asks for."""
    command = [sys.executable, str(checkout / _DUMPER), "--pid", str(pid), "--file", str(file), "--str-repr-len", "-1"]
    # gdb is a child of the dumper, and both are ended when it takes too long.
    dumper = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = dumper.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(dumper.pid, signal.SIGKILL)
        dumper.communicate()
        raise
    if dumper.returncode or not file.exists():
        raise subprocess.CalledProcessError(dumper.returncode, command, stderr=said)


def _read(checkout: Path, file: Path) -> Any:
    """The heap of that file, by pyheap's own reader."""
    source = str(checkout / _READER)
    if source not in sys.path:
        sys.path.append(source)
    return importlib.import_module("pyheap_ui.heap_reader").HeapReader(file.read_bytes()).read()


class PyheapFile:
    """What pyheap's pages show of a heap; it knows nothing of weak edges and of what it misses."""

    def __init__(self, heap: Any, builtins: Collection[int]) -> None:
        self._heap, self._objects = heap, heap.objects
        self._builtins = frozenset(builtins)  # the module and its namespace

    def sees(self, address: int) -> bool:  # noqa: D102 - as in Sight, here and below
        return address in self._objects

    def bytes_of(self, address: int) -> int | None:  # noqa: D102
        return int(self._objects[address].size)

    def held_by(self, address: int) -> set[int]:  # noqa: D102
        if address not in self._objects:
            return set()
        found = self._shown(address)
        if len(found) > _MANY:
            return set()
        return {held for held in found if not self._leads_everywhere(held)}

    def weakly_held_by(self, address: int) -> set[int]:  # noqa: D102
        return set()

    def says_unseen(self, address: int) -> bool:  # noqa: D102
        return False

    def says_native(self, address: int) -> bool:  # noqa: D102
        return False

    def _shown(self, address: int) -> set[int]:
        """The three lists of an object's page: its attributes, its elements and its referents."""
        shown = self._objects[address]
        return {*shown.referents, *shown.attributes.values()}  # the reader adds the elements to the referents

    def _leads_everywhere(self, address: int) -> bool:
        """Classes, modules and their namespaces, as for the tools that look from inside."""
        found = self._objects.get(address)
        if found is None:
            return False
        if isinstance(found.content, dict):
            return not self._builtins.isdisjoint(found.content.values())
        kind = self._objects.get(found.type)
        return self._heap.types.get(found.type) == "module" or (
            kind is not None and _HELD_BY_CLASSES in kind.attributes
        )
