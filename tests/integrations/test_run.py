"""``heapdiff run``: the program notices nothing, and its snapshots are there."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heapdiff.integrations.cli.options import split_program
from heapdiff.snapshot.file import read_snapshot
from tests.integrations.programs import ROOT, environment, heapdiff, python


def _script(folder: Path, text: str, name: str = "program.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def _snapshots(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.heap"))


@pytest.mark.parametrize(
    "text",
    [
        "import sys; print(sys.argv)",
        "import sys; print(sys.path[0])",
        "print(__name__, __file__, __package__, __spec__, __doc__, __builtins__)",
        "'''Says what it is.'''\nprint(__doc__, type(__loader__).__name__)",
        "import __main__; print(__main__.__file__, sorted(vars(__main__)))",
        "import threading; print([t.name for t in threading.enumerate()])",
        "import signal; print([signal.getsignal(n) for n in signal.Signals])",
        "import sys; sys.exit(7)",
        "import sys; sys.exit('a message')",
        "import os; os._exit(3)",
        "1 / 0",
        "def outer():\n    inner()\ndef inner():\n    raise KeyError('x') from OSError(2, 'gone')\nouter()",
        "raise KeyboardInterrupt",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "syntax error here",
        "open('nothing.txt')",
        "import atexit; atexit.register(print, 'bye'); print('hello')",
        "import sys; sys.excepthook = lambda *a: print('hook', a[0].__name__); 1 / 0",
        "import threading; threading.Thread(target=lambda: print('late')).start()",
    ],
)
def test_a_script_does_what_it_does_without(tmp_path: Path, text: str) -> None:
    """Output, messages and exit code are those of python alone."""
    script = _script(tmp_path, text)
    alone = python(script.name, "one", "--two", folder=tmp_path)

    observed = heapdiff("run", "-o", "snapshots", script.name, "one", "--two", folder=tmp_path)

    theirs = "".join(line for line in observed.stderr.splitlines(True) if not line.startswith("heapdiff: "))
    assert (observed.stdout, theirs, observed.returncode) == (alone.stdout, alone.stderr, alone.returncode)


@pytest.mark.parametrize("text", ["import sys; print(sys.argv, sys.path[0], __spec__.name)", "1 / 0"])
def test_a_module_does_what_it_does_without(tmp_path: Path, text: str) -> None:
    package = tmp_path / "package"
    package.mkdir()
    _script(package, "", "__init__.py")
    _script(package, text, "__main__.py")
    alone = python("-m", "package", "-x", folder=tmp_path)

    observed = heapdiff("run", "-o", "snapshots", "-m", "package", "-x", folder=tmp_path)

    theirs = "".join(line for line in observed.stderr.splitlines(True) if not line.startswith("heapdiff: "))
    assert (observed.stdout, theirs, observed.returncode) == (alone.stdout, alone.stderr, alone.returncode)


def test_a_folder_with_a_main_module_runs(tmp_path: Path) -> None:
    (tmp_path / "application").mkdir()
    _script(tmp_path / "application", "import sys; print(sys.argv, sys.path[0])", "__main__.py")
    alone = python("application", "x", folder=tmp_path)

    observed = heapdiff("run", "application", "x", folder=tmp_path)

    assert observed.stdout == alone.stdout


def test_objects_of_the_program_can_be_pickled(tmp_path: Path) -> None:
    script = _script(tmp_path, "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)")

    assert heapdiff("run", script.name, folder=tmp_path).stdout == "True\n"


def test_without_a_when_there_is_one_snapshot_at_the_exit(tmp_path: Path) -> None:
    script = _script(tmp_path, "class Kept: pass\nkept = [Kept() for _ in range(321)]")

    heapdiff("run", "-o", "snapshots", script.name, folder=tmp_path)

    (path,) = _snapshots(tmp_path / "snapshots")
    snapshot = read_snapshot(path)
    kept = [row for row in range(snapshot.type_count) if snapshot.type_name(row) == "__main__.Kept"]
    assert snapshot.columns["object_type"].tolist().count(kept[0]) == 321


def test_snapshots_are_numbered_by_name_and_process(tmp_path: Path) -> None:
    script = _script(tmp_path, "import os, time; print(os.getpid()); time.sleep(0.7)", "my.job.py")

    observed = heapdiff("run", "--every", "0.2", "--at-exit", script.name, folder=tmp_path)

    pid = observed.stdout.strip()
    assert [path.name for path in _snapshots(tmp_path)][:2] == [f"my.job-{pid}-001.heap", f"my.job-{pid}-002.heap"]


def test_the_end_says_how_to_subtract(tmp_path: Path) -> None:
    script = _script(tmp_path, "import time; time.sleep(0.7)")

    observed = heapdiff("run", "--every", "0.2", "--at-exit", script.name, folder=tmp_path)

    first, *_, last = _snapshots(tmp_path)
    assert observed.stderr.endswith(f"heapdiff:   heapdiff diff -base {first.name} {last.name}\n")


def test_a_snapshot_is_taken_on_the_signal(tmp_path: Path) -> None:
    script = _script(
        tmp_path,
        "import os, signal, time\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
        "while not [name for name in os.listdir() if name.endswith('.heap')]: time.sleep(0.01)\n",
    )

    observed = heapdiff("run", "--on-signal", "USR1", script.name, folder=tmp_path)

    assert (observed.returncode, len(_snapshots(tmp_path))) == (0, 1)


def test_a_signal_right_before_the_end_is_not_lost(tmp_path: Path) -> None:
    script = _script(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGUSR1)\n")

    heapdiff("run", "--on-signal", "USR1", script.name, folder=tmp_path)

    assert len(_snapshots(tmp_path)) == 1


@pytest.mark.parametrize("before", ["os.close(2)", "os.closerange(2, 20)"])
def test_messages_never_reach_a_file_of_the_program(tmp_path: Path, before: str) -> None:
    """It closes its stderr, and the next files that it opens get the numbers."""
    script = _script(
        tmp_path,
        f"import os\n{before}\nfiles = [os.open(f'data{{n}}', os.O_CREAT | os.O_WRONLY) for n in range(8)]\n",
    )

    heapdiff("run", script.name, folder=tmp_path)

    assert [(tmp_path / f"data{number}").read_text() for number in range(8)] == [""] * 8


@pytest.mark.parametrize("how", ["signal.signal(signal.SIGUSR1, handler)", "previous = handler; register()"])
def test_the_programs_own_handler_is_called_too(tmp_path: Path, how: str) -> None:
    script = _script(
        tmp_path,
        "import os, signal, time\n"
        "def handler(*_): print('theirs')\n"
        "def register(): signal.signal(signal.SIGUSR1, previous)\n"
        f"{how}\n"
        "print(signal.getsignal(signal.SIGUSR1) is handler)\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
        "while not [name for name in os.listdir() if name.endswith('.heap')]: time.sleep(0.01)\n",
    )

    observed = heapdiff("run", "--on-signal", "SIGUSR1", script.name, folder=tmp_path)

    assert observed.stdout == "True\ntheirs\n"


def test_an_event_loop_may_wait_for_the_same_signal(tmp_path: Path) -> None:
    script = _script(
        tmp_path,
        "import asyncio, os, signal\n"
        "async def main():\n"
        "    seen = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, seen.set)\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "    await asyncio.wait_for(seen.wait(), 20)\n"
        "    print('seen')\n"
        "asyncio.run(main())\n",
    )

    observed = heapdiff("run", "--on-signal", "USR1", "--at-exit", script.name, folder=tmp_path)

    assert observed.stdout == "seen\n"


def test_ctrl_c_ends_the_program_as_it_always_does(tmp_path: Path) -> None:
    script = _script(tmp_path, "import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        # A suite that a shell runs in the background ignores the interrupt, and its children inherit that.
        ["env", "--default-signal=INT", sys.executable, "-m", "heapdiff", "run", "--every", "30", script.name],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)  # the script is on its way into sleep(); either place does
    process.send_signal(signal.SIGINT)

    _, messages = process.communicate(timeout=60)

    assert (process.returncode, messages.count("KeyboardInterrupt")) == (-signal.SIGINT, 1)


def test_a_forked_process_takes_its_own_snapshots(tmp_path: Path) -> None:
    script = _script(
        tmp_path,
        "import os, time\n"
        "child = os.fork()\n"
        "me = os.getpid()\n"
        "while not [name for name in os.listdir() if name.endswith('.heap') and str(me) in name]: time.sleep(0.01)\n"
        "if child: os.waitpid(child, 0)\n",
    )

    heapdiff("run", "--every", "0.1", script.name, folder=tmp_path)

    assert len({path.name.split("-")[1] for path in _snapshots(tmp_path)}) == 2


def test_the_traced_lines_are_in_the_snapshot(tmp_path: Path) -> None:
    script = _script(tmp_path, "class Kept: pass\nkept = [\n    Kept() for _ in range(100)\n]\n")

    heapdiff("run", "--trace=3", script.name, folder=tmp_path)

    snapshot = read_snapshot(_snapshots(tmp_path)[0])
    sites = {snapshot.site(obj) for obj in range(1, snapshot.object_count)}
    assert any(site is not None and site[0] == (str(script), 3) for site in sites)


def test_a_compressed_snapshot_reads_the_same_way(tmp_path: Path) -> None:
    script = _script(tmp_path, "kept = [object() for _ in range(1000)]")

    heapdiff("run", "--compress", script.name, folder=tmp_path)

    assert read_snapshot(_snapshots(tmp_path)[0]).object_count > 1000


def test_a_script_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    observed = heapdiff("run", "nothing.py", folder=tmp_path)

    assert (observed.returncode, observed.stderr) == (2, "heapdiff: nothing.py: No such file or directory\n")


def test_no_program_is_wrong_usage(tmp_path: Path) -> None:
    observed = heapdiff("run", "--every", "5", folder=tmp_path)

    assert (observed.returncode, "what shall run?" in observed.stderr) == (2, True)


def test_a_folder_that_cannot_be_made_is_said_before_anything_runs(tmp_path: Path) -> None:
    script = _script(tmp_path, "print('ran')")
    _script(tmp_path, "", "occupied")

    observed = heapdiff("run", "-o", "occupied", script.name, folder=tmp_path)

    assert (observed.returncode, observed.stdout) == (1, "")


def test_a_failing_snapshot_does_not_fail_the_program(tmp_path: Path) -> None:
    script = _script(tmp_path, "import shutil; shutil.rmtree('snapshots'); print('done')")

    observed = heapdiff("run", "-o", "snapshots", script.name, folder=tmp_path)

    assert (observed.returncode, observed.stdout, "no snapshot was taken" in observed.stderr) == (0, "done\n", True)


@pytest.mark.parametrize(
    ("words", "own", "program"),
    [
        (["a.py", "-o", "x"], [], ["a.py", "-o", "x"]),
        (["-o", "x", "a.py"], ["-o", "x"], ["a.py"]),
        (["--every", "5", "--at-exit", "a.py", "-m"], ["--every", "5", "--at-exit"], ["a.py", "-m"]),
        (["--every=5", "-m", "module", "-x"], ["--every=5"], ["-m", "module", "-x"]),
        (["--trace=3", "--", "-odd.py"], ["--trace=3"], ["-odd.py"]),
    ],
)
def test_the_first_word_that_is_no_option_begins_the_program(
    words: list[str], own: list[str], program: list[str]
) -> None:
    assert split_program(words) == (own, program)


def test_the_command_itself_is_no_part_of_the_path(tmp_path: Path) -> None:
    """A module beside heapdiff is not importable by accident."""
    script = _script(tmp_path, "import sys; print(sys.path[0])")

    observed = heapdiff("run", "-o", tmp_path, script, folder=ROOT)

    assert observed.stdout.strip() == str(tmp_path)
