"""References carry the names a person knows them by, and chains begin where a person would."""

import collections
import ctypes
import queue
import sys
import types
from collections.abc import Iterator

import pytest

import heapdiff
from heapdiff.graph import HeapGraph, shortest_chain
from tests.capture.living import Picture


class Held:
    """Something to be led to."""


class DerivedDeque(collections.deque[Held]):
    pass


def picture() -> Picture:
    return Picture(heapdiff.take_snapshot())


@pytest.mark.parametrize("make", [collections.deque, DerivedDeque], ids=["deque", "derived"])
def test_elements_of_a_deque_are_labelled_by_position(make: type[collections.deque[Held]]) -> None:
    first, second = Held(), Held()
    waiting = make([first, second])

    assert picture().labels(waiting, second) == ["ELEMENT:1"]


def test_many_elements_of_a_queue_make_one_label_path() -> None:
    waiting: queue.Queue[Held] = queue.Queue()
    for _ in range(300):
        waiting.put(Held())

    seen = picture()
    tree = HeapGraph.of(seen.snapshot).label_tree
    nodes = {tree["node_of"][seen.number(one)] for one in waiting.queue}

    assert len(nodes) == 1


def test_a_base_with_a_traverse_but_no_flag_is_asked() -> None:
    def callback() -> None: ...

    function = ctypes.CFUNCTYPE(None)(callback)
    seen = picture()

    reached, front = set(), [seen.number(function)]
    columns = seen.snapshot.columns
    for _ in range(4):
        front = [
            columns["reference_target"][edge]
            for number in front
            for edge in range(columns["reference_start"][number], columns["reference_start"][number + 1])
        ]
        reached |= set(front)
    assert seen.number(callback) in reached
    assert seen.native_references(callback) == 0


def test_the_name_of_a_module_is_held_by_the_module() -> None:
    name = "a module named " + "x" * 40
    module = types.ModuleType(name)

    seen = picture()

    assert "INTERNAL:__name__" in seen.labels(module, name)
    assert seen.native_references(name) == 0


def test_a_module_is_reached_from_its_own_root_and_not_through_who_imported_it() -> None:
    seen = picture()
    graph = HeapGraph.of(seen.snapshot)

    assert [hop.label_text for hop in shortest_chain(graph, seen.number(collections)).hops] == ["module collections"]
    through_sys = [hop.label_text for hop in shortest_chain(graph, seen.number(sys.flags)).hops]
    assert through_sys == ["module sys", ".flags"]


@pytest.fixture
def last_error() -> Iterator[BaseException]:
    pinned = Held()
    try:
        raise ValueError(pinned)
    except ValueError as error:
        sys.last_value = error
        kept = error
    yield kept
    vars(sys).pop("last_value", None)  # pytest clears it too


def test_the_last_error_of_a_session_is_not_named_first(last_error: BaseException) -> None:
    seen = picture()
    chain = shortest_chain(HeapGraph.of(seen.snapshot), seen.number(last_error.args[0]))

    assert not any("last_value" in hop.label_text for hop in chain.hops)


def test_the_locals_of_a_module_body_are_named_by_the_module() -> None:
    here: list[Picture] = []
    module = types.ModuleType("a_running_module")
    vars(module).update(here=here, picture=picture)

    exec("here.append(picture())", vars(module))

    names = [root.name for root in here[0].snapshot.roots()]
    assert any(name.startswith("a_running_module.<module>()") for name in names)
