"""Every native pass against its definition, on random heaps."""

from hypothesis import given
from hypothesis import strategies as st

from heapdiff import native
from heapdiff.native import Columns
from tests.graph import oracle
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap

NONE = 0xFFFFFFFF


def passes(heap: TinyHeap) -> tuple[Columns, Columns, Columns]:
    """The heap's columns, its paths and its dominators."""
    columns = heap.snapshot.columns
    paths = native.shortest_paths(columns)
    return columns, paths, native.dominators(columns, paths)


@given(heap_graphs())
def test_every_drawn_heap_is_valid(heap: TinyHeap) -> None:
    """The contract is one; the drawings keep it."""
    native.validate(heap.snapshot.columns)


@given(heap_graphs())
def test_live_is_what_the_root_reaches(heap: TinyHeap) -> None:
    """State 1 of every object and of no other."""
    _, paths, _ = passes(heap)
    state = paths["state"]
    assert {obj for obj in oracle.objects(heap.snapshot) if state[obj] == 1} == oracle.reachable(heap.snapshot)


@given(heap_graphs())
def test_own_is_what_heapdiff_made_or_alone_holds(heap: TinyHeap) -> None:
    """State 2 of every object and of no other."""
    _, paths, _ = passes(heap)
    state = paths["state"]
    assert {obj for obj in oracle.objects(heap.snapshot) if state[obj] == 2} == oracle.held_by_own(heap.snapshot)


@given(heap_graphs())
def test_a_parent_holds_its_child_by_the_edge_named(heap: TinyHeap) -> None:
    """Each step of a chain is a reference that holds."""
    _, paths, _ = passes(heap)
    for obj in oracle.reachable(heap.snapshot):
        step = (paths["via"][obj], obj)
        assert step in oracle.references(heap.snapshot, paths["parent"][obj])


@given(heap_graphs())
def test_every_chain_starts_at_the_root(heap: TinyHeap) -> None:
    """Following the parents ends at object 0."""
    _, paths, _ = passes(heap)
    for obj in oracle.reachable(heap.snapshot):
        at = obj
        for _ in range(heap.snapshot.object_count):
            at = paths["parent"][at] if at else 0
        assert at == 0


@given(heap_graphs())
def test_shared_is_what_more_than_one_live_reference_holds(heap: TinyHeap) -> None:
    """The mark that lets leaves be folded into their only referrer."""
    _, paths, _ = passes(heap)
    live = oracle.reachable(heap.snapshot)
    counts = dict.fromkeys(live, 0)
    for source in live | {0}:
        for _, target in oracle.references(heap.snapshot, source):
            counts[target] += 1
    assert {obj for obj in live if paths["is_shared"][obj]} == {obj for obj, count in counts.items() if count > 1}


@given(heap_graphs(), st.data())
def test_nothing_is_reached_through_what_is_taken_away(heap: TinyHeap, data: st.DataObject) -> None:
    """`without` is the same as the objects not being there."""
    members = data.draw(st.sets(st.sampled_from(oracle.objects(heap.snapshot)), max_size=3))
    mask = bytearray(heap.snapshot.object_count + 1)
    for obj in members:
        mask[obj] = 1

    state = native.shortest_paths(heap.snapshot.columns, mask)["state"]

    live = {obj for obj in oracle.objects(heap.snapshot) if state[obj] == 1}
    assert live == oracle.reachable(heap.snapshot, without=members)


@given(heap_graphs())
def test_retained_bytes_are_what_removing_the_object_frees(heap: TinyHeap) -> None:
    """The definition of the retained size of an object."""
    _, _, dominators = passes(heap)
    for obj in oracle.objects(heap.snapshot):
        freed = oracle.retained(heap.snapshot, [obj])
        assert dominators["retained_bytes"][obj] == oracle.shallow(heap.snapshot, freed)


@given(heap_graphs())
def test_the_immediate_dominator_is_the_nearest_object_that_frees_it(heap: TinyHeap) -> None:
    """Of all objects whose removal frees another, the one that frees least."""
    _, _, dominators = passes(heap)
    immediate = dominators["immediate_dominator"]
    live = oracle.reachable(heap.snapshot)
    frees = {obj: oracle.retained(heap.snapshot, [obj]) for obj in live}
    for obj in oracle.objects(heap.snapshot):
        holders = [holder for holder in live if holder != obj and obj in frees[holder]]
        nearest = min(holders, key=lambda holder: len(frees[holder]), default=0)
        assert immediate[obj] == (nearest if obj in live else NONE)


