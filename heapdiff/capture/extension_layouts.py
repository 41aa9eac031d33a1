"""Where numpy, ctypes, mmap and io keep memory and references that nothing reports, checked on living samples."""

# ruff: noqa: PLR2004 - the numbers are places in structs, which this file is about

import gc
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from heapdiff.native import object_body

__all__ = ["Adaptation", "KnownLayouts", "LayoutRow", "known_layouts"]

Adaptation = tuple[type, int, tuple[int, ...]]
LayoutRow = tuple[type, int, tuple[tuple[int, str], ...]]

# Adapters of native/cpython/extension_types.hpp.
_ARRAY, _DATA_TYPE, _VOID_SCALAR, _CTYPES, _MAPPING, _TEXT_BUFFER = range(6)

_LEAST_STRING_BODY: Final = sys.getsizeof("") - 1  # the head of an ASCII str; its text follows


@attrs.frozen
class KnownLayouts:
    """The layouts that hold in this process, and the names of what is laid out in an unknown way."""

    adaptations: tuple[Adaptation, ...] = ()
    layouts: tuple[LayoutRow, ...] = ()
    unknown: tuple[str, ...] = ()


def known_layouts() -> KnownLayouts:
    """The layouts of the modules that are imported now; nothing is imported for it.

    A sample of each type is made once in a process, and its fields are compared with what the type's own
    interface says of it. Where they differ, that type is left as it is, and the answer says so.
    """
    adaptations: list[Adaptation] = []
    layouts: list[LayoutRow] = []
    unknown: list[str] = []
    for name, check in _CHECKS.items():
        known = _checked.get(name)
        if known is None:
            module = sys.modules.get(name)
            if type(module) is not type(sys) or _is_being_imported(module):
                continue
            known = _checked[name] = _check(name, check, vars(module))
        adaptations += known.adaptations
        layouts += known.layouts
        unknown += known.unknown
    return KnownLayouts(tuple(adaptations), tuple(layouts), tuple(unknown))


_checked: dict[str, KnownLayouts] = {}


class _UnknownLayout(Exception):
    """A field of a sample is not where it was expected."""


def _check(name: str, check: Callable[[dict[str, Any]], Iterator[Any]], names: dict[str, Any]) -> KnownLayouts:
    try:
        rows = list(check(names))
    except Exception:  # the module may be a stand-in that a test put there, and raise anything
        return KnownLayouts(unknown=(name,))
    # The third of an adaptation is made of offsets, that of a layout of pairs.
    layouts = tuple(row for row in rows if isinstance(row[2][0], tuple))
    return KnownLayouts(tuple(row for row in rows if row not in layouts), layouts)


def _is_being_imported(module: object) -> bool:
    return bool(getattr(vars(module).get("__spec__"), "_initializing", False))


def _expect(*facts: bool) -> None:
    if not all(facts):
        raise _UnknownLayout


# The places in this file are those behind a head of 16 bytes; that of a free-threaded build has 32.
_HEAD: Final = 16
_SHIFT: Final = object.__basicsize__ - _HEAD


def _at(*offsets: int) -> tuple[int, ...]:
    """The places in this process; what is negative is none."""
    return tuple(offset + _SHIFT if offset >= _HEAD else offset for offset in offsets)


def _word(obj: object, offset: int) -> int:
    """Eight bytes of the object's struct."""
    return int(struct.unpack_from("Q", object_body(obj), *_at(offset))[0])


def _int(obj: object, offset: int) -> int:
    """Four bytes of the object's struct."""
    return int(struct.unpack_from("i", object_body(obj), *_at(offset))[0])


def _byte(obj: object, offset: int) -> int:
    """One byte of the object's struct."""
    return object_body(obj)[_at(offset)[0]]


# ------------------------------------------------------------------ numpy

_OWNS_DATA: Final = 4


def _numpy(names: dict[str, Any]) -> Iterator[Adaptation]:
    dtype, zeros = names["dtype"], names["zeros"]
    yield _arrays(names["ndarray"], zeros)
    yield _data_types(dtype)
    records = zeros(1, dtype([("a", "i4")]))
    record, own = records[0], names["void"](b"abc")
    _expect(_word(record, 24) == records.__array_interface__["data"][0])
    _expect(_word(record, 32) == id(record.dtype), _word(record, 48) == id(records), _word(own, 48) == 0)
    _expect(not _int(record, 40) & _OWNS_DATA, bool(_int(own, 40) & _OWNS_DATA))
    yield names["void"], _VOID_SCALAR, _at(24, 32, 40, 48)


