"""What holds the objects of a type: paths, what they retain, and one chain."""

import pytest
from hypothesis import given

from heapdiff.errors import NothingFoundError
from heapdiff.explain.keepers import find_keepers
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap

_HEAP = TinyHeap(
    """
    root     -> web
    web      -> sessions last
    sessions -> one two
    one      -> data
    last     -> three
    four
    """,
    size={"data": 500},
    types=dict.fromkeys(("one", "two", "three", "four"), "app.Session") | {"web": "builtins.module"},
    labels={("sessions", "one"): ("ELEMENT", 0), ("sessions", "two"): ("ELEMENT", 1)},
)


def test_paths_come_with_what_would_be_freed_at_once() -> None:
    found = find_keepers(_HEAP.graph, "app.Session")

    assert [(path.expression, path.objects, path.retained_bytes) for path in found.paths] == [
        ("web.sessions[*]", 2, 502),
        ("web.last.three", 1, 1),
    ]


def test_all_of_a_type_retain_what_goes_with_the_last_of_them() -> None:
    """Two paths to one thing: neither keeps it alone, both together do."""
    heap = TinyHeap(
        "root -> a b\na -> blob\nb -> blob", size={"blob": 100}, types={"a": "app.Holder", "b": "app.Holder"}
    )

    assert find_keepers(heap.graph, "Holder").retained_bytes == 102


def test_garbage_of_the_type_is_counted_apart() -> None:
    found = find_keepers(_HEAP.graph, "Session")

    assert (found.objects, found.garbage_objects) == (3, 1)


def test_the_chain_leads_to_an_object_of_the_first_path() -> None:
    chain = find_keepers(_HEAP.graph, "Session").chain

    assert [hop.label_text for hop in chain] == ["module web", ".sessions", "[0]"]


def test_a_name_that_differs_in_case_is_suggested() -> None:
    with pytest.raises(NothingFoundError, match=r"Is it app\.Session\?"):
        find_keepers(_HEAP.graph, "session")


def test_a_name_that_is_nothing_alike_gets_no_guess() -> None:
    with pytest.raises(NothingFoundError, match="heapdiff top lists the types"):
        find_keepers(_HEAP.graph, "Zebra")


@given(heap_graphs())
def test_the_paths_count_every_live_object_of_the_type(heap: TinyHeap) -> None:
    graph = heap.graph
    totals = graph.type_totals["objects"]
    for row in range(1, graph.snapshot.type_count):
        found = find_keepers(graph, graph.snapshot.type_name(row))
        assert sum(path.objects for path in found.paths) == totals[row]
