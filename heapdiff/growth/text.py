"""A growth report in, the text of a failing test out, at most 100 columns wide."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

from heapdiff.diff.model import SiteGrowth
from heapdiff.growth.model import Growth, GrowthReport, holder_of
from heapdiff.report.escape import clean
from heapdiff.report.layout import Pen
from heapdiff.report.suspect_text import suspect_lines
from heapdiff.sizes import count_text, size_text

__all__ = ["rate_text", "render_growth"]

_WIDTH = 100
_DRAWN = 3  # points at which growth piles up that are drawn in full
_COMPANIONS = 5
_SELDOM = 0.95  # objects for each iteration; below that it is said how many iterations one takes
_STANDARD = tuple({os.path.dirname(os.__file__), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def render_growth(report: GrowthReport, ignoring: str = "ignore", accepting: str = "accept=") -> str:
    """What grows with every iteration, the most telling first, and why it cannot be freed.

    Args:
        report: What was found.
        ignoring, accepting: What the door that it came in by calls the two ways to let known growth pass.
    """
    runs = f"{count_text(report.iterations)} iterations"
    if not report.growths:
        lines = [f"Nothing grew with every round: {runs}."]
        return "\n".join([*lines, *_ignored(report)]) + "\n"
    first, *others = report.growths
    lines = _wrapped(f"{rate_text(first)}{_where(first)}.")
    lines += _wrapped(f"It grew in each of {report.rounds} rounds, in all {runs}, gc run before each picture.")
    groups = [[*growths] for _, growths in groupby(sorted(report.growths, key=_group), _group)]
    groups.sort(key=lambda growths: report.growths.index(growths[0]))
    for number, growths in enumerate(groups[:_DRAWN], start=1):
        lines += ["", *_suspect(report, number, growths)]
    rest = [growths[0] for growths in groups[_DRAWN:]]
    lines += ["", *(f"also  {_cut(rate_text(growth) + _where(growth))}" for growth in rest)] if rest else []
    lines += _ignored(report)
    if any(growth.fingerprint for growth in (first, *others)):
        lines += [
            "",
            f'Known and accepted? {ignoring}=["{first.fingerprint}"], or an entry with its reason in {accepting}.',
        ]
    return "\n".join(lines) + "\n"


def rate_text(growth: Growth) -> str:
    """Such as ``+1 app.web.Session per iteration``."""
    name = clean(growth.type_name)
    if growth.objects_per_iteration == 0:
        return f"{name} gets larger by {size_text(round(growth.bytes_per_iteration))} per iteration"
    rate = growth.objects_per_iteration
    if rate < _SELDOM:
        return f"+1 {name} every {1 / rate:.1f} iterations"
    return f"+{_short(rate)} {name} per iteration"


def _suspect(report: GrowthReport, number: int, growths: Sequence[Growth]) -> list[str]:
    leading = growths[0]
    each = leading.bytes_per_iteration
    heading = f"{number}  {rate_text(leading)}   {size_text(round(each))} of its own"
    if leading.grower is None or report.report is None:
        return [*_wrapped(heading), *_wrapped(f"   {_no_holder(report)}")]
    lines = [_cut(heading), *suspect_lines([leading.grower], Pen(colour=False))]
    site = leading.grower.sites[0] if leading.grower.sites else None
    called = None if site is None else _caller(site)
    if called is not None:
        place = next((i + 1 for i, line in enumerate(lines) if line.startswith("   added by")), len(lines))
        while place < len(lines) and lines[place].startswith(" " * 16):
            place += 1
        lines[place:place] = [_cut(f"   {'called from':<12} {called}")]
    companions = [f"{rate_text(growth).removesuffix(' per iteration')}" for growth in growths[1 : _COMPANIONS + 1]]
    if companions:
        lines += [_cut(f"   {'with':<12} {', '.join(companions)}")]
    return lines


def _caller(site: SiteGrowth) -> str | None:
    """The first line that is neither of the standard library nor of an installed package, where it is not the first."""
    for place, (file, line) in enumerate(site.frames):
        if not file.startswith((*_STANDARD, "<")):
            return f"{clean(file)}:{line}" if place and not _is_ours(file) else None
    return None


def _is_ours(file: str) -> bool:
    package = sys.modules["heapdiff"].__path__[0]
    return file.startswith(package)


def _no_holder(report: GrowthReport) -> str:
    blocks = None if report.report is None else report.report.explanation.blocks_verdict
    return "No object holds it." if blocks is None else f"{clean(blocks.text)} {clean(blocks.mend)}".strip()


def _where(growth: Growth) -> str:
    holder = holder_of(growth)
    return "" if holder is None else f", held by {clean(holder)}"


def _ignored(report: GrowthReport) -> list[str]:
    return ["", *(f"ignored  {_cut(rate_text(growth), 9)}" for growth in report.ignored)] if report.ignored else []


def _group(growth: Growth) -> int:
    return growth.group


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if abs(rate - round(rate)) < 0.05 or rate >= 10 else f"{rate:.1f}"  # noqa: PLR2004 - digits


def _cut(text: str, used: int = 6) -> str:
    room = _WIDTH - used if not text[:1].isspace() else _WIDTH
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _wrapped(text: str) -> list[str]:
    return wrap(text, _WIDTH, subsequent_indent=" " * (len(text) - len(text.lstrip())), break_on_hyphens=False)
