"""A capture over its bound, and what is left of it: nothing."""

import json

from tests.capture.processes import run_python

# What the allocators and the kernel say is in use, around captures that end at every place on their way.
REFUSED = """
    import ctypes, gc, json, resource, sys
    import heapdiff
    from heapdiff.errors import CaptureLimitError

    class Counts(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]

    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = Counts

    def in_use():
        gc.collect()
        sys._clear_type_cache()
        counts = mallinfo2()
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        return sys.getallocatedblocks(), counts.uordblks + counts.hblkhd, mapped

    kept = [{"name": [i], "other": (i, object())} for i in range(20_000)]
    whole = heapdiff.take_snapshot()
    objects, size = whole.object_count, sum(memoryview(whole.columns[name]).nbytes for name in whole.columns.names())
    del whole

    def refused(**bound):
        told = 0
        for function in (heapdiff.take_snapshot, heapdiff.take_census):
            try:
                function(**bound)
            except CaptureLimitError as error:
                told += "nothing is left of it" in str(error)
        return told

    def rounds(number):
        told = 0
        for i in range(number):
            told += refused(max_objects=1 + objects * i // number)
            told += refused(max_bytes=1 + size * i // number)
        return told

    rounds(25)
    before = in_use()
    told = rounds(25)
    after = in_use()
    print(json.dumps([told, *(now - was for was, now in zip(before, after))]))
"""


def test_after_captures_over_their_bounds_nothing_is_left_allocated() -> None:
    told, blocks, malloc_bytes, mapped_bytes = json.loads(run_python(REFUSED))

    assert told > 60  # of 100; a census needs less than its bound in some
    assert blocks < 40
    assert malloc_bytes < 64 << 10
    assert mapped_bytes < 1 << 20


def test_a_refusal_says_how_far_it_came_and_what_to_do() -> None:
    said = run_python("""
        import heapdiff
        from heapdiff.errors import CaptureLimitError

        for bound in ({"max_objects": 5_000}, {"max_bytes": 500_000}):
            try:
                heapdiff.take_snapshot(**bound)
            except CaptureLimitError as error:
                print(error)
    """)
    objects, size = said.splitlines()

    assert int(objects.split("stopped after ")[1].split()[0]) > 5_000
    assert "Raise the bound, or take a census" in objects
    assert "500000 bytes" in size
    assert "it stopped after" in size


def test_by_default_a_capture_leaves_half_of_the_cgroups_memory() -> None:
    """A heap that needs more than the cgroup has left is refused instead of ending in the kernel's OOM killer."""
    said = run_python("""
        import heapdiff
        import heapdiff.capture.bounds
        from heapdiff.errors import CaptureLimitError

        heapdiff.capture.bounds.memory_left = lambda: 1 << 20
        try:
            heapdiff.take_snapshot()
        except CaptureLimitError as error:
            print(error)
    """)

    assert "needs more than 524288 bytes" in said
