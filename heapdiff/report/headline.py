"""An explanation in, its first lines out: what grew and where, when it was looked at, how much is explained."""

from __future__ import annotations

import time
from collections.abc import Sequence

from heapdiff.diff.model import HeapDiff
from heapdiff.explain.model import ContrastKind, Explanation, Grower, Holder, HolderKind
from heapdiff.report.escape import clean
from heapdiff.sizes import count_text, delta_bytes_text, size_text

__all__ = ["coverage_text", "headline", "is_in_control", "moments_text"]


def headline(explanation: Explanation, groups: Sequence[Sequence[Grower]]) -> str:
    """The answer in a sentence or two: what grew most, and where it piles up.

    Args:
        explanation: What grew and why.
        groups: Its growers, those of one point together.
    """
    diff = explanation.diff
    if not groups:
        if explanation.accepted:
            return "Nothing grew but what is accepted."
        change = diff.live_bytes_delta
        return (
            "Nothing grew."
            if change <= 0
            else f"Nothing grew that has a name: {delta_bytes_text(change)} in small change."
        )
    leading = groups[0][0]
    if is_in_control(leading):
        return "Nothing grew that does not grow in the control too."
    if leading.imported and explanation.imported is not None:
        imported = explanation.imported
        return f"{count_text(imported.module_count)} modules were imported, {_took(diff, imported.shallow_bytes)}."
    holder = leading.holder
    if leading.in_place:
        text = f"{clean(leading.type_name)} got larger by {size_text(leading.shallow_bytes_delta)}"
    else:
        text = f"{count_text(leading.objects_delta)} new {clean(leading.type_name)}"
        if leading.retained_bytes_delta is not None and leading.retained_bytes_delta > 0:
            text += f" retain {size_text(leading.retained_bytes_delta)}"
    if holder is None or holder.kind is HolderKind.SPREAD:
        return f"{text}. They are spread over many places."
    return f"{text}. {_piles_up(leading, holder)}, {_took(diff, leading.group_growth_bytes)}."


def moments_text(diff: HeapDiff) -> str:
    """When the snapshots were taken, of which process, and whether the collector had run."""
    days = {time.localtime(moment)[:3] for moment in diff.capture_times if moment is not None}
    times = [_clock(moment, with_date=len(days) > 1) for moment in diff.capture_times]
    if len(times) > 3:  # noqa: PLR2004 - base, one between and now still fit
        times = [times[0], f"{len(times) - 2} between", times[-1]]
    names = ["base", *[""] * (len(times) - 2), "now"]
    parts = [" → ".join(f"{name} {moment}".strip() for name, moment in zip(names, times, strict=True))]
    base, now = diff.base.snapshot.process, diff.now.snapshot.process
    if diff.same_process:
        parts.append(f"pid {now.pid}")
    elif base.pid is not None and now.pid is not None:
        parts.append(f"pid {base.pid} and {now.pid}")
    collected = {base.collected_before, now.collected_before}
    if collected == {True}:
        parts.append("gc run before each")
    elif collected == {False}:
        parts.append("gc not run before")
    elif None not in collected:
        parts.append("gc run before one of them only")
    return " · ".join(parts)


def coverage_text(explanation: Explanation) -> str:
    """By how much the process grew, and how much of that is explained."""
    coverage = explanation.coverage
    text = f" · RSS {delta_bytes_text(coverage.rss_bytes_delta)}"
    if coverage.rss_bytes_delta is not None and coverage.snapshot_bytes:
        text += f" with heapdiff's own snapshots of {size_text(coverage.snapshot_bytes)}"
    text += f" · live objects {delta_bytes_text(coverage.live_bytes_delta)}"
    part = coverage.explained_part
    if part is not None and explanation.growers:
        text += f", {round(100 * part)} % of the RSS explained"
    return text


def is_in_control(grower: Grower) -> bool:
    """Whether it grows without what is tested, too, and so is not accused."""
    return grower.contrast is not None and grower.contrast.kind is ContrastKind.ALSO_IN_CONTROL


def _took(diff: HeapDiff, growth_bytes: int) -> str:
    text = f"which took on {size_text(growth_bytes)}"
    if diff.live_bytes_delta > 0 and growth_bytes > 0:
        text += f", {min(100, round(100 * growth_bytes / diff.live_bytes_delta))} % of the growth"
    return text


def _piles_up(grower: Grower, holder: Holder) -> str:
    where = clean(holder.expression)
    if grower.in_place:
        return f"It is {where}"
    if holder.joint:
        return f"{sum(h.joint for h in grower.holders)} holders keep them alive together, first {where}"
    if holder.kind is HolderKind.NATIVE:
        return "No object holds them but native code"
    kind = clean(holder.type_name)
    if holder.object_count == 1 and kind:
        return f"They pile up in one {kind}, {where}"
    return (
        f"They pile up in {count_text(holder.object_count)} × {kind} at {where}" if kind else f"They hang below {where}"
    )


def _clock(moment: float | None, *, with_date: bool) -> str:
    if moment is None:
        return "at an unknown time"
    return time.strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M:%S", time.localtime(moment))
