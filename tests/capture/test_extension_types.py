"""Types of extension modules: what they hold and occupy, and how their authors say so."""

import ctypes
import datetime
import gc
import io
import mmap
import sqlite3
import sys
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

import heapdiff
from heapdiff.capture import extension_layouts, extension_types
from heapdiff.capture.extension_layouts import known_layouts
from tests.capture.living import Picture
from tests.capture.processes import FREE_THREADED, HEAD_BYTES

numpy = pytest.importorskip("numpy")

MEGABYTE = 1_000_000


class Payload:
    """Something that an array holds."""


class Handle:
    """A class whose author registers it."""


class Derived(Handle):
    pass


class Holder:
    held: object = None


@pytest.fixture(autouse=True)
def _forget_registrations() -> Iterator[None]:
    yield
    extension_types._registrations.clear()


def picture() -> Picture:
    return Picture(heapdiff.take_snapshot())


def limits(seen: Picture, name: str) -> list[str]:
    return [limit.text for limit in seen.snapshot.limits if limit.name == name]


class MallocStatistics(ctypes.Structure):
    _fields_ = [(f"before_{i}", ctypes.c_size_t) for i in range(4)] + [
        (name, ctypes.c_size_t) for name in ("hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    ]


def bytes_from_malloc() -> int:
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = MallocStatistics
    statistics = mallinfo()
    return int(statistics.hblkhd + statistics.uordblks)


# ------------------------------------------------------------------ numpy


def test_an_object_array_holds_its_elements() -> None:
    payload = [Payload() for _ in range(3)]
    array = numpy.array(payload, dtype=object)

    seen = picture()

    assert [seen.labels(array, each) for each in payload] == [["ELEMENT:0"], ["ELEMENT:1"], ["ELEMENT:2"]]
    assert [seen.native_references(each) for each in payload] == [0, 0, 0]


def test_a_view_holds_its_base_and_not_the_elements() -> None:
    payload = Payload()
    array = numpy.array([payload, None], dtype=object)
    view = array[::-1]

    seen = picture()

    assert seen.labels(view, array) == ["ATTRIBUTE:base"]
    assert seen.labels(view, payload) == []
    assert seen.shallow_bytes(view) == sys.getsizeof(view)


def test_what_an_array_holds_is_found_whatever_its_order() -> None:
    payload = [Payload() for _ in range(4)]
    array = numpy.asfortranarray(numpy.array([payload[:2], payload[2:]], dtype=object))

    seen = picture()

    assert all(seen.labels(array, each) for each in payload)


def test_an_array_that_owns_its_data_in_a_third_order_reports_each_element_once() -> None:
    payload = [Payload() for _ in range(8)]
    straight = numpy.array(payload, dtype=object).reshape(2, 2, 2)
    array = straight.transpose(1, 0, 2).copy("K")
    assert not array.flags.c_contiguous and not array.flags.f_contiguous and array.flags.owndata

    seen = picture()

    assert [len(seen.labels(array, each)) for each in payload] == [1] * 8


def test_fields_of_a_structured_array_hold_objects() -> None:
    payload = [Payload(), Payload(), Payload()]
    inner = numpy.dtype([("pair", "O", (2,))])
    array = numpy.zeros(2, dtype=numpy.dtype([("byte", "i1"), (("title", "one"), "O"), ("inner", inner)]))
    array["one"][0] = payload[0]
    array["inner"]["pair"][1] = payload[1:]

    seen = picture()

    assert [seen.labels(array, each) for each in payload] == [["ELEMENT:0"], ["ELEMENT:1"], ["ELEMENT:1"]]
    assert [seen.native_references(each) for each in payload] == [0, 0, 0]


def test_an_object_array_of_no_elements_and_one_of_no_dimensions_are_read() -> None:
    payload = Payload()
    empty, scalar = numpy.zeros((0, 3), dtype=object), numpy.array(payload, dtype=object)

    seen = picture()

    assert not [label for label, _ in seen.references(empty) if label.startswith("ELEMENT")]
    assert seen.labels(scalar, payload) == ["ELEMENT:0"]


def test_a_read_only_array_holds_its_elements() -> None:
    payload = Payload()
    array = numpy.array([payload], dtype=object)
    array.flags.writeable = False

    assert picture().labels(array, payload) == ["ELEMENT:0"]


def test_objects_of_a_derived_array_class_are_read_like_arrays() -> None:
    class Named(numpy.ndarray):  # type: ignore[misc, name-defined]
        pass

    class Bare(numpy.ndarray):  # type: ignore[misc, name-defined]
        __slots__ = ()

    payload = Payload()
    arrays = []
    for cls in (Named, Bare):
        array = numpy.ndarray.__new__(cls, (1,), dtype=object)
        array[0] = payload
        arrays.append(array)

    seen = picture()

    assert [seen.labels(array, payload) for array in arrays] == [["ELEMENT:0"], ["ELEMENT:0"]]


def test_a_masked_array_holds_its_mask() -> None:
    masked = numpy.ma.array([1.0, 2.0], mask=[False, True])

    seen = picture()

    assert [label for label, _ in seen.references(masked) if label in ("DICT:0", "ATTRIBUTE:base")]
    assert masked._mask in seen


def test_a_mapped_array_leads_to_its_mapping() -> None:
    with tempfile.NamedTemporaryFile() as file:
        mapped = numpy.memmap(file.name, dtype="u1", mode="w+", shape=(4096,))

        seen = picture()

        assert "ATTRIBUTE:base" in seen.labels(mapped, mapped.base)
        assert seen.shallow_bytes(mapped) < 4096


def test_a_record_holds_the_array_it_came_from() -> None:
    array = numpy.zeros(2, dtype=[("a", "i4")])
    record, own = array[1], numpy.void(b"x" * 1_000)

    seen = picture()

    assert seen.labels(record, array) == ["ATTRIBUTE:base"]
    assert seen.shallow_bytes(record) < 100
    assert seen.shallow_bytes(own) == sys.getsizeof(own)


def test_an_iterator_over_an_array_holds_it() -> None:
    array = numpy.zeros(3)
    iterator = array.flat

    assert picture().labels(iterator, array) == ["ATTRIBUTE:base"]


def test_the_objects_that_numpy_shares_are_not_taken_for_held_by_native_code() -> None:
    arrays = [numpy.zeros(3, dtype=object) for _ in range(1_000)]

    seen = picture()

    assert seen.native_references(arrays[0].dtype) < 100
    assert seen.native_references(arrays[0]) == 0


@pytest.mark.skipif(numpy.lib.NumpyVersion(numpy.__version__) < "2.0.0", reason="numpy 1 has no such dtype")
def test_a_dtype_that_keeps_objects_in_its_own_way_is_a_limit() -> None:
    strings = numpy.array(["a"], dtype=numpy.dtypes.StringDType())

    seen = picture()

    assert limits(seen, "data-types")
    assert any("numpy.ndarray" in text for text in limits(seen, "native-memory"))
    assert strings in seen


def test_a_census_counts_what_only_object_arrays_hold() -> None:
    class OnlyInArrays:
        __slots__ = ()

    array = numpy.empty(50, dtype=object)
    for i in range(50):
        array[i] = OnlyInArrays()

    counts = heapdiff.take_census().counts()

    assert [count for name, count in counts.items() if name.endswith("OnlyInArrays")] == [50]


def test_a_layout_that_is_not_known_is_a_limit_and_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = {"numpy": extension_layouts.KnownLayouts(unknown=("numpy",))}
    monkeypatch.setattr(extension_layouts, "_checked", extension_layouts._checked | unknown)
    payload = Payload()
    array = numpy.array([payload], dtype=object)

    seen = picture()

    assert seen.references(array) == []
    assert [
        text.startswith(f"The types of numpy {numpy.__version__} are") for text in limits(seen, "extension-layouts")
    ] == [True]


def test_the_layouts_of_this_process_are_known() -> None:
    assert known_layouts().unknown == ()


# ------------------------------------------------------------------ the standard library


not_from_malloc = pytest.mark.skipif(FREE_THREADED, reason="mimalloc has it, and does not tell")


@pytest.mark.parametrize(
    "make",
    [
        lambda: numpy.ones(MEGABYTE),
        pytest.param(lambda: ctypes.create_string_buffer(8 * MEGABYTE), marks=not_from_malloc),
        pytest.param(lambda: bytearray(8 * MEGABYTE), marks=not_from_malloc),
        pytest.param(lambda: io.StringIO("x" * 2 * MEGABYTE), marks=not_from_malloc),
    ],
    ids=["numpy array", "ctypes buffer", "bytearray", "StringIO"],
)
def test_memory_from_malloc_is_in_the_bytes_of_the_object(make: Any) -> None:
    gc.collect()
    before = bytes_from_malloc()
    obj = make()
    grown = bytes_from_malloc() - before
    if grown == 0:
        pytest.skip("this malloc does not count, as under AddressSanitizer")

    assert picture().shallow_bytes(obj) == pytest.approx(grown, rel=0.02)


def test_an_anonymous_mapping_is_in_the_bytes_of_its_object() -> None:
    with mmap.mmap(-1, 8 * MEGABYTE) as mapping:
        assert picture().shallow_bytes(mapping) == 8 * MEGABYTE + sys.getsizeof(mapping)


def test_a_mapped_file_is_told_apart_from_memory() -> None:
    with tempfile.TemporaryFile() as file:
        file.truncate(8 * MEGABYTE)
        with mmap.mmap(file.fileno(), 0) as mapping:
            seen = picture()

            assert seen.shallow_bytes(mapping) < 1_000
            assert any("7.63 MB of files" in text for text in limits(seen, "mapped-files"))


def test_a_ctypes_object_inside_another_owns_no_memory() -> None:
    class Inner(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_char * MEGABYTE)]

    class Outer(ctypes.Structure):
        _fields_ = [("inner", Inner)]

    outer = Outer()
    inner = outer.inner

    seen = picture()

    assert MEGABYTE <= seen.shallow_bytes(outer) - sys.getsizeof(outer) < MEGABYTE + 1_000  # room for attributes
    assert seen.shallow_bytes(inner) < 1_000
    assert outer in seen


def test_the_buffer_of_a_BytesIO_is_counted_once() -> None:
    stream = io.BytesIO()
    stream.write(b"x" * MEGABYTE)

    seen = picture()

    buffers = [target for label, target in seen.references(stream) if label == "ATTRIBUTE:buffer"]
    assert seen.shallow_bytes(stream) < 1_000
    assert [seen.snapshot.shallow_bytes(buffer) >= MEGABYTE for buffer in buffers] == [True]


def test_text_that_waits_in_a_StringIO_is_reached_through_it() -> None:
    stream = io.StringIO()
    stream.write("waiting" * 100)

    assert "ATTRIBUTE:buffer" in [label for label, _ in picture().references(stream)]


def test_a_memoryview_leads_to_what_it_shows() -> None:
    shown = bytearray(10)
    view = memoryview(shown)

    seen = picture()

    between = next(target for label, target in seen.references(view) if label == "ATTRIBUTE:buffer")
    columns = seen.snapshot.columns
    edges = range(columns["reference_start"][between], columns["reference_start"][between + 1])
    assert [seen.label(columns["reference_label"][edge]) for edge in edges] == ["ATTRIBUTE:obj"]
    assert columns["reference_target"][edges[0]] == seen.number(shown)


def test_types_with_memory_that_nothing_can_size_are_named() -> None:
    class Connection(sqlite3.Connection):
        pass

    compressor, connection = zlib.compressobj(), sqlite3.connect(":memory:", factory=Connection)
    connection.execute("create table t as select zeroblob(5000000)")

    seen = picture()

    (text,) = limits(seen, "native-memory")
    assert "zlib.Compress" in text and "Connection" in text
    assert compressor in seen
    connection.close()


# ------------------------------------------------------------------ registered types


def test_a_registered_size_is_added_to_the_object() -> None:
    handle = Handle()
    without = picture().shallow_bytes(handle)
    heapdiff.register_type(Handle, size=lambda obj: 5 * MEGABYTE)

    assert picture().shallow_bytes(handle) == without + 5 * MEGABYTE


def test_registered_references_are_seen_under_their_names() -> None:
    handle, payload = Handle(), Payload()
    table = {id(handle): payload}
    heapdiff.register_type(Handle, references=lambda obj: [("payload", table[id(obj)])] if id(obj) in table else [])

    seen = picture()

    assert seen.labels(handle, payload) == ["ATTRIBUTE:payload"]


def test_a_reference_that_the_object_reports_itself_is_not_counted_twice() -> None:
    handle, payload = Holder(), Payload()
    handle.held = payload
    heapdiff.register_type(Holder, references=lambda obj: [("held", obj.held)])

    seen = picture()

    assert seen.labels(handle, payload) == ["ATTRIBUTE:held"]


def test_objects_of_derived_classes_are_asked_too() -> None:
    handle = Derived()
    heapdiff.register_type(Handle, size=lambda obj: MEGABYTE)

    assert picture().shallow_bytes(handle) > MEGABYTE


def test_the_nearest_registered_class_answers() -> None:
    handle = Derived()
    heapdiff.register_type(Handle, size=lambda obj: MEGABYTE)
    heapdiff.register_type(Derived, size=lambda obj: 0)

    assert picture().shallow_bytes(handle) < MEGABYTE


def test_a_type_is_forgotten_when_nothing_is_said_of_it() -> None:
    handle = Handle()
    heapdiff.register_type(Handle, size=lambda obj: MEGABYTE)
    heapdiff.register_type(Handle)

    assert picture().shallow_bytes(handle) < MEGABYTE


def test_what_was_made_for_the_answer_is_left_out() -> None:
    handle = Handle()
    heapdiff.register_type(Handle, references=lambda obj: [("fresh", Payload())])

    seen = picture()

    assert not [label for label, _ in seen.references(handle) if label == "ATTRIBUTE:fresh"]


def test_an_exception_in_a_registered_function_becomes_a_limit_without_its_text() -> None:
    handle = Handle()

    def fail(obj: object) -> int:
        raise RuntimeError("secret")

    heapdiff.register_type(Handle, size=fail)

    seen = picture()

    assert limits(seen, "registered-types") == ["1 objects of Handle gave no answer: it raised RuntimeError."]
    assert handle in seen


@pytest.mark.parametrize("answer", [-1, 1.5, True, None, 2**70])
def test_a_size_that_is_no_number_of_bytes_is_a_limit(answer: Any) -> None:
    handle = Handle()
    heapdiff.register_type(Handle, size=lambda obj: answer)

    seen = picture()

    assert "must return an int of bytes" in limits(seen, "registered-types")[0]
    assert seen.shallow_bytes(handle) < 1_000


def test_endless_references_end_in_a_limit() -> None:
    handle = Handle()

    def forever(obj: object) -> Iterator[tuple[str, object]]:
        while True:
            yield "again", obj

    heapdiff.register_type(Handle, references=forever)

    seen = picture()

    assert "at most 1,000 pairs" in limits(seen, "registered-types")[0]
    assert handle in seen


def test_a_registered_function_may_take_a_snapshot_itself() -> None:
    handle = Handle()
    heapdiff.register_type(Handle, size=lambda obj: 0 if heapdiff.take_census() is None else 7_000)

    assert picture().shallow_bytes(handle) > 7_000


def test_a_registration_keeps_neither_the_type_nor_its_objects_alive() -> None:
    class Short:
        pass

    heapdiff.register_type(Short, size=len)
    obj = Short()
    heapdiff.take_snapshot()
    gone, gone_type = weakref.ref(obj), weakref.ref(Short)
    del obj, Short
    gc.collect()

    assert (gone(), gone_type()) == (None, None)
    assert not extension_types._registrations


def test_an_object_that_was_asked_has_no_reference_from_native_code() -> None:
    handle, payload = Handle(), Payload()
    heapdiff.register_type(Handle, references=lambda obj: [("payload", payload)])

    seen = picture()

    assert (seen.native_references(handle), seen.native_references(payload)) == (0, 0)


def test_fields_of_a_C_struct_are_read_without_python() -> None:
    offset = datetime.timedelta(hours=3, minutes=7)
    zone = datetime.timezone(offset)
    heapdiff.register_type(datetime.timezone, references_at=[(HEAD_BYTES, "offset")])

    assert picture().labels(zone, offset) == ["ATTRIBUTE:offset"]


def test_a_size_is_read_from_a_C_struct() -> None:
    class Buffer(bytearray):
        pass

    buffer = Buffer(MEGABYTE)
    without = picture().shallow_bytes(buffer)
    heapdiff.register_type(Buffer, size_offset=HEAD_BYTES + 8)  # ob_alloc, which bytearray counts already

    assert picture().shallow_bytes(buffer) == without + MEGABYTE + 1


@pytest.mark.parametrize("offset", [0, 8, 17, 10_000])
def test_an_offset_outside_the_struct_is_refused(offset: int) -> None:
    with pytest.raises(ValueError, match="is no field of timezone: its struct has"):
        heapdiff.register_type(datetime.timezone, references_at=[(offset, "offset")])


def test_a_size_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="given twice"):
        heapdiff.register_type(Handle, size=len, size_offset=16)


def test_only_classes_can_be_registered() -> None:
    with pytest.raises(TypeError, match="needs a class"):
        heapdiff.register_type(Handle())  # type: ignore[arg-type]


def test_two_snapshots_with_arrays_and_registered_types_between_them_show_no_growth() -> None:
    array = numpy.array([Payload()], dtype=object)
    handle = Handle()
    heapdiff.register_type(Handle, size=lambda obj: 1_000, references=lambda obj: [("array", array)])
    heapdiff.take_snapshot()
    base = heapdiff.take_snapshot()

    report = heapdiff.compare(base, heapdiff.take_snapshot())

    assert "Payload" not in str(report)
    assert handle is not None
