"""The marker no_heap_growth: real runs of pytest on tests that leak and on tests that do not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

from tests.integrations.pytest_plugin.runs import QUICK, run_pytest

HEAD = f"""
import asyncio, logging, unittest, warnings
import pytest
import app

quick = pytest.mark.no_heap_growth({QUICK})
"""


def test_a_test_that_leaks_fails_with_the_report_as_its_message(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, HEAD + "@quick\ndef test_leak(): app.open_session()\n")

    assert run.code == 1
    for part in (
        "+1 app.Session per iteration\n",
        "held by app.REGISTRY. It grew in each of 3 rounds",
        "╭ GC root: module app",
        "◀ piles up here",
        "app.py:8",  # the line that allocates
        "verdict      leak: app.REGISTRY is a mapping that only grows",
        "mend         ",
        "fingerprint  ",
    ):
        assert part in run.text


def test_the_message_is_no_traceback_and_fits_100_columns(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, HEAD + "@quick\ndef test_leak(): app.open_session()\n")

    _, _, message = run.text.partition("test_leak ___")
    message = message.partition("=== ")[0]
    assert "Traceback" not in run.text
    assert "hidden" not in run.text
    assert "pytest_plugin/" not in message
    assert max(map(len, run.text.splitlines())) <= 100


def test_a_test_that_keeps_nothing_passes(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, HEAD + "@quick\ndef test_fine(): app.Session()\n")

    assert run.code == 0
    assert "1 test in rounds" in run.summary
    assert "nothing grew" in run.summary


def test_fixtures_of_a_test_are_set_up_anew_for_each_iteration(tmp_path: Path) -> None:
    """So what a test puts into its fixture is no leak."""
    tests = """
    @pytest.fixture
    def sessions():
        made = []
        yield made
        print("torn down with", len(made))

    @quick
    def test_fills_its_fixture(sessions, tmp_path, monkeypatch): sessions.append(app.Session())
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests), "-s")

    assert run.code == 0
    assert run.text.count("torn down with 1") > 10
    assert "torn down with 2" not in run.text


def test_kept_fixtures_are_those_of_the_first_iteration(tmp_path: Path) -> None:
    tests = f"""
    @pytest.fixture
    def sessions(): return app.REGISTRY.setdefault("fixture", [])

    @pytest.mark.no_heap_growth({QUICK}, fixtures="kept")
    def test_fills_its_fixture(sessions): sessions.append(app.Session())
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.code == 1
    assert "+1 app.Session per iteration" in run.text


def test_fixtures_of_wider_scopes_are_set_up_once(tmp_path: Path) -> None:
    tests = """
    @pytest.fixture(scope="module")
    def of_module():
        print("module begins")
        yield app.Session()
        print("module ends")

    @pytest.fixture(scope="class")
    def of_class(of_module):
        print("class begins")
        yield app.Session()

    @quick
    class TestIt:
        def test_fine(self, of_class, of_module): self.session = app.Session()
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests), "-s")

    assert run.code == 0
    assert run.text.count("module begins") == run.text.count("module ends") == run.text.count("class begins") == 1


def test_a_leak_in_a_fixture_is_found(tmp_path: Path) -> None:
    tests = """
    @pytest.fixture
    def session(): app.open_session()

    @quick
    def test_uses_it(session): pass
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.code == 1
    assert "+1 app.Session per iteration" in run.text


def test_each_parameter_is_a_test_of_its_own(tmp_path: Path) -> None:
    tests = """
    @quick
    @pytest.mark.parametrize("leaks", [True, False])
    def test_it(leaks):
        if leaks: app.open_session()
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"failed": 1, "passed": 1}
    assert "test_it[True]: +1 app.Session per iteration" in run.summary


