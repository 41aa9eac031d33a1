"""Processes with debug allocators, without memory, and with bounds: a capture is right, or it is MemoryError."""

import sys

import pytest

from tests.capture.processes import FREE_THREADED, run_python

CAPTURE = """
    import heapdiff
    from heapdiff.native import validate
    kept = [{"a": [1, 2, 3], "b": (object(), {4, 5})} for _ in range(1_000)]
    base = heapdiff.take_snapshot()
    kept += [{"a": [1, 2, 3], "b": (object(), {4, 5})} for _ in range(1_000)]
    now = heapdiff.take_snapshot(collect=True)
    validate(now.columns)
    print(len(str(heapdiff.compare(base, now))) > 100)
"""


only_mimalloc = pytest.mark.skipif(FREE_THREADED, reason="mimalloc is the only allocator")


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        ([], {"PYTHONMALLOC": "debug"}),
        pytest.param([], {"PYTHONMALLOC": "malloc"}, marks=only_mimalloc),
        pytest.param([], {"PYTHONMALLOC": "malloc_debug"}, marks=only_mimalloc),
        pytest.param([], {"MALLOC_PERTURB_": "165", "PYTHONMALLOC": "malloc"}, marks=only_mimalloc),
        (["-X", "dev"], {}),
        (["-X", "tracemalloc=5"], {}),
        (["-X", "importtime"], {}),
        (["-OO"], {}),
        (["-I", "-S"], {}),
        (["-E", "-s"], {}),
    ],
    ids=str,
)
def test_a_process_started_in_another_mode_is_captured(options: list[str], environment: dict[str, str]) -> None:
    path = "import sys; sys.path.insert(0, '.'); sys.path += %r\n" % [p for p in sys.path if "site-packages" in p]

    assert (
        run_python(path + "\n".join(line[4:] for line in CAPTURE.splitlines()), *options, environment=environment)
        == "True"
    )


def test_a_capture_without_memory_is_a_memory_error_and_loses_nothing() -> None:
    """Every allocation of the capture fails once."""
    said = run_python(
        """
        import gc, sys
        import _testcapi
        import heapdiff
        from heapdiff.native import capture, census

        def attempt(n, function, *arguments):
            _testcapi.set_nomemory(n, n + 1)
            try:
                function(*arguments)
            except MemoryError:
                return False
            except RuntimeError as error:  # of a file that CPython opens
                assert "can't allocate" in str(error), error
                return False
            finally:
                _testcapi.remove_mem_hooks()
            return True

        def rounds(step, function, *arguments):
            function(*arguments)
            good, n = 0, 0
            while good < 5 and n < 10_000:
                n += step
                good = good + 1 if attempt(n, function, *arguments) else 0
            return n

        small = {i: "name" for i in range(3)}
        gc.disable()
        plan = [], [], []
        for step, function, arguments in [
            (1, capture, (small, 2**31, 2**40, False, plan)),
            (1, census, (2**31, 2**40, plan)),
            (7, heapdiff.take_census, ()),
            (31, heapdiff.take_snapshot, ()),
        # In Python code 3.12 crashes in generators of any program, and free-threaded 3.14 loses blocks of its own.
        ][:2 if sys.version_info[:2] == (3, 12) or "t" in sys.abiflags else None]:
            for _ in range(6 if sys.version_info >= (3, 14) else 1):  # 3.14 itself needs longer until it keeps no more
                rounds(step, function, *arguments)
            gc.collect()
            blocks = sys.getallocatedblocks()
            n = rounds(step, function, *arguments)
            gc.collect()
            lost = sys.getallocatedblocks() - blocks
            if n >= 10_000 or lost > max(40, n // step // 2):  # far from one for each attempt
                print(function.__name__, n, lost)
        print("done")
        """,
    )

    assert said == "done"


def test_no_address_space_is_a_memory_error() -> None:
    said = run_python("""
        import resource
        import heapdiff
        from heapdiff.errors import CaptureLimitError
        from heapdiff.native import capture, census, dominators, label_tree, shortest_paths, validate

        kept = [{"a": [1, 2, 3], "b": (object(), {4, 5})} for _ in range(20_000)]
        snapshot = heapdiff.take_snapshot()
        del snapshot
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        failed = 0
        for more in range(0, 48 << 20, 3 << 19):
            resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))
            try:
                snapshot = heapdiff.take_snapshot(max_bytes=2**40)
                paths = shortest_paths(snapshot.columns)
                dominators(snapshot.columns, paths)
                label_tree(snapshot.columns, paths)
                del snapshot, paths
            except (MemoryError, CaptureLimitError):
                snapshot = paths = None
                failed += 1
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        validate(heapdiff.take_snapshot().columns)
        print(failed > 0)
    """)

    assert said == "True"


def test_a_thousand_snapshots_in_a_row_grow_nothing() -> None:
    """One lost block a snapshot would be 1,000 blocks; a lost page would be 4 MB."""
    said = run_python(
        """
        import sys
        sys.path[:0] = %r
        import gc
        import heapdiff

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4096

        # 3.14 itself goes on keeping blocks, ever fewer: 600 in the first 1,000 snapshots, 100 in the second; 1,070 and
        # 60 where threads run at once.
        for _ in range(50 if sys.version_info < (3, 14) else 1_000):
            heapdiff.take_snapshot()
        gc.collect()
        blocks, bytes = sys.getallocatedblocks(), resident()
        for _ in range(1_000):
            heapdiff.take_snapshot()
        gc.collect()
        print(sys.getallocatedblocks() - blocks < 200, resident() - bytes < 3 << 20,
              sys.getallocatedblocks() - blocks, resident() - bytes)
        """
        % [".", *[path for path in sys.path if "site-packages" in path]],
        "-S",
        seconds=600,
    )

    assert said.startswith("True True"), said


def test_a_capture_in_a_forked_worker_leaves_pages_shared_with_its_parent() -> None:
    """One count written in each object would copy the page that it lies in; gc.get_objects() does that."""
    said = run_python("""
        import gc, os, sys
        import heapdiff

        def private_bytes():
            with open("/proc/self/smaps_rollup") as file:
                return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_Dirty:"))

        kept = [[] for _ in range(600_000)]
        heapdiff.take_census()
        gc.collect()
        gc.disable()
        worker = os.fork()
        if worker == 0:
            heapdiff.take_census()
            before = private_bytes()
            heapdiff.take_snapshot()
            captured = private_bytes() - before
            gc.get_objects()
            touched = private_bytes() - before
            print(captured < 4 << 20, touched > 20 << 20, captured, touched, flush=True)
            os._exit(0)
        os.waitpid(worker, 0)
    """)

    assert said.startswith("True True"), said