@given(heap_graphs())
def test_the_root_retains_all_that_is_live(heap: TinyHeap) -> None:
    """And has no dominator itself."""
    _, _, dominators = passes(heap)
    assert dominators["retained_bytes"][0] == oracle.shallow(heap.snapshot, oracle.reachable(heap.snapshot))
    assert dominators["immediate_dominator"][0] == NONE


@given(heap_graphs(), st.data())
def test_a_group_retains_what_removing_all_its_members_frees(heap: TinyHeap, data: st.DataObject) -> None:
    """All groups in one pass, as if each were alone."""
    count = heap.snapshot.object_count
    group = bytes([0, *data.draw(st.lists(st.sampled_from([0, 0, 1, 2, 63]), min_size=count, max_size=count))])

    totals = native.retained_by_groups(heap.snapshot.columns, group)

    for number in (1, 2, 63):
        freed = oracle.retained(heap.snapshot, [obj for obj in range(count + 1) if group[obj] == number])
        assert totals["objects"][number] == len(freed)
        assert totals["bytes"][number] == oracle.shallow(heap.snapshot, freed)


@given(heap_graphs())
def test_a_type_retains_at_least_what_its_outermost_objects_do(heap: TinyHeap) -> None:
    """Members below members count once, and never more than the whole set retains."""
    columns, paths, dominators = passes(heap)
    bytes_of = native.type_retained(columns, paths, dominators)["bytes"]
    immediate = dominators["immediate_dominator"]
    live = oracle.reachable(heap.snapshot)
    for row in range(1, heap.snapshot.type_count):
        members = {obj for obj in live if columns["object_type"][obj] == row}
        outermost = {obj for obj in members if not members & set(dominators_of(immediate, obj))}
        assert bytes_of[row] == sum(dominators["retained_bytes"][obj] for obj in outermost)
        assert bytes_of[row] <= oracle.shallow(heap.snapshot, oracle.retained(heap.snapshot, members))


def dominators_of(immediate: memoryview, obj: int) -> list[int]:
    """All objects that dominate *obj*, nearest first."""
    chain = []
    while immediate[obj] not in (0, NONE):
        obj = immediate[obj]
        chain.append(obj)
    return chain


@given(heap_graphs())
def test_type_totals_count_live_objects(heap: TinyHeap) -> None:
    """Garbage and heapdiff's own objects are no part of them."""
    columns, paths, _ = passes(heap)
    totals = native.type_totals(columns, paths)
    for row in range(heap.snapshot.type_count):
        members = [obj for obj in oracle.reachable(heap.snapshot) if columns["object_type"][obj] == row]
        assert totals["objects"][row] == len(members)
        assert totals["bytes"][row] == oracle.shallow(heap.snapshot, members)


@given(heap_graphs())
def test_the_label_tree_has_every_live_object_once(heap: TinyHeap) -> None:
    """Its sums by type are the type totals."""
    columns, paths, _ = passes(heap)
    tree, totals = native.label_tree(columns, paths), native.type_totals(columns, paths)
    assert sums_by_type(tree, heap.snapshot.type_count) == list(zip(totals["objects"], totals["bytes"], strict=True))


@given(heap_graphs())
def test_the_dominator_profile_has_every_live_object_once(heap: TinyHeap) -> None:
    """Its sums by type are the type totals."""
    columns, paths, dominators = passes(heap)
    profile = native.dominator_profile(columns, paths, dominators)
    totals = native.type_totals(columns, paths)
    assert sums_by_type(profile, heap.snapshot.type_count) == list(zip(totals["objects"], totals["bytes"], strict=True))


def sums_by_type(tree: Columns, type_count: int) -> list[tuple[int, int]]:
    """(objects, bytes) of each type over all nodes but the virtual root's."""
    sums = [(0, 0)] * type_count
    rows = zip(tree["node_type"], tree["node_objects"], tree["node_bytes"], strict=True)
    for number, (row, count, size) in enumerate(rows):
        if number:
            sums[row] = (sums[row][0] + count, sums[row][1] + size)
    return sums


@given(heap_graphs())
def test_a_node_of_the_label_tree_has_the_type_of_its_objects(heap: TinyHeap) -> None:
    """Also where a recursion was folded."""
    columns, paths, _ = passes(heap)
    tree = native.label_tree(columns, paths)
    for obj in oracle.reachable(heap.snapshot):
        assert tree["node_type"][tree["node_of"][obj]] == columns["object_type"][obj]


