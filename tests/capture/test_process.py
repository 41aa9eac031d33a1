"""What read_process() says, against what the system says when it is asked another way."""

import gc
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from heapdiff.capture.process import read_process
from tests.capture.processes import FREE_THREADED

ROOT = Path(__file__).parents[2]
SAY = "from heapdiff.capture.process import read_process; process = read_process()"


def run(*arguments: str, code: str | None = None, folder: Path = ROOT) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, *([] if code is None else ["-c", code]), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_process_is_this_one() -> None:
    process = read_process()

    assert (process.pid, process.host) == (os.getpid(), socket.gethostname())


def test_the_start_time_lies_between_the_parents_clock_before_and_after() -> None:
    """/proc knows the boot to a second and the start to a tick; the clock may have been set since."""
    before = time.time()
    started = float(run(code=f"{SAY}; print(process.start_time)"))
    slack = 2

    assert before - slack <= started <= time.time() + slack


def test_the_capture_time_is_now() -> None:
    before = time.time()
    process = read_process()

    assert process.capture_time is not None
    assert before <= process.capture_time <= time.time()


def test_the_versions_are_those_of_the_interpreter_and_the_system() -> None:
    process = read_process()

    assert process.python == sys.version.split()[0]
    assert process.platform == f"{os.uname().sysname} {os.uname().release} {os.uname().machine}"


