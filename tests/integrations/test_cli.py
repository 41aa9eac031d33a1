"""The commands as a person types them, each in a process of its own, on two heaps drawn by hand."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from heapdiff.pipeline import compare
from heapdiff.snapshot.file import read_snapshot, write_snapshot
from heapdiff.snapshot.model import Limit, ObjectFlag, Process
from heapdiff.version import VERSION
from tests.conftest import GOLDEN, Check
from tests.integrations.programs import environment, heapdiff
from tests.tiny_heap import TinyHeap

_SITE = (("app/locks.py", 31), ("app/web.py", 7))


def _heap(locks: int) -> TinyHeap:
    """A registry with so many locks, a cache beside it, and an object that waits for the collector."""
    names = [f"lock{number}" for number in range(locks)]
    drawing = f"""
        root      -> app.locks app.cache
        app.locks -> registry
        registry  -> table
        table     -> {" ".join(names)}
        app.cache -> entries
        entries   -> blob
        orphan
        own
    """
    return TinyHeap(
        drawing,
        size={"app.locks": 72, "app.cache": 72, "registry": 48, "table": 64 + 16 * locks, "entries": 232, "blob": 5_000}
        | dict.fromkeys(names, 40)
        | {"orphan": 56, "own": 1_000},
        types={
            "app.locks": "builtins.module",
            "app.cache": "builtins.module",
            "registry": "app.locks.LockRegistry",
            "table": "builtins.dict",
            "entries": "builtins.dict",
            "blob": "builtins.bytes",
            "orphan": "app.web.Request",
            "own": "heapdiff.native._native.Columns",
        }
        | dict.fromkeys(names, "app.locks.Lock"),
        labels={("registry", "table"): ("ATTRIBUTE", "_locks"), ("entries", "blob"): ("KEY", "logo")}
        | {("table", name): ("KEY_OF_TYPE", "str") for name in names},
        flags={"own": ObjectFlag.OWN},
        sites=dict.fromkeys(names, _SITE),
        process=Process(
            pid=4242,
            host="shop",
            start_time=1_700_000_000.0,
            capture_time=1_700_000_600.0 + locks,
            python="3.11.7",
            command="shop.py",
            thread_count=3,
            rss_bytes=41_000_000 + 4_096 * locks,
            descriptors={"socket": 5, "file": 3},
            gc_enabled=True,
            gc_collections=(120, 10, 1),
            pause_seconds=0.021,
            capture_seconds=0.05,
            collected_before=False,
            traced_frames=2,
        ),
        limits=(Limit("native-memory", "Memory that C libraries have allocated for themselves."),),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``before.heap``, ``middle.heap`` and ``after.heap``."""
    made = tmp_path_factory.mktemp("snapshots")
    for name, locks in (("before", 10), ("middle", 150), ("after", 290)):
        write_snapshot(_heap(locks).snapshot, made / f"{name}.heap")
    (made / "foreign.heap").write_text("not a snapshot")
    return made


_COMMANDS = {
    "diff-top": "diff -base before.heap -top after.heap",
    "diff-tree": "diff -base before.heap -tree after.heap",
    "diff-lines": "diff -base before.heap -lines -traces after.heap",
    "diff_base": "diff -diff_base before.heap -top after.heap",
    "top": "top after.heap",
    "top-objects": "top -sample_index=inuse_objects -nodefraction=0 after.heap",
    "top-paths": "top -paths -cum after.heap",
    "top-peek": "top -peek=Registry after.heap",
    "why": "why after.heap Lock",
    "info": "info after.heap",
}


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_command_prints_what_was_reviewed(name: str, folder: Path, golden: Check) -> None:
    done = heapdiff(*_COMMANDS[name].split(), folder=folder, TZ="UTC")

    assert (done.returncode, done.stderr) == (0, "")
    golden(f"cli/{name}.txt", done.stdout)