def test_a_mark_on_a_class_or_a_module_marks_its_tests(tmp_path: Path) -> None:
    tests = """
    pytestmark = quick

    class TestIt:
        def test_leak(self): app.open_session()

    def test_fine(): pass
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"failed": 1, "passed": 1}
    assert "2 tests in rounds" in run.summary


def test_tests_of_unittest_run_with_their_set_up(tmp_path: Path) -> None:
    tests = """
    @quick
    class TestIt(unittest.TestCase):
        def setUp(self): self.mine = [app.Session()]
        def test_leak(self): app.open_session()
        def test_fine(self): self.assertEqual(len(self.mine), 1); self.mine.append(1)
        def test_fails(self): self.fail("as it should")
        def test_skipped(self): self.skipTest("as it should")
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"failed": 2, "passed": 1, "skipped": 1}
    assert "+1 app.Session per iteration" in run.text
    assert "AssertionError: as it should" in run.text


def test_an_isolated_asyncio_test_case_runs(tmp_path: Path) -> None:
    tests = """
    @quick
    class TestIt(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self): await asyncio.sleep(0)
        async def test_leak(self): app.open_session()
        async def test_fine(self): await asyncio.sleep(0)
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"failed": 1, "passed": 1}


def test_tests_of_pytest_asyncio_run(tmp_path: Path) -> None:
    tests = """
    @pytest.mark.asyncio
    @quick
    async def test_leak(): await asyncio.sleep(0); app.open_session()

    @pytest.mark.asyncio
    @quick
    async def test_fine(): await asyncio.sleep(0)
    """
    pytest.importorskip("pytest_asyncio")
    run = run_pytest(tmp_path, HEAD + dedent(tests), "-p", "pytest_asyncio.plugin", "-W", "ignore")

    assert run.counts == {"failed": 1, "passed": 1}
    assert "+1 app.Session per iteration" in run.text


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tests_of_anyio_run(tmp_path: Path, backend: str) -> None:
    tests = f"""
    import anyio

    @pytest.fixture
    def anyio_backend(): return "{backend}"

    @pytest.mark.anyio
    @quick
    async def test_leak(): await anyio.sleep(0); app.open_session()

    @pytest.mark.anyio
    @quick
    async def test_fine(): await anyio.sleep(0)
    """
    pytest.importorskip(backend)
    run = run_pytest(tmp_path, HEAD + dedent(tests), "-p", "anyio.pytest_plugin")

    assert run.counts == {"failed": 1, "passed": 1}
    assert "+1 app.Session per iteration" in run.text


def test_workers_of_xdist_report_to_the_controller(tmp_path: Path) -> None:
    tests = """
    @quick
    def test_leak(): app.open_session()

    @quick
    def test_fine(): pass
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests), "-p", "xdist", "-n", "2")

    assert run.counts == {"failed": 1, "passed": 1}
    assert "2 tests in rounds" in run.summary
    assert "test_leak: +1 app.Session per iteration" in run.summary


def test_what_pytest_gathers_of_a_test_is_no_growth(tmp_path: Path) -> None:
    """Output, log records and warnings would be kept of each iteration; so would finalizers of wider fixtures."""
    tests = """
    @quick
    def test_talks(capsys, caplog, recwarn, tmp_path):
        print("said")
        logging.getLogger("it").warning("logged")
        warnings.warn("warned", DeprecationWarning)

    @quick
    def test_talks_to_pytest():
        print("said")
        logging.getLogger("it").warning("logged")
        warnings.warn("warned", DeprecationWarning)
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"passed": 2, "warning": 1}
    assert "nothing grew" in run.summary


def test_a_test_that_fails_of_itself_fails_as_ever(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, HEAD + "@quick\ndef test_wrong():\n    one = 1\n    assert one == 2\n")

    assert run.code == 1
    assert "assert one == 2" in run.text
    assert "assert 1 == 2" in run.text
    assert "pytest_plugin" not in run.text


def test_the_error_that_was_handled_when_a_test_failed_is_shown(tmp_path: Path) -> None:
    tests = """
    @quick
    def test_wrong():
        try: [][1]
        except IndexError: raise ValueError("second")
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert "During handling of the above exception" in run.text
    assert "pytest_plugin" not in run.text


