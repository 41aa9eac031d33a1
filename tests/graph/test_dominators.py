"""What objects, and sets of objects, alone keep alive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heapdiff.errors import UnreachableObjectError
from heapdiff.graph import DominatorTree, Retained
from heapdiff.snapshot.model import ObjectFlag
from tests.graph import oracle
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap


def test_a_shared_object_is_retained_where_its_paths_part() -> None:
    """An object held two ways belongs to neither holder, but to what holds both."""
    heap = TinyHeap(
        """
        root  -> cache
        cache -> left right
        left  -> blob
        right -> blob
        """,
        size={"blob": 1_000},
    )

    tree = DominatorTree.of(heap.graph)

    assert tree.retained_bytes(heap["left"]) == 1
    assert tree.retained_bytes(heap["cache"]) == 1_003


def test_an_object_under_two_roots_belongs_to_the_virtual_root() -> None:
    """Neither root alone would free it."""
    heap = TinyHeap("root -> a b\na -> shared\nb -> shared")
    assert heap.graph.dominators.immediate_dominator(heap["shared"]) == 0


def test_the_entry_of_a_cycle_dominates_it() -> None:
    """However often the cycle leads back."""
    heap = TinyHeap("root -> a\na -> b\nb -> c\nc -> a", size={"a": 1, "b": 10, "c": 100})
    tree = heap.graph.dominators
    assert [tree.retained_bytes(heap[name]) for name in "abc"] == [111, 110, 100]


def test_a_cycle_entered_twice_is_dominated_by_what_leads_to_both_entries() -> None:
    """No member of it holds the others alone."""
    heap = TinyHeap("root -> holder\nholder -> a b\na -> b\nb -> a")
    tree = heap.graph.dominators
    assert [tree.immediate_dominator(heap[name]) for name in "ab"] == [heap["holder"]] * 2


def test_an_object_that_refers_to_itself_is_held_by_its_holder() -> None:
    """A self reference keeps nothing alive."""
    heap = TinyHeap("root -> a\na -> b\nb -> b")
    assert heap.graph.dominators.immediate_dominator(heap["b"]) == heap["a"]


def test_a_reference_named_twice_holds_like_one() -> None:
    """A leaf with one referrer but two references is that referrer's."""
    heap = TinyHeap("root -> a\na -> leaf leaf")
    assert heap.graph.dominators.immediate_dominator(heap["leaf"]) == heap["a"]


def test_a_weak_reference_does_not_share() -> None:
    """What is referred to weakly from elsewhere still goes with its one holder."""
    heap = TinyHeap("root -> a b\na -> blob\nb -> blob", labels={("b", "blob"): ("WEAK", 0)}, size={"blob": 50})
    assert heap.graph.dominators.retained_bytes(heap["a"]) == 51


def test_an_object_of_heapdiff_does_not_share() -> None:
    """The report itself must hold nothing of what it reports."""
    heap = TinyHeap("root -> a own\na -> blob\nown -> blob", flags={"own": ObjectFlag.OWN}, size={"blob": 50})
    assert heap.graph.dominators.retained_bytes(heap["a"]) == 51


def test_garbage_retains_nothing() -> None:
    """The error says that it is garbage, and what to do."""
    heap = TinyHeap("root -> a\nlost -> other\nother -> lost")
    with pytest.raises(UnreachableObjectError, match=r"\(object\) is garbage.*gc\.collect"):
        heap.graph.dominators.retained_bytes(heap["lost"])


def test_an_object_of_heapdiff_retains_nothing() -> None:
    """The error says whose it is."""
    heap = TinyHeap("root -> a own", flags={"own": ObjectFlag.OWN})
    with pytest.raises(UnreachableObjectError, match="heapdiff's own"):
        heap.graph.dominators.immediate_dominator(heap["own"])


@pytest.mark.parametrize("number", [-1, 2, 99])
def test_an_object_that_does_not_exist_is_a_mistake_of_the_caller(number: int) -> None:
    """A negative number is not one from the end."""
    heap = TinyHeap("root -> a")
    with pytest.raises(ValueError, match="does not exist"):
        heap.graph.dominators.retained_bytes(number)


def test_the_virtual_root_retains_all_that_is_live() -> None:
    """Garbage and heapdiff's own are no part of it."""
    heap = TinyHeap("root -> a own\na -> b\nlost", flags={"own": ObjectFlag.OWN}, size={"b": 7, "lost": 900})
    assert heap.graph.dominators.retained_bytes(0) == heap.graph.dominators.live_bytes == 8


def test_the_virtual_root_has_no_dominator() -> None:
    """Asking for it is a mistake."""
    with pytest.raises(ValueError, match="virtual root"):
        TinyHeap("root -> a").graph.dominators.immediate_dominator(0)


def test_an_object_of_many_gigabytes_is_retained_in_full() -> None:
    """Sizes beyond 32 bits are not cut off."""
    heap = TinyHeap("root -> a\na -> blob", size={"blob": 5 << 32})
    assert heap.graph.dominators.retained_bytes(heap["a"]) == (5 << 32) + 1


def test_joint_holders_retain_together_what_neither_does_alone() -> None:
    """The retained size of a set is not the sum over its members."""
    heap = TinyHeap("root -> a b\na -> blob\nb -> blob", size={"blob": 100})
    assert heap.graph.dominators.retained_bytes_of_set([heap["a"], heap["b"]]) == 102


def test_a_set_counts_a_member_below_a_member_once() -> None:
    """Here the sum would be too large."""
    heap = TinyHeap("root -> a\na -> b\nb -> blob", size={"blob": 100})
    assert heap.graph.dominators.retained_bytes_of_set([heap["a"], heap["b"]]) == 102


def test_the_empty_set_retains_nothing() -> None:
    """And is no error."""
    assert TinyHeap("root -> a").graph.dominators.retained_bytes_of_set([]) == 0


def test_the_virtual_root_is_in_no_set() -> None:
    """It cannot be let go."""
    with pytest.raises(ValueError, match="object 0 does not exist"):
        TinyHeap("root -> a").graph.dominators.retained_bytes_of_set([0])


def test_groups_that_overlap_are_each_measured_as_if_alone() -> None:
    """The second pass that this takes does not show."""
    heap = TinyHeap("root -> a b\na -> blob\nb -> blob", size={"blob": 100})
    tree = heap.graph.dominators
    a, b = heap["a"], heap["b"]
    assert tree.retained_by_groups([[a], [a, b], [b]]) == [Retained(1, 1), Retained(3, 102), Retained(1, 1)]


def test_more_groups_than_one_pass_takes_are_all_measured() -> None:
    """There is no limit for the caller."""
    names = [f"o{k}" for k in range(150)]
    heap = TinyHeap(f"root -> {' '.join(names)}", size={name: k for k, name in enumerate(names)})
    groups = [[heap[name]] for name in names]
    assert [group.retained_bytes for group in heap.graph.dominators.retained_by_groups(groups)] == list(range(150))


@given(heap_graphs(), st.data())
def test_a_set_retains_what_removing_all_its_members_frees(heap: TinyHeap, data: st.DataObject) -> None:
    """The definition of the retained size of a set."""
    members = data.draw(st.sets(st.sampled_from(oracle.objects(heap.snapshot)), max_size=4))
    freed = oracle.retained(heap.snapshot, members)
    assert heap.graph.dominators.retained_bytes_of_set(members) == oracle.shallow(heap.snapshot, freed)
