"""The demo for real: a service in its own process, real requests, two snapshots."""

import subprocess
import sys
from pathlib import Path

import pytest

_DEMO = Path(__file__).parents[1] / "examples" / "dedupe_service" / "demo.py"

pytest.importorskip("flask", reason="the example service runs on Flask")


@pytest.fixture(scope="module")
def said() -> str:
    done = subprocess.run(
        [sys.executable, _DEMO, "--requests", "1500"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_names_the_map_that_is_never_cleared(said: str) -> None:
    assert "demo: the report names the map: dedupe_service.dedupe.registry._by_id" in said


def test_the_first_line_of_its_report_counts_what_leaked(said: str) -> None:
    assert "\n1,500 new dedupe_service.dedupe.SeenRequest retain " in said


def test_the_cache_with_a_bound_is_no_suspect(said: str) -> None:
    suspects = [line for line in said.splitlines() if line[:1].isdigit() and "→" in line]

    assert suspects and not any("catalogue" in line for line in suspects)