def test_without_a_view_the_report_is_printed(folder: Path) -> None:
    pictures = [read_snapshot(folder / f"{name}.heap") for name in ("before", "middle", "after")]

    done = heapdiff("diff", "-base", "before.heap", "middle.heap", "after.heap", folder=folder, TZ="UTC")

    # The moments are in local time, which is another in this process.
    assert done.stdout.splitlines()[3:] == str(compare(*pictures)).splitlines()[3:]


@pytest.mark.parametrize("name", _COMMANDS)
def test_no_line_is_wider_than_a_hundred_columns(name: str) -> None:
    assert max(map(len, (GOLDEN / "cli" / f"{name}.txt").read_text().splitlines())) <= 100


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("diff -base before.heap after.heap", "diff before.heap after.heap"),
        ("diff -base before.heap -top after.heap", "diff --base=before.heap --top after.heap"),
        ("diff -base=before.heap -cum after.heap", "diff after.heap -base before.heap -top -cum"),
        ("diff -base before.heap -top middle.heap after.heap", "diff -base before.heap -top after.heap"),
        ("top -focus=Lock after.heap", "top after.heap --focus Lock"),
        ("top -sample_index=retained after.heap", "top after.heap --sample-index retained"),
        ("why after.heap Lock", "why after.heap app.locks.Lock"),
    ],
)
def test_two_ways_to_say_the_same(one: str, other: str, folder: Path) -> None:
    said, said_otherwise = heapdiff(*one.split(), folder=folder), heapdiff(*other.split(), folder=folder)

    header = re.compile(r"^Type: .*\n", re.MULTILINE)  # names the sample index
    assert said.returncode == 0
    assert header.sub("", said.stdout) == header.sub("", said_otherwise.stdout)


def test_a_snapshot_without_itself_has_not_grown(folder: Path) -> None:
    done = heapdiff("diff", "-base", "after.heap", "-top", "after.heap", folder=folder)

    assert "Showing nodes accounting for 0, 0% of 0 total" in done.stdout


def test_the_report_as_json_names_the_holder(folder: Path) -> None:
    done = heapdiff("diff", "-base", "before.heap", "-json", "after.heap", folder=folder)

    assert json.loads(done.stdout)["growers"][0]["holders"][0]["expression"] == "app.locks.registry._locks"


def test_nodecount_bounds_the_growers_of_the_report(folder: Path) -> None:
    done = heapdiff("diff", "-base", "before.heap", "-nodecount=0", "-json", "after.heap", folder=folder)

    assert json.loads(done.stdout)["growers"] == []


def test_rows_of_the_top_can_be_read_by_a_program(folder: Path) -> None:
    done = heapdiff("diff", "-base", "before.heap", "-top", "-json", "after.heap", folder=folder)

    rows = {row["name"]: row["flat"] for row in json.loads(done.stdout)["rows"]}
    assert rows["app.locks.Lock"] == 280 * 40


def test_the_keepers_can_be_read_by_a_program(folder: Path) -> None:
    done = heapdiff("why", "after.heap", "Lock", "-json", folder=folder)

    paths = json.loads(done.stdout)["paths"]
    assert [(path["expression"], path["objects"], path["retained_bytes"]) for path in paths] == [
        ("app.locks.registry._locks[*]", 290, 290 * 40)
    ]


def test_facts_can_be_read_by_a_program(folder: Path) -> None:
    facts = json.loads(heapdiff("info", "after.heap", "-json", folder=folder).stdout)

    assert facts["states"]["garbage"] == {"objects": 1, "bytes": 56}


