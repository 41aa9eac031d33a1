"""What does the pytest plugin cost a test run: where it is not used, and where it watches each test?

Real runs of pytest on tests that do nothing, on a heap of 300,000 objects: without the plugin, with it unused, and with
``--heapdiff``. CPU time of the whole process, the least of several runs, so that what the machine does besides counts
little. ``python -m benchmarks.pytest_plugin``
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["main"]

_PLUGIN = "heapdiff.integrations.pytest_plugin"
_HEAP = """
class Node:
    def __init__(self, number):
        self.number, self.others = number, [number]

HEAP = [Node(number) for number in range(150_000)]
"""
_TESTS = """
import pytest

@pytest.fixture
def some(): yield {}

@pytest.mark.parametrize("number", range(COUNT))
def test_it(number, some): some["a"] = [object() for _ in range(100)]
"""
_IMPORT = "import pytest, time; start = time.process_time(); import MODULE; print(time.process_time() - start)"


def main() -> None:
    """Prints milliseconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=400, help="tests in a run")
    parser.add_argument("--runs", type=int, default=3, help="runs of each kind, of which the least counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "conftest.py").write_text(_HEAP)
        (folder / "test_it.py").write_text(_TESTS.replace("COUNT", str(options.tests)))
        loaded, watched = ("-p", _PLUGIN), ("-p", _PLUGIN, "--heapdiff")
        kinds = {"without": (), "loaded, not used": loaded, "--heapdiff": watched}
        # In turn, so that a slow stretch of the machine meets all of them.
        runs = [{kind: _seconds(folder, *words) for kind, words in kinds.items()} for _ in range(options.runs)]
        empty = [{kind: _seconds(folder, "-k", "none", *words) for kind, words in kinds.items()} for _ in runs]
    base = min(run["without"] for run in runs)
    print(f"{options.tests} tests, 300,000 objects, Python {sys.version.partition(' ')[0]}")
    print(f"{'':<18} {'run, s':>8} {'ratio':>7} {'more, ms a test':>16} {'at start and end, s':>20}")
    for kind in kinds:
        least, fixed = min(run[kind] for run in runs), min(run[kind] for run in empty)
        fixed_base = min(run["without"] for run in empty)
        per_test = ((least - fixed) - (base - fixed_base)) / options.tests * 1000
        print(f"{kind:<18} {least:>8.2f} {least / base:>7.2f} {per_test:>16.2f} {fixed - fixed_base:>20.2f}")
    imports = min(_import_seconds(_PLUGIN) for _ in range(options.runs + 2))
    print(f"import of the plugin: {imports * 1000:.1f} ms")


def _seconds(folder: Path, *words: str) -> float:
    """CPU seconds of a run of pytest."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    with subprocess.Popen(command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL) as process:
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return used.ru_utime + used.ru_stime


def _import_seconds(module: str) -> float:
    code = _IMPORT.replace("MODULE", module)
    run = subprocess.run([sys.executable, "-c", code], env=_environment(), capture_output=True, text=True, check=True)
    return float(run.stdout)


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[1])
    return {**os.environ, "PYTHONPATH": root, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


if __name__ == "__main__":
    main()
