"""``python -m benchmarks.what_is_seen``: measures the truth table, a process an answer, and writes the page.

What is not measured keeps its stored results. pyheap is measured where ``--pyheap`` names a checkout of
github.com/ivanyu/pyheap; ``--tools pyheap --tables answers`` measures nothing else.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.what_is_seen.cases import CASES
from benchmarks.what_is_seen.model import Case, answer_of
from benchmarks.what_is_seen.page import PAGE, RESULTS, as_page
from benchmarks.what_is_seen.pyheap import (
    ask_pyheap,
    hold,
    pyheap_supports,
    pyheap_version,
    why_pyheap_cannot_run,
)
from benchmarks.what_is_seen.sizes import KINDS, measure
from benchmarks.what_is_seen.tools import TOOLS

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 120
_MEMORY_BYTES = 4_000_000_000
_PYHEAP = "pyheap"


def main(arguments: list[str] | None = None) -> int:
    """Measures with each interpreter that is named, then writes the page from all that was ever measured."""
    options = _options(arguments)
    if options.one:
        print(json.dumps(_answer(*options.one)))
        return 0
    if options.hold:
        _hold(options.hold)
        return 0
    if options.versions:
        print(json.dumps(_versions()))
        return 0
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for python in options.python:
        versions = _run(python, "--versions")
        row = results.setdefault(versions["python"], {})
        _measure(row, python, versions, options)
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(as_page(results), encoding="utf-8")
    return 0


def _measure(row: dict[str, Any], python: str, versions: dict[str, str], options: argparse.Namespace) -> None:
    """Puts what is asked for into the results of one version, and leaves the rest of them."""
    tools = [tool for tool in options.tools if tool != _PYHEAP or pyheap_supports(versions["python"])]
    if _PYHEAP in tools:
        versions = versions | {_PYHEAP: pyheap_version(options.pyheap)}
    elif _PYHEAP in options.tools:
        print(f"pyheap does not support Python {versions['python']}: not measured", file=sys.stderr)
    measured = {"python", "numpy", *tools}
    row["versions"] = row.get("versions", {}) | {name: versions[name] for name in versions if name in measured}
    if "answers" in options.tables:
        row["answers"] = row.get("answers", {}) | _answers(python, tools, options)
    if "sizes" in options.tables:
        row["sizes"] = row.get("sizes", {}) | _sizes(python, options.kinds, options.jobs)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.what_is_seen",
        description="What each tool sees of a heap. Without --python the page is written from the stored results.",
    )
    parser.add_argument("--python", nargs="+", default=[], help="interpreters to measure with; the peers installed")
    parser.add_argument("--tables", nargs="+", choices=("answers", "sizes"), default=("answers", "sizes"))
    parser.add_argument(
        "--tools", nargs="+", choices=[*TOOLS, _PYHEAP], help="for the answers; all, and pyheap with --pyheap"
    )
    parser.add_argument(
        "--pyheap",
        type=Path,
        metavar="CHECKOUT",
        help="directory of a checkout of github.com/ivanyu/pyheap, to measure pyheap as well; needs gdb, leave to"
        " trace processes, and pyelftools, tqdm and typing_extensions beside the interpreter that runs this",
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="of objects, for the sizes"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "CASE"), help=argparse.SUPPRESS)
    parser.add_argument("--hold", metavar="CASE", help=argparse.SUPPRESS)
    parser.add_argument("--versions", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.tools = options.tools or [*TOOLS, *([_PYHEAP] if options.pyheap else [])]
    if _PYHEAP in options.tools:
        if options.pyheap is None:
            parser.error("pyheap is measured from a checkout: name it with --pyheap")
        if why := why_pyheap_cannot_run(options.pyheap):
            parser.error(why)
    return options


def _answer(tool: str, name: str) -> str:
    case = _case(name)
    if case is None:
        return "not measured"
    with case.build() as marks:
        return answer_of(case, marks, TOOLS[tool]())


def _hold(name: str) -> None:
    case = _case(name)
    if case is None:
        print(json.dumps(None))
    else:
        hold(case)


def _case(name: str) -> Case | None:
    """The case, in a process that cannot take the machine's memory; None where it needs what is not installed."""
    case = next(case for case in CASES if case.name == name)
    if case.needs is not None and importlib.util.find_spec(case.needs) is None:
        return None
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    return case


def _versions() -> dict[str, str]:
    found = {"python": "{}.{}.{}".format(*sys.version_info)}
    for name in ("guppy3", "pympler", "objgraph", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _answers(python: str, tools: Iterable[str], options: argparse.Namespace) -> dict[str, dict[str, str]]:
    asked = [(tool, case) for tool in tools for case in CASES]

    def ask(pair: tuple[str, Case]) -> str:
        tool, case = pair
        if tool == _PYHEAP:
            holding = _command(python, "--hold", case.name)
            return _tried(tool, case, lambda: ask_pyheap(holding, case, checkout=options.pyheap, root=_ROOT))
        return _tried(tool, case, lambda: str(_run(python, "--one", tool, case.name)))

    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(ask, asked))
    answers: dict[str, dict[str, str]] = {}
    for (tool, case), answer in zip(asked, found, strict=True):
        answers.setdefault(tool, {})[case.name] = answer
    return answers


def _tried(tool: str, case: Case, ask: Callable[[], str]) -> str:
    try:
        return ask()
    except subprocess.TimeoutExpired:
        return "too slow"
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [f"ended with {error.returncode}"])[-1]
        print(f"{tool}, {case.name}: {last}", file=sys.stderr)
        return "failed"


def _sizes(python: str, kinds: Sequence[str], jobs: int) -> dict[str, dict[str, float]]:
    def both(kind: str) -> dict[str, float]:
        traced, malloc = measure(kind, traced=True, python=python), measure(kind, traced=False, python=python)
        return {
            "ours": round(traced.ours, 2),
            "asked": round(traced.asked or 0, 2),
            "given": round(malloc.given or 0, 2),
            "objects": round(traced.objects, 2),
        }

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(kinds, pool.map(both, kinds), strict=True))


def _run(python: str, *arguments: str) -> Any:
    command = _command(python, *arguments)
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return json.loads(done.stdout)


def _command(python: str, *arguments: str) -> list[str]:
    return [python, "-W", "ignore", "-m", "benchmarks.what_is_seen", *arguments]


if __name__ == "__main__":
    sys.exit(main())
