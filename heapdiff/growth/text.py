"""A growth report in, the text of a failing test out, narrow enough for pytest's margin on 100 columns."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator, Sequence
from itertools import groupby

import attrs

from heapdiff.diff.model import SiteGrowth
from heapdiff.growth.model import Growth, GrowthReport, holder_of
from heapdiff.report.escape import clean
from heapdiff.report.layout import Pen, shortened, wrapped
from heapdiff.report.suspect_text import bytes_each, suspect_lines
from heapdiff.sizes import count_text, size_text

__all__ = ["rate_text", "render_growth"]

_PEN = Pen(colour=False, width=92)  # pytest sets each line of a message in by eight
_DRAWN = 3  # points at which growth piles up that are drawn in full
_COMPANIONS = 5
_SELDOM = 0.95  # objects for each iteration; below that it is said how many iterations one takes
# Frames of these are not the program's: the standard library, installed packages, and this one.
_NOT_OWN = (
    *(os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "purelib", "platlib")),
    os.path.join(os.path.dirname(os.path.dirname(__file__)), ""),
    "<",
)


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
    grew = f"It grew in each of {report.rounds} rounds, in all {runs}, gc run before each picture."
    lines = [rate_text(first), *wrapped(f"{_where(first)}. {grew}".removeprefix(". "), _PEN.width)]
    groups = [[*growths] for _, growths in groupby(sorted(report.growths, key=_group), _group)]
    groups.sort(key=lambda growths: report.growths.index(growths[0]))
    for number, growths in enumerate(groups[:_DRAWN], start=1):
        lines += ["", *_suspect(report, number, growths)]
    rest = [f"also  {rate_text(growths[0])} {_where(growths[0])}" for growths in groups[_DRAWN:]]
    lines += ["", *(shortened(line, _PEN.width) for line in rest)] if rest else []
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
    heading = f"{number}  {rate_text(leading)}"
    if leading.grower is not None and (each := bytes_each(leading.grower)) is not None:
        heading += f"   {size_text(each)} each"
    if leading.grower is None:
        return [*wrapped(heading, _PEN.width), *_PEN.field("holder", _no_holder(report))]
    grower = attrs.evolve(leading.grower, sites=tuple(_own_sites(leading.grower.sites)))
    lines = [shortened(heading, _PEN.width), *suspect_lines([grower], _PEN)]
    companions = [rate_text(growth).removesuffix(" per iteration") for growth in growths[1 : _COMPANIONS + 1]]
    return [*lines, *_PEN.field("with", ", ".join(companions))] if companions else lines


def _own_sites(sites: Sequence[SiteGrowth]) -> Iterator[SiteGrowth]:
    """The lines of the program that led to each allocation; where none of its is among the frames, the line itself."""
    own: dict[tuple[tuple[str, int], ...], SiteGrowth] = {}
    for site in sites:
        place = next((i for i, (file, _) in enumerate(site.frames) if not file.startswith(_NOT_OWN)), None)
        if place is None:
            continue
        frames = (_relative(site.frames[place]),)
        known = own.get(frames)
        added = 0 if known is None else known.objects_now - known.objects_base
        own[frames] = attrs.evolve(site, frames=frames, objects_now=site.objects_now + added)
    yield from own.values() if own else sites[:1]


def _relative(frame: tuple[str, int]) -> tuple[str, int]:
    """The file as seen from the current folder, where it is below that."""
    file, line = frame
    folder = os.path.join(os.getcwd(), "")
    return file.removeprefix(folder), line


def _no_holder(report: GrowthReport) -> str:
    blocks = None if report.report is None else report.report.explanation.blocks_verdict
    return "No object holds it." if blocks is None else f"{clean(blocks.text)} {clean(blocks.mend)}".strip()


def _where(growth: Growth) -> str:
    holder = holder_of(growth)
    return "" if holder is None else f"held by {clean(holder)}"


def _ignored(report: GrowthReport) -> list[str]:
    lines = [shortened(f"ignored  {rate_text(growth)}", _PEN.width) for growth in report.ignored]
    return ["", *lines] if lines else []


def _group(growth: Growth) -> int:
    return growth.group


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if abs(rate - round(rate)) < 0.05 or rate >= 10 else f"{rate:.1f}"  # noqa: PLR2004 - digits
