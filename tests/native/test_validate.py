"""A snapshot's columns that do not fit together are refused, with a sentence that says where."""

from array import array
from collections.abc import Callable

import pytest

from heapdiff import native
from heapdiff.native import Columns
from heapdiff.snapshot.labels import LabelKind, make_label
from tests.tiny_heap import TinyHeap

Edit = Callable[["array[int]"], object]


def edited(**edits: Edit) -> Columns:
    """A valid heap's columns, some of them spoilt."""
    heap = TinyHeap(
        """
        root -> a big
        a    -> b big
        """,
        size={"big": 1 << 33},
        sites={"a": (("app.py", 3),), "b": (("app.py", 4), ("web.py", 5))},
        native_held={"a": 1, "b": 2},
    )
    columns = heap.snapshot.columns
    arrays = {name: array(columns[name].format, columns[name].tolist()) for name in columns.names()}
    for name, edit in edits.items():
        edit(arrays[name])
    return Columns(arrays)


def put(place: int, number: int) -> Edit:
    """Writes that number there."""
    return lambda numbers: numbers.__setitem__(place, number)


def swap(one: int, other: int) -> Edit:
    """Exchanges two numbers."""

    def exchange(numbers: "array[int]") -> None:
        numbers[one], numbers[other] = numbers[other], numbers[one]

    return exchange


def cut(numbers: "array[int]") -> None:
    """Takes the last number away."""
    numbers.pop()


def fails(columns: Columns, sentence: str) -> bool:
    """Whether validate() refuses the columns with that sentence."""
    with pytest.raises(ValueError, match=sentence):
        native.validate(columns)
    return True


def test_the_heap_that_the_other_tests_spoil_is_valid() -> None:
    """Or they would prove nothing."""
    native.validate(edited())


@pytest.mark.parametrize(
    "column",
    [
        "object_shallow",
        "object_address",
        "object_flags",
        "object_site",
        "reference_label",
        "large_bytes",
        "native_held_count",
        "type_name",
        "type_object",
        "type_flags",
        "site_line",
    ],
)
def test_a_column_of_another_length_than_its_table_is_refused(column: str) -> None:
    """Each table's columns are equally long."""
    assert fails(edited(**{column: cut}), f"{column} has .* numbers, expected")


def test_a_missing_column_is_refused() -> None:
    """By name."""
    columns = edited()
    some = Columns({name: columns[name] for name in columns.names() if name != "object_type"})
    assert fails(some, "object_type")


def test_a_heap_without_the_virtual_root_is_refused() -> None:
    """Object 0 is always there."""
    columns = edited()
    empty = Columns({name: array(columns[name].format) for name in columns.names()})
    assert fails(empty, "object 0 is the virtual root")


def test_reference_offsets_that_are_one_short_are_refused() -> None:
    """There is one more than objects."""
    assert fails(edited(reference_start=cut), "reference_start has 4 numbers, expected 5")


def test_reference_offsets_that_do_not_start_at_zero_are_refused() -> None:
    """The virtual root's references come first."""
    assert fails(edited(reference_start=put(0, 1)), "reference_start does not start with 0")


def test_reference_offsets_that_go_back_are_refused() -> None:
    """An object cannot have fewer than no references."""
    assert fails(edited(reference_start=put(1, 9)), r"reference_start\[2\] is 4, less than the 9")


def test_reference_offsets_that_end_elsewhere_are_refused() -> None:
    """The last one is the count of references."""
    assert fails(edited(reference_start=put(4, 5)), "reference_start ends with 5, expected 4")


def test_a_reference_to_an_object_that_does_not_exist_is_refused() -> None:
    """Targets are object numbers."""
    assert fails(edited(reference_target=put(3, 4)), r"reference_target\[3\] is 4, but there are only 4 objects")


def test_a_reference_to_the_virtual_root_is_refused() -> None:
    """Nothing in a heap can know it."""
    assert fails(edited(reference_target=put(3, 0)), "nothing refers to the virtual root")


def test_a_label_of_an_unknown_kind_is_refused() -> None:
    """There are 25 kinds."""
    assert fails(edited(reference_label=put(3, 31 << 27)), r"reference_label\[3\] is of the unknown kind 31")


def test_a_label_with_a_text_that_does_not_exist_is_refused() -> None:
    """Where the kind has a text at all."""
    label = make_label(LabelKind.ATTRIBUTE, 999)
    assert fails(edited(reference_label=put(3, label)), "names text 999")


def test_a_large_number_is_no_text_where_the_kind_has_none() -> None:
    """An element's payload is its position."""
    native.validate(edited(reference_label=put(3, make_label(LabelKind.ELEMENT, 999))))


def test_a_root_that_starts_at_another_object_is_refused() -> None:
    """Only the virtual root has GC roots."""
    assert fails(edited(reference_label=put(3, make_label(LabelKind.ROOT_IMMORTAL))), "roots start at the virtual root")


