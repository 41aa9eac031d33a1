"""The stored results in, docs/what-is-seen.md out."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.what_is_seen.cases import CASES
from benchmarks.what_is_seen.sizes import COUNT, KINDS

__all__ = ["PAGE", "RESULTS", "as_page"]

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "what-is-seen.md"

_COLUMNS = ("heapdiff", "guppy3", "pympler", "objgraph", "pyheap")
_UNMEASURED = "not measured"
_MARKS = {"yes": "✓", "no": "–"}
_TEXTS = Path(__file__).with_name("page.md")


def as_page(results: Mapping[str, Any]) -> str:
    """The page; its words come from ``page.md``, its tables from the results by version of Python."""
    text = _TEXTS.read_text(encoding="utf-8")
    return (
        text.replace("{versions}\n", "".join(_versions(results)))
        .replace("{seen}\n", "".join(_seen(results)))
        .replace("{sizes}\n", "".join(_sizes(results)))
    )


def _versions(results: Mapping[str, Any]) -> Iterator[str]:
    for python in sorted(results, key=_as_numbers):
        versions = results[python]["versions"]
        names = ("guppy3", "pympler", "objgraph", "pyheap", "numpy")
        yield f"* Python {python}: {', '.join(f'{name} {versions.get(name, _UNMEASURED)}' for name in names)}\n"


def _seen(results: Mapping[str, Any]) -> Iterator[str]:
    group = None
    for case in CASES:
        if case.group != group:
            group = case.group
            yield f"\n### {group}\n\n| case | asked | {' | '.join(_COLUMNS)} |\n|---|---|{'---|' * len(_COLUMNS)}\n"
        cells = " | ".join(_cell(results, tool, case.name) for tool in _COLUMNS)
        yield f"| {case.name} | {case.question.name.lower()} | {cells} |\n"


def _cell(results: Mapping[str, Any], tool: str, case: str) -> str:
    """One mark where all measured versions agree, else one for each; the others are named."""
    found = {}
    for python in sorted(results, key=_as_numbers):
        answer: str = results[python]["answers"].get(tool, {}).get(case, _UNMEASURED)
        found[".".join(python.split(".")[:2])] = _MARKS.get(answer, answer)
    marks = set(found.values())
    if len(marks) == 1:
        return marks.pop()
    shared = marks - {_UNMEASURED}
    if len(shared) == 1:
        others = [python for python, mark in found.items() if mark == _UNMEASURED]
        return f"{shared.pop()} ({', '.join(others)}: {_UNMEASURED})"
    return ", ".join(f"{python}: {mark}" for python, mark in found.items())


def _sizes(results: Mapping[str, Any]) -> Iterator[str]:
    pythons = sorted(results, key=_as_numbers)
    heads = " | ".join(f"{'.'.join(python.split('.')[:2])}: ours | asked | Δ | malloc" for python in pythons)
    yield f"| {COUNT:,} of | {heads} |\n|---|{'---:|' * 4 * len(pythons)}\n"
    for kind in KINDS:
        cells = []
        for python in pythons:
            row = results[python]["sizes"][kind]
            off = 100 * (row["ours"] - row["asked"]) / row["asked"]
            cells.append(f"{row['ours']:.1f} | {row['asked']:.1f} | {off:+.1f} % | {row['given']:.1f}")
        yield f"| {kind} | {' | '.join(cells)} |\n"


def _as_numbers(python: str) -> list[int]:
    return [int(part) for part in python.split(".")]
