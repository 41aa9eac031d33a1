"""First, do no harm: a capture runs no user code, keeps nothing alive and leaves nothing behind."""

import gc
import sys
import threading
import weakref
from typing import Any

import pytest

import heapdiff
from heapdiff.errors import CaptureBusyError, CaptureLimitError
from heapdiff.native import validate
from tests.capture.processes import run_python

CALLS: list[str] = []


class HostileMeta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        CALLS.append("__instancecheck__")
        return False

    def __getattribute__(cls, name: str) -> Any:
        if not name.startswith("__"):
            CALLS.append(f"metaclass.{name}")
        return super().__getattribute__(name)


class Hostile(metaclass=HostileMeta):
    """Every hook that a careless tool runs says that it ran, and raises."""

    def _called(self, name: str) -> Any:
        CALLS.append(name)
        raise RuntimeError(name)

    def __sizeof__(self) -> int:
        return int(self._called("__sizeof__"))

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self._called("__class__")

    def __getattr__(self, name: str) -> Any:
        return self._called(f"__getattr__ {name}")

    def __eq__(self, other: object) -> bool:
        return bool(self._called("__eq__"))

    def __hash__(self) -> int:
        CALLS.append("__hash__")
        return 42

    def __del__(self) -> None:
        CALLS.append("__del__")

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return self._called("__dict__")

    def __dir__(self) -> Any:
        return self._called("__dir__")

    def __reduce_ex__(self, _: Any) -> Any:
        return self._called("__reduce_ex__")

    def __repr__(self) -> str:
        return str(self._called("__repr__"))

    def __len__(self) -> int:
        return int(self._called("__len__"))

    def __bool__(self) -> bool:
        return bool(self._called("__bool__"))

    def __iter__(self) -> Any:
        return self._called("__iter__")


def test_no_hook_of_a_hostile_object_runs() -> None:
    hostile = [Hostile() for _ in range(10)]
    keyed = {one: one for one in hostile[:1]}
    dead = Hostile()
    proxy = weakref.proxy(dead)
    del dead
    CALLS.clear()

    snapshot = heapdiff.take_snapshot()
    heapdiff.take_census()
    heapdiff.compare(snapshot, heapdiff.take_snapshot())

    assert CALLS == []
    del keyed, proxy, hostile


def test_a_snapshot_keeps_nothing_alive() -> None:
    class Dying:
        pass

    dying = Dying()
    reference = weakref.ref(dying)
    snapshot = heapdiff.take_snapshot()

    del dying

    assert reference() is None
    assert snapshot.object_count > 0


def test_few_objects_are_held_with_a_snapshot_and_none_after_it() -> None:
    heapdiff.take_snapshot()
    gc.collect()
    before = len(gc.get_objects())

    snapshot = heapdiff.take_snapshot()
    held = len(gc.get_objects()) - before
    del snapshot
    gc.collect()

    assert held <= 20
    assert len(gc.get_objects()) - before <= 0


def test_a_thousand_captures_in_a_row_grow_nothing() -> None:
    for _ in range(20 if sys.version_info < (3, 14) else 1_000):  # 3.14 itself keeps ever fewer blocks, up to 1,100
        heapdiff.take_census()
    gc.collect()
    before = sys.getallocatedblocks()

    for _ in range(1_000):
        heapdiff.take_census()
    gc.collect()

    # One lost block a capture would be 1,000; free lists of the interpreter fill by some hundred.
    assert sys.getallocatedblocks() - before < 500


def test_reference_counts_are_as_before() -> None:
    objects: list[Any] = [object(), [], {}, "text" + "x" * 50, Hostile]
    before = [sys.getrefcount(one) for one in objects]

    heapdiff.take_snapshot()

    assert [sys.getrefcount(one) for one in objects] == before


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(enabled: bool) -> None:
    was_enabled = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        heapdiff.take_snapshot()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_a_capture_during_a_collection_is_refused_by_name() -> None:
    errors: list[BaseException] = []

    class Finalised:
        me: object

        def __del__(self) -> None:
            try:
                heapdiff.take_snapshot()
            except BaseException as error:
                errors.append(error)

    one = Finalised()
    one.me = one
    del one
    gc.collect()

    assert [type(error) for error in errors] == [CaptureBusyError]


