"""``heapdiff check`` as a CI job runs it: its exit code, and the files that a CI server reads."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from heapdiff.snapshot.file import write_snapshot
from tests.conftest import Check
from tests.integrations.programs import heapdiff
from tests.sketch import Sketch, registry
from tests.tiny_heap import TinyHeap


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three moments of a leak and a heap of names that are hostile to what shows them."""
    made = tmp_path_factory.mktemp("snapshots")
    for name, locks in (("before", 10), ("middle", 150), ("after", 290)):
        write_snapshot(registry(locks).snapshot(), made / f"{name}.heap")
    for name, count in (("tame", 1), ("hostile", 50)):
        sketch = Sketch()
        sketch.module("app")
        sketch.add("all", "list", "app", ("ATTRIBUTE", "ALL"))
        sketch.many(count, "app.<img src=x>|`x`\x01\ufffe", "all", ("ELEMENT", 0))
        write_snapshot(sketch.snapshot(), made / f"{name}.heap")
    return made


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("-base before.heap after.heap", 3),
        ("-base before.heap before.heap", 0),
        ("-base after.heap before.heap", 0),
        ("-base before.heap after.heap --fail-on verdict=leak", 0),  # two pictures show no trend
        ("-base before.heap middle.heap after.heap --fail-on verdict=leak", 3),
        ("-base before.heap after.heap --fail-on retained>1GB", 0),
        ("-base before.heap after.heap --fail-on retained>1GB --fail-on objects>279", 3),
        ("-base before.heap after.heap --fail-on=objects>280", 0),
    ],
)
def test_the_exit_code_says_whether_growth_fails(words: str, code: int, folder: Path) -> None:
    done = heapdiff("check", *words.split(), folder=folder)

    assert (done.returncode, done.stderr) == (code, "")
    assert ("Check: failed" if code else "Check: passed") in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("-base before.heap", 2, "required: FILE"),
        ("before.heap after.heap", 2, "required: -base"),
        ("-base before.heap after.heap --fail-on retained<1MB", 2, "'retained<1MB' is no condition"),
        ("-base nothing.heap after.heap", 1, "nothing.heap: "),
        ("-base before.heap after.heap --junit nowhere/heap.xml", 1, "nowhere/heap.xml: "),
        ("-base before.heap after.heap --github-summary", 1, "GITHUB_STEP_SUMMARY is not set"),
    ],
)
def test_what_cannot_be_checked_is_no_growth_that_fails(words: str, code: int, message: str, folder: Path) -> None:
    done = heapdiff("check", *words.split(), folder=folder, GITHUB_STEP_SUMMARY="")

    assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_the_text_is_the_report_and_what_fails(folder: Path, golden: Check) -> None:
    done = heapdiff("check", "-base", "before.heap", "middle.heap", "after.heap", folder=folder, TZ="UTC")

    golden("cli/check.txt", done.stdout)


def test_the_summary_of_a_step_is_added_to_what_is_there(folder: Path, tmp_path: Path, golden: Check) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("Before.\n\n")

    heapdiff(
        *["check", "-base", "before.heap", "middle.heap", "after.heap", "--github-summary"],
        folder=folder,
        GITHUB_STEP_SUMMARY=str(summary),
        TZ="UTC",
    )

    golden("cli/check.md", summary.read_text())


def test_junit_has_a_case_for_each_type_that_grew(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "heap.xml"

    heapdiff("check", "-base", "before.heap", "after.heap", "--junit", target, folder=folder)

    suite = ElementTree.parse(target).getroot()[0]
    cases = [(case.get("name"), [failure.get("type") for failure in case]) for case in suite]
    assert cases[0] == ("app.locks.Lock in app.locks.registry._locks", ["verdict!=benign"])
    assert (suite.get("tests"), suite.get("failures")) == (str(len(cases)), str(len(cases)))


def test_junit_of_nothing_that_grew_has_one_case_that_passes(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "heap.xml"

    heapdiff("check", "-base", "after.heap", "after.heap", "--junit", target, folder=folder)

    (case,) = ElementTree.parse(target).getroot()[0]
    assert (case.get("name"), list(case)) == ("nothing grew", [])


def test_hostile_names_neither_break_xml_nor_leave_their_cell(folder: Path, tmp_path: Path) -> None:
    xml, markdown = tmp_path / "heap.xml", tmp_path / "heap.md"

    words = ["check", "-base", "tame.heap", "hostile.heap", "--fail-on", "type!=\x01"]
    done = heapdiff(*words, "--junit", xml, "--markdown", markdown, folder=folder)

    assert done.returncode == 3
    assert ElementTree.parse(xml).getroot()[0].get("failures") == "1"
    (row,) = [line for line in markdown.read_text().splitlines() if line.startswith("| ❌")]
    assert (row.count("|"), row.count("`") % 2) == (7, 0)


def test_accepted_growth_passes(folder: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    written = heapdiff("check", "-base", "before.heap", "after.heap", "--write-accept", known, folder=folder)
    known.write_text(known.read_text().replace('reason = ""', 'reason = "A lock for each tenant."'))

    done = heapdiff("check", "-base", "before.heap", "after.heap", "--accept", known, folder=folder)

    assert (written.returncode, done.returncode) == (3, 0)
    assert "A lock for each tenant." in done.stdout


def test_a_leak_that_is_mended_is_reported_as_such(folder: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    heapdiff("check", "-base", "before.heap", "after.heap", "--write-accept", known, folder=folder)
    known.write_text(known.read_text().replace('reason = ""', 'reason = "A lock for each tenant."'))

    done = heapdiff("check", "-base", "after.heap", "after.heap", "--accept", known, folder=folder)

    assert (done.returncode, "no longer grows; its entry can go as well" in done.stdout) == (0, True)


def test_failures_can_be_read_by_a_program(folder: Path) -> None:
    done = heapdiff("check", "-base", "before.heap", "after.heap", "-json", "-nodecount=0", folder=folder)

    report = json.loads(done.stdout)
    assert report["failures"][0] == {
        "name": "app.locks.Lock",
        "condition": "verdict!=benign",
        "rule": "unbounded-mapping",
        "fingerprint": report["growers"][0]["fingerprint"],
    }


def test_what_is_not_shown_is_checked_all_the_same(tmp_path: Path) -> None:
    def program(count: int) -> TinyHeap:
        names = {number: [f"a{number}x{i}" for i in range(count)] for number in range(12)}
        drawing = ["root -> app", "app -> " + " ".join(f"list{n}" for n in names)]
        drawing += [f"list{n} -> {' '.join(objects)}" for n, objects in names.items()]
        types = {"app": "builtins.module"} | {f"list{n}": "builtins.list" for n in names}
        types |= {obj: f"app.Type{n}" for n, objects in names.items() for obj in objects}
        return TinyHeap("\n".join(drawing), types=types, size=dict.fromkeys(types, 100))

    write_snapshot(program(1).snapshot, tmp_path / "a.heap")
    write_snapshot(program(50).snapshot, tmp_path / "b.heap")

    words = ["-base", "a.heap", "b.heap", "-nodecount=1", "--fail-on", "type=app.Type11"]
    done = heapdiff("check", *words, folder=tmp_path)

    assert done.returncode == 3
