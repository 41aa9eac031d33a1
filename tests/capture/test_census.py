"""The census: objects and bytes by type, cheaply."""

import pytest

import heapdiff
from heapdiff.errors import CaptureLimitError


class Counted:
    """Instances to be counted."""


def test_a_census_counts_the_instances_of_a_class() -> None:
    kept = [Counted() for _ in range(321)]

    counts = heapdiff.take_census().counts()

    assert counts[f"{__name__}.Counted"] == 321
    del kept


def test_a_census_counts_what_the_collector_does_not_track() -> None:
    before = heapdiff.take_census().counts()["str"]
    kept = [f"untracked text {i}" for i in range(5_000)]

    after = heapdiff.take_census().counts()["str"]

    assert 5_000 <= after - before <= 5_050
    del kept


def test_a_census_agrees_with_the_snapshot_taken_next() -> None:
    kept = [Counted() for _ in range(100)]
    census = {row.type: row for row in heapdiff.take_census().rows()}
    snapshot = heapdiff.take_snapshot()
    name = f"{__name__}.Counted"

    row = next(row for row in range(snapshot.type_count) if snapshot.type_name(row) == name)
    objects = [o for o, of in enumerate(snapshot.columns["object_type"].tolist()) if of == row]

    assert census[name].objects == len(objects)
    assert census[name].shallow_bytes == sum(snapshot.shallow_bytes(obj) for obj in objects)
    del kept


def test_heapdiffs_own_objects_are_not_in_a_census() -> None:
    held = [heapdiff.take_snapshot() for _ in range(5)]

    assert not [row.type for row in heapdiff.take_census().rows() if row.type.startswith("heapdiff.")]
    del held


def test_rows_are_sorted_by_bytes() -> None:
    sizes = [row.shallow_bytes for row in heapdiff.take_census().rows()]

    assert sizes == sorted(sizes, reverse=True)


def test_a_census_says_what_registered_types_did_not_answer() -> None:
    class Silent:
        pass

    kept = Silent()
    heapdiff.register_type(Silent, size=lambda obj: -1)

    limits = heapdiff.take_census().limits

    heapdiff.register_type(Silent)
    assert ("registered-types", True) in [(limit.name, "Silent" in limit.text) for limit in limits], kept


def test_a_census_over_its_bound_is_not_told_to_take_a_census() -> None:
    with pytest.raises(CaptureLimitError) as caught:
        heapdiff.take_census(max_objects=10)

    assert str(caught.value).endswith("Raise the bound.")
