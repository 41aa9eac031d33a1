"""Label paths: chains with identities removed."""

from itertools import pairwise

from hypothesis import given

from heapdiff import native
from heapdiff.graph import HeapGraph, LabelTree
from tests.graph import oracle
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap

NONE = 0xFFFFFFFF


def cache(*names: str, key: str = "str") -> TinyHeap:
    """A module's cache with that many entries."""
    entries = " ".join(names)
    return TinyHeap(
        f"root -> module\nmodule -> CACHE\nCACHE -> {entries}",
        types={"module": "builtins.module", "CACHE": "builtins.dict"} | dict.fromkeys(names, "app.Entry"),
        labels={("root", "module"): ("ROOT_MODULE", "app")} | {("CACHE", name): ("KEY_OF_TYPE", key) for name in names},
    )


def growth(base: TinyHeap, now: TinyHeap) -> list[tuple[str, int, int]]:
    """Path, objects before and after of every row of label_growth."""
    columns = native.label_growth(
        base.snapshot.columns, base.graph.label_tree, now.snapshot.columns, now.graph.label_tree
    )
    trees = LabelTree.of(base.graph), LabelTree.of(now.graph)
    names = ("base_node", "now_node", "objects_base", "objects_now")
    return [
        (trees[1].expression(after) if after != NONE else trees[0].expression(before), *counts)
        for before, after, *counts in zip(*(columns[name] for name in names), strict=True)
    ]


def test_entries_of_one_cache_are_one_path() -> None:
    """However many keys it has."""
    heap = cache("a", "b", "c")
    tree = LabelTree.of(heap.graph)
    node = tree.node_of(heap["a"])
    assert (tree.expression(node), tree.object_count(node), tree.type_name(node)) == ("app.CACHE[*]", 3, "app.Entry")


def in_threads(*names: str) -> TinyHeap:
    """A module's function that runs in each of these threads, and has a job there."""
    jobs = [f"job{number}" for number in range(len(names))]
    return TinyHeap(
        f"root -> {' '.join(jobs)}",
        types=dict.fromkeys(jobs, "app.Job"),
        labels={
            ("root", job): ("ROOT_LOCAL", f"app.work() job, thread {name}")
            for job, name in zip(jobs, names, strict=True)
        },
    )


def test_the_name_of_a_thread_is_no_part_of_a_path() -> None:
    heap = in_threads("Thread-1", "Thread-10", "worker, thread 2", "Thread-2")
    tree = LabelTree.of(heap.graph)

    assert len({tree.node_of(heap[f"job{number}"]) for number in (0, 1, 3)}) == 1


def test_paths_in_threads_of_other_names_are_matched() -> None:
    """Thread-12 today is Thread-4711 tomorrow."""
    assert growth(in_threads("Thread-1"), in_threads("Thread-2")) == []
    assert growth(in_threads("Thread-7"), in_threads("Thread-2", "Thread-9")) == [("<app.work() job>", 1, 2)]


def test_keys_of_different_types_are_one_path() -> None:
    """What the keys are is data."""
    heap = TinyHeap(
        "root -> d\nd -> a b",
        types={"d": "builtins.dict"},
        labels={("d", "a"): ("KEY_OF_TYPE", "int"), ("d", "b"): ("KEY_OF_TYPE", "str")},
    )
    tree = LabelTree.of(heap.graph)
    assert tree.node_of(heap["a"]) == tree.node_of(heap["b"])


def test_elements_at_different_positions_are_one_path() -> None:
    """Positions are data, too."""
    heap = TinyHeap("root -> x\nx -> a b", labels={("x", "a"): ("ELEMENT", 0), ("x", "b"): ("ELEMENT", 9)})
    tree = LabelTree.of(heap.graph)
    assert tree.node_of(heap["a"]) == tree.node_of(heap["b"])


def test_objects_of_different_types_are_different_paths() -> None:
    """The type is a part of the path."""
    heap = TinyHeap(
        "root -> x\nx -> a b",
        types={"a": "app.A", "b": "app.B"},
        labels={("x", "a"): ("ELEMENT", 0), ("x", "b"): ("ELEMENT", 1)},
    )
    tree = LabelTree.of(heap.graph)
    assert tree.node_of(heap["a"]) != tree.node_of(heap["b"])


