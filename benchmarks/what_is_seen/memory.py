"""Cases: memory that objects have in C, counted or said not to be."""

import array
import contextlib
import ctypes
import io
import mmap
import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.what_is_seen.model import Case, Marks, Question, held_by_a_module

__all__ = ["MEMORY_CASES"]

_BYTES = 1_000_000


def _of(make: Callable[[], Any], size: int = _BYTES) -> Callable[[], contextlib.AbstractContextManager[Marks]]:
    """A case of one object that has *size* bytes."""

    @contextlib.contextmanager
    def build() -> Iterator[Marks]:
        kept = make()
        with held_by_a_module(kept):
            yield Marks((id(kept),), bytes=size)
        del kept

    return build


def _held(
    make: Callable[[Any], Any], base: Callable[[], Any]
) -> Callable[[], contextlib.AbstractContextManager[Marks]]:
    """A case of an object that holds another one."""

    @contextlib.contextmanager
    def build() -> Iterator[Marks]:
        target = base()
        address = id(target)
        holder = make(target)
        del target
        with held_by_a_module(holder):
            yield Marks((address,), id(holder))
        del holder

    return build


def _zeros() -> Any:
    import numpy

    return numpy.zeros(_BYTES, "u1")


def _object_array(element: object) -> Any:
    import numpy

    made = numpy.empty(1, "O")
    made[0] = element
    return made


@contextlib.contextmanager
def _strings_of_an_array() -> Iterator[Marks]:
    import numpy

    made = numpy.empty(1_000, "O")
    for number in range(1_000):
        made[number] = f"in an array {number} {'x' * 40}"
    with held_by_a_module(made):
        yield Marks(tuple(id(text) for text in made))


def _text_buffer() -> io.StringIO:
    made = io.StringIO()
    made.write("x" * (_BYTES // 4))
    made.seek(3)
    made.write("y")
    return made


def _database() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.execute("create table t (x)")
    return made


def _string() -> str:
    return "held " + "x" * 40


_BUFFERS, _UNKNOWN = "Memory of C types", "Memory that cannot be sized from outside"

MEMORY_CASES = (
    Case("NumPy: buffer that an array owns", _BUFFERS, Question.BYTES, _of(_zeros), "numpy"),
    Case("NumPy: view → base", _BUFFERS, Question.HELD, _held(lambda base: base[1:], _zeros), "numpy"),
    Case("NumPy: object array → elements", _BUFFERS, Question.HELD, _held(_object_array, _string), "numpy"),
    Case(
        "NumPy: strings that only an object array has",
        _BUFFERS,
        Question.OBJECTS,
        _strings_of_an_array,
        "numpy",
    ),
    Case("`bytearray`", _BUFFERS, Question.BYTES, _of(lambda: bytearray(_BYTES))),
    Case("`array`", _BUFFERS, Question.BYTES, _of(lambda: array.array("b", bytes(_BYTES)))),
    Case("`memoryview` → its exporter", _BUFFERS, Question.HELD, _held(memoryview, lambda: bytes(100))),
    Case("anonymous `mmap`", _BUFFERS, Question.BYTES, _of(lambda: mmap.mmap(-1, _BYTES))),
    Case("ctypes buffer", _BUFFERS, Question.BYTES, _of(lambda: ctypes.create_string_buffer(_BYTES))),
    Case("ctypes → the object it keeps alive", _BUFFERS, Question.HELD, _held(ctypes.py_object, _string)),
    Case("`BytesIO` → its bytes", _BUFFERS, Question.HELD, _held(io.BytesIO, lambda: bytes(range(256)) * 4)),
    Case("`StringIO`", _BUFFERS, Question.BYTES, _of(_text_buffer)),
    Case("`BufferedReader`", _BUFFERS, Question.BYTES, _of(lambda: io.BufferedReader(io.BytesIO(), _BYTES))),
    Case("`struct.Struct` → format", _BUFFERS, Question.HELD, _held(struct.Struct, lambda: b"<iiq")),
    Case("sqlite3 connection", _UNKNOWN, Question.LISTED, _of(_database)),
    Case("zlib compressor", _UNKNOWN, Question.LISTED, _of(zlib.compressobj)),
)
