"""An epoch: survivors are told from objects at a recycled address, and nobody else's gc.freeze() is disturbed."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heapdiff import compare, epoch, start_epoch, take_snapshot
from heapdiff.diff.model import Identity, IdentityMode
from heapdiff.errors import EpochRefusedError
from heapdiff.snapshot.file import read_snapshot, write_snapshot
from heapdiff.snapshot.model import ObjectFlag
from tests.capture.living import Picture

ROOT = Path(__file__).parents[2]

RECYCLED = """
import gc
from heapdiff import start_epoch, take_snapshot
from heapdiff.graph import HeapGraph
from heapdiff.native import survivors

class Plain: pass
class Slotted: __slots__ = ("part",)

def instance(kind):
    made = kind()
    made.part = SHARED
    return made

SHARED = [0]
MAKERS = {
    "list": lambda: [SHARED],
    "dict": lambda: {"part": SHARED},
    "tuple": lambda: (SHARED, 1),
    "plain": lambda: instance(Plain),
    "slotted": lambda: instance(Slotted),
}
COUNT = 40_000
KEPT = {name: [make() for _ in range(COUNT)] for name, make in MAKERS.items()}
DYING = {name: [make() for _ in range(COUNT)] for name, make in MAKERS.items()}
NEW = {}
epoch = start_epoch()
base = take_snapshot()
for name, make in MAKERS.items():
    DYING[name].clear()  # every second one at a time would do as well; the free lists are last in, first out
    NEW[name] = [make() for _ in range(COUNT)]
now = take_snapshot()

before, after = HeapGraph.of(base), HeapGraph.of(now)
number = {address: n for n, address in enumerate(now.columns["object_address"].tolist())}
was_there = set(base.columns["object_address"].tolist())

def judged(exact):
    survived = survivors(base.columns, before.paths, now.columns, after.paths, exact)["survived"]
    right = recycled = 0
    for name in MAKERS:
        for obj in KEPT[name]:
            right += survived[number[id(obj)]] > 0
        for obj in NEW[name]:
            recycled += id(obj) in was_there
            right += survived[number[id(obj)]] == 0
    return right, recycled

exact, recycled = judged(True)
guessed, _ = judged(False)
print(exact, guessed, recycled, 2 * COUNT * len(MAKERS))
"""


def answers(code: str) -> list[str]:
    """What a Python of its own prints, in words."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    """Whatever a test leaves frozen would be refused in the next."""
    yield
    gc.unfreeze()


def test_a_hundred_thousand_objects_at_recycled_addresses_are_not_called_survivors() -> None:
    exact, guessed, recycled, count = map(int, answers(RECYCLED))

    assert recycled >= 100_000, "the allocator did not reuse enough addresses for the test to say anything"
    assert exact >= 0.999 * count
    assert guessed < exact


def test_a_diff_within_an_epoch_is_exact() -> None:
    with epoch():
        base = take_snapshot()
        identity = compare(base, take_snapshot()).explanation.diff.identity

    assert identity.mode is IdentityMode.EXACT
    assert identity.proven is not None
    assert identity.proven > 1000


def test_a_base_from_before_the_epoch_is_compared_by_address_and_type() -> None:
    base = take_snapshot()
    with epoch():
        identity = compare(base, take_snapshot()).explanation.diff.identity

    assert (identity.mode, identity.recycled) == (IdentityMode.ADDRESS, None)


def test_snapshots_of_two_epochs_are_compared_by_address_and_type() -> None:
    with epoch():
        base = take_snapshot()
    with epoch():
        now = take_snapshot()

    assert compare(base, now).explanation.diff.identity.mode is IdentityMode.ADDRESS


def test_two_processes_have_no_survivors(tmp_path: Path) -> None:
    code = f"from heapdiff import *; write_snapshot(take_snapshot(), {str(tmp_path / 'other.heap')!r})"
    answers(code)

    other = read_snapshot(tmp_path / "other.heap")

    assert compare(other, take_snapshot()).explanation.diff.identity == Identity(IdentityMode.NONE)


def test_the_epoch_is_in_the_file(tmp_path: Path) -> None:
    with epoch() as running:
        write_snapshot(take_snapshot(), tmp_path / "now.heap")

    assert read_snapshot(tmp_path / "now.heap").process.epoch_start == running.start_time


def test_within_an_epoch_a_new_object_is_not_frozen_and_an_old_one_is() -> None:
    old: list[object] = []
    with epoch():
        new: list[object] = []
        picture = Picture(take_snapshot())

    flags = picture.snapshot.columns["object_flags"]
    assert flags[picture.number(old)] & ObjectFlag.FROZEN
    assert not flags[picture.number(new)] & ObjectFlag.FROZEN


def test_nothing_is_frozen_after_the_epoch() -> None:
    old: list[object] = []
    with epoch():
        pass

    picture = Picture(take_snapshot())

    assert not picture.snapshot.columns["object_flags"][picture.number(old)] & ObjectFlag.FROZEN


def test_an_epoch_is_refused_where_the_program_uses_freeze() -> None:
    gc.freeze()

    with pytest.raises(EpochRefusedError, match=r"the program itself has called gc\.freeze\(\)"):
        start_epoch()


def test_a_refused_epoch_leaves_what_is_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()

    with pytest.raises(EpochRefusedError):
        start_epoch()

    assert gc.get_freeze_count() == frozen


def test_a_second_epoch_at_a_time_is_refused() -> None:
    with epoch(), pytest.raises(EpochRefusedError, match="an epoch is running already"):
        start_epoch()


def test_an_interpreter_that_keeps_immortal_objects_frozen_is_not_refused() -> None:
    assert answers("import heapdiff; print(heapdiff.start_epoch().is_exact)") == ["True"]


@pytest.mark.parametrize("meddle", [gc.freeze, gc.unfreeze])
def test_an_epoch_in_which_the_program_uses_the_permanent_generation_is_no_longer_exact(meddle: object) -> None:
    with epoch() as running:
        base = take_snapshot()
        assert callable(meddle)
        meddle()
        now = take_snapshot()

    assert not running.is_exact
    assert "epoch-void" in [limit.name for limit in now.limits]
    assert compare(base, now).explanation.diff.identity.mode is IdentityMode.ADDRESS


def test_an_epoch_that_is_left_open_does_not_keep_cycles_from_their_end() -> None:
    code = """
import heapdiff
class Noisy:
    def __del__(self): print("finalized")
noisy = Noisy()
noisy.myself = noisy
heapdiff.start_epoch()
del noisy
"""
    assert answers(code) == ["finalized"]


def test_the_report_says_how_sure_it_is() -> None:
    with epoch():
        base = take_snapshot()
        kept = [[] for _ in range(500)]  # type: ignore[var-annotated]
        exact = str(compare(base, take_snapshot()))
    guessed = str(compare(base, take_snapshot()))

    assert len(kept) == 500
    assert "Identity: exact for tracked objects." in exact
    assert "Identity: by address and type." in guessed
