"""A capture at an awkward moment is either right or refused by name."""

import gc
import os
import signal
import sys
import threading
import weakref
from typing import Any

import pytest

import heapdiff
from heapdiff.errors import CaptureBusyError
from heapdiff.native import validate
from tests.capture.living import Picture
from tests.capture.processes import run_python


def test_a_signal_handler_may_capture() -> None:
    taken = []
    before = signal.signal(signal.SIGUSR1, lambda *_: taken.append(heapdiff.take_snapshot()))
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)

    validate(taken[0].columns)


class Built:
    def __init__(self, roots: list[str]) -> None:
        self.payload = ["held"]
        roots[:] = Picture(heapdiff.take_snapshot()).root_names(self)


def test_the_frame_below_an_init_names_no_module() -> None:
    """From 3.12 on a specialized call of a class puts a frame there whose globals nobody writes."""
    scope: dict[str, Any] = {"__name__": "heapdiff"}
    exec("def leave_globals_behind(): pass", scope)
    roots: list[str] = []
    for _ in range(20):
        scope["leave_globals_behind"]()
        Built(roots)

    assert roots
    assert "ROOT_OWN:" not in roots  # as what a module of that name holds


def test_a_finaliser_outside_a_collection_may_capture() -> None:
    taken = []

    class Finalised:
        def __del__(self) -> None:
            taken.append(heapdiff.take_snapshot())

    Finalised()

    validate(taken[0].columns)


def test_a_weakref_callback_outside_a_collection_may_capture() -> None:
    class Dying:
        pass

    taken = []
    dying = Dying()
    reference = weakref.ref(dying, lambda _: taken.append(heapdiff.take_snapshot()))

    del dying

    validate(taken[0].columns)
    assert reference() is None


def test_a_weakref_callback_in_a_collection_is_refused() -> None:
    class Dying:
        me: object

    errors: list[type[BaseException]] = []

    def callback(_: object) -> None:
        try:
            heapdiff.take_snapshot()
        except BaseException as error:
            errors.append(type(error))

    dying = Dying()
    dying.me = dying
    reference = weakref.ref(dying, callback)

    del dying
    gc.collect()

    assert errors == [CaptureBusyError]
    assert reference() is None


def test_a_callback_of_the_collector_is_refused() -> None:
    errors: list[type[BaseException]] = []

    def callback(phase: str, info: dict[str, int]) -> None:
        try:
            heapdiff.take_census()
        except BaseException as error:
            errors.append(type(error))

    gc.callbacks.append(callback)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(callback)

    assert errors[:2] == [CaptureBusyError, CaptureBusyError]


def test_a_forked_child_of_a_process_with_threads_may_capture() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        child = os.fork()
        if child == 0:
            try:
                snapshot = heapdiff.take_snapshot()
                validate(snapshot.columns)
                os._exit(0)
            except BaseException:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        thread.join()


@pytest.mark.filterwarnings("ignore")
def test_a_fork_in_the_midst_of_other_captures_does_no_harm() -> None:
    stop = threading.Event()

    def capture() -> None:
        while not stop.is_set():
            heapdiff.take_snapshot()

    thread = threading.Thread(target=capture)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                try:
                    validate(heapdiff.take_snapshot().columns)
                    os._exit(0)
                except BaseException:
                    os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("imported_before", [False, True])
def test_a_subinterpreter_is_refused_by_name(isolated: bool, imported_before: bool) -> None:
    said = run_python(f"""
        import sys
        import {"_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"} as interpreters
        if {imported_before}:
            import heapdiff; heapdiff.take_snapshot()
        if sys.version_info >= (3, 13):
            number = interpreters.create("isolated" if {isolated} else "legacy")
        else:
            number = interpreters.create(isolated={isolated})
        code = '''if True:
            try:
                import heapdiff
                heapdiff.take_snapshot()
            except Exception as error:
                print(type(error).__name__, error, flush=True)
            else:
                print("taken", flush=True)
        '''
        interpreters.run_string(number, code)
        interpreters.destroy(number)
        import heapdiff
        from heapdiff.native import validate
        validate(heapdiff.take_snapshot().columns)
        print("main alive")
    """)

    first, last = said.splitlines()
    assert "subinterpreter" in first
    assert first.split()[0] in {"ImportError", "UnsupportedInterpreterError"}
    assert last == "main alive"


def test_atexit_may_capture() -> None:
    assert (
        run_python("""
        import atexit, heapdiff
        atexit.register(lambda: print(heapdiff.take_snapshot().object_count > 1000))
    """)
        == "True"
    )


def test_a_capture_while_the_interpreter_is_taken_apart_is_refused() -> None:
    """CPython ends the process where somebody asks for modules that are gone."""
    said = run_python("""
        import builtins, codecs, os, sys
        from heapdiff.native import capture, census

        plan = [], [], []
        calls = [(capture, ({}, 2**31, 2**40, False, plan)), (census, (2**31, 2**40, plan))]

        def make():
            class Last:
                def __del__(self, write=os.write, Error=BaseException, str=str, calls=calls):
                    for function, arguments in calls:
                        try:
                            function(*arguments)
                        except Error as error:
                            write(1, str(error).encode() + b"\\n")
            return Last()

        here = make()
        sys.late = make()
        builtins.late = make()
        codecs.register(lambda name, last=make(): None)
    """)

    assert [line.split(" and ")[0] for line in said.splitlines()] == ["the interpreter is shutting down"] * 8


def test_a_daemon_thread_that_captures_does_not_abort_the_end_of_the_process() -> None:
    """CPython ends such a thread where it wants the GIL back, by unwinding a stack that is C++ here."""
    said = run_python("""
        import threading
        import heapdiff

        rounds = threading.Semaphore(0)

        def capture_for_ever():
            while True:
                snapshot = heapdiff.take_snapshot()
                heapdiff.compare(snapshot, snapshot)
                rounds.release()

        for _ in range(2):
            threading.Thread(target=capture_for_ever, daemon=True).start()
        for _ in range(4):
            rounds.acquire()
        print("ends")
    """)

    assert said == "ends"


def test_what_a_tracer_and_a_profiler_see_does_no_harm() -> None:
    seen: list[Any] = []

    def watch(frame: Any, event: str, argument: Any) -> Any:
        seen.append(event)
        return watch

    tracer, profiler = sys.gettrace(), sys.getprofile()
    sys.settrace(watch)
    sys.setprofile(watch)
    try:
        snapshot = heapdiff.take_snapshot()
    finally:
        sys.settrace(tracer)
        sys.setprofile(profiler)

    validate(snapshot.columns)


def test_saved_garbage_is_seen() -> None:
    class Cyclic:
        me: object

    one = Cyclic()
    one.me = one
    address = id(one)
    del one
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        snapshot = heapdiff.take_snapshot()
    finally:
        gc.set_debug(0)
        gc.garbage.clear()

    assert address in snapshot.columns["object_address"].tolist()


def test_a_greenlet_that_waits_does_no_harm() -> None:
    greenlet = pytest.importorskip("greenlet")
    waiting = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch("waits"))
    assert waiting.switch() == "waits"

    validate(heapdiff.take_snapshot().columns)

    waiting.switch()