def test_a_plain_reference_of_the_virtual_root_is_refused() -> None:
    """It has nothing else."""
    assert fails(edited(reference_label=put(0, make_label(LabelKind.ELEMENT))), "roots start at the virtual root")


def test_roots_in_another_order_are_refused() -> None:
    """Equal heaps differ in nothing."""

    def exchange(columns: dict[str, "array[int]"]) -> Columns:
        for name in ("reference_label", "reference_target"):
            columns[name][0], columns[name][1] = columns[name][1], columns[name][0]
        return Columns(columns)

    columns = edited()
    arrays = {name: array(columns[name].format, columns[name].tolist()) for name in columns.names()}
    assert fails(exchange(arrays), "root 1 is not sorted")


def test_an_object_of_a_type_that_does_not_exist_is_refused() -> None:
    """Types are rows of the table."""
    assert fails(edited(object_type=put(1, 2)), r"object_type\[1\] is 2, but there are only 2 types")


def test_a_virtual_root_with_a_type_is_refused() -> None:
    """It has row 0, which has no name."""
    assert fails(edited(object_type=put(0, 1)), r"object_type\[0\] is 1, expected 0")


def test_addresses_that_do_not_ascend_are_refused() -> None:
    """Snapshots of one process are merged by address."""
    assert fails(edited(object_address=swap(1, 2)), r"object_address\[2\] is 16, not more than the 32")


def test_a_virtual_root_with_an_address_is_refused() -> None:
    """It lies nowhere."""
    assert fails(edited(object_address=put(0, 1)), r"object_address\[0\] is not 0")


def test_a_large_object_that_does_not_exist_is_refused() -> None:
    """Its size would be nobody's."""
    assert fails(edited(large_object=put(0, 4)), r"large_object\[0\] is 4, but there are only 4 objects")


def test_a_large_object_whose_size_is_not_in_the_table_is_refused() -> None:
    """Its size would be wrong, not unknown."""
    assert fails(edited(object_shallow=put(1, 0xFFFFFFFF)), "large_object has 1 rows, but 2 objects")


def test_a_row_of_large_objects_for_an_object_that_has_its_size_is_refused() -> None:
    """Which of the two sizes would be right?"""
    assert fails(edited(large_object=put(0, 1)), "object 1 is in large_object, but has its size in object_shallow")


def test_a_natively_held_object_that_does_not_exist_is_refused() -> None:
    """Rows are of objects."""
    assert fails(edited(native_held_object=put(1, 4)), r"native_held_object\[1\] is 4")


def test_natively_held_objects_in_another_order_are_refused() -> None:
    """They are searched by bisection."""
    assert fails(edited(native_held_object=swap(0, 1)), r"native_held_object\[1\] is 1, not more than the 3")


def test_a_type_with_a_module_that_does_not_exist_is_refused() -> None:
    """Modules are texts."""
    assert fails(edited(type_module=put(1, 99)), r"type_module\[1\] is 99")


def test_a_type_with_a_name_that_does_not_exist_is_refused() -> None:
    """Names are texts."""
    assert fails(edited(type_name=put(1, 99)), r"type_name\[1\] is 99")


def test_a_type_object_that_does_not_exist_is_refused() -> None:
    """It is an object of the heap, or 0."""
    assert fails(edited(type_object=put(1, 4)), r"type_object\[1\] is 4")


def test_a_first_type_with_a_name_is_refused() -> None:
    """Row 0 is the virtual root's."""
    assert fails(edited(type_name=put(0, 1)), "type 0 has a name")


def test_text_offsets_that_go_back_are_refused() -> None:
    """A text cannot have fewer than no bytes."""
    assert fails(edited(text_start=put(2, 0xFFFF)), r"text_start\[3\] is .*, less than the 65535")


def test_text_offsets_that_end_beyond_the_bytes_are_refused() -> None:
    """Every text lies in the column."""
    assert fails(edited(text_bytes=cut), "text_start ends with")


def test_a_first_text_that_is_not_empty_is_refused() -> None:
    """Text 0 means that there is none."""
    assert fails(edited(text_start=put(1, 1)), "text 0 has 1 bytes")


def test_texts_in_another_order_are_refused() -> None:
    """Texts of two snapshots are merged in their order."""
    assert fails(edited(text_bytes=put(0, 0xFF)), "is not after the text before it")


def test_a_site_that_does_not_exist_is_refused() -> None:
    """Objects point to rows."""
    assert fails(edited(object_site=put(1, 3)), r"object_site\[1\] is 3, but there are only 3 sites")


def test_site_offsets_that_end_elsewhere_are_refused() -> None:
    """Every frame belongs to a site."""
    assert fails(edited(site_start=put(3, 9)), "site_start ends with 9, expected 3")


def test_a_first_site_with_frames_is_refused() -> None:
    """Row 0 means that the site is not known."""
    assert fails(edited(site_start=put(1, 1)), "site 0 is not empty")


def test_a_file_of_a_site_that_does_not_exist_is_refused() -> None:
    """Files are texts."""
    assert fails(edited(site_file=put(0, 99)), r"site_file\[0\] is 99")
