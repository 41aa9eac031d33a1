"""The example project for CI: the commands in its files for GitHub and GitLab are run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integrations.programs import ROOT, environment

EXAMPLE = ROOT / "examples/ci_project"
COMMAND = re.compile(r"^\s+(?:- )?(?:run: |- )(python .+)$", re.MULTILINE)
FILES = (".github/workflows/heap.yml", ".gitlab-ci.yml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize("file", FILES)
def test_the_pipeline_passes(project: Path, file: str) -> None:
    assert [run_step(project, command) for command in commands(file)] == [0, 0, 0]
    assert (project / "heap-report/left-behind.json").exists()
    assert (project / "heap-report/tests.xml").exists()


@pytest.mark.parametrize("file", FILES)
def test_the_pipeline_fails_where_orders_are_kept(project: Path, file: str) -> None:
    source = project / "orders/__init__.py"
    source.write_text(source.read_text().replace("del self._open[number]", "pass"))

    assert [run_step(project, command) for command in commands(file)] == [1, 0, 3]


def test_the_summary_of_the_step_on_github_names_what_grew(project: Path) -> None:
    source = project / "orders/__init__.py"
    source.write_text(source.read_text().replace("del self._open[number]", "pass"))
    (project / "heap-report").mkdir()

    for command in commands(FILES[0])[1:]:
        run_step(project, command)

    assert "`orders.Order`" in (project / "summary.md").read_text()


def commands(file: str) -> list[str]:
    """The commands in that file, without the one that installs."""
    found = [command for command in COMMAND.findall((EXAMPLE / file).read_text()) if "pip install" not in command]
    assert len(found) == 3, f"{file}: expected the tests, the soak and the check"
    return found


def run_step(project: Path, command: str) -> int:
    """Runs it in a shell, as a step of a pipeline; heapdiff is not installed here, so its plugin is named."""
    environ = environment(
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        PYTEST_ADDOPTS="-p heapdiff.integrations.pytest_plugin -p no:cacheprovider",
        GITHUB_STEP_SUMMARY=str(project / "summary.md"),
    )
    shell = ["bash", "-c", command]
    return subprocess.run(shell, cwd=project, env=environ, capture_output=True, check=False, timeout=300).returncode
