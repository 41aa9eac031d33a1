"""Two heaps subtracted: types, label paths, sites and garbage."""

from array import array

from hypothesis import given

from heapdiff.diff import HeapDiff, diff_graphs
from heapdiff.graph import HeapGraph
from heapdiff.native import Columns
from heapdiff.snapshot.model import ObjectFlag, Process, Snapshot
from tests.sketch import Sketch, registry
from tests.strategies import heap_graphs
from tests.tiny_heap import TinyHeap


def diff_of(*snapshots: Snapshot) -> HeapDiff:
    graphs = [HeapGraph.of(snapshot) for snapshot in snapshots]
    return diff_graphs(graphs[0], graphs[-1], graphs[1:-1])


def test_a_type_grows_by_its_new_live_objects() -> None:
    diff = diff_of(registry(3).snapshot(), registry(10).snapshot())

    row = next(row for row in diff.types if row.name == "app.locks.Lock")

    assert (row.objects, row.shallow_bytes) == ((3, 10), (300, 1000))


def test_the_retained_growth_of_a_type_is_that_of_all_its_objects_as_one_set() -> None:
    diff = diff_of(registry(3).snapshot(), registry(10).snapshot())

    row = next(row for row in diff.types if row.name == "app.locks.Lock")

    assert row.retained_bytes_delta == 7 * (100 + 500)


def test_equal_heaps_differ_in_nothing() -> None:
    diff = diff_of(registry(5).snapshot(), registry(5).snapshot())

    assert (diff.types, len(diff.paths)) == ((), 1)


def test_types_that_did_not_change_have_no_row() -> None:
    diff = diff_of(registry(3).snapshot(), registry(10).snapshot())

    assert "app.locks.Registry" not in {row.name for row in diff.types}


def test_a_label_path_has_the_counts_of_every_snapshot() -> None:
    diff = diff_of(*(registry(count).snapshot() for count in (3, 10, 10, 4)))

    path = next(path for path in diff.paths if path.type_name == "app.locks.Lock")

    assert path.objects == (3, 10, 10, 4)


def test_a_label_path_that_is_back_where_it_was_keeps_its_base_count_in_between() -> None:
    diff = diff_of(*(registry(count).snapshot() for count in (3, 10, 3, 7)))

    path = next(path for path in diff.paths if path.type_name == "app.locks.Lock")

    assert path.objects == (3, 10, 3, 7)


def test_a_label_path_that_vanished_has_no_objects_now() -> None:
    diff = diff_of(registry(3).snapshot(), registry(0).snapshot())

    path = next(path for path in diff.paths if path.type_name == "app.locks.Lock")

    assert (path.objects, path.now_node) == ((3, 0), None)


def test_label_paths_need_no_identity() -> None:
    here = diff_of(registry(3).snapshot(), registry(9).snapshot())
    there = diff_of(registry(3).snapshot(), registry(9, first_address=0x9000, reverse=True).snapshot())

    assert [(path.text, path.objects) for path in here.paths] == [(path.text, path.objects) for path in there.paths]


def test_two_classes_of_one_name_are_summed_and_said_to_be() -> None:
    diff = diff_of(two_classes_of_one_name(2), two_classes_of_one_name(5))

    row = next(row for row in diff.types if row.name == "app.Model")
    assert (row.objects, diff.remarks) == ((4, 10), ("2 classes are called app.Model; they are summed.",))


def test_two_classes_of_one_name_share_a_label_path() -> None:
    diff = diff_of(two_classes_of_one_name(2), two_classes_of_one_name(5))

    assert [path.objects for path in diff.paths.by_type["app.Model"]] == [(4, 10)]


def two_classes_of_one_name(count: int) -> Snapshot:
    """So many objects of each of two classes app.Model; drawn as Model and Model2, and the second renamed."""
    sketch = Sketch()
    module = sketch.module("app")
    sketch.many(count, "app.Model", module, ("ELEMENT", 0))
    sketch.many(count, "app.Model2", module, ("ELEMENT", 0))
    drawn = sketch.snapshot()
    columns = {name: drawn.columns[name] for name in drawn.columns.names()}
    names = columns["type_name"].tolist()
    rows = {drawn.type_name(row): row for row in range(drawn.type_count)}
    names[rows["app.Model2"]] = names[rows["app.Model"]]
    return Snapshot(Columns(columns | {"type_name": array("I", names)}))


def test_garbage_is_counted_apart_from_what_is_live() -> None:
    base = TinyHeap("root -> a")
    now = TinyHeap("root -> a\nlost -> found\nfound -> lost", size={"lost": 30, "found": 12})

    diff = diff_of(base.snapshot, now.snapshot)

    assert diff.types == ()
    assert (diff.garbage.objects_now, diff.garbage.shallow_bytes_now) == (2, 42)


def test_what_heapdiff_made_is_not_counted() -> None:
    base = TinyHeap("root -> a")
    now = TinyHeap("root -> a mine\nmine -> also", flags={"mine": ObjectFlag.OWN})

    diff = diff_of(base.snapshot, now.snapshot)

    assert (diff.types, diff.garbage.objects_now) == ((), 0)


def test_sites_are_matched_by_their_frames() -> None:
    def traced(count: int) -> Snapshot:
        sketch = Sketch()
        module = sketch.module("app")
        sketch.add("first", "app.Other", module, ("ATTRIBUTE", "first"), site=(("app/a.py", 1),))
        for number in range(count):
            sketch.add(f"job{number}", "app.Job", module, ("ELEMENT", number), site=(("app/jobs.py", 31),))
        return sketch.snapshot()

    diff = diff_of(traced(2), traced(9))

    assert diff.sites is not None
    assert [(site.frames, site.type_name, site.objects_delta) for site in diff.sites] == [
        ((("app/jobs.py", 31),), "app.Job", 7)
    ]


def test_sites_are_unknown_where_one_snapshot_has_none() -> None:
    assert diff_of(registry(1).snapshot(), registry(2).snapshot()).sites is None


def test_one_process_is_one_of_the_same_pid_host_and_start() -> None:
    process = Process(pid=4242, host="box", start_time=1.5)

    diff = diff_of(registry(1).snapshot(process), registry(1).snapshot(process))

    assert diff.same_process


def test_a_process_of_which_nothing_is_known_is_not_taken_for_the_same() -> None:
    assert not diff_of(registry(1).snapshot(), registry(1).snapshot()).same_process


@given(heap_graphs())
def test_a_heap_minus_itself_is_nothing(heap: TinyHeap) -> None:
    diff = diff_of(heap.snapshot, heap.snapshot)

    assert (diff.types, len(diff.paths), diff.live_bytes_delta) == ((), 1, 0)


@given(heap_graphs(), heap_graphs())
def test_the_growth_of_all_label_paths_is_the_growth_of_the_live_heap(base: TinyHeap, now: TinyHeap) -> None:
    diff = diff_of(base.snapshot, now.snapshot)

    assert sum(path.shallow_bytes_delta for path in diff.paths) == diff.live_bytes_delta


@given(heap_graphs(), heap_graphs())
def test_the_label_paths_of_a_type_grow_as_the_type_does(base: TinyHeap, now: TinyHeap) -> None:
    diff = diff_of(base.snapshot, now.snapshot)

    for row in diff.types:
        paths = diff.paths.by_type.get(row.name, ())
        assert sum(path.objects_delta for path in paths) == row.objects_delta
