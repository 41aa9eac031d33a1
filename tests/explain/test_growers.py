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
