"""The session mode, --heapdiff: which tests and fixtures are named for what they leave behind, and which are not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

from tests.integrations.pytest_plugin.runs import PytestRun, run_pytest

HEAD = "import app, functools, logging, pytest, threading, unittest\nKEPT = []\n"


def watched(folder: Path, tests: str, *options: str) -> PytestRun:
    return run_pytest(folder, HEAD + dedent(tests), "--heapdiff", "--heapdiff-report=report", *options)


def test_a_test_that_leaves_one_object_behind_is_named(tmp_path: Path) -> None:
    run = watched(tmp_path, "def test_leak(): app.open_session()\ndef test_fine(): app.Session()")

    [leaving] = run.left()
    assert run.code == 0
    assert (leaving["type_name"], leaving["place"], leaving["objects"]) == ("app.Session", "app.REGISTRY[*]", 1)
    assert leaving["makers"] == [["test_it.py::test_leak", 1]]
    assert "test_it.py::test_leak × 1" in run.summary


def test_a_fixture_that_leaves_objects_behind_is_named_with_its_test(tmp_path: Path) -> None:
    tests = """
    @pytest.fixture
    def session(): app.open_session()

    def test_uses_it(session): pass
    """
    [leaving] = watched(tmp_path, tests).left()

    assert leaving["makers"] == [["fixture session of test_it.py::test_uses_it", 1]]


def test_fixtures_of_wider_scopes_are_not_accused_nor_the_test_that_sets_them_up(tmp_path: Path) -> None:
    tests = """
    @pytest.fixture(scope="session")
    def of_session(): app.open_session()

    @pytest.fixture(scope="module")
    def of_module(of_session):
        made = [app.Session()]
        yield made

    @pytest.fixture(scope="class")
    def of_class(): KEPT.append(app.Session())

    class TestIt:
        def test_first(self, of_module, of_class): of_module.append(app.Session())
        def test_second(self, of_module, of_class): of_module.append(app.Session())
    """
    assert watched(tmp_path, tests).left() == []


def test_what_is_made_when_a_module_is_imported_is_not_accused(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("import app\nTABLE = {number: app.Session() for number in range(50)}\n")

    assert (
        watched(tmp_path, "def test_imports():\n    import late, wsgiref.simple_server, xml.dom.minidom").left() == []
    )


def test_caches_and_variables_are_not_accused(tmp_path: Path) -> None:
    tests = """
    _session_cache = {}

    @functools.lru_cache(maxsize=None)
    def remembered(number): return app.Session()

    def test_caches(): remembered(1); _session_cache[1] = app.Session()
    def test_assigns(): app.CURRENT = app.Session()
    """
    assert watched(tmp_path, tests).left() == []


def test_what_pytest_keeps_of_tests_is_not_accused(tmp_path: Path) -> None:
    """Reports, captured logs, the frames of a test that failed, and parameters."""
    tests = """
    @pytest.mark.parametrize("session", [app.Session()])
    def test_fails(session, caplog, monkeypatch, tmp_path, record_property):
        mine = [app.Session()]
        logging.getLogger().warning("%s", mine)
        record_property("session", "x")
        assert mine is None

    class TestIt(unittest.TestCase):
        def test_fails(self):
            self.session = app.Session()
            self.fail("as it should")
    """
    run = watched(tmp_path, tests)

    assert run.counts == {"failed": 2}
    assert run.left() == []


def test_a_dict_that_was_empty_is_not_taken_for_the_test_s(tmp_path: Path) -> None:
    """The collector tracks a dict of plain values only when it takes another: then it looks as if it were new."""
    tests = """
    PLAIN = {"a": 1}

    def test_leak(): PLAIN["session"] = app.Session(); PLAIN[1] = app.Session()
    """
    [leaving] = watched(tmp_path, tests).left()

    assert leaving["makers"] == [["test_it.py::test_leak", leaving["objects"]]]


def test_a_thread_that_goes_on_is_told(tmp_path: Path) -> None:
    tests = """
    def test_starts_a_thread(): threading.Thread(target=threading.Event().wait, daemon=True).start()
    """
    assert [leaving["type_name"] for leaving in watched(tmp_path, tests).left()] == ["threading.Thread"]


def test_a_handler_that_is_never_removed_is_told_with_its_verdict(tmp_path: Path) -> None:
    tests = """
    class Handler(logging.Handler): pass

    LOG = logging.getLogger("app")

    def test_adds_a_handler(): LOG.addHandler(Handler())
    """
    run = watched(tmp_path, tests)

    [leaving] = run.left()
    assert leaving["type_name"] == "test_it.Handler"
    assert leaving["rule"] == "logging-handlers"


def test_what_a_later_test_lets_go_is_not_accused(tmp_path: Path) -> None:
    run = watched(tmp_path, "def test_leak(): app.open_session()\ndef test_mends(): app.REGISTRY.clear()")

    assert run.left() == []


def test_tests_of_unittest_are_named(tmp_path: Path) -> None:
    tests = """
    class TestIt(unittest.TestCase):
        def setUp(self): app.open_session()
        def test_it(self): self.mine = app.Session()
    """
    [leaving] = watched(tmp_path, tests).left()

    assert leaving["makers"] == [["test_it.py::TestIt::test_it", 1]]


def test_each_parameter_is_named(tmp_path: Path) -> None:
    tests = """
    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_it(count):
        for _ in range(count): app.open_session()
    """
    [leaving] = watched(tmp_path, tests).left()

    assert sorted(leaving["makers"]) == [["test_it.py::test_it[1]", 1], ["test_it.py::test_it[2]", 2]]


def test_collections_within_a_test_lose_no_object(tmp_path: Path) -> None:
    tests = """
    import gc

    def test_leak():
        app.open_session(); gc.collect()
        app.open_session(); gc.collect(1)
        rubbish = [[] for _ in range(50_000)]
        app.open_session()
    """
    [leaving] = watched(tmp_path, tests).left()

    assert leaving["objects"] == 3


def test_the_collector_is_as_it_was(tmp_path: Path) -> None:
    tests = """
    import gc

    def test_it():
        assert gc.isenabled() and gc.get_threshold() == (700, 10, 10) and gc.get_freeze_count() < 50_000
        assert any(obj is KEPT for obj in gc.get_objects())
    """
    if __import__("gc").get_threshold() != (700, 10, 10):
        pytest.skip("another version has other thresholds")
    assert watched(tmp_path, tests).code == 0


@pytest.mark.parametrize(
    ("condition", "code"), [("objects>1", 1), ("objects>2", 0), ("type=app.Session", 1), ("retained>1MB", 0)]
)
def test_a_condition_fails_the_run(tmp_path: Path, condition: str, code: int) -> None:
    tests = "def test_a(): app.open_session()\ndef test_b(): app.open_session()"
    run = watched(tmp_path, tests, "--heapdiff-fail-on", condition)

    assert run.code == code
    assert (f"fails by {condition}: app.Session in app.REGISTRY" in run.summary) is bool(code)


def test_a_condition_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    run = watched(tmp_path, "def test_it(): pass", "--heapdiff-fail-on", "objects")

    assert run.code == 4
    assert "--heapdiff-fail-on: 'objects' is no condition; expected such as" in run.text


def test_known_growth_is_written_for_review_and_accepted_with_its_reason(tmp_path: Path) -> None:
    tests = "def test_leak(): app.open_session()"
    first = watched(tmp_path, tests, "--heapdiff-accept=known.toml")
    draft = (tmp_path / "known.toml").read_text()
    unreviewed = watched(tmp_path, tests, "--heapdiff-accept=known.toml")
    (tmp_path / "known.toml").write_text(draft.replace('reason = ""', 'reason = "kept for the audit"'))
    reviewed = watched(tmp_path, tests, "--heapdiff-accept=known.toml")

    assert "known.toml: 1 new entry waits for a reason" in first.summary
    assert len(unreviewed.left()) == 1 or "left behind at 1 place" in unreviewed.summary
    assert "no test left objects behind" in reviewed.summary
    assert "app.Session in app.REGISTRY[*]: kept for the audit" in reviewed.summary


def test_a_leak_that_is_fixed_is_reported_as_such(tmp_path: Path) -> None:
    known = '[[known]]\nfingerprint = "01234567"\ntype = "app.Old"\nholder = "app.OLD[*]"\nreason = "known"\n'
    (tmp_path / "known.toml").write_text(known)
    (tmp_path / "pytest.ini").write_text("[pytest]\nheapdiff_accept = known.toml\n")

    whole = watched(tmp_path, "def test_a(): pass\ndef test_b(): pass")
    part = watched(tmp_path, "def test_a(): pass\ndef test_b(): pass", "-k", "test_a")

    assert "fixed     01234567 app.Old in app.OLD[*] no longer grows: take its entry out" in whole.summary
    assert "not seen  01234567 app.Old in app.OLD[*]; not all tests ran" in part.summary


@pytest.mark.parametrize("option", ["test_it.py", "--deselect=test_it.py::test_b"])
def test_what_is_known_is_not_called_fixed_where_a_file_is_named_or_a_test_left_out(
    tmp_path: Path, option: str
) -> None:
    (tmp_path / "known.toml").write_text('[[known]]\nfingerprint = "01234567"\nreason = "known"\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\nheapdiff_accept = known.toml\n")

    run = watched(tmp_path, "def test_a(): pass\ndef test_b(): pass", option)

    assert "not seen  01234567" in run.summary


def test_a_condition_without_a_watched_run_is_a_usage_error(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, "def test_a(): pass", "--heapdiff-fail-on=objects>0")

    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "give --heapdiff as well" in run.text


@pytest.mark.parametrize("option", ["--heapdiff", "--durations=0"])
def test_a_report_that_cannot_be_written_is_a_usage_error(tmp_path: Path, option: str) -> None:
    tests = "import pytest\n@pytest.mark.no_heap_growth\ndef test_a(): pass"
    run = run_pytest(tmp_path, tests, option, "--heapdiff-report=app.py")

    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "app.py: File exists; name another folder" in run.text


def test_a_run_that_only_collects_says_nothing(tmp_path: Path) -> None:
    assert not watched(tmp_path, "def test_a(): pass", "--collect-only").summary


def test_known_growth_of_a_marked_test_passes(tmp_path: Path) -> None:
    tests = """
    @pytest.mark.no_heap_growth(rounds=1, warmup=2, per_round=10, patience=0)
    def test_leak(): app.open_session()
    """
    first = run_pytest(tmp_path, HEAD + dedent(tests), "--heapdiff-accept=known.toml")
    draft = (tmp_path / "known.toml").read_text()
    (tmp_path / "known.toml").write_text(draft.replace('reason = ""', 'reason = "kept for the audit"'))
    second = run_pytest(tmp_path, HEAD + dedent(tests), "--heapdiff-accept=known.toml")

    assert first.counts == {"failed": 1}
    assert second.counts == {"passed": 1}
    assert "kept for the audit" in second.summary


def test_the_ini_file_says_what_the_options_say(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nheapdiff = true\nheapdiff_report = out\nheapdiff_fail_on = objects>5\n    objects>0\n"
        "heapdiff_allow = test_it.KEPT*\n"
    )
    tests = "def test_a(): app.open_session()\ndef test_b(): KEPT.append(app.Session())"
    run = run_pytest(tmp_path, HEAD + tests)

    assert run.code == 1
    assert "1 object left behind at 1 place" in run.summary
    assert (tmp_path / "out/left-behind.txt").exists()


def test_junit_has_what_was_left_behind(tmp_path: Path) -> None:
    watched(tmp_path, "def test_leak(): app.open_session()", "--junitxml=out.xml")

    values = [found.get("value", "") for found in ElementTree.parse(tmp_path / "out.xml").iter("property")]
    assert [value.partition(" [")[0] for value in values] == ["+1 app.Session in app.REGISTRY[*]"]


def test_workers_of_xdist_report_to_the_controller(tmp_path: Path) -> None:
    tests = """
    @pytest.mark.parametrize("number", range(6))
    def test_leak(number): app.open_session()
    """
    run = watched(tmp_path, tests, "-p", "xdist", "-n", "2", "--heapdiff-fail-on=objects>5", "--heapdiff-accept=k.toml")

    [leaving] = run.left()
    assert leaving["objects"] == len(leaving["makers"]) == 6
    assert run.code == 1
    assert "1 new entry waits" in run.summary


def test_a_run_in_random_order_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("pytest_randomly")
    tests = """
    @pytest.mark.parametrize("number", range(9))
    def test_it(number):
        if number % 3 == 0: app.open_session()
    """
    run = watched(tmp_path, tests, "-p", "randomly")

    assert [leaving["objects"] for leaving in run.left()] == [3]


def test_without_the_option_nothing_is_watched(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, HEAD + "def test_leak(): app.open_session()")

    assert run.code == 0
    assert run.summary == ""


def test_a_run_that_was_broken_off_accuses_nobody(tmp_path: Path) -> None:
    """What its fixtures hold is not left behind, they have only not been torn down."""
    tests = """
    def test_leak(): app.open_session()
    def test_stops(): raise KeyboardInterrupt
    """
    run = run_pytest(tmp_path, HEAD + dedent(tests), "--heapdiff")

    assert "what tests left behind is not known: the run did not come to its end" in run.summary
