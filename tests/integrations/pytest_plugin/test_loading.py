"""How pytest comes by the plugin, and that a run that does not use it pays nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.integrations.programs import ROOT, python
from tests.integrations.pytest_plugin.runs import run_pytest

PLAIN = "def test_it(): pass"


def test_the_entry_point_names_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["entry-points"]["pytest11"] == {"heapdiff": "heapdiff.integrations.pytest_plugin"}


def test_an_installed_plugin_can_be_switched_off(tmp_path: Path) -> None:
    """With -p no:heapdiff the options are unknown and nothing of heapdiff is imported."""
    _install(tmp_path)
    tests = "import sys\ndef test_it(): print('loaded', any(name.startswith('heapdiff.') for name in sys.modules))"
    (tmp_path / "test_it.py").write_text(tests)
    settings = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}

    run = [
        python("-m", "pytest", "-s", "-q", *words, folder=tmp_path, **settings)
        for words in ((), ("-p", "no:heapdiff"), ("--heapdiff",), ("--heapdiff", "-p", "no:heapdiff"))
    ]

    assert [each.returncode for each in run] == [0, 0, 0, 4]
    assert "loaded True" in run[0].stdout
    assert "loaded False" in run[1].stdout
    assert "no test left objects behind" in run[2].stdout
    assert "unrecognized arguments: --heapdiff" in run[3].stderr


def test_a_run_that_does_not_use_it_imports_no_more_than_the_plugin(tmp_path: Path) -> None:
    tests = """
import sys
def test_it():
    print(sorted(name for name in sys.modules if name.startswith(("heapdiff", "attr"))))
"""
    run = run_pytest(tmp_path, tests, "-s")

    assert (
        "['heapdiff', 'heapdiff.integrations', 'heapdiff.integrations.pytest_plugin', 'heapdiff.version']" in run.text
    )


def test_a_run_that_does_not_use_it_has_no_hook_for_each_test(tmp_path: Path) -> None:
    tests = """
def test_it(request):
    hook = request.config.hook
    for name in ("pytest_runtest_protocol", "pytest_runtest_setup", "pytest_runtest_call", "pytest_fixture_setup",
                 "pytest_runtest_makereport", "pytest_runtest_logreport"):
        assert not [each for each in getattr(hook, name).get_hookimpls() if "heapdiff" in str(each.plugin)]
"""
    assert run_pytest(tmp_path, tests).code == 0


def test_the_marker_is_registered(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, PLAIN, "--markers")

    assert "@pytest.mark.no_heap_growth(rounds=3, " in run.text


def _install(folder: Path) -> None:
    """The metadata by which an installed heapdiff is found."""
    info = folder / "heapdiff-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: heapdiff\nVersion: 0\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (info / "entry_points.txt").write_text(
        "[pytest11]\n" + "".join(f"{k} = {v}\n" for k, v in project["entry-points"]["pytest11"].items())
    )
