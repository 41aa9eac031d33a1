"""``python -m benchmarks.what_is_seen``: measures the truth table in fresh processes and writes docs/what-is-seen.md."""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.what_is_seen.cases import CASES
from benchmarks.what_is_seen.model import Case, answer_of
from benchmarks.what_is_seen.page import PAGE, RESULTS, as_page
from benchmarks.what_is_seen.sizes import KINDS, measure
from benchmarks.what_is_seen.tools import TOOLS

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 120
_MEMORY_BYTES = 4_000_000_000


def main(arguments: list[str] | None = None) -> int:
    """Measures with each interpreter that is named, then writes the page from all that was ever measured."""
    options = _options(arguments)
    if options.one:
        print(json.dumps(_answer(*options.one)))
        return 0
    if options.versions:
        print(json.dumps(_versions()))
        return 0
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for python in options.python:
        versions = _run(python, "--versions")
        results[versions["python"]] = {
            "versions": versions,
            "answers": _answers(python, options.jobs),
            "sizes": _sizes(python, options.jobs),
        }
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(as_page(results), encoding="utf-8")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.what_is_seen",
        description="What each tool sees of a heap. Without --python the page is written from the stored results.",
    )
    parser.add_argument("--python", nargs="+", default=[], help="interpreters to measure with; the peers installed")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "CASE"), help=argparse.SUPPRESS)
    parser.add_argument("--versions", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _answer(tool: str, name: str) -> str:
    case = next(case for case in CASES if case.name == name)
    if case.needs is not None and importlib.util.find_spec(case.needs) is None:
        return "not measured"
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    with case.build() as marks:
        return answer_of(case, marks, TOOLS[tool]())


def _versions() -> dict[str, str]:
    found = {"python": "{}.{}.{}".format(*sys.version_info)}
    for name in ("guppy3", "pympler", "objgraph", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _answers(python: str, jobs: int) -> dict[str, dict[str, str]]:
    asked = [(tool, case) for tool in TOOLS for case in CASES]

    def ask(pair: tuple[str, Case]) -> str:
        tool, case = pair
        try:
            return str(_run(python, "--one", tool, case.name))
        except subprocess.TimeoutExpired:
            return "too slow"
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or [f"signal {-error.returncode}"])[-1]
            print(f"{tool}, {case.name}: {last}", file=sys.stderr)
            return "failed"

    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(ask, asked))
    answers: dict[str, dict[str, str]] = {tool: {} for tool in TOOLS}
    for (tool, case), answer in zip(asked, found, strict=True):
        answers[tool][case.name] = answer
    return answers


def _sizes(python: str, jobs: int) -> dict[str, dict[str, float]]:
    def both(kind: str) -> dict[str, float]:
        traced, malloc = measure(kind, traced=True, python=python), measure(kind, traced=False, python=python)
        return {
            "ours": round(traced.ours, 2),
            "asked": round(traced.asked or 0, 2),
            "given": round(malloc.given or 0, 2),
            "objects": round(traced.objects, 2),
        }

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(KINDS, pool.map(both, KINDS), strict=True))


def _run(python: str, *arguments: str) -> Any:
    command = [python, "-W", "ignore", "-m", "benchmarks.what_is_seen", *arguments]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
