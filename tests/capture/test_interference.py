"""What happens at the same time as a capture, on purpose: signals, collections, tracers, other interpreters."""

import gc
import signal
import sys
import threading
from typing import Any

import pytest

import heapdiff
from heapdiff.errors import CaptureBusyError
from heapdiff.native import validate
from tests.capture.processes import run_python


@pytest.mark.parametrize("call", [1, 20, 60, 120, 250, 500, 900])
def test_a_signal_handler_that_interrupts_the_import_of_heapdiff_captures_or_is_refused_by_name(call: int) -> None:
    """What it wants may be half imported by the code that it interrupted."""
    said = run_python(f"""
        import sys
        import heapdiff

        answers, calls = [], 0

        def interrupt(frame, event, argument):  # where a signal may interrupt, too
            global calls
            calls += 1
            if calls == {call}:
                sys.settrace(None)
                try:
                    answers.append(type(heapdiff.take_census()).__name__)
                except Exception as error:
                    answers.append(type(error).__name__)

        sys.settrace(interrupt)
        heapdiff.take_snapshot()
        sys.settrace(None)
        print(*answers)
        print(type(heapdiff.take_census()).__name__)
    """)
    answer, afterwards = said.splitlines()

    assert answer in {"CaptureBusyError", "Census"}
    assert afterwards == "Census"


def test_signals_that_capture_in_the_midst_of_captures_do_no_harm() -> None:
    censuses: list[heapdiff.Census] = []

    def handler(*_: object) -> None:
        censuses.append(heapdiff.take_census())
        signal.setitimer(signal.ITIMER_REAL, 0.02)  # not before: handlers interrupt each other, too

    heapdiff.take_census()  # what is imported for the first one is imported
    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        snapshots = [heapdiff.take_snapshot() for _ in range(10)]
        while not censuses:
            signal.pause()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    for snapshot in snapshots:
        validate(snapshot.columns)
    assert all(census.object_count > 1_000 for census in censuses)


def test_another_thread_cannot_capture_while_a_collection_waits_in_a_finaliser() -> None:
    """The collector runs Python, which gives the GIL to others while the lists are in pieces."""
    errors: list[BaseException] = []

    def capture() -> None:
        try:
            heapdiff.take_snapshot()
        except BaseException as error:
            errors.append(error)

    class Finalised:
        me: object

        def __del__(self) -> None:
            thread = threading.Thread(target=capture)
            thread.start()
            thread.join()

    one = Finalised()
    one.me = one
    del one
    gc.collect()

    assert [type(error) for error in errors] == [CaptureBusyError]


def test_after_a_refused_capture_the_next_one_is_whole() -> None:
    class Finalised:
        me: object

        def __del__(self) -> None:
            with pytest.raises(CaptureBusyError):
                heapdiff.take_snapshot()

    one = Finalised()
    one.me = one
    del one
    gc.collect()

    validate(heapdiff.take_snapshot().columns)


@pytest.mark.parametrize("install", [sys.settrace, sys.setprofile])
def test_a_tracer_may_capture(install: Any) -> None:
    taken: list[heapdiff.Snapshot] = []

    def watch(frame: Any, event: str, argument: Any) -> Any:
        if not taken and event == "call":
            taken.append(heapdiff.take_snapshot())
        return watch

    def traced() -> int:
        return 1

    before = sys.gettrace() if install is sys.settrace else sys.getprofile()
    install(watch)
    try:
        traced()
    finally:
        install(before)

    validate(taken[0].columns)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")
def test_what_monitors_every_line_and_call_does_no_harm() -> None:
    said = run_python("""
        import sys
        import heapdiff
        from heapdiff.native import validate

        heapdiff.take_snapshot()
        events = sys.monitoring.events
        seen = []
        sys.monitoring.use_tool_id(3, "test")
        for event in (events.LINE, events.PY_START, events.CALL, events.RAISE):
            sys.monitoring.register_callback(3, event, lambda *what: seen.append(event))
        sys.monitoring.set_events(3, events.LINE | events.PY_START | events.CALL | events.RAISE)
        snapshot = heapdiff.take_snapshot()
        heapdiff.take_census()
        sys.monitoring.set_events(3, 0)
        validate(snapshot.columns)
        print(len(seen) > 10)
    """)

    assert said == "True"


def test_tracing_that_starts_and_stops_meanwhile_does_no_harm() -> None:
    said = run_python("""
        import sys, threading, tracemalloc
        import heapdiff
        from heapdiff.native import validate

        sys.setswitchinterval(1e-5)
        stop = threading.Event()

        def toggle():
            while not stop.is_set():
                tracemalloc.start(3)
                kept = [object() for _ in range(100)]
                tracemalloc.stop()

        thread = threading.Thread(target=toggle)
        thread.start()
        try:
            for _ in range(30):
                validate(heapdiff.take_snapshot().columns)
        finally:
            stop.set()
            thread.join()
        print("alive")
    """)

    assert said == "alive"


@pytest.mark.parametrize("isolated", [False, True])
def test_another_interpreter_that_works_meanwhile_does_no_harm(isolated: bool) -> None:
    """From 3.12 on an isolated one has a GIL of its own, so that its objects change while this heap is read."""
    said = run_python(f"""
        import sys, threading
        import {"_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"} as interpreters
        import heapdiff
        from heapdiff.native import validate

        if sys.version_info >= (3, 13):
            number = interpreters.create("isolated" if {isolated} else "legacy")
        else:
            number = interpreters.create(isolated={isolated})
        work = '''if True:
            class InTheOther:
                pass
            for _ in range(300):
                kept = [InTheOther() for _ in range(1_000)]
        '''
        thread = threading.Thread(target=interpreters.run_string, args=(number, work))
        thread.start()
        seen = set()
        while thread.is_alive():
            snapshot = heapdiff.take_snapshot()
            validate(snapshot.columns)
            seen |= {{row.type for row in heapdiff.take_census().rows()}}
        thread.join()
        interpreters.destroy(number)
        validate(heapdiff.take_snapshot().columns)
        print("__main__.InTheOther" in seen)
    """)

    assert said in {"True", "False"}
    if isolated and sys.version_info >= (3, 12):
        assert said == "False"


def test_faulthandler_that_is_armed_and_dumps_does_no_harm() -> None:
    said = run_python("""
        import faulthandler, os, signal, sys
        import heapdiff
        from heapdiff.native import validate

        faulthandler.enable()
        faulthandler.register(signal.SIGUSR2, file=sys.stderr, all_threads=True)
        faulthandler.dump_traceback_later(600, file=sys.stderr)
        for _ in range(5):
            os.kill(os.getpid(), signal.SIGUSR2)
            validate(heapdiff.take_snapshot().columns)
        faulthandler.cancel_dump_traceback_later()
        print("alive")
    """)

    assert said == "alive"


@pytest.mark.parametrize("later", ["", "sys.modules['numpy'] = Anything(); heapdiff.take_snapshot()"])
def test_a_stand_in_for_a_module_whose_layouts_are_known_does_no_harm(later: str) -> None:
    run_python(f"""
        import sys, types, heapdiff

        def fails(*arguments, **keywords):
            raise RuntimeError("a stand-in")

        class Anything:
            __getattribute__ = fails

        sys.modules["numpy"] = types.ModuleType("numpy")
        vars(sys.modules["numpy"]).update(dict.fromkeys(("ndarray", "zeros", "dtype", "void"), fails))
        taken = heapdiff.take_snapshot()
        assert "extension-layouts" in [limit.name for limit in taken.limits]
        {later}
    """)