def test_a_heap_over_the_bound_is_refused_by_name() -> None:
    with pytest.raises(CaptureLimitError, match="more than 1000 objects"):
        heapdiff.take_snapshot(max_objects=1_000)
    with pytest.raises(CaptureLimitError, match="more than 100000 bytes"):
        heapdiff.take_snapshot(max_bytes=100_000)
    with pytest.raises(CaptureLimitError, match="more than 1000 objects"):
        heapdiff.take_census(max_objects=1_000)
    with pytest.raises(ValueError, match="max_objects is 0"):
        heapdiff.take_snapshot(max_objects=0)


def test_threads_that_change_everything_meanwhile_do_no_harm() -> None:
    stop = threading.Event()

    def churn() -> None:
        kept: dict[int, Any] = {}
        i = 0
        while not stop.is_set():
            i += 1
            kept[i % 100] = [Hostile, {str(i): (i,)}, set(range(i % 50))]

    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            snapshot = heapdiff.take_snapshot()
            validate(snapshot.columns)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_thread_that_computes_its_name_is_not_asked() -> None:
    asked = []
    stop = threading.Event()

    class Named(threading.Thread):
        @property
        def name(self) -> str:  # type: ignore[override]
            asked.append("name")
            return "computed"

    thread = Named(target=stop.wait)
    thread.start()
    asked.clear()
    try:
        heapdiff.take_snapshot()
    finally:
        stop.set()
        thread.join()

    assert asked == []


def test_two_snapshots_with_nothing_between_them_report_no_growth() -> None:
    """The law."""
    heapdiff.compare(heapdiff.take_snapshot(), heapdiff.take_snapshot())
    base = heapdiff.take_snapshot()
    now = heapdiff.take_snapshot()

    report = heapdiff.compare(base, now).to_dict()

    assert report["growers"] == []


def test_what_a_program_puts_in_the_place_of_modules_does_not_run() -> None:
    """Each of these would raise when it is asked for anything."""
    answer = run_python("""
        import sys, threading, _tracemalloc
        import heapdiff

        class Trap:
            def __getattribute__(self, name):
                raise SystemExit("ran: " + name)

        heapdiff.take_census()
        sys.modules["threading"] = Trap()
        sys.modules["_tracemalloc"] = Trap()
        sys.modules["__main__"].__spec__ = Trap()
        heapdiff.take_snapshot()
        heapdiff.take_census()
        sys.modules["threading"] = threading
        threading._active = Trap()
        heapdiff.take_snapshot()
        threading._active = {}
        print("nothing ran")
    """)

    assert answer == "nothing ran"


def test_a_metaclass_of_a_registered_type_does_not_run() -> None:
    answer = run_python("""
        import heapdiff

        asked = []

        class Meta(type):
            def __hash__(cls):
                asked.append("hash")
                return 1
            def __eq__(cls, other):
                asked.append("eq")
                return True
            def __bool__(cls):
                asked.append("bool")
                return False

        class Buffer(metaclass=Meta):
            pass

        heapdiff.register_type(Buffer, size=lambda obj: 1_000_000)
        kept = [Buffer(), Buffer()]
        asked.clear()
        size = {row.type: row.shallow_bytes for row in heapdiff.take_census().rows()}["__main__.Buffer"]
        print(asked, size > 2_000_000)
    """)

    assert answer == "[] True"


def test_a_bound_that_is_no_whole_number_is_told() -> None:
    with pytest.raises(TypeError, match="max_objects is a float; it must be a whole number"):
        heapdiff.take_snapshot(max_objects=1.5)  # type: ignore[arg-type]
