"""The heap of the benchmarks holds what it says it holds."""

import collections
import gc
import sys
from collections.abc import Iterator

import pytest

from benchmarks import service_heap
from benchmarks.service_heap import World
from benchmarks.truth import count_objects


@pytest.fixture
def world() -> Iterator[World]:
    world = service_heap.build(5_000)
    yield world
    world.stop.set()
    for thread in world.threads:
        thread.join()
    for coroutine in world.coroutines:
        coroutine.close()
    service_heap.WORLD = None
    service_heap.REGISTRY.entries.clear()


def _counts() -> collections.Counter[str]:
    mine = service_heap.__name__
    return collections.Counter(type(found).__name__ for found in gc.get_objects() if type(found).__module__ == mine)


def test_the_world_holds_as_many_of_each_class_as_it_says(world: World) -> None:
    """Also after the ageing, which throws away and rebuilds: nobody of the old generation stays held."""
    gc.collect()
    counts = _counts()

    assert {name: counts[name] for name in world.truth} == world.truth


def test_the_leak_adds_exactly_what_it_says(world: World) -> None:
    gc.collect()
    before = _counts()
    objects = count_objects()

    truth = service_heap.leak(60)
    gc.collect()

    added = count_objects() - objects
    after = _counts()
    assert after["Session"] - before["Session"] == after["Payload"] - before["Payload"] == 60
    assert added == pytest.approx(truth.object_count, abs=30)


def test_a_session_takes_more_than_getsizeof_says(world: World) -> None:
    """Five attributes and room for one more, with their prefix: 8 words or so that getsizeof leaves out."""
    service_heap.leak(10)
    session = next(iter(service_heap.REGISTRY.entries.values()))

    attribute_bytes = service_heap.instance_bytes() - sys.getsizeof(session)

    assert 5 * 8 <= attribute_bytes <= 9 * 8


def test_a_leak_without_a_heap_says_what_to_do() -> None:
    service_heap.WORLD = None

    with pytest.raises(ValueError, match="build"):
        service_heap.leak(1)
