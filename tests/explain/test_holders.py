"""What keeps the new objects alive, alone and jointly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heapdiff import compare
from heapdiff.explain import Grower, HolderKind
from heapdiff.graph import HeapGraph
from heapdiff.native import shortest_paths
from heapdiff.snapshot.model import Process
from tests.sketch import Sketch, registry
from tests.tiny_heap import Label

PROCESS = Process(pid=4242, host="box", start_time=1.5)


def first(base: Sketch, now: Sketch, process: Process | None = None) -> Grower:
    return compare(base.snapshot(process), now.snapshot(process)).growers[0]


def in_container(type_name: str, owner: str, label: Label, count: int, element: Label) -> Sketch:
    sketch = Sketch()
    sketch.module("app")
    if owner != "app":
        sketch.add(owner, "type" if owner[0].isupper() else "app.Owner", "app", ("ATTRIBUTE", owner))
    sketch.add("container", type_name, owner, label)
    sketch.many(count, "app.Job", "container", element)
    return sketch


@pytest.mark.parametrize(
    ("type_name", "owner", "label", "element", "expression"),
    [
        ("dict", "app", ("ATTRIBUTE", "JOBS"), ("KEY_OF_TYPE", "int"), "app.JOBS"),
        ("list", "app", ("ATTRIBUTE", "JOBS"), ("ELEMENT", 0), "app.JOBS"),
        ("set", "app", ("ATTRIBUTE", "JOBS"), ("MEMBER", 0), "app.JOBS"),
        ("dict", "Worker", ("ATTRIBUTE", "jobs"), ("KEY_OF_TYPE", "str"), "app.Worker.jobs"),
        ("dict", "worker", ("ATTRIBUTE", "_jobs"), ("KEY_OF_TYPE", "str"), "app.worker._jobs"),
        ("list", "worker", ("KEY", "jobs"), ("ELEMENT", 0), "app.worker['jobs']"),
    ],
)
def test_the_holder_is_the_container_that_took_the_new_objects(
    type_name: str, owner: str, label: Label, element: Label, expression: str
) -> None:
    base, now = (in_container(type_name, owner, label, count, element) for count in (3, 40))

    (holder,) = first(base, now).holders

    assert (holder.expression, holder.type_name, holder.new_objects) == (expression, type_name, 37)


def test_a_holder_has_its_entries_before_and_now() -> None:
    (holder,) = first(registry(3), registry(40)).holders

    assert (holder.entries_base, holder.entries_now) == (3, 40)


def test_a_holder_has_its_retained_growth() -> None:
    (holder,) = first(registry(3), registry(40)).holders

    assert holder.retained_bytes_delta == 37 * (8 + 100 + 500)


def test_the_retained_growth_is_the_same_for_two_processes() -> None:
    (here,) = first(registry(3), registry(40), PROCESS).holders
    (there,) = first(registry(3), registry(40, first_address=0x90000, reverse=True)).holders

    assert here.retained_bytes_delta == there.retained_bytes_delta


def test_a_container_that_was_made_in_between_retained_nothing_before() -> None:
    empty = Sketch()
    empty.module("app.locks")

    (holder,) = first(empty, registry(40)).holders

    assert holder.retained_bytes_base == 0


def registry_and_index(count: int) -> Sketch:
    """Every lock is in the registry and in an index by owner."""
    sketch = registry(count)
    sketch.add("index", "dict", "app.locks", ("ATTRIBUTE", "by_owner"))
    for number in range(count):
        sketch.refer("index", f"locks/app.locks.Lock{number}", ("KEY_OF_TYPE", "int"))
    return sketch


def test_two_holders_of_the_same_objects_are_joint() -> None:
    holders = first(registry_and_index(3), registry_and_index(40)).holders

    assert {(holder.expression, holder.joint) for holder in holders} == {
        ("app.locks.by_owner", True),
        ("app.locks.registry._locks", True),
    }


def test_the_holder_of_another_grower_can_be_a_joint_holder() -> None:
    """The index brings keys of its own, which grow below it and make it a holder too."""

    def with_keys(count: int) -> Sketch:
        sketch = registry_and_index(count)
        sketch.many(count, "app.locks.Owner", "index", ("KEY_OBJECT", 0), size=10)
        return sketch

    growers = compare(with_keys(3).snapshot(), with_keys(40).snapshot()).growers

    locks = next(grower for grower in growers if grower.type_name == "app.locks.Lock")
    assert {(holder.expression, holder.joint) for holder in locks.holders} == {
        ("app.locks.by_owner", True),
        ("app.locks.registry._locks", True),
    }


def test_a_joint_holder_frees_only_its_own_when_it_lets_go_alone() -> None:
    holders = first(registry_and_index(3), registry_and_index(40)).holders

    assert {holder.expression: holder.exclusive_bytes for holder in holders} == {
        "app.locks.by_owner": 100,
        "app.locks.registry._locks": 64 + 8 * 40,
    }


def test_the_shares_of_joint_holders_add_up_to_what_they_free_together() -> None:
    holders = first(registry_and_index(3), registry_and_index(40)).holders

    shares = sum(holder.share_bytes or 0 for holder in holders)

    assert shares == 100 + 64 + 8 * 40 + 40 * (100 + 500)


def test_a_holder_that_keeps_its_objects_alone_is_not_joint() -> None:
    (holder,) = first(registry(3), registry(40)).holders

    assert not holder.joint


def test_three_holders_of_the_same_objects_are_all_found() -> None:
    def thrice(count: int) -> Sketch:
        sketch = registry_and_index(count)
        sketch.add("queue", "list", "app.locks", ("ATTRIBUTE", "waiting"))
        for number in range(count):
            sketch.refer("queue", f"locks/app.locks.Lock{number}", ("ELEMENT", number))
        return sketch

    holders = first(thrice(3), thrice(40)).holders

    assert sorted(holder.expression for holder in holders) == [
        "app.locks.by_owner",
        "app.locks.registry._locks",
        "app.locks.waiting",
    ]


def test_objects_that_only_native_code_refers_to_are_native_held() -> None:
    def lost(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.many(count, "list", "root", ("ROOT_NATIVE", ""))
        return sketch

    (holder,) = first(lost(3), lost(40)).holders

    assert (holder.kind, holder.new_objects) == (HolderKind.NATIVE, 37)


def test_objects_in_a_local_variable_are_held_by_it() -> None:
    def running(count: int) -> Sketch:
        sketch = Sketch()
        sketch.add("out", "list", "root", ("ROOT_LOCAL", "app.main() out, thread MainThread"))
        sketch.many(count, "app.Job", "out", ("ELEMENT", 0))
        return sketch

    (holder,) = first(running(3), running(40)).holders

    assert (holder.kind, holder.expression) == (HolderKind.LOCAL, "<app.main() out>")


def test_objects_in_many_old_containers_are_held_by_all_of_them() -> None:
    def inboxes(messages: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("users", "dict", "app", ("ATTRIBUTE", "USERS"))
        for user in sketch.many(20, "app.User", "users", ("KEY_OF_TYPE", "str")):
            sketch.add(f"{user}.inbox", "list", user, ("ATTRIBUTE", "inbox"))
            sketch.many(messages, "app.Message", f"{user}.inbox", ("ELEMENT", 0))
        return sketch

    (holder,) = first(inboxes(2), inboxes(30)).holders

    assert (holder.expression, holder.object_count, holder.new_objects) == ("app.USERS[*].inbox", 20, 560)
    assert holder.retained_bytes_delta == 560 * 100


@settings(max_examples=25)
@given(st.integers(0, 20), st.integers(6, 60), st.booleans())
def test_taking_the_holders_away_frees_the_new_objects(before: int, more: int, joint: bool) -> None:
    """The definition is the oracle: without the holders no object of the type is live."""
    draw = registry_and_index if joint else registry
    base, now = draw(before).snapshot(), draw(before + more).snapshot()

    grower = compare(base, now).growers[0]

    gone = bytearray(now.object_count + 1)
    for holder in grower.holders:
        for obj in holder.objects:
            gone[obj] = 1
    state = shortest_paths(now.columns, gone)["state"]
    types = now.columns["object_type"]
    assert not any(state[obj] == 1 for obj in range(1, len(types)) if now.type_name(types[obj]) == grower.type_name)


@settings(max_examples=25)
@given(st.integers(0, 20), st.integers(6, 60))
def test_what_a_holder_retains_is_what_letting_it_go_frees(before: int, more: int) -> None:
    base, now = registry(before).snapshot(), registry(before + more).snapshot()

    (holder,) = compare(base, now).growers[0].holders

    gone = bytearray(now.object_count + 1)
    gone[holder.objects[0]] = 1
    left = shortest_paths(now.columns, gone)["state"]
    live = HeapGraph.of(now).paths["state"]
    freed = sum(now.shallow_bytes(obj) for obj in range(1, len(live)) if live[obj] == 1 and left[obj] != 1)
    assert holder.retained_bytes_now == freed


def test_the_list_of_a_root_node_is_told_from_the_lists_of_the_nodes_below() -> None:
    """All of them are one label path, .children of a node."""

    def tree(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("root_node", "app.Node", "app", ("ATTRIBUTE", "tree"))
        sketch.add("children", "list", "root_node", ("ATTRIBUTE", "children"))
        for number, node in enumerate(sketch.many(count, "app.Node", "children", ("ELEMENT", 0))):
            sketch.add(f"list{number}", "list", node, ("ATTRIBUTE", "children"))
            sketch.add(f"leaf{number}", "app.Node", f"list{number}", ("ELEMENT", 0))
        return sketch

    grower = first(tree(3), tree(40), PROCESS)

    assert grower.holder is not None
    assert (grower.holder.expression, grower.holder.type_name) == ("app.tree.children", "list")


def test_a_new_object_is_no_joint_holder_of_itself_and_its_like() -> None:
    def program(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("jobs", "list", "app", ("ATTRIBUTE", "JOBS"))
        first, *others = sketch.many(count, "app.Job", "jobs", ("ELEMENT", 0))
        if others:
            sketch.refer("root", first, ("ROOT_LOCAL", "app.run() first, thread MainThread"))
            for other in others:
                sketch.refer(first, other, ("ELEMENT", 0))
        return sketch

    holders = first(program(1), program(40)).holders

    assert "app.Job" not in {holder.type_name for holder in holders}
