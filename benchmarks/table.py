"""Runs in, tables out: aligned text for a terminal or Markdown for a page."""

import statistics
import textwrap
from collections.abc import Callable, Iterable, Sequence

import attrs

from benchmarks.bounds import check_bounds
from benchmarks.contenders import JOB_QUESTIONS
from benchmarks.runner import Run

__all__ = ["Table", "as_markdown", "as_text", "tables"]

NOT_MEASURED = "not measured"
_WIDTH = 120
_HEADER = ("tool", "what is measured", "CPU", "× gc", "peak B/object", "held", "left", "right?")
_LEGEND = (
    "Every ratio (× gc) is CPU time over that of one full gc.collect() of the same heap in the same process. "
    "Peak: resident memory over the heap, for each object that was asked for (the heaps hold 7 to 10 % more). "
    "Held, left: alive afterwards and not before, while the result is held and when it has been dropped, as objects "
    "that the collector tracks / blocks of pymalloc. Right: the answer beside the truth of the heap."
)


@attrs.frozen
class Table:
    """A heading, what one must know to read it, and rows of text; the first two columns are words."""

    heading: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(runs: Sequence[Run]) -> list[Table]:
    """The promises first, then a table for each job and size."""
    found = [_bounds_table(runs)]
    for job, question in JOB_QUESTIONS.items():
        for size in sorted({run.task.object_count for run in runs if run.task.job == job}):
            of_job = [run for run in runs if run.task.job == job and run.task.object_count == size]
            found.append(_job_table(job, question, size, of_job))
    return found


def as_text(found: Iterable[Table]) -> str:
    """Aligned columns, words to the left and figures to the right."""
    parts = []
    for table in found:
        widths = [max(map(len, column)) for column in zip(table.header, *table.rows, strict=True)]
        lines = []
        for row in (table.header, *table.rows):
            words = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
            figures = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
            lines.append("  ".join(words + figures).rstrip())
        parts.append("\n".join([table.heading, *textwrap.wrap(table.note, _WIDTH), "", *lines]))
    return "\n\n".join(parts)


