"""The growth of a type followed over the label paths to where it piles up."""

from heapdiff.diff import HeapDiff, diff_graphs
from heapdiff.explain.accumulation import Branch, find_branches
from heapdiff.graph import HeapGraph
from tests.sketch import Sketch, registry


def diff_of(*sketches: Sketch) -> HeapDiff:
    graphs = [HeapGraph.of(sketch.snapshot()) for sketch in sketches]
    return diff_graphs(graphs[0], graphs[-1], graphs[1:-1])


def point(diff: HeapDiff, branch: Branch) -> str:
    return " ".join(diff.paths[number].text or diff.paths[number].type_name for number in branch.point_paths)


def rooms(count: int, messages: int) -> Sketch:
    """``app.ROOMS`` with so many rooms, each with a list of so many messages."""
    sketch = Sketch()
    sketch.module("app")
    sketch.add("rooms", "dict", "app", ("ATTRIBUTE", "ROOMS"))
    for room in sketch.many(count, "app.Room", "rooms", ("KEY_OF_TYPE", "int")):
        sketch.add(f"{room}.messages", "list", room, ("ATTRIBUTE", "messages"))
        sketch.many(messages, "app.Message", f"{room}.messages", ("ELEMENT", 0))
    return sketch


def test_new_objects_pile_up_where_the_number_of_holders_did_not_grow() -> None:
    diff = diff_of(registry(3), registry(40))

    (branch,) = find_branches(diff.paths, "app.locks.Lock")

    assert (point(diff, branch), branch.new_objects) == ("_locks", 37)


def test_objects_that_come_with_new_owners_pile_up_where_the_owners_do() -> None:
    diff = diff_of(rooms(3, messages=5), rooms(40, messages=5))

    (branch,) = find_branches(diff.paths, "app.Message")

    assert point(diff, branch) == "ROOMS"


def test_objects_that_come_to_old_owners_pile_up_in_each_of_them() -> None:
    diff = diff_of(rooms(20, messages=5), rooms(20, messages=50))

    (branch,) = find_branches(diff.paths, "app.Message")

    assert point(diff, branch) == "messages"


def test_one_new_container_of_many_objects_is_the_point_itself() -> None:
    def cache(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        if count:
            sketch.add("cache", "dict", "app", ("ATTRIBUTE", "CACHE"))
            sketch.many(count, "app.Page", "cache", ("KEY_OF_TYPE", "str"))
        return sketch

    diff = diff_of(cache(0), cache(50))

    (branch,) = find_branches(diff.paths, "app.Page")

    assert point(diff, branch) == "CACHE"


def test_an_object_that_gets_larger_is_its_own_point() -> None:
    def buffer(size: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("buffer", "bytearray", "app", ("ATTRIBUTE", "BUFFER"), size=size)
        return sketch

    diff = diff_of(buffer(100), buffer(90_000))

    (branch,) = find_branches(diff.paths, "bytearray")

    assert (point(diff, branch), branch.in_place, branch.growth) == ("BUFFER", True, 89_900)


def test_keys_that_a_program_makes_up_are_one_place() -> None:
    def loggers(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("logging")
        sketch.add("loggers", "dict", "logging", ("ATTRIBUTE", "loggerDict"))
        for number in range(count):
            sketch.add(f"logger{number}", "logging.Logger", "loggers", ("KEY", f"job_{number}"))
        return sketch

    diff = diff_of(loggers(3), loggers(60))

    (branch,) = find_branches(diff.paths, "logging.Logger")

    assert (point(diff, branch), branch.new_objects) == ("loggerDict", 57)


def test_growth_in_two_modules_has_two_branches() -> None:
    def both(first: int, second: int) -> Sketch:
        sketch = Sketch()
        for module, count in (("app.a", first), ("app.b", second)):
            sketch.module(module)
            sketch.add(f"{module}.ALL", "list", module, ("ATTRIBUTE", "ALL"))
            sketch.many(count, "app.Job", f"{module}.ALL", ("ELEMENT", 0))
        return sketch

    diff = diff_of(both(1, 1), both(61, 41))

    branches = find_branches(diff.paths, "app.Job")

    assert [branch.new_objects for branch in branches] == [60, 40]


def test_a_linked_list_piles_up_at_what_holds_its_head() -> None:
    def chain(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        holder, label = "app", ("ATTRIBUTE", "HEAD")
        for number in range(count):
            holder = sketch.add(f"node{number}", "app.Node", holder, label)
            label = ("ATTRIBUTE", "next")
        return sketch

    diff = diff_of(chain(5), chain(400))

    (branch,) = find_branches(diff.paths, "app.Node")

    assert point(diff, branch) == "HEAD"


def test_a_type_that_did_not_grow_has_no_branch() -> None:
    diff = diff_of(registry(40), registry(3))

    assert find_branches(diff.paths, "app.locks.Lock") == ()
