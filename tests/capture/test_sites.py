"""Allocation sites: each object knows where it was made, while tracemalloc traces."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

import heapdiff
from tests.capture.living import Picture


class Plain:
    """Ordinary instances, whose traceback tracemalloc's public function does not find on 3.11 (gh-101430)."""

    def __init__(self) -> None:
        self.attribute = 1


class Slotted:
    __slots__ = ("attribute",)


@pytest.fixture
def tracing() -> Iterator[None]:
    heapdiff.start_tracing(frames=3)
    yield
    heapdiff.stop_tracing()
    assert not tracemalloc.is_tracing()


MAKERS: dict[str, Any] = {
    "an instance": Plain,
    "an instance with slots": Slotted,
    "a dict": lambda: {i: i for i in range(50)},
    "a set": lambda: set(range(50)),
    "an exception": lambda: ValueError("x"),
    "a function": lambda: eval("lambda: 0"),
    "bytes": lambda: bytes(1000),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.usefixtures("tracing")
def test_an_object_made_under_tracing_has_its_site(kind: str) -> None:
    made = [MAKERS[kind]() for _ in range(300)]

    seen = Picture(heapdiff.take_snapshot())
    sites = [seen.snapshot.site(seen.number(one)) for one in made]

    # free lists hand out memory of before the tracing for some of the first objects
    known = [site for site in sites if site is not None]
    assert len(known) >= 200
    assert all(any(file == __file__ for file, _ in site) for site in known)


@pytest.mark.usefixtures("tracing")
def test_the_innermost_frame_comes_first() -> None:
    def inner() -> bytes:
        return bytes(5_000)

    def outer() -> bytes:
        return inner()

    made = outer()

    seen = Picture(heapdiff.take_snapshot())
    site = seen.snapshot.site(seen.number(made))

    assert site is not None
    assert len(site) == 3
    assert [line - site[0][1] for _, line in site[:2]] == [0, 3]


def test_without_tracing_sites_are_not_measured() -> None:
    snapshot = heapdiff.take_snapshot()

    assert not snapshot.has_sites
    assert snapshot.site(1) is None
    assert "sites" in [limit.name for limit in snapshot.limits]


@pytest.mark.usefixtures("tracing")
def test_sites_can_be_left_out_of_a_snapshot() -> None:
    assert not heapdiff.take_snapshot(sites=False).has_sites


def test_fewer_than_one_frame_is_refused() -> None:
    with pytest.raises(ValueError):
        heapdiff.start_tracing(frames=0)
