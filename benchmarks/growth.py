"""What does it cost to ask a test whether it leaks, and is the answer right? ``python -m benchmarks.growth``

A body of 1 ms in a process with 300,000 objects: heapdiff's assert_no_growth, objgraph.growth() and pytest-memray's
limit_leaks, each in a process of its own with the body that leaks nothing, one that keeps 64 bytes each time, and one
that fills an lru_cache. Seconds are those of the assertion or of the test, without the making of the heap.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.table import Table, as_text

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parent.parent
_TIMES = 130  # of the body under limit_leaks and objgraph, which have no default

_PROGRAM = """
import functools, gc, itertools, time

class Session:
    def __init__(self, number):
        self.number, self.parts = number, [number]

HEAP = [Session(number) for number in range({objects} // 3)]
KEPT = []
NUMBERS = itertools.count()

@functools.lru_cache(maxsize=100)
def cached(number):
    return [number]

def clean():
    time.sleep(0.001)

def leak():
    time.sleep(0.001)
    KEPT.append(bytes(31))

def cache():
    time.sleep(0.001)
    cached(next(NUMBERS))

gc.collect()
"""

_HEAPDIFF = """
import heapdiff
def check(body):
    heapdiff.assert_no_growth(body)
"""

_OBJGRAPH = """
import objgraph
def check(body):
    for _ in range(10):
        body()
    peaks = {{}}
    objgraph.growth(peak_stats=peaks)
    for _ in range({times}):
        body()
    assert not [row for row in objgraph.growth(peak_stats=peaks) if row[2] >= {times}]
"""

_TIMED = """
import json
start = time.perf_counter()
try:
    check({body})
    fails = False
except AssertionError:
    fails = True
print(json.dumps([time.perf_counter() - start, fails]))
"""

_PYTEST = """
import pytest
@pytest.mark.limit_leaks("64 B")
def test():
    for _ in range({times}):
        {body}()
"""

Answer = tuple[float, bool]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each tool and body."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    rows = []
    for name, module, run in _TOOLS:
        for body in ("clean", "leak", "cache"):
            if importlib.util.find_spec(module) is None:
                rows.append((name, body, "not installed", "", ""))
                continue
            answers = [run(options.objects, body) for _ in range(options.repeats)]
            seconds = [seconds for seconds, _ in answers]
            right = sum(fails is (body == "leak") for _, fails in answers)
            spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
            rows.append((name, body, f"{statistics.median(seconds):.2f}", spread, f"{right}/{len(answers)}"))
    header = ("tool", "body", "seconds", "from to", "right")
    print(as_text([Table("Does this test leak?", f"{options.objects:,} objects.", header, tuple(rows))]))


def _in_a_program(check: str) -> Callable[[int, str], Answer]:
    def run(objects: int, body: str) -> Answer:
        code = _PROGRAM.format(objects=objects) + check.format(times=_TIMES) + _TIMED.format(body=body)
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        seconds, fails = json.loads(done.stdout)
        return seconds, fails

    return run


def _in_pytest(objects: int, body: str) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        test, result = Path(folder, "test_body.py"), Path(folder, "result.xml")
        test.write_text(_PROGRAM.format(objects=objects) + _PYTEST.format(times=_TIMES, body=body), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "--memray", "-q", f"--junitxml={result}", str(test)]
        start = time.monotonic()
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if not result.exists():
            raise RuntimeError(f"pytest wrote no result within {time.monotonic() - start:.0f} s; is --memray known?")
        case = ET.parse(result).getroot().find(".//testcase")
        assert case is not None
        return float(case.attrib["time"]), case.find("failure") is not None


_TOOLS = (
    ("heapdiff", "heapdiff", _in_a_program(_HEAPDIFF)),
    ("objgraph.growth", "objgraph", _in_a_program(_OBJGRAPH)),
    ("pytest-memray", "pytest_memray", _in_pytest),
)


if __name__ == "__main__":
    main()
