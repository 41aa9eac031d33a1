"""Which growers come first, and how a count went from snapshot to snapshot."""

import pytest

from heapdiff.diff import diff_graphs
from heapdiff.explain.growers import rank_growers, trend_of
from heapdiff.explain.model import Trend
from heapdiff.graph import HeapGraph
from tests.sketch import Sketch, registry


def names(*sketches: Sketch, count: int = 10) -> list[str]:
    graphs = [HeapGraph.of(sketch.snapshot()) for sketch in sketches]
    return [c.growth.name for c in rank_growers(diff_graphs(graphs[0], graphs[-1], graphs[1:-1]), count)]


@pytest.mark.parametrize(
    ("counts", "trend"),
    [
        ((5, 50), Trend.TWO_PICTURES),
        ((5, 50, 100), Trend.STEADY),
        ((0, 900, 1000, 1100, 1200), Trend.STEADY),  # the first step was a warm-up
        ((0, 20, 40, 50, 50), Trend.STOPPED),
        ((0, 80, 160, 200), Trend.SLOWING),
        ((0, 40, 80, 70, 110), Trend.SAW_TOOTH),
        ((0, 40, 80, 120, 20, 60, 100), Trend.SAW_TOOTH),  # it has not fallen again yet
        ((50, 30, 60, 90, 120), Trend.STEADY),  # what the first step took away was left from before
        ((0, 0, 0, 40, 80, 120), Trend.STEADY),  # it began late
        ((0, 100, 180, 245, 290, 320), Trend.SLOWING),
    ],
)
def test_the_trend_of(counts: tuple[int, ...], trend: Trend) -> None:
    assert trend_of(counts) is trend


def test_a_class_comes_before_the_builtins_that_it_brings() -> None:
    assert names(registry(3), registry(40)) == ["app.locks.Lock", "bytes"]


def test_a_container_that_only_makes_room_for_new_objects_is_no_grower() -> None:
    assert "dict" not in names(registry(3), registry(4000))


def test_a_few_new_objects_are_no_grower() -> None:
    assert names(registry(3), registry(6)) == []


def test_so_many_growers_are_ranked_as_were_asked_for() -> None:
    assert names(registry(3), registry(40), count=1) == ["app.locks.Lock"]