def test_subtests_are_no_growth(tmp_path: Path) -> None:
    tests = """
    @quick
    class TestParts(unittest.TestCase):
        def test_parts(self):
            for number in range(3):
                with self.subTest(number=number): pass
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests), "--junitxml=out.xml")

    assert "nothing grew" in run.summary


def test_a_skipped_and_an_expected_failure_stay_so(tmp_path: Path) -> None:
    tests = """
    @quick
    def test_skipped(): pytest.skip("not here")

    @pytest.mark.xfail(strict=True)
    @quick
    def test_known_leak(): app.open_session()
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"skipped": 1, "xfailed": 1}


def test_what_the_ini_file_allows_is_allowed_where_a_mark_allows_more(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nheapdiff_allow = app.REGISTRY*\n")
    mark = f"@pytest.mark.no_heap_growth({QUICK}, allow='app.OTHER')"
    run = run_pytest(tmp_path, HEAD + f"{mark}\ndef test_it(): app.open_session()\n")

    assert run.counts == {"passed": 1}


def test_what_is_allowed_is_no_failure(tmp_path: Path) -> None:
    tests = f"""
    @pytest.mark.no_heap_growth({QUICK}, allow=[app.Session])
    def test_a_class(): app.open_session()

    @pytest.mark.no_heap_growth({QUICK}, allow="app.REGISTRY*")
    def test_a_place(): app.open_session()

    @quick
    def test_nothing(): app.open_session()
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"failed": 1, "passed": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("3", "it has 1 arguments without a name; expected rounds, warmup"),
        ("round=3", "it has an argument 'round'; expected rounds, warmup"),
        ("rounds=0", "rounds is 0; expected 1 or more"),
        ("fixtures='new'", "fixtures is 'new'; expected 'anew' or 'kept'"),
    ],
)
def test_a_mark_that_is_wrong_says_what_is_expected(tmp_path: Path, arguments: str, message: str) -> None:
    run = run_pytest(tmp_path, HEAD + f"@pytest.mark.no_heap_growth({arguments})\ndef test_it(): pass\n")

    assert run.code == 1
    assert "test_it.py::test_it: the marker no_heap_growth: " in run.text.replace("\n", " ")
    assert message in run.text


def test_junit_has_what_grew_as_properties(tmp_path: Path) -> None:
    run_pytest(tmp_path, HEAD + "@quick\ndef test_leak(): app.open_session()\n", "--junitxml=out.xml")

    properties = [
        (found.get("name"), found.get("value")) for found in ElementTree.parse(tmp_path / "out.xml").iter("property")
    ]
    names = [name for name, _ in properties]
    assert ("heapdiff_growth", "+1 app.Session per iteration") in properties
    assert ("heapdiff_holder", "app.REGISTRY") in properties
    assert "heapdiff_fingerprint" in names
    assert "heapdiff_iterations" in names


def test_the_folder_of_the_report_has_what_grew(tmp_path: Path) -> None:
    run_pytest(tmp_path, HEAD + "@quick\ndef test_leak(): app.open_session()\n", "--heapdiff-report=report")

    written = {path.name: path.read_text() for path in (tmp_path / "report").iterdir()}
    assert set(written) == {"test_it.py_test_leak.txt", "test_it.py_test_leak.json"}
    assert "app.REGISTRY is a mapping that only grows" in written["test_it.py_test_leak.txt"]


def test_the_fixture_heap_tells_new_objects_from_survivors(tmp_path: Path) -> None:
    tests = """
    def test_it(heap):
        assert heap.new(app.Session).count == 0
        app.open_session()
        assert heap.new(app.Session).count == 1
        assert heap.new(app.Session).chain.startswith("app.REGISTRY")
        assert heap.gone(app.Session).count == 0
        assert heap.survivors(app.Session).count == 0
        assert "app.Session" in str(heap.report())
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests))

    assert run.counts == {"passed": 1}