def test_the_command_is_the_scripts_name_without_folder_and_arguments(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(f"{SAY}\nprint(process.command)")

    assert run(str(tmp_path / "serve.py"), "--password", "secret") == "serve.py"


def test_the_command_of_a_module_is_its_name(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text(f"{SAY}\nprint(process.command)")

    assert run("-m", "app", "--password=secret", folder=tmp_path) == "app"


def test_nothing_of_the_code_or_the_arguments_is_kept() -> None:
    assert "secret" not in run("secret", code=f"{SAY}; secret = 'secret'; print(process)")


@pytest.mark.parametrize(
    "change", ["sys.argv = []", "del sys.argv", "sys.argv = None", "sys.argv = [7]", "sys.argv[0] = ''"]
)
def test_a_process_without_a_command_has_none(change: str) -> None:
    assert run(code=f"import sys; {change}; {SAY}; print(process.command)") == "None"


def test_a_main_module_of_a_foreign_kind_runs_no_code() -> None:
    code = """if True:
        import sys
        class Main:
            def __getattr__(self, name):
                raise SystemExit("it ran")
        sys.modules["__main__"] = Main()
        from heapdiff.capture.process import read_process
        print(read_process().command)
    """

    assert run(code=code) == "-c"


def test_another_thread_counts_one_more() -> None:
    stop = threading.Event()
    before = read_process().thread_count
    thread = threading.Thread(target=stop.wait)
    thread.start()
    during = read_process().thread_count
    stop.set()
    thread.join()

    assert before is not None
    assert during == before + 1


def test_the_peak_is_what_getrusage_says() -> None:
    process = read_process()

    assert process.rss_peak_bytes is not None
    assert process.rss_bytes is not None
    # The kernel counts pages in batches of each thread, so two readings differ by some.
    assert abs(process.rss_peak_bytes - resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024) < 1 << 22
    assert process.rss_bytes <= process.rss_peak_bytes + (1 << 22)


def test_memory_that_is_written_is_resident() -> None:
    before = read_process().rss_bytes
    ballast = bytearray(b"x") * (64 << 20)
    after = read_process().rss_bytes

    assert before is not None
    assert after is not None
    assert len(ballast) * 0.9 < after - before


def test_descriptors_are_counted_by_kind() -> None:
    def counts() -> dict[str, int]:
        found = read_process().descriptors
        assert found is not None
        return dict(found)

    before = counts()
    read_end, write_end = os.pipe()
    left, right = socket.socketpair()
    null, text = os.open("/dev/null", os.O_RDONLY), os.open(__file__, os.O_RDONLY)
    event = os.eventfd(0)
    memory = os.memfd_create("ballast")
    try:
        after = counts()
    finally:
        for descriptor in (read_end, write_end, null, text, event, memory):
            os.close(descriptor)
        left.close()
        right.close()

    kinds = ("pipe", "socket", "device", "file", "eventfd", "memfd")
    assert [after.get(kind, 0) - before.get(kind, 0) for kind in kinds] == [2, 2, 1, 1, 1, 1]


def test_reading_opens_no_descriptor_for_long() -> None:
    read_process()
    before = os.listdir("/proc/self/fd")
    read_process()

    assert os.listdir("/proc/self/fd") == before


def test_reading_leaves_no_memory_block_behind() -> None:
    """Not even in the interpreter's free lists, once the first readings have filled them."""
    code = f"""if True:
        import array, sys
        {SAY}
        readings = 1000
        blocks = array.array("q", bytes(8 * readings))  # numbers that take no block each
        for k in range(readings):
            process = None
            process = read_process()
            blocks[k] = sys.getallocatedblocks()
        print(blocks[readings - 1] - blocks[readings // 2])
    """

    # 3.14 keeps blocks of its own for a while, and ever fewer: 5, or 300 where threads run at once; a lost one would
    # be 500.
    assert int(run(code=code)) <= (0 if sys.version_info < (3, 14) else 400)


def test_reading_imports_nothing() -> None:
    code = """if True:
        import sys
        from heapdiff.capture.process import read_process
        before = set(sys.modules)
        read_process()
        print(sorted(set(sys.modules) - before))
    """

    assert run(code=code) == "[]"


def test_the_module_imports_nothing_heavy() -> None:
    code = """if True:
        import sys
        import heapdiff.capture.process
        print([name for name in ("socket", "subprocess", "email", "psutil", "ctypes") if name in sys.modules])
    """

    assert run(code=code) == "[]"


def test_the_collector_is_described() -> None:
    process = read_process()

    assert process.gc_enabled is gc.isenabled()
    assert process.gc_collections is not None
    assert len(process.gc_collections) == len(gc.get_stats())


def test_a_disabled_collector_and_frozen_objects_are_seen() -> None:
    code = f"import gc; gc.disable(); gc.freeze(); {SAY}; print(process.gc_enabled, process.gc_frozen_objects > 100)"

    assert run(code=code) == "False True"


def test_arenas_grow_with_what_pymalloc_serves() -> None:
    """In a process of its own, whose arenas have no room to spare."""
    code = f"""if True:
        {SAY}
        ballast = [bytes(400) for _ in range(50_000)]
        if process.arena_bytes is not None:
            print(read_process().arena_bytes - process.arena_bytes)
    """
    grown = run(code=code) or pytest.skip("this interpreter does not say")

    assert int(grown) > 50_000 * 400 * 0.9


@pytest.mark.skipif(FREE_THREADED, reason="mimalloc is the only allocator, and has no arenas to tell of")
def test_arenas_are_not_measured_where_there_are_none() -> None:
    code = f"{SAY}; print(process.arena_bytes)"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONMALLOC": "malloc"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == "None\n"


def test_what_the_caller_measured_comes_first() -> None:
    process = read_process(pid=7, pause_seconds=0.25)

    assert (process.pid, process.pause_seconds) == (7, 0.25)


def test_a_field_that_no_process_has_is_a_programming_mistake() -> None:
    with pytest.raises(TypeError, match="colour"):
        read_process(colour="green")


def test_without_proc_what_it_would_say_is_none(tmp_path: Path) -> None:
    """An empty file system lies over /proc, in a mount namespace of its own."""
    code = """if True:
        import subprocess, sys
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/proc"]).returncode:
            sys.exit("no mount")
        from heapdiff.capture.process import read_process
        process = read_process()
        print(process.rss_bytes, process.thread_count, process.start_time, process.descriptors)
    """
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", code]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if "no mount" in done.stderr or done.stderr.startswith("unshare:"):
        pytest.skip("this process may not mount")

    assert done.stdout == "None None None None\n", done.stderr