def as_markdown(found: Iterable[Table], level: int = 3) -> str:
    """The same for a page."""
    parts = []
    for table in found:
        rule = ["---", "---", *["--:"] * (len(table.header) - 2)]
        rows = ("| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in (table.header, rule, *table.rows))
        heading = f"{'#' * level} {table.heading}"
        parts.append("\n\n".join([heading, *([table.note] if table.note else []), "\n".join(rows)]))
    return "\n\n".join(parts)


def _escaped(cell: str) -> str:
    indent = len(cell) - len(cell.lstrip())
    return "&nbsp;" * indent + cell.lstrip().replace("|", "\\|")


def _bounds_table(runs: Sequence[Run]) -> Table:
    rows = []
    for check in check_bounds(runs):
        met = {True: "yes", False: "NO", None: NOT_MEASURED}[check.is_met]
        if check.is_met is not None and not check.is_promised:
            met = f"from {check.bound.from_objects:,}"
        size = f"{check.object_count:,}" if check.object_count else "-"
        measured = _spread(check.figures, lambda figure: f"{figure:.3g}")
        rows.append((check.bound.text, check.bound.unit, size, f"≤ {check.bound.limit:g}", measured, met))
    header = ("promise of heapdiff", "unit", "objects", "must be", "measured", "met?")
    return Table("What heapdiff promises", _LEGEND, header, tuple(rows))


def _job_table(job: str, question: str, size: int, runs: Sequence[Run]) -> Table:
    rows: list[tuple[str, ...]] = []
    for tool in dict.fromkeys(run.task.tool for run in runs):
        rows += _tool_rows([run for run in runs if run.task.tool == tool])
    collections = [run.collection_seconds for run in runs if run.collection_seconds]
    notes = [f"Python {version}" for version in sorted({run.python for run in runs if run.python})]
    if collections:
        notes.append(f"one full gc.collect() {_spread(collections, _seconds)} CPU in these processes")
    heading = f"{job}: {question}" + (f" ({size:,} objects)" if size else "")
    return Table(heading, "; ".join(notes), _HEADER, tuple(rows))


def _tool_rows(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    good = [run for run in runs if run.outcome == "ok"]
    tool = runs[0].task.tool
    if not good:
        return [(tool, runs[0].error.splitlines()[-1] if runs[0].error else "", *[""] * 5, runs[0].outcome)]
    size = good[0].task.object_count
    peaks = [run.peak_bytes / size for run in good if run.peak_bytes is not None and size]
    rows: list[tuple[str, ...]] = [
        (
            tool,
            good[0].how,
            _spread([run.cpu_seconds for run in good], _seconds),
            _ratios(good, lambda run: run.cpu_seconds),
            _spread(peaks, lambda peak: f"{peak:.0f}") if size else "",
            _live(good, lambda run: run.held),
            _live(good, lambda run: run.left),
            "; ".join([_verdict(good), *(run.outcome for run in runs if run.outcome != "ok")]),
        )
    ]
    for name in dict.fromkeys(name for run in good for name in run.phases):
        spent = [run.phases[name] for run in good if name in run.phases]
        ratios = _ratios(good, lambda run, name=name: run.phases.get(name))  # type: ignore[misc]
        rows.append(("", f"  {name}", _spread(spent, _seconds), ratios, "", "", "", ""))
    for name in dict.fromkeys(name for run in good for name in run.figures):
        rows.append(_figure_row(name, good))
    return rows


def _figure_row(name: str, runs: Sequence[Run]) -> tuple[str, ...]:
    figures = [run.figures.get(name) for run in runs]
    unit = next((unit for unit in _UNITS if name.endswith(unit)), "")
    label = "  " + name.removesuffix(unit).replace("_", " ")
    ratios = _ratios(runs, lambda run: run.figures.get(name)) if unit == "_seconds" else ""
    return ("", label, _spread(figures, _UNITS.get(unit, _count)), ratios, "", "", "", "")


def _verdict(runs: Sequence[Run]) -> str:
    claims = [claim for run in runs for claim in run.claims]
    wrong = next((claim for claim in claims if not claim["right"]), None)
    if wrong is None:
        return "yes" if claims else "-"
    found, truth = wrong["found"], wrong["truth"]
    if isinstance(found, (int, float)) and isinstance(truth, (int, float)) and truth:
        return f"{100 * found / truth:.1f}% of the {wrong['what']}"
    return f"no {wrong['what']}"


def _live(runs: Sequence[Run], of: Callable[[Run], dict[str, int] | None]) -> str:
    """Objects that the collector tracks / blocks of pymalloc."""
    counts = [found for found in map(of, runs) if found is not None]
    if not counts:
        return ""
    tracked, blocks = (statistics.median(count[kind] for count in counts) for kind in ("tracked", "blocks"))
    return f"{tracked:,.0f} / {blocks:,.0f}"


def _ratios(runs: Sequence[Run], of: Callable[[Run], float | None]) -> str:
    ratios = []
    for run in runs:
        spent = of(run)
        if spent is not None and run.collection_seconds:
            ratios.append(spent / run.collection_seconds)
    return _spread(ratios, lambda ratio: f"{ratio:.2f}") if ratios else ""


def _spread(figures: Iterable[float | None], text: Callable[[float], str]) -> str:
    """The median, and the least and the most where there are several."""
    known = [figure for figure in figures if figure is not None]
    if not known:
        return NOT_MEASURED
    median, least, most = text(statistics.median(known)), text(min(known)), text(max(known))
    return median if least == most else f"{median} ({least} … {most})"


def _seconds(seconds: float) -> str:
    if abs(seconds) < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s"


def _mebibytes(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.1f} MiB"


def _bytes_an_object(size_bytes: float) -> str:
    return f"{size_bytes:.1f} B/object"


def _count(count: float) -> str:
    return f"{count:,.0f}"


# the end of a figure's name says its unit
_UNITS = {"_seconds": _seconds, "_per_object": _bytes_an_object, "_bytes": _mebibytes}
