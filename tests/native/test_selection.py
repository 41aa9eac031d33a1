"""The small passes that select objects and nodes, and count what is live."""

from array import array

import pytest
from hypothesis import given

from heapdiff import native
from heapdiff.snapshot.model import ObjectFlag
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap


@given(heap_graphs())
def test_each_object_gets_the_group_of_its_type(heap: TinyHeap) -> None:
    columns = heap.snapshot.columns
    groups = bytes(row % 3 for row in range(heap.snapshot.type_count))

    group = native.select_types(columns, groups)["group"]

    assert group.tolist() == [groups[row] for row in columns["object_type"]]


def test_a_group_for_each_type_is_asked_for() -> None:
    with pytest.raises(ValueError, match="group_of_type"):
        native.select_types(TinyHeap("root -> a").snapshot.columns, b"\0")


@given(heap_graphs())
def test_the_objects_at_all_nodes_are_the_live_ones(heap: TinyHeap) -> None:
    tree = heap.graph.label_tree
    everywhere = b"\1" * len(tree["node_parent"])

    objects = native.objects_at(tree, everywhere)["objects"].tolist()

    assert objects == [obj for obj, state in enumerate(heap.graph.paths["state"]) if state == 1]


def test_the_objects_at_one_node_are_those_of_its_label_path() -> None:
    heap = TinyHeap("root -> a\na -> b c", types={"b": "app.B", "c": "app.C"})
    tree = heap.graph.label_tree
    wanted = bytearray(len(tree["node_parent"]))
    wanted[tree["node_of"][heap["c"]]] = 1

    assert native.objects_at(tree, wanted)["objects"].tolist() == [heap["c"]]


def test_marks_for_another_tree_are_refused() -> None:
    with pytest.raises(ValueError, match="wanted"):
        native.objects_at(TinyHeap("root -> a").graph.label_tree, b"\1" * 99)


@given(heap_graphs())
def test_every_node_but_the_root_is_the_child_of_one(heap: TinyHeap) -> None:
    tree = heap.graph.label_tree
    count = len(tree["node_parent"])

    children = sorted(child for node in range(count) for child in native.children_of(tree, node)["nodes"])

    assert children == list(range(1, count))


def test_garbage_live_objects_and_our_own_are_counted_apart() -> None:
    heap = TinyHeap("root -> a mine\nlost", size={"a": 3, "lost": 5, "mine": 7}, flags={"mine": ObjectFlag.OWN})

    totals = native.state_totals(heap.snapshot.columns, heap.graph.paths)

    assert (totals["objects"].tolist(), totals["bytes"].tolist()) == ([1, 1, 1], [5, 3, 7])


def test_an_object_of_four_gigabytes_is_counted_whole() -> None:
    heap = TinyHeap("root -> a", size={"a": 5 << 30})

    assert native.state_totals(heap.snapshot.columns, heap.graph.paths)["bytes"][1] == 5 << 30


def test_columns_of_another_heap_are_refused() -> None:
    with pytest.raises(ValueError, match="another heap"):
        native.state_totals(TinyHeap("root -> a").snapshot.columns, TinyHeap("root -> a b").graph.paths)


def test_a_type_outside_of_the_table_is_refused() -> None:
    columns = TinyHeap("root -> a").snapshot.columns
    broken = {name: columns[name] for name in columns.names()} | {"object_type": array("I", [0, 77])}

    with pytest.raises(ValueError, match="points outside"):
        native.select_types(native.Columns(broken), bytes(len(columns["type_name"])))
