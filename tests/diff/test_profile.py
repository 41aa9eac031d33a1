"""Profiles: merged, subtracted, normalised, filtered and summed as pprof does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heapdiff.diff.profile import (
    Profile,
    ProfileSample,
    build_profile,
    filter_profile,
    normalise_profile,
    subtract_profiles,
    sum_by_frame,
    total_value,
)
from tests.diff.profiles import AFTER, BEFORE, profile_of


def _bytes(sample: ProfileSample) -> int:
    return sample.shallow_bytes


def _as_dict(profile: Profile) -> dict[tuple[str, ...], tuple[int, int]]:
    return {sample.stack: (sample.objects, sample.shallow_bytes) for sample in profile.samples}


_samples = st.lists(
    st.builds(
        ProfileSample,
        stack=st.lists(st.sampled_from("abcde"), min_size=1, max_size=5).map(tuple),
        objects=st.integers(1, 50),
        shallow_bytes=st.integers(1, 5_000),
    ),
    max_size=12,
)
_profiles = _samples.map(build_profile)


def test_equal_stacks_are_one_sample() -> None:
    profile = profile_of(("str < dict", 1, 50), ("str < dict", 2, 70))

    assert profile.samples == (ProfileSample(("str", "dict"), 3, 120),)


def test_samples_of_different_types_stay_apart() -> None:
    samples = [ProfileSample(("a.py:1",), 1, 10, "str"), ProfileSample(("a.py:1",), 1, 10, "dict")]

    assert build_profile(samples).samples == tuple(samples)


def test_a_stack_that_did_not_change_disappears() -> None:
    difference = _as_dict(subtract_profiles(BEFORE, AFTER))

    assert ("module app.locks",) not in difference


def test_what_is_gone_is_negative() -> None:
    difference = _as_dict(subtract_profiles(BEFORE, AFTER))

    assert difference["list", "module app.old"] == (-2, -120_000)


@given(_profiles)
def test_a_profile_without_itself_is_nothing(profile: Profile) -> None:
    """The law of the whole library, as pprof would show it."""
    assert subtract_profiles(profile, profile).samples == ()


@given(_profiles, _profiles)
def test_the_base_and_the_difference_make_the_later_one(base: Profile, now: Profile) -> None:
    difference = subtract_profiles(base, now)

    assert _as_dict(build_profile((*base.samples, *difference.samples))) == _as_dict(now)


def test_percentages_of_base_are_of_the_sum_of_absolute_differences() -> None:
    assert total_value(subtract_profiles(BEFORE, AFTER), _bytes) == 12_345_000 + 2_591_000 + 500 + 120_000


def test_percentages_of_diff_base_are_of_the_whole_base() -> None:
    difference = subtract_profiles(BEFORE, AFTER, against_base=True)

    assert total_value(difference, _bytes) == sum(map(_bytes, BEFORE.samples))


def test_normalising_makes_the_totals_equal() -> None:
    scaled = normalise_profile(AFTER, like=BEFORE)

    assert sum(map(_bytes, scaled.samples)) == pytest.approx(sum(map(_bytes, BEFORE.samples)), abs=len(AFTER.samples))


def test_normalising_an_empty_profile_leaves_it_empty() -> None:
    assert normalise_profile(Profile(()), like=BEFORE).samples == ()


def test_focus_keeps_stacks_that_pass_through_a_frame() -> None:
    kept = filter_profile(AFTER, focus=re.compile("Registry"))

    assert all("LockRegistry" in sample.stack for sample in kept.samples)


def test_ignore_drops_stacks_that_pass_through_a_frame() -> None:
    kept = filter_profile(AFTER, ignore=re.compile("Registry"))

    assert not any("LockRegistry" in sample.stack for sample in kept.samples)


def test_tag_focus_asks_the_type() -> None:
    samples = [ProfileSample(("a.py:1",), 1, 10, "str"), ProfileSample(("a.py:1",), 1, 10, "dict")]

    kept = filter_profile(build_profile(samples), tag_focus=re.compile("^dict$"))

    assert [sample.type_name for sample in kept.samples] == ["dict"]


def test_cum_is_what_a_frame_and_all_it_keeps_occupy() -> None:
    nodes = {node.name: node for node in sum_by_frame(AFTER, _bytes)}

    assert nodes["LockRegistry"].cum == 12_400_000 + 2_600_000 + 48


def test_flat_is_what_a_frame_occupies_itself() -> None:
    nodes = {node.name: node for node in sum_by_frame(AFTER, _bytes)}

    assert nodes["dict"].flat == 2_600_000 + 4_700


def test_a_frame_that_occurs_twice_on_a_stack_counts_once() -> None:
    nodes = sum_by_frame(profile_of(("list < dict < list", 1, 100)), _bytes)

    assert {node.name: node.cum for node in nodes} == {"list": 100, "dict": 100}


def test_edges_lead_past_frames_that_are_left_out() -> None:
    nodes = sum_by_frame(AFTER, _bytes, frozenset({"Lock", "LockRegistry"}))

    edges = [(edge.source, edge.target) for node in nodes for edge in node.outgoing]
    assert edges == [("LockRegistry", "Lock")]


def test_what_an_omitted_frame_owns_is_nobodys_flat() -> None:
    nodes = {node.name: node for node in sum_by_frame(AFTER, _bytes, frozenset({"LockRegistry"}))}

    assert nodes["LockRegistry"].flat == 48


@given(_profiles)
def test_the_flats_make_up_the_total(profile: Profile) -> None:
    assert sum(node.flat for node in sum_by_frame(profile, _bytes)) == sum(map(_bytes, profile.samples))