def test_an_attribute_is_the_same_whether_or_not_the_dict_was_made() -> None:
    """CPython makes the dict of an instance when somebody asks for it."""
    without = TinyHeap("root -> x\nx -> value")
    made = TinyHeap(
        "root -> x\nx -> d\nd -> value",
        types={"d": "builtins.dict"},
        labels={("x", "d"): ("DICT", 0), ("d", "value"): ("KEY", "value")},
    )
    assert growth(without, made) == [("x.__dict__", 0, 1)]


def test_a_linked_list_is_one_node() -> None:
    """Its length is a count, not a depth."""
    nodes = [f"n{k}" for k in range(100)]
    heap = TinyHeap(
        "\n".join(f"{source} -> {target}" for source, target in pairwise(["root", *nodes])),
        labels=dict.fromkeys(pairwise(nodes), ("ATTRIBUTE", "next")),
    )
    tree = LabelTree.of(heap.graph)
    assert tree.object_count(tree.node_of(heap["n99"])) == 99


def test_a_tree_that_recurs_through_a_list_is_folded() -> None:
    """node.children[*].children[*] … is node.children[*]."""
    heap = TinyHeap(
        "root -> n0\nn0 -> l0\nl0 -> n1\nn1 -> l1\nl1 -> n2",
        types=dict.fromkeys(("n0", "n1", "n2"), "app.Node") | dict.fromkeys(("l0", "l1"), "builtins.list"),
        labels={(f"n{k}", f"l{k}"): ("ATTRIBUTE", "children") for k in range(2)}
        | {(f"l{k}", f"n{k + 1}"): ("ELEMENT", 0) for k in range(2)},
    )
    tree = LabelTree.of(heap.graph)
    assert tree.node_of(heap["n1"]) == tree.node_of(heap["n2"])


def test_the_bytes_below_the_virtual_root_are_all_live_bytes() -> None:
    """Unlike retained sizes, sums over the label tree add up."""
    heap = cache("a", "b")
    assert LabelTree.of(heap.graph).total_bytes(0) == heap.graph.dominators.live_bytes


def test_a_cache_that_grew_is_one_row() -> None:
    """With its count before and after."""
    assert growth(cache("a", "b"), cache("a", "b", "c", "d")) == [("app.CACHE[*]", 2, 4)]


def test_a_bounded_cache_with_turnover_shows_no_growth() -> None:
    """Other entries, other keys, the same number."""
    assert growth(cache("a", "b"), cache("x", "y", key="bytes")) == []


def test_a_path_that_is_new_has_no_node_in_the_base() -> None:
    """Its row says so."""
    rows = native.label_growth(
        *(
            item
            for heap in (TinyHeap("root -> a"), cache("b"))
            for item in (heap.snapshot.columns, heap.graph.label_tree)
        )
    )
    assert NONE in rows["base_node"].tolist()


def test_two_classes_of_one_name_are_one_path_between_snapshots() -> None:
    """A class made again at run time is not another one for somebody who reads its name."""
    base = TinyHeap("root -> x\nx -> a", types={"a": "app.Entry"}, labels={("x", "a"): ("ELEMENT", 0)})
    now = TinyHeap(
        "root -> x\nx -> a b",
        types={"a": "app.Entry", "b": "app.Entry#2"},
        labels={("x", "a"): ("ELEMENT", 0), ("x", "b"): ("ELEMENT", 1)},
    )
    assert growth(base, now) == [("x[*]", 1, 2)]


@given(heap_graphs())
def test_parents_are_numbered_before_their_children(heap: TinyHeap) -> None:
    """One pass over the nodes sees them in order."""
    tree = LabelTree.of(heap.graph)
    for node in range(1, len(tree)):
        parent = tree.parent(node)
        assert parent is not None
        assert parent < node
        assert node in tree.children(parent)


@given(heap_graphs())
def test_every_live_object_has_a_node_with_an_expression(heap: TinyHeap) -> None:
    """Whatever its labels are."""
    tree = LabelTree.of(HeapGraph.of(heap.snapshot))
    for obj in oracle.reachable(heap.snapshot):
        assert tree.expression(tree.node_of(obj))
