"""Threads that run at once: a capture stops them, and what it finds agrees with every reference count."""

import gc
import json
import sys
import threading

import pytest

import heapdiff
from heapdiff.snapshot.model import ObjectFlag, Snapshot
from tests.capture.processes import FREE_THREADED, run_python

MUTATE = """
    import collections, json, threading
    from heapdiff.capture.patience import when_idle
    from heapdiff.native import capture, instances, validate

    class Plain:
        def __init__(self, i):
            self.a, self.b, self.c = i, [i], str(i)

    shared, queue, stop = {}, collections.deque(), threading.Event()

    def replace_values():
        i = 0
        while not stop.is_set():
            i += 1
            shared[i % 300] = Plain(i)

    def fill_and_drain():
        while not stop.is_set():
            queue.extend((i, {i: [i]}) for i in range(300))
            queue.clear()

    def make_classes():
        while not stop.is_set():
            one = type("Made", (Plain,), {"method": lambda self: self})(1)
            one.me = one
            one.__dict__["more"] = (x for x in [one])

    def start_threads():
        while not stop.is_set():
            thread = threading.Thread(target=lambda: [Plain(i) for i in range(100)])
            thread.start()
            thread.join()

    threads = [threading.Thread(target=work, daemon=True)
               for work in (replace_values, fill_and_drain, make_classes, start_threads)]
    for thread in threads:
        thread.start()
    overcounted, kept = 0, 0
    for _ in range(12):
        columns = when_idle(capture, {}, 2**31, 2**40, False, ([], [], []), True)[0]
        validate(columns)
        overcounted += sum(not columns["object_flags"][number] & OWN for number in columns["overcounted_object"])
        kept += len(when_idle(instances, (Plain,), 100, 2**31, 2**40, ([], [], []))[0])
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps([overcounted, kept]))
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="C code of 3.11 stores True and False without counting them")
def test_no_reference_is_counted_twice_while_threads_change_everything() -> None:
    overcounted, kept = json.loads(run_python(MUTATE.replace("OWN", str(int(ObjectFlag.OWN)))))

    assert (overcounted, kept > 0) == (0, True)


@pytest.mark.skipif(not FREE_THREADED, reason="the GIL is always there")
def test_importing_the_native_core_does_not_bring_the_gil_back() -> None:
    said = run_python("import sys, heapdiff; heapdiff.take_snapshot(); print(sys._is_gil_enabled())", "-W", "error")

    assert said == "False"


def limit_names(snapshot: Snapshot) -> set[str]:
    return {limit.name for limit in snapshot.limits}


@pytest.mark.skipif(not FREE_THREADED, reason="the collector's lists have them")
def test_frozen_objects_are_a_limit_where_the_collector_hides_them() -> None:
    before = limit_names(heapdiff.take_snapshot())
    gc.freeze()
    try:
        frozen = limit_names(heapdiff.take_snapshot())
    finally:
        gc.unfreeze()

    assert "frozen-objects" in frozen - before


@pytest.mark.skipif(not FREE_THREADED, reason="sites are looked up before another thread runs")
def test_sites_are_a_limit_while_other_threads_run() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    heapdiff.start_tracing()
    try:
        names = limit_names(heapdiff.take_snapshot())
    finally:
        heapdiff.stop_tracing()
        stop.set()
        thread.join()

    assert "sites-afterwards" in names


def test_sizes_that_are_asked_for_afterwards_are_right() -> None:
    """What is asked of C code makes an int, and nothing may be made while threads are stopped."""
    big = memoryview(bytearray(10))
    code = test_frozen_objects_are_a_limit_where_the_collector_hides_them.__code__

    columns = heapdiff.take_snapshot().columns

    numbers = {address: number for number, address in enumerate(columns["object_address"])}
    assert [columns["object_shallow"][numbers[id(one)]] for one in (big, code)] == [
        sys.getsizeof(one) for one in (big, code)
    ]