def test_the_group_that_grew_most_comes_first() -> None:
    def two(small: int, large: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        for name, count in (("small", small), ("large", large)):
            sketch.add(name, "dict", "app", ("ATTRIBUTE", name))
            sketch.many(count, f"app.{name.title()}", name, ("KEY_OF_TYPE", "int"))
        return sketch

    assert names(two(1, 1), two(20, 300)) == ["app.Large", "app.Small"]


def test_what_still_grows_comes_before_what_stopped() -> None:
    def two(stopped: int, steady: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        for name, count in (("stopped", stopped), ("steady", steady)):
            sketch.add(name, "dict", "app", ("ATTRIBUTE", name))
            sketch.many(count, f"app.{name.title()}", name, ("KEY_OF_TYPE", "int"))
        return sketch

    assert names(two(1, 1), two(200, 20), two(200, 40)) == ["app.Steady", "app.Stopped"]


def test_a_class_comes_before_more_of_a_plain_container_elsewhere() -> None:
    def two(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        for name, type_name, size in (("words", "str", 500), ("rows", "app.Row", 100)):
            sketch.add(name, "dict", "app", ("ATTRIBUTE", name))
            sketch.many(count, type_name, name, ("KEY_OF_TYPE", "int"), size=size)
        return sketch

    assert names(two(1), two(50))[:2] == ["app.Row", "str"]


def test_numbers_that_seem_to_come_late_to_a_full_container_do_not_make_it_grow() -> None:
    def cache(pages: int, numbers: int) -> HeapGraph:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("cache", "dict", "app", ("ATTRIBUTE", "cache"))
        sketch.many(pages, "app.Page", "cache", ("KEY_OF_TYPE", "int"))
        sketch.many(numbers, "int", "cache", ("KEY_OBJECT", 0))
        return HeapGraph.of(sketch.snapshot())

    graphs = [cache(*counts) for counts in ((0, 0), (60, 0), (100, 20), (100, 40), (100, 60), (100, 80))]
    found = rank_growers(diff_graphs(graphs[0], graphs[-1], graphs[1:-1]), 10)

    assert {c.growth.name: c.trend for c in found} == {"app.Page": Trend.STOPPED, "int": Trend.SLOWING}


def importing(leaks: int, modules: int) -> Sketch:
    """A list of the program with so many leaked objects, and so many modules with large contents of their own."""
    sketch = Sketch()
    sketch.module("app")
    sketch.add("all", "list", "app", ("ATTRIBUTE", "ALL"))
    sketch.many(leaks, "app.Leak", "all", ("ELEMENT", 0))
    for number in range(modules):
        name = sketch.module(f"lib{number}")
        sketch.many(50, f"lib{number}.Part", name, ("ATTRIBUTE", "part"), size=5_000)
        table = sketch.add(f"table{number}", "dict", name, ("ATTRIBUTE", "table"))
        sketch.many(50, f"lib{number}.Entry", table, ("KEY_OF_TYPE", "str"), size=5_000)
    return sketch


def test_a_leak_comes_before_all_that_was_imported_meanwhile() -> None:
    assert names(importing(1, 0), importing(300, 12), count=10)[0] == "app.Leak"


def test_what_was_imported_meanwhile_is_one_group() -> None:
    graphs = [HeapGraph.of(importing(*counts).snapshot()) for counts in ((1, 0), (300, 12))]

    found = rank_growers(diff_graphs(graphs[0], graphs[1]), 100)

    assert len({candidate.group for candidate in found if candidate.growth.name.startswith("lib")}) == 1


def test_the_finders_of_the_folders_that_were_imported_from_come_with_the_modules() -> None:
    def program(modules: int, folders: int) -> Sketch:
        sketch = importing(1, modules)
        sketch.module("sys")
        sketch.add("finders", "dict", "sys", ("ATTRIBUTE", "path_importer_cache"))
        sketch.many(folders, "_frozen_importlib_external.FileFinder", "finders", ("KEY_OF_TYPE", "str"), size=50_000)
        return sketch

    graphs = [HeapGraph.of(program(*counts).snapshot()) for counts in ((0, 10), (12, 40))]

    found = rank_growers(diff_graphs(graphs[0], graphs[1]), 100)

    assert {candidate.growth.name.partition(".")[0] for candidate in found if not candidate.imported} == set()
    assert any(candidate.growth.name.endswith("FileFinder") for candidate in found)


def test_a_container_of_a_new_module_that_took_many_objects_is_no_import() -> None:
    def late(module: bool, jobs: int) -> Sketch:
        sketch = importing(1, 12 if module else 0)
        if module:
            sketch.module("late")
            sketch.add("jobs", "list", "late", ("ATTRIBUTE", "JOBS"))
            sketch.many(jobs, "late.Job", "jobs", ("ELEMENT", 0))
        return sketch

    assert names(late(False, 0), late(True, 300))[0] == "late.Job"


def test_what_grows_on_in_a_new_module_is_no_import() -> None:
    shots = [importing(1, 0), importing(20, 1), importing(40, 1), importing(60, 1)]
    for number, shot in enumerate(shots[1:]):
        shot.many(40 * number, "lib0.Job", "table0", ("KEY_OF_TYPE", "str"))

    assert "lib0.Job" in names(*shots)[:2]


def beside_a_leak(count: int, others: int, *, size: int = 27) -> Sketch:
    sketch = Sketch()
    sketch.module("app")
    for name, type_name, number in (("all", "app.Leak", count), ("counts", "app.Count", others)):
        sketch.add(name, "list", "app", ("ATTRIBUTE", name))
        sketch.many(number, type_name, name, ("ELEMENT", 0), size=2_000 if name == "all" else size)
    return sketch


def test_a_few_small_objects_beside_a_leak_are_noise() -> None:
    assert names(beside_a_leak(1, 1), beside_a_leak(1_000, 6)) == ["app.Leak"]


def test_a_few_small_objects_alone_are_no_noise() -> None:
    assert names(beside_a_leak(1, 1), beside_a_leak(1, 7)) == ["app.Count"]


def test_one_small_object_in_each_step_is_found_beside_a_leak() -> None:
    assert "app.Count" in names(*(beside_a_leak(300 * step, step) for step in range(1, 5)))


def test_one_object_in_each_step_is_steady() -> None:
    assert trend_of((4, 5, 6, 7)) is Trend.STEADY


def test_a_group_below_the_roots_weighs_what_its_own_growers_retain() -> None:
    """Growth that hangs at many modules has no point but the roots, below which everything is."""

    def program(items: int, parts: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("items", "list", "app", ("ATTRIBUTE", "ITEMS"))
        sketch.many(items, "app.Item", "items", ("ELEMENT", 0), size=400)
        for number in range(20):
            name = sketch.module(f"old{number}")
            sketch.many(parts, "lib.Part", name, ("ATTRIBUTE", f"part{number}"), size=50)
            sketch.many(1, "bytes", name, ("ATTRIBUTE", f"code{number}"), size=10_000 * parts)
        return sketch

    assert names(program(1, 1), program(300, 3))[0] == "app.Item"


def test_a_handful_of_names_that_native_code_keeps_is_no_grower() -> None:
    def native(count: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        for number in range(count):
            sketch.add(f"name{number}", "str", "root", ("ROOT_NATIVE", ""), size=60)
        return sketch

    assert names(native(1), native(10)) == []


def test_the_new_list_in_which_a_class_piles_up_is_no_grower_of_its_own() -> None:
    def replaced(count: int, number: int) -> Sketch:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("old", "dict", "app", ("ATTRIBUTE", "config"))
        if number:
            sketch.add("jobs", "list", "app", ("ATTRIBUTE", "JOBS"), size=64 + 8 * count)
            sketch.many(count, "app.Job", "jobs", ("ELEMENT", 0))
        return sketch

    assert names(replaced(0, 0), replaced(4_000, 1)) == ["app.Job"]
