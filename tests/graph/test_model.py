"""The graph of a snapshot: computed when asked for, and once."""

from array import array

import pytest

from heapdiff import native
from heapdiff.graph import HeapGraph
from heapdiff.native import Columns
from heapdiff.snapshot.labels import LabelKind, make_label
from heapdiff.snapshot.model import Snapshot
from tests.tiny_heap import TinyHeap

LENGTH = 10_000_000


def test_a_pass_is_computed_once() -> None:
    """Whoever asks again gets the same columns."""
    graph = TinyHeap("root -> a").graph
    assert graph.label_tree is graph.label_tree


def test_a_graph_knows_what_is_live() -> None:
    """Garbage is not."""
    heap = TinyHeap("root -> a\nlost")
    assert [heap.graph.is_live(heap[name]) for name in ("a", "lost")] == [True, False]


def test_a_heap_that_was_not_traced_has_no_sites() -> None:
    """Asking for them is a mistake."""
    with pytest.raises(ValueError, match="object_site"):
        TinyHeap("root -> a").graph.site_totals  # noqa: B018 - the property computes


def test_columns_of_another_heap_are_refused() -> None:
    """Mixing them up must not read outside."""
    small, large = TinyHeap("root -> a").snapshot, TinyHeap("root -> a b c").graph
    with pytest.raises(ValueError, match="belongs to another heap"):
        native.dominators(small.columns, large.paths)


def test_parents_that_make_a_circle_are_refused() -> None:
    """They would be climbed forever."""
    heap = TinyHeap("root -> a\na -> b\nb -> a")
    paths = {
        name: array(column.format, column) for name in heap.graph.paths.names() if (column := heap.graph.paths[name])
    }
    paths["parent"][heap["a"]] = heap["b"]
    with pytest.raises(ValueError, match="do not belong to one heap"):
        native.label_tree(heap.snapshot.columns, Columns(paths))


def test_a_group_beyond_the_sixty_third_is_refused() -> None:
    """Masks have 64 bits."""
    with pytest.raises(ValueError, match="expected 0 for no group or 1"):
        native.retained_by_groups(TinyHeap("root -> a").snapshot.columns, bytes([0, 64]))


def test_a_linked_list_of_ten_million_objects_is_fine() -> None:
    """Nothing recurses, and nothing takes time n * n."""
    graph = HeapGraph.of(linked_list(LENGTH))
    assert graph.dominators.retained_bytes(1) == LENGTH
    assert graph.dominators.retained_bytes(LENGTH) == 1
    assert len(graph.label_tree["node_parent"]) == 3


def linked_list(length: int) -> Snapshot:
    """That many objects, each held by the one before, ``.next``."""
    n = length + 1
    texts = ["", "Node", "app", "next"]
    return Snapshot(
        Columns(
            {
                "object_type": array("I", [0]) + array("I", [1]) * length,
                "object_shallow": array("I", [0]) + array("I", [1]) * length,
                "object_address": array("Q", range(0, 16 * n, 16)),
                "object_flags": array("B", bytes(n)),
                "reference_start": array("I", range(n)) + array("I", [length]),
                "reference_target": array("I", range(1, n)),
                "reference_label": array("I", [make_label(LabelKind.ROOT_MODULE, 2)])
                + array("I", [make_label(LabelKind.ATTRIBUTE, 3)]) * (length - 1),
                "large_object": array("I"),
                "large_bytes": array("Q"),
                "native_held_object": array("I"),
                "native_held_count": array("I"),
                "type_module": array("I", [0, 2]),
                "type_name": array("I", [0, 1]),
                "type_object": array("I", [0, 0]),
                "type_flags": array("B", [0, 1]),
                "text_start": array("I", [0, 0, 4, 7, 11]),
                "text_bytes": array("B", "".join(texts).encode()),
            }
        )
    )