def _arrays(ndarray: type, zeros: Any) -> Adaptation:
    """Source: ndarraytypes.h, PyArrayObject_fields; the same from numpy 1.22 to 2.5."""
    array = zeros((2, 3), "O")
    view = array[:, 1:]
    for sample, base in ((array, 0), (view, id(array))):
        rank = sample.ndim
        _expect(_word(sample, 16) == sample.__array_interface__["data"][0], _int(sample, 24) == rank)
        _expect(_word(sample, 32) != 0, _word(sample, 40) == _word(sample, 32) + 8 * rank)
        _expect(_word(sample, 48) == base, _word(sample, 56) == id(sample.dtype), _int(sample, 64) == sample.flags.num)
    has_handler = len(object_body(array)) >= 96 + _SHIFT and _word(array, 88) != 0 and _word(view, 88) == 0
    return ndarray, _ARRAY, _at(16, 24, 32, 40, 48, 56, 64, 88 if has_handler else -1)


def _data_types(dtype: Any) -> Adaptation:
    """Source: ndarraytypes.h, PyArray_Descr of numpy 1 and _PyArray_LegacyDescr of numpy 2."""
    noted = dtype("i4", metadata={"a": 1})
    samples = (
        dtype("O"),
        dtype("f8"),
        noted,
        dtype(("i4", (3,))),
        dtype([("a", "i1"), ("b", "O"), (("title", "c"), "O")]),
    )
    for layout in ((28, 32, 40, 8, 88, 96, 104, 56, 16), (28, 27, 32, 4, 40, 48, 56, 72, 16)):
        number, flags, item, width, subarray, fields, names, metadata, scalar = layout
        if max(layout) + _SHIFT + 8 <= len(object_body(noted)) and all(
            _int(sample, number) == sample.num
            and _byte(sample, flags) == sample.flags & 0xFF
            and (_word if width == 8 else _int)(sample, item) == sample.itemsize
            and (_word(sample, subarray) != 0) == (sample.subdtype is not None)
            and _word(sample, fields) in ((0, id(None)) if sample.fields is None else (_behind(sample.fields),))
            and _word(sample, names) in ((0, id(None)) if sample.names is None else (id(sample.names),))
            and _word(sample, metadata) == _behind(sample.metadata)
            and _word(sample, scalar) == id(sample.type)
            for sample in samples
        ):
            return dtype, _DATA_TYPE, _at(*layout)
    raise _UnknownLayout


def _behind(proxy: Any) -> int:
    """The address of the dict behind a read-only view; 0 for None."""
    return 0 if proxy is None else id(gc.get_referents(proxy)[0])


# ------------------------------------------------------------------ the standard library


def _ctypes(names: dict[str, Any]) -> Iterator[Adaptation]:
    """Source: ctypes.h, CDataObject."""

    array = names["Array"]
    large, small = type(array)("Sample", (array,), {"_length_": 100, "_type_": names["c_char"]})(), names["c_int"](7)
    _expect(_word(large, 16) == names["addressof"](large), _int(large, 24) == 1, _word(large, 40) == 100)
    _expect(_word(small, 16) == names["addressof"](small), _word(small, 40) == 4)
    _expect(id(small) < _word(small, 16) < id(small) + len(object_body(small)))  # small values lie inside
    yield array.__base__, _CTYPES, _at(16, 24, 40)


def _mmap(names: dict[str, Any]) -> Iterator[Adaptation]:
    """Source: mmapmodule.c, mmap_object."""
    with names["mmap"](-1, 12_345) as anonymous:
        tracks = 60 if sys.version_info >= (3, 13) else -1
        _expect(_word(anonymous, 24) == 12_345, _int(anonymous, 56) == -1)
        _expect(tracks < 0 or _byte(anonymous, tracks) == 1)
    yield names["mmap"], _MAPPING, _at(24, 56, tracks)


def _io(names: dict[str, Any]) -> Iterator[Adaptation | LayoutRow]:
    """Source: bytesio.c, bytesio; stringio.c, stringio."""
    payload = b"heapdiff" * 8
    _expect(_word(names["BytesIO"](payload), 16) == id(payload))
    yield names["BytesIO"], 0, ((_at(16)[0], "buffer"),)
    text = names["StringIO"]("abc")
    _expect(_word(text, 32) == 3, 3 <= _word(text, 40) < 1_000, _int(text, 48) == 1)
    pending = names["StringIO"]()
    pending.write("abcd")
    _expect(_int(pending, 48) == 2)
    if sys.version_info >= (3, 14):  # a writer of its own
        _expect(_word(pending, 56) != 0, _word(text, 56) == 0)
        waiting: tuple[int, ...] = (-1, -1, 56)
    elif sys.version_info >= (3, 12):  # a str, whose text is where the next field says
        _expect(_word(pending, 64) == _word(pending, 56) + _LEAST_STRING_BODY, _word(pending, 88) == 4)
        waiting = (56, -1, -1)
    else:  # two lists of str, of which the first is made when the second is long
        _expect(_word(pending, 56) == 0, _word(pending, 64) != 0)
        waiting = (56, 64, -1)
    yield names["StringIO"], _TEXT_BUFFER, _at(40, 48, *waiting)


_CHECKS: Final[dict[str, Callable[[dict[str, Any]], Iterator[Any]]]] = {
    "numpy": _numpy,
    "ctypes": _ctypes,
    "mmap": _mmap,
    "_io": _io,
}
