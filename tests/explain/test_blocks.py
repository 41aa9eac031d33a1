"""Memory that no object accounts for is told apart from what objects bring."""

import pytest

from heapdiff import compare
from heapdiff.explain import Verdict, VerdictKind
from heapdiff.snapshot.model import Process
from tests.sketch import registry


def judged(blocks: tuple[int | None, ...], locks: tuple[int, ...] | None = None) -> Verdict | None:
    counts = locks or (5,) * len(blocks)
    moments = [
        registry(count).snapshot(Process(pid=1, host="box", start_time=1.0, allocated_blocks=in_use))
        for count, in_use in zip(counts, blocks, strict=True)
    ]
    return compare(*moments).explanation.blocks_verdict


def test_blocks_that_grow_evenly_without_objects_are_lost_by_native_code() -> None:
    found = judged((10_000, 10_600, 11_200, 11_800))

    assert found is not None
    assert (found.rule, found.kind) == ("native-lost", VerdictKind.LEAK)


def test_two_counts_of_blocks_show_no_trend() -> None:
    found = judged((10_000, 12_000))

    assert found is not None
    assert found.kind is VerdictKind.UNSURE


@pytest.mark.parametrize(
    ("blocks", "locks"),
    [
        ((10_000, 10_050, 10_100), (5, 5, 5)),  # what snapshots take
        ((10_000, 10_900, 11_800), (5, 400, 800)),  # what objects bring
        ((None, 10_900, 11_800), (5, 5, 5)),  # not measured
    ],
)
def test_nothing_is_said_of_blocks_that_something_accounts_for(
    blocks: tuple[int | None, ...], locks: tuple[int, ...]
) -> None:
    assert judged(blocks, locks) is None


def test_blocks_that_stop_growing_are_no_leak() -> None:
    found = judged((10_000, 12_000, 12_010, 12_020))

    assert found is not None
    assert found.kind is VerdictKind.UNSURE
