"""Our sizes against the allocator: heaps of one kind of object, and what the process really asked for.

tracemalloc counts what is asked of Python's allocators, malloc what it gave: 8 bytes a block more, rounded up to 16, at
least 32, so 8 to 24 a block.
"""

import os

import pytest

from benchmarks.what_is_seen.sizes import KINDS, measure
from tests.capture.processes import FREE_THREADED

# Blocks of one object and what it makes besides; 2 where nothing is said.
BLOCKS = {"instance with a __dict__": 3, "partial": 4, "OrderedDict": 5, "class": 12}

pytestmark = pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer has an allocator of its own"
)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_sum_up_to_what_was_asked_of_the_allocator(kind: str) -> None:
    row = measure(kind, traced=True)

    assert row.asked is not None
    assert row.ours == pytest.approx(row.asked, rel=0.02)


@pytest.mark.skipif(FREE_THREADED, reason="mimalloc is the only allocator, and does not tell what it gave")
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_lie_below_what_malloc_gave_by_its_rounding_alone(kind: str) -> None:
    row = measure(kind, traced=False)

    assert row.given is not None
    assert row.ours <= row.given + 1
    assert row.given - row.ours <= 24 * BLOCKS.get(kind, 2) + 1
