"""Heaps drawn by hand as profiles: by dominators, by names, by allocating lines."""

import pytest
from hypothesis import given

from heapdiff.diff.heap_profile import UNTRACED, profile_of_dominators, profile_of_paths, profile_of_sites
from heapdiff.diff.profile import Profile, subtract_profiles, sum_by_frame
from heapdiff.errors import NothingFoundError
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap

_DIAMOND = TinyHeap(
    """
    root  -> cache
    cache -> left right
    left  -> blob
    right -> blob
    """,
    size={"blob": 1_000},
    types={"cache": "app.Cache", "left": "app.Left", "right": "app.Right", "blob": "builtins.bytes"},
)


def _cum(profile: Profile) -> dict[str, int]:
    return {node.name: node.cum for node in sum_by_frame(profile, lambda sample: sample.shallow_bytes)}


def test_what_is_held_two_ways_is_kept_where_the_ways_part() -> None:
    assert _cum(profile_of_dominators(_DIAMOND.graph)) == {
        "app.Cache": 1_003,
        "app.Left": 1,
        "app.Right": 1,
        "bytes": 1_000,
    }


def test_by_names_each_object_counts_on_one_chain() -> None:
    assert _cum(profile_of_paths(_DIAMOND.graph))["module cache"] == 1_003


def test_frames_of_names_say_the_type_too() -> None:
    assert ".left (app.Left)" in _cum(profile_of_paths(_DIAMOND.graph))


@given(heap_graphs())
def test_both_profiles_count_every_live_object_once(heap: TinyHeap) -> None:
    live = sum(heap.graph.type_totals["objects"])

    for profile in (profile_of_dominators(heap.graph), profile_of_paths(heap.graph)):
        assert sum(sample.objects for sample in profile.samples) == live


@given(heap_graphs())
def test_a_heap_without_itself_is_nothing(heap: TinyHeap) -> None:
    for profile_of in (profile_of_dominators, profile_of_paths):
        assert subtract_profiles(profile_of(heap.graph), profile_of(heap.graph)).samples == ()


def test_sites_are_stacks_with_the_innermost_line_first() -> None:
    heap = TinyHeap("root -> a", sites={"a": (("inner.py", 3), ("outer.py", 7))})

    assert profile_of_sites(heap.graph).samples[0].stack == ("inner.py:3", "outer.py:7")


def test_objects_without_a_site_are_one_frame() -> None:
    heap = TinyHeap("root -> a b", sites={"a": (("inner.py", 3),)})

    assert _cum(profile_of_sites(heap.graph)) == {"inner.py:3": 1, UNTRACED: 1}


def test_the_lines_of_heapdiff_run_are_no_part_of_the_program() -> None:
    runner = "/opt/heapdiff/integrations/cli/program.py"
    heap = TinyHeap("root -> a", sites={"a": (("program.py", 3), (runner, 60), ("<frozen runpy>", 198))})

    assert profile_of_sites(heap.graph).samples[0].stack == ("program.py:3",)


def test_a_heap_that_was_not_traced_says_how_it_can_be() -> None:
    with pytest.raises(NothingFoundError, match="heapdiff run --trace"):
        profile_of_sites(_DIAMOND.graph)