def test_output_goes_into_a_file(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "top.txt"

    done = heapdiff("top", f"-output={target}", "after.heap", folder=folder)

    assert (done.stdout, target.read_text().startswith("File: after.heap\n")) == ("", True)


def test_a_file_that_cannot_be_written_is_an_error(folder: Path) -> None:
    done = heapdiff("top", "-output=nowhere/top.txt", "after.heap", folder=folder)

    assert (done.returncode, done.stderr.startswith("heapdiff: nowhere/top.txt: No such file")) == (1, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("info nothing.heap", "nothing.heap: "),
        ("info foreign.heap", "foreign.heap: "),
        ("top .", "."),
        ("why after.heap Session", "no type is called 'Session'"),
        ("why after.heap lock", "Is it app.locks.Lock"),
        ("top -peek=Session after.heap", "no frame matches 'Session'"),
    ],
)
def test_an_error_is_a_sentence_and_no_traceback(words: str, message: str, folder: Path) -> None:
    done = heapdiff(*words.split(), folder=folder)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("heapdiff: ") and message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "",
        "dif before.heap after.heap",
        "diff before.heap",
        "diff -base before.heap",
        "diff -base before.heap -diff_base before.heap after.heap",
        "diff before.heap after.heap -top -tree",
        "top after.heap -nodecount=many",
        "top after.heap -nodefraction=7",
        "top after.heap -focus=(",
        "run --every -3 program.py",
        "run --on-signal NOPE program.py",
        "run --on-signal KILL program.py",
        "run --trace=0 program.py",
    ],
)
def test_wrong_usage_is_told_with_exit_code_two(words: str, folder: Path) -> None:
    done = heapdiff(*words.split(), folder=folder)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_lines_need_a_snapshot_that_was_traced(tmp_path: Path) -> None:
    write_snapshot(TinyHeap("root -> a").snapshot, tmp_path / "plain.heap")

    done = heapdiff("top", "-lines", "plain.heap", folder=tmp_path)

    assert (done.returncode, "heapdiff run --trace" in done.stderr) == (1, True)


def test_a_short_name_of_two_types_is_asked_back(tmp_path: Path) -> None:
    heap = TinyHeap("root -> a b", types={"a": "app.locks.Lock", "b": "app.files.Lock"})
    write_snapshot(heap.snapshot, tmp_path / "two.heap")

    done = heapdiff("why", "two.heap", "Lock", folder=tmp_path)

    assert "2 types are called 'Lock': app.files.Lock, app.locks.Lock." in done.stderr


def test_a_type_that_only_garbage_is_of_is_held_by_nothing(folder: Path) -> None:
    done = heapdiff("why", "after.heap", "Request", folder=folder)

    sentence = (
        "app.web.Request: nothing holds an object of it. 1 object more waits for the collector; no root reaches it."
    )
    assert done.stdout.split() == sentence.split()


def test_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert heapdiff("--version", folder=tmp_path).stdout == f"heapdiff {VERSION}\n"


@pytest.mark.parametrize("command", ["", "diff", "check", "top", "why", "info", "run"])
def test_help_shows_what_can_be_typed(command: str, tmp_path: Path) -> None:
    done = heapdiff(*command.split(), "--help", folder=tmp_path)

    assert (done.returncode, done.stdout.startswith(f"usage: heapdiff {command}".rstrip())) == (0, True)


def test_a_reader_that_has_seen_enough_is_no_error(folder: Path) -> None:
    command = f"{sys.executable} -m heapdiff top -paths -traces after.heap | head -1; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "File: after.heap\n", "")


@pytest.mark.parametrize("words", ["top after.heap", "info after.heap", "diff before.heap after.heap"])
@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
def test_output_that_cannot_be_written_is_one_sentence(words: str, redirection: str, folder: Path) -> None:
    done = _in_a_shell(f"{words} {redirection}", folder)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("heapdiff: standard output")


def test_a_version_that_cannot_be_written_is_one_sentence(folder: Path) -> None:
    done = _in_a_shell("--version > /dev/full", folder, PYTHONUNBUFFERED="")

    assert (done.returncode, done.stderr) == (1, "heapdiff: standard output: No space left on device\n")


def _in_a_shell(words: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} -m heapdiff {words}"],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
    )


