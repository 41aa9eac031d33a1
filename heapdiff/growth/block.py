"""A block that runs once in, an error where it leaves objects behind out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from heapdiff.capture import take_census, take_snapshot
from heapdiff.diff.identity import find_survivors
from heapdiff.diff.model import TypeGrowth
from heapdiff.errors import HeapGrowthError
from heapdiff.explain import Grower, VerdictKind
from heapdiff.explain.growers import is_telling
from heapdiff.graph import HeapGraph, shortest_chain
from heapdiff.graph.states import LIVE
from heapdiff.growth.judging import is_ignored, is_left_out
from heapdiff.growth.model import Plan
from heapdiff.growth.settling import Settling
from heapdiff.pipeline import compare
from heapdiff.report import Report
from heapdiff.report.escape import clean
from heapdiff.report.layout import WIDTH, Pen, shortened
from heapdiff.report.suspect_text import suspect_lines
from heapdiff.sizes import count_text, size_text

__all__ = ["Block"]

_LEAST_BYTES = 64 << 10


class Block:
    """The heap before a block; ``check()`` looks at it again."""

    def __init__(self, plan: Plan, settle: Callable[[], object] | None) -> None:
        take_census()  # what the first picture imports is there before the base
        self._plan, self._settling = plan, Settling(settle, plan.settle_seconds)
        self._base = take_snapshot(collect=True)

    def check(self) -> None:
        """Nothing where the block left nothing.

        Raises:
            HeapGrowthError: Objects of a class that is not the standard library's, *per_round* objects or more of
                any type, or 64 kB of one.
        """
        self._settling.wait()
        now = take_snapshot(collect=True)
        report = compare(self._base, now, growers=40, rules=self._plan.rules, accept=self._plan.accept)
        growers = [grower for grower in report.growers if self._is_much(grower)]
        told = {grower.type_name for grower in report.growers} | {
            grower.type_name for grower in report.explanation.accepted
        }
        few = [
            row
            for row in report.explanation.diff.types
            if row.name not in told and row.objects_delta > 0 and _is_own(row)
        ]
        lines = [*_grown(report, growers), *self._left(report, few)]
        if lines:
            raise HeapGrowthError("\n".join([f"The block leaves objects behind: {lines[0].strip()}", *lines, ""]))

    def _is_much(self, grower: Grower) -> bool:
        if grower.imported or (grower.verdict is not None and grower.verdict.kind is VerdictKind.BENIGN):
            return False
        row_is_own = not is_standard(grower.type_name.rpartition(".")[0]) and grower.objects_delta > 0
        much = grower.objects_delta >= self._plan.per_round or grower.shallow_bytes_delta >= _LEAST_BYTES or row_is_own
        return much and not is_left_out(grower, self._plan.ignore)

    def _left(self, report: Report, rows: list[TypeGrowth]) -> Iterator[str]:
        """Too few for a grower: a line and a chain for each type."""
        diff = report.explanation.diff
        for row in rows:
            chain = _chain(diff.base, diff.now, row)
            if is_ignored([row.name, *([] if chain is None else [chain])], self._plan.ignore):
                continue
            what = f"+{count_text(row.objects_delta)} {clean(row.name)}, {size_text(row.shallow_bytes_delta)}"
            yield shortened(what, WIDTH)
            if chain is not None:
                yield shortened(f"   held by {clean(chain)}", WIDTH)


def is_standard(module: str) -> bool:
    """Whether a module is of the standard library."""
    return module in ("", "builtins") or (
        module.partition(".")[0] in sys.stdlib_module_names and module.partition(".")[0] != "__main__"
    )


def _is_own(row: TypeGrowth) -> bool:
    return is_telling(row) and row.name != "type" and not is_standard(row.module)


def _grown(report: Report, growers: list[Grower]) -> Iterator[str]:
    seen: set[int] = set()
    for grower in growers:
        if grower.group in seen:
            continue
        seen.add(grower.group)
        size = size_text(grower.shallow_bytes_delta)
        heading = (
            f"{clean(grower.type_name)} got larger by {size}"
            if grower.in_place
            else f"+{count_text(grower.objects_delta)} {clean(grower.type_name)}, {size}"
        )
        yield shortened(heading, WIDTH)
        yield from suspect_lines([grower], Pen(colour=False))


def _chain(base: HeapGraph, now: HeapGraph, row: TypeGrowth) -> str | None:
    """What holds one of the new objects, as code; by address and type, so that it may not be found."""
    states, survived = now.paths["state"], find_survivors(base, now)
    for obj, of in enumerate(now.snapshot.columns["object_type"]):
        if of in row.rows_now and not survived[obj] and states[obj] == LIVE:
            return shortest_chain(now, obj).expression
    return None