@given(heap_graphs())
def test_a_heap_has_not_grown_beyond_itself(heap: TinyHeap) -> None:
    """Two snapshots with nothing between them report no growth."""
    columns, paths, dominators = passes(heap)
    for tree in (native.label_tree(columns, paths), native.dominator_profile(columns, paths, dominators)):
        growth = native.label_growth(columns, tree, columns, tree)
        assert growth["base_node"].tolist() == []


@given(heap_graphs(), heap_graphs())
def test_growth_by_label_is_the_difference_of_the_sums(base: TinyHeap, now: TinyHeap) -> None:
    """Rows that are left out are equal, so the rest has the whole difference."""
    (base_columns, base_paths, _), (now_columns, now_paths, _) = passes(base), passes(now)
    base_tree, now_tree = native.label_tree(base_columns, base_paths), native.label_tree(now_columns, now_paths)

    growth = native.label_growth(base_columns, base_tree, now_columns, now_tree)

    by_rows = sum(growth["bytes_now"]) - sum(growth["bytes_base"])
    assert by_rows == sum(now_tree["node_bytes"]) - sum(base_tree["node_bytes"])


@given(heap_graphs(), heap_graphs())
def test_growth_by_label_matches_paths_by_their_texts(base: TinyHeap, now: TinyHeap) -> None:
    """Text and type numbers differ between snapshots; the words do not."""
    (base_columns, base_paths, _), (now_columns, now_paths, _) = passes(base), passes(now)
    base_tree, now_tree = native.label_tree(base_columns, base_paths), native.label_tree(now_columns, now_paths)

    growth = native.label_growth(base_columns, base_tree, now_columns, now_tree)

    base_sums, now_sums = sums_by_path(base, base_tree), sums_by_path(now, now_tree)
    expected = {path for path in base_sums | now_sums if base_sums.get(path) != now_sums.get(path)}
    names = path_names(base, base_tree), path_names(now, now_tree)
    found = {
        names[0][base_node] if base_node != NONE else names[1][now_node]
        for base_node, now_node in zip(growth["base_node"], growth["now_node"], strict=True)
    }
    assert found == expected


def path_names(heap: TinyHeap, tree: Columns) -> list[tuple[object, ...]]:
    """Each node's path in words."""
    from heapdiff.snapshot.labels import kind_of, payload_of

    names: list[tuple[object, ...]] = []
    for node, (parent, label, row) in enumerate(
        zip(tree["node_parent"], tree["node_label"], tree["node_type"], strict=True)
    ):
        kind = kind_of(label)
        text = heap.snapshot.text(payload_of(label)) if kind.has_text else payload_of(label)
        names.append((*(names[parent] if node else ()), kind, text, heap.snapshot.type_name(row)))
    return names


def sums_by_path(heap: TinyHeap, tree: Columns) -> dict[tuple[object, ...], tuple[int, int]]:
    """Objects and bytes by path; paths without any are left out."""
    sums = zip(tree["node_objects"], tree["node_bytes"], strict=True)
    return {path: pair for path, pair in zip(path_names(heap, tree), sums, strict=True) if pair != (0, 0)}


@given(heap_graphs(), heap_graphs())
def test_a_survivor_is_live_at_the_same_address_with_the_same_type(base: TinyHeap, now: TinyHeap) -> None:
    """In both snapshots."""
    (base_columns, base_paths, _), (now_columns, now_paths, _) = passes(base), passes(now)

    survived = native.survivors(base_columns, base_paths, now_columns, now_paths)["survived"]

    before, after = identities(base), identities(now)
    assert {obj for obj in after if survived[obj]} == {obj for obj in after if after[obj] in before.values()}


def identities(heap: TinyHeap) -> dict[int, tuple[int, str]]:
    """(address, type name) of every live object."""
    columns = heap.snapshot.columns
    return {
        obj: (columns["object_address"][obj], heap.snapshot.type_name(columns["object_type"][obj]))
        for obj in oracle.reachable(heap.snapshot)
    }


def test_sites_are_totalled_by_site_and_type() -> None:
    """Sorted, and without what is garbage."""
    here, there = (("a.py", 1),), (("b.py", 2),)
    heap = TinyHeap(
        "root -> a b c d\ngarbage",
        size={"a": 10, "b": 20, "c": 30, "d": 40},
        types={"c": "app.Thing"},
        sites={"a": here, "b": here, "c": here, "d": there, "garbage": there},
    )
    columns, paths, _ = passes(heap)

    totals = native.site_totals(columns, paths)

    rows = list(zip(totals["site"], totals["type"], totals["objects"], totals["bytes"], strict=True))
    assert rows == [(1, 1, 1, 30), (1, 2, 2, 30), (2, 2, 1, 40)]