def test_names_from_the_process_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07\n"
    process = Process(host=hostile, python=hostile, command=hostile, platform=hostile, descriptors={hostile: 1})
    write_snapshot(TinyHeap("root -> a", process=process).snapshot, tmp_path / "hostile.heap")

    done = heapdiff("info", "hostile.heap", folder=tmp_path)

    assert (done.returncode, "\x1b" in done.stdout, "\x07" in done.stdout, "\nowned" in done.stdout) == (
        0,
        False,
        False,
        False,
    )


def _on_a_terminal(words: list[str], folder: Path, **settings: str) -> str:
    """What the command writes when its output is a terminal."""
    master, slave = pty.openpty()
    with os.fdopen(master, "rb", buffering=0) as reader:
        subprocess.run(
            [sys.executable, "-m", "heapdiff", *words],
            cwd=folder,
            env=environment(**settings),
            stdout=slave,
            check=True,
        )
        os.close(slave)
        chunks = []
        try:
            while chunk := reader.read(4096):
                chunks.append(chunk)
        except OSError:  # how Linux says that the other side is closed
            pass
    return b"".join(chunks).decode()


def test_a_terminal_gets_colours(folder: Path) -> None:
    assert "\x1b[" in _on_a_terminal(["diff", "before.heap", "after.heap"], folder)


def test_whoever_wants_no_colours_gets_none(folder: Path) -> None:
    assert "\x1b[" not in _on_a_terminal(["diff", "before.heap", "after.heap"], folder, NO_COLOR="1")


@pytest.mark.parametrize(("wish", "is_coloured"), [("always", True), ("never", False), ("auto", False)])
def test_a_file_gets_colours_only_when_asked(wish: str, is_coloured: bool, folder: Path) -> None:
    done = heapdiff("diff", f"--color={wish}", "before.heap", "after.heap", folder=folder)

    assert ("\x1b[" in done.stdout) == is_coloured


def test_growth_that_was_written_for_review_and_reviewed_is_accepted(folder: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    files = ("-base", "before.heap", "after.heap")

    written = heapdiff("diff", "--write-accept", str(known), *files, folder=folder)
    refused = heapdiff("diff", "--accept", str(known), *files, folder=folder)
    known.write_text(known.read_text().replace('reason = ""', 'reason = "Known."'))
    accepted = heapdiff("diff", "--accept", str(known), *files, folder=folder)

    assert (written.returncode, refused.returncode, accepted.returncode) == (0, 1, 0)
    assert "has no reason" in refused.stderr
    assert accepted.stdout.startswith("Nothing grew but what is accepted.")


def test_a_settle_check_takes_three_files(folder: Path) -> None:
    done = heapdiff("diff", "-settled", "before.heap", "after.heap", "middle.heap", folder=folder)

    assert done.returncode == 0, done.stderr
    assert "mostly drained: 10 → 290 busy → 150 settled, 50 % is left" in done.stdout


def test_groups_are_compared(folder: Path) -> None:
    control, treatment = ("-control", "before.heap", "before.heap"), ("-treatment", "before.heap", "after.heap")

    done = heapdiff("diff", *control, *treatment, folder=folder)

    assert done.returncode == 0, done.stderr
    assert "treatment only: +280 with the treatment, +0 without" in done.stdout


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("diff -control before.heap after.heap", "-control and -treatment go together"),
        ("diff -control before.heap -treatment before.heap after.heap", "needs two snapshots"),
        ("diff -settled before.heap after.heap", "-settled needs three snapshots"),
        ("diff -base before.heap -top --accept known.toml after.heap", "not for the views of pprof"),
    ],
)
def test_words_that_do_not_go_together_are_wrong_usage(command: str, complaint: str, folder: Path) -> None:
    done = heapdiff(*command.split(), folder=folder)

    assert done.returncode == 2
    assert complaint in done.stderr
