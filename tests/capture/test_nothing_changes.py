"""The process before and after a capture: objects, references, memory."""

import json

import pytest

from tests.capture.processes import run_python

# One line of JSON for each stage: which of the watched have another reference count than before, and the objects by
# type that came or went. The watched are an object of each kind of the zoo and what it holds; what very many hold
# (None, small numbers, the builtins) is left out, because everything that runs holds it.
STAGES = """
    import collections, gc, json, os, sys, tempfile
    import heapdiff
    from tests.capture.zoo import zoo

    name_of = type.__dict__["__qualname__"].__get__
    animals = zoo()
    watched = list({id(one): one for animal in animals for one in (animal, *gc.get_referents(animal))
                    if not isinstance(one, type) and sys.getrefcount(one) < 500}.values())
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "now.heap")

    references, kinds_before, kinds = [], collections.Counter(), collections.Counter()

    def count(counts):
        counts.clear()
        for one in gc.get_objects():
            counts[name_of(type(one))] += 1

    def look(stage):
        count(kinds)
        kinds.subtract(kinds_before)
        now = [sys.getrefcount(one) for one in watched]
        changed = []
        for i in range(len(watched)):
            if now[i] != references[i]:
                changed.append(name_of(type(watched[i])))
        print(json.dumps([stage, changed, {name: number for name, number in kinds.items() if number}]))

    def stages():
        snapshot = heapdiff.take_snapshot()
        look("held")
        heapdiff.write_snapshot(snapshot, path)
        look("saved")
        report = heapdiff.compare(heapdiff.read_snapshot(path), snapshot)
        str(report)
        look("analysed")
        del snapshot, report
        gc.collect()
        look("dropped")

    for _ in range(5):  # the first rounds fill caches of the interpreter and of the standard library
        references[:] = [sys.getrefcount(one) for one in watched]
        count(kinds_before)
        stages()
    print(json.dumps(["watched", [name_of(type(one)) for one in watched], {}]))
"""
OWN_KINDS = {
    *("Snapshot", "Process", "Limit", "Report", "HeapGraph", "HeapDiff", "Explanation", "DominatorTree", "PathTree"),
    *("PathGrowth", "Garbage", "Identity", "Coverage", "memoryview", "managedbuffer", "mmap", "tuple", "dict", "list"),
}
Stage = tuple[list[str], dict[str, int]]


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    """What had changed at each stage of the last round."""
    rows = [json.loads(line) for line in run_python(STAGES).splitlines()]
    return {stage: (changed, kinds) for stage, changed, kinds in rows}


@pytest.mark.parametrize("stage", ["held", "saved", "analysed", "dropped"])
def test_no_reference_to_any_kind_of_object_is_taken(stages: dict[str, Stage], stage: str) -> None:
    changed, _ = stages[stage]

    assert len(stages["watched"][0]) > 200
    assert changed == []


@pytest.mark.parametrize("stage", ["held", "saved", "analysed"])
def test_the_only_new_objects_are_the_snapshot_and_what_was_made_of_it(stages: dict[str, Stage], stage: str) -> None:
    _, kinds = stages[stage]

    assert set(kinds) <= OWN_KINDS
    assert all(count > 0 for count in kinds.values())
    assert sum(kinds.values()) < 60


def test_after_a_snapshot_has_been_dropped_there_are_the_objects_that_were_there_before(
    stages: dict[str, Stage],
) -> None:
    _, kinds = stages["dropped"]

    assert kinds == {}


def test_rounds_of_taking_saving_and_analysing_grow_nothing() -> None:
    """One lost block a round would be 60; the interpreter's free lists fill by some."""
    said = run_python("""
        import gc, os, resource, sys, tempfile
        import heapdiff
        from tests.capture.zoo import zoo

        animals = zoo()
        folder = tempfile.TemporaryDirectory()
        path = os.path.join(folder.name, "now.heap")

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * resource.getpagesize()

        def rounds(number):
            for _ in range(number):
                snapshot = heapdiff.take_snapshot()
                heapdiff.write_snapshot(snapshot, path)
                str(heapdiff.compare(heapdiff.read_snapshot(path), snapshot))
            del snapshot
            gc.collect()
            sys._clear_type_cache()  # names of attributes that C code asked for stay in it for a while
            return sys.getallocatedblocks(), resident(), len(os.listdir("/proc/self/fd"))

        rounds(20)
        before = rounds(1)
        after = rounds(60)
        print([now - was for was, now in zip(before, after)])
    """)
    blocks, resident_bytes, descriptors = json.loads(said.splitlines()[-1])

    assert blocks < 50
    assert resident_bytes < 1 << 20
    assert descriptors == 0
