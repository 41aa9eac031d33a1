"""An explanation in, the text for a person at three in the morning out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from heapdiff.diff.model import HeapDiff, Identity, IdentityMode, SiteGrowth, TypeGrowth
from heapdiff.explain.model import (
    ChainHop,
    Contrast,
    ContrastKind,
    Explanation,
    Grower,
    Holder,
    HolderKind,
    Settling,
    Trend,
    Verdict,
    VerdictKind,
)
from heapdiff.report.escape import clean
from heapdiff.sizes import (
    count_text,
    delta_bytes_text,
    delta_count_text,
    percent_text,
    size_text,
)

__all__ = ["render_suspect", "render_text"]

_WIDTH = 100
_TABLE_ROWS = 10
_SUSPECTS = 4  # groups that are drawn in full
_COMPANIONS = 5
_MOST_HOPS = 14
_LABEL_WIDTH = 34
_LEAST_TYPE_WIDTH = 12
_LEAST_LABEL_WIDTH = 24
_SAME = 0.02  # parts of the live growth that are too small for the headline

_RED, _GREEN, _BOLD, _DIM, _RESET = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render_text(explanation: Explanation, *, colour: bool = False) -> str:
    """The report, the answer first, at most 100 columns wide.

    Args:
        explanation: What grew and why.
        colour: Whether to write the colours of a terminal; say so only where it goes to one.
    """
    return "\n".join(_Text(explanation, colour).lines()) + "\n"


def render_suspect(explanation: Explanation, growers: Sequence[Grower]) -> list[str]:
    """Lines on growers that pile up at one point, of which the first leads: chain, holders, sites, verdict, mend."""
    return _Text(explanation, colour=False).suspect(growers)


class _Text:
    def __init__(self, explanation: Explanation, colour: bool) -> None:
        self._explanation = explanation
        self._diff = explanation.diff
        self._colour = colour

    def lines(self) -> list[str]:
        groups = _groups(self._explanation.growers)
        lines = [self._paint(_BOLD, part) for part in _wrapped(_headline(self._explanation, groups))]
        lines += _wrapped(_moments(self._diff) + _coverage(self._explanation))
        lines += self._table(groups)
        suspects, told = _drawn(groups)
        for number, growers in enumerate(suspects, start=1):
            lines += ["", *self._suspect(number, growers)]
        lines += self._others(
            [growers for growers in groups if growers not in suspects and not _is_told(growers, told)],
            imports_drawn=any(growers[0].imported for growers in suspects),
        )
        lines += self._settlings()
        lines += self._accepted()
        lines += self._footer()
        return lines

    def _paint(self, code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if self._colour and text else text

    # The table

    def _table(self, groups: Sequence[Sequence[Grower]]) -> list[str]:
        rows = _table_rows(self._diff, groups)
        if not rows:
            return []
        whole = max(self._diff.live_bytes_delta, sum(max(0, row.shallow_bytes_delta) for row in rows)) or 1
        lines = ["", f"{'flat':>10}  {'flat%':>6}  {'sum%':>6}  {'cum':>10}  {'cum%':>6}  {'objects':>10}  type"]
        running = 0
        for row in rows:
            running += row.shallow_bytes_delta
            retained = row.retained_bytes_delta
            cells = (
                f"{delta_bytes_text(row.shallow_bytes_delta):>10}",
                f"{percent_text(row.shallow_bytes_delta, whole):>6}",
                f"{percent_text(running, whole):>6}",
                f"{delta_bytes_text(retained) if retained is not None else '-':>10}",
                f"{percent_text(retained, whole) if retained is not None else '-':>6}",
                f"{delta_count_text(row.objects_delta):>10}",
                _shortened(clean(row.name), 40),
            )
            lines.append("  ".join(cells))
        left = len(self._diff.grown) - len(rows)
        if left > 0:
            lines.append(self._paint(_DIM, f"{'':>60}  {left:,} more types grew"))
        return lines

    # One suspect: all growers that pile up at one point

    def _suspect(self, number: int, growers: Sequence[Grower]) -> list[str]:
        return [self._paint(_BOLD, _heading(number, growers[0])), *self.suspect(growers)]

    def suspect(self, growers: Sequence[Grower]) -> list[str]:
        leading = growers[0]
        lines = self._chain(leading)
        lines += self._holders(leading)
        if leading.sites:
            lines += _field("added by", ", ".join(_site(site) for site in leading.sites))
        companions = [f"{delta_count_text(g.objects_delta)} {clean(g.type_name)}" for g in growers[1 : _COMPANIONS + 1]]
        if companions:
            lines += _field("with", ", ".join(companions))
        lines += _slope(leading)
        if leading.contrast is not None:
            lines += _field("contrast", _contrast(leading.contrast))
        if leading.settling is not None:
            lines += _field("settled", _settled(leading.settling))
        lines += self._verdict(leading.verdict)
        lines += _field("fingerprint", leading.fingerprint)
        return lines

    def _chain(self, grower: Grower) -> list[str]:
        hops = grower.chain
        if not hops:
            return []
        lines = [f"   ╭ GC root: {_shortened(clean(hops[0].label), _WIDTH - 14)}"]
        if hops[0].is_holder and len(hops) > 1:
            lines[0] += self._paint(_RED, "   ◀ piles up here")
        adds = next((place + 1 for place, hop in enumerate(hops) if hop.is_holder), None)
        labels = [_shortened(clean(hop.label), _LABEL_WIDTH) for hop in hops]
        width = max(_LEAST_LABEL_WIDTH, *(len(label) for label in labels[1:-1] or [""]))
        for place in _shown(len(hops), adds):
            if place is None:
                lines.append("   │   …")
                continue
            label = labels[place]
            if place < len(hops) - 1:
                lines.append(self._hop(f"{label:<{width}}", hops[place], grower))
            elif len(hops) > 1:
                row = f" × {count_text(hops[place].repeats)} in a row" if hops[place].repeats > 1 else ""
                lines.append(f"   │   {label}{row}")
            if place == adds:
                lines.append(f"   │   {self._paint(_RED, '~' * len(label))}")
        last = hops[-1]
        new = (
            f"× {count_text(grower.holder.new_objects)} new" if grower.holder and not grower.in_place else "got larger"
        )
        mark = self._paint(_RED, "   ◀ grows here") if last.is_holder else ""
        lines.append(
            f"   ╰→ {_shortened(clean(last.type_name), 48)}   {size_text(_bytes_each(grower, last))} {new}{mark}"
        )
        return lines

    def _hop(self, label: str, hop: ChainHop, grower: Grower) -> str:
        details = f" × {count_text(hop.repeats)} in a row" if hop.repeats > 1 else ""
        holder = grower.holder
        if hop.is_holder and holder is not None and holder.entries_now is not None and holder.object_count == 1:
            details += f", {_from_to(holder.entries_base, holder.entries_now)} entries"
        elif hop.objects_now is not None and hop.objects_now > 1:
            details += f", {_from_to(hop.objects_base, hop.objects_now)} objects"
        mark = "   ◀ piles up here" if hop.is_holder else "   (yours)" if hop.is_owner else ""
        room = _WIDTH - 7 - len(label) - 13 - len(details)
        if hop.is_holder and room - len(mark) < min(len(hop.type_name), _LEAST_TYPE_WIDTH):
            mark = " ◀"
        what = _shortened_type(clean(hop.type_name), room - len(mark)) + details
        paint = _RED if hop.is_holder else _DIM
        return f"   │   {label}  {size_text(hop.retained_bytes):>9}  {what}{self._paint(paint, mark)}"

    def _holders(self, grower: Grower) -> list[str]:
        lines = []
        joint = [holder for holder in grower.holders if holder.joint]
        if joint:
            lines += _field("joint", f"{len(joint)} holders keep the same objects alive; all of them must let go:")
            lines += [line for holder in joint for line in _field("", _joint_holder(holder))]
        apart = [holder for holder in grower.holders[1:] if not holder.joint]
        if apart:
            places = ", ".join(f"{clean(h.expression)} ({count_text(h.new_objects)} new)" for h in apart)
            lines += _field("also in", places)
        holder = grower.holder
        if holder is not None and holder.object_count > 1 and not grower.in_place:
            kind = clean(holder.type_name)
            lines += _field("held in", f"{count_text(holder.object_count)} × {kind} at {clean(holder.expression)}")
        return lines

    def _verdict(self, verdict: Verdict | None) -> list[str]:
        if verdict is None:
            return []
        code = {VerdictKind.LEAK: _RED, VerdictKind.BENIGN: _GREEN, VerdictKind.UNSURE: _BOLD}[verdict.kind]
        lines = _field("verdict", f"{verdict.kind.value}: {clean(verdict.text)}")
        lines[0] = lines[0].replace(verdict.kind.value, self._paint(code, verdict.kind.value), 1)
        return lines + (_field("mend", clean(verdict.mend)) if verdict.mend else [])

    # The end

    def _others(self, groups: Sequence[Sequence[Grower]], *, imports_drawn: bool) -> list[str]:
        lines = []
        for growers in groups:
            leading = growers[0]
            if leading.imported and self._explanation.imported is not None:
                continue
            verdict = f": {leading.verdict.kind.value}" if leading.verdict else ""
            where = clean(leading.holder.expression) if leading.holder else "many places"
            text = f"also  {_delta(leading)} {clean(leading.type_name)} in {where}{verdict}"
            lines.append(self._paint(_DIM, _shortened(text, _WIDTH)))
        imported = self._explanation.imported
        if imported is not None and not imports_drawn:
            what = f"{count_text(imported.type_count)} types, {delta_bytes_text(imported.shallow_bytes)}"
            lines.append(self._paint(_DIM, f"also  modules imported meanwhile: {what}"))
        return ["", *lines] if lines else []

    def _settlings(self) -> list[str]:
        """What became of the growth of the busy time, by type."""
        if self._explanation.settlings is None:
            return []
        rows = [row for row in self._explanation.settlings if row.path is None]
        if not rows:
            return ["", "Settle check: nothing was added while the program was busy."]
        lines = ["", f"{'busy':>10}  {'settled':>10}  {'left':>6}  {'kept':>8}  settle check"]
        for row in rows[:_TABLE_ROWS]:
            base, busy, settled = row.counts
            delta = delta_bytes_text if row.unit == "bytes" else delta_count_text
            kept = "-" if row.kept is None or row.unit == "bytes" else count_text(row.kept)
            lines.append(
                f"{delta(busy - base):>10}  {delta(settled - base):>10}  {round(100 * row.part):>5}%  {kept:>8}  "
                f"{_shortened(clean(row.type_name), 40)}: {row.standing.value}"
            )
        if len(rows) > _TABLE_ROWS:
            lines.append(self._paint(_DIM, f"{'':>42}  {len(rows) - _TABLE_ROWS:,} more"))
        return lines

    def _accepted(self) -> list[str]:
        """Growth that somebody knows of, one line each; and what is in the file but grows no more."""
        lines = []
        for grower in self._explanation.accepted:
            size = grower.shallow_bytes_delta
            delta = delta_bytes_text(size) if grower.in_place else delta_count_text(grower.objects_delta)
            place = f" in {clean(grower.known.holder)}" if grower.known.holder else ""
            what = f"accepted  {delta} {clean(grower.type_name)}{place}"
            lines.append(f"{_shortened(what, _WIDTH)}: {clean(grower.known.reason)}")
        for known in self._explanation.gone:
            name = f"{known.fingerprint} {clean(known.type_name)}".strip()
            lines.append(f"gone      {name} no longer grows; its entry can go as well")
        return ["", *(part for line in lines for part in _wrapped(line))] if lines else []

    def _footer(self) -> list[str]:
        lines: list[str] = []
        garbage = self._explanation.garbage_verdict
        if garbage is not None:
            lines += _wrapped(f"Garbage: {garbage.text} {garbage.mend}".strip())
        blocks = self._explanation.blocks_verdict
        if blocks is not None:
            lines += _wrapped(f"Blocks: {blocks.kind.value}: {blocks.text} {blocks.mend}".strip())
        lines += [line for remark in self._diff.remarks for line in _wrapped(clean(remark))]
        if not self._diff.same_process and self._explanation.growers:
            lines += _wrapped("Not known to be one process: matched by label paths, not by identity.")
        elif self._explanation.growers:
            lines += _wrapped(_identity(self._diff.identity))
        limits = sorted({clean(limit.text) for limit in self._diff.now.snapshot.limits})
        lines += _wrapped(f"Not seen: {' '.join(limits)}") if limits else []
        if self._explanation.next_step:
            lines += _wrapped(f"Next: {self._explanation.next_step}")
        return ["", *lines] if lines else []


# The first lines


def _headline(explanation: Explanation, groups: Sequence[Sequence[Grower]]) -> str:
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
    if _is_in_control(leading):
        return "Nothing grew that does not grow in the control too."
    holder = leading.holder
    if leading.in_place:
        text = f"{clean(leading.type_name)} got larger by {size_text(leading.shallow_bytes_delta)}"
    else:
        text = f"{count_text(leading.objects_delta)} new {clean(leading.type_name)}"
        if leading.retained_bytes_delta is not None and leading.retained_bytes_delta > 0:
            text += f" retain {size_text(leading.retained_bytes_delta)}"
    if holder is None or holder.kind is HolderKind.SPREAD:
        return f"{text}. They are spread over many places."
    return f"{text}. {_piles_up(leading, holder)}, {_took(diff, leading)}."


def _took(diff: HeapDiff, grower: Grower) -> str:
    text = f"which took on {size_text(grower.group_growth_bytes)}"
    if diff.live_bytes_delta > 0 and grower.group_growth_bytes > 0:
        text += f", {min(100, round(100 * grower.group_growth_bytes / diff.live_bytes_delta))} % of the growth"
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


def _moments(diff: HeapDiff) -> str:
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


def _clock(moment: float | None, *, with_date: bool) -> str:
    if moment is None:
        return "at an unknown time"
    return time.strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M:%S", time.localtime(moment))


def _coverage(explanation: Explanation) -> str:
    coverage = explanation.coverage
    text = f" · RSS {delta_bytes_text(coverage.rss_bytes_delta)}"
    if coverage.rss_bytes_delta is not None and coverage.snapshot_bytes:
        text += f" with heapdiff's own snapshots of {size_text(coverage.snapshot_bytes)}"
    text += f" · live objects {delta_bytes_text(coverage.live_bytes_delta)}"
    part = coverage.explained_part
    if part is not None and explanation.growers:
        text += f", {round(100 * part)} % of the RSS explained"
    return text


# The last lines


def _identity(identity: Identity) -> str:
    """How sure it is which objects are the same in both snapshots."""
    counts = (
        f"{count_text(identity.survivors)} objects survived, {count_text(identity.new)} are new, "
        f"{count_text(identity.gone)} gone"
    )
    if identity.mode is IdentityMode.EXACT and identity.survivors is not None and identity.proven is not None:
        by_address = count_text(identity.survivors - identity.proven)
        return (
            f"Identity: exact for tracked objects. {counts}; {count_text(identity.recycled)} new ones have the address "
            f"of one that died. {by_address} of the survivors are untracked or younger than the epoch, and known by "
            "address and type."
        )
    return (
        f"Identity: by address and type. {counts}; an address may have been reused in between "
        "(heapdiff.start_epoch() would tell)."
    )


# Parts of lines


def _groups(growers: Iterable[Grower]) -> list[list[Grower]]:
    groups: dict[int, list[Grower]] = {}
    for grower in growers:
        groups.setdefault(grower.group, []).append(grower)
    return list(groups.values())


def _drawn(groups: Sequence[list[Grower]]) -> tuple[list[list[Grower]], set[str]]:
    """The groups that are drawn in full, and the joint holders that are named there; what piles up at those is told.

    Imports are drawn where nothing else grew; they come last.
    """
    drawn: list[list[Grower]] = []
    told: set[str] = set()
    for growers in groups:
        holder = growers[0].holder
        if growers[0].imported and drawn:
            continue
        if _is_in_control(growers[0]):
            continue  # not accused
        if len(drawn) < _SUSPECTS and (holder is None or holder.expression not in told):
            drawn.append(growers)
            told |= {other.expression for other in growers[0].holders if other.joint}
    return drawn, told


def _is_told(growers: Sequence[Grower], told: set[str]) -> bool:
    """Whether these are but the joint holders of a suspect, which make room for what it is about."""
    return growers[0].in_place and growers[0].holder is not None and growers[0].holder.expression in told


def _table_rows(diff: HeapDiff, groups: Sequence[Sequence[Grower]]) -> list[TypeGrowth]:
    """The types with most shallow growth, and each suspect whatever its size."""
    if not groups:
        return []
    by_name = {row.name: row for row in diff.types}
    names = [growers[0].type_name for growers in groups[:_SUSPECTS]]
    # What only another treatment made grow is in no row of the first.
    chosen = {name: by_name[name] for name in names if name in by_name}
    for row in diff.grown:
        if len(chosen) >= _TABLE_ROWS:
            break
        chosen.setdefault(row.name, row)
    return sorted(chosen.values(), key=lambda row: (-row.shallow_bytes_delta, row.name))


def _heading(number: int, grower: Grower) -> str:
    retained = grower.retained_bytes_delta
    parts = [f"{number}  {_shortened(clean(grower.type_name), 44)}"]
    if grower.in_place:
        parts.append(f"{delta_bytes_text(grower.shallow_bytes_delta)} in place")
    else:
        parts.append(_from_to(grower.objects_base, grower.objects_now))
    if retained is not None:
        parts.append(f"retained {delta_bytes_text(retained)}")
    return "   ".join(parts)


def _delta(grower: Grower) -> str:
    return delta_bytes_text(grower.shallow_bytes_delta) if grower.in_place else delta_count_text(grower.objects_delta)


def _joint_holder(holder: Holder) -> str:
    if holder.exclusive_bytes is None:
        return clean(holder.expression)
    return (
        f"{clean(holder.expression)} ({clean(holder.type_name)}): {size_text(holder.exclusive_bytes)} its own, "
        f"{size_text(holder.share_bytes)} with its share"
    )


def _bytes_each(grower: Grower, last: ChainHop) -> int:
    """What one of the new objects retains, on average where that is known."""
    if grower.in_place:
        return last.shallow_bytes
    if grower.retained_bytes_delta is not None and grower.retained_bytes_delta > 0 and grower.objects_delta > 0:
        return max(grower.retained_bytes_delta // grower.objects_delta, last.shallow_bytes)
    return last.retained_bytes


def _site(site: SiteGrowth) -> str:
    file, line = site.frames[0]
    return f"{clean(file)}:{line} × {count_text(site.objects_delta)}"


def _from_to(before: int | None, after: int | None) -> str:
    return f"{count_text(before or 0)} → {count_text(after)}"


def _slope(grower: Grower) -> list[str]:
    """By how much it goes up, where it has not stopped."""
    slope = grower.slope
    if slope is None or grower.trend not in (Trend.STEADY, Trend.SLOWING, Trend.STAIRCASE):
        return []
    if slope.unit == "bytes":
        text = f"{delta_bytes_text(round(slope.per_step))} a step, ±{size_text(round(slope.confidence))}"
    else:
        text = f"{slope.per_step:+,.1f} a step, ±{slope.confidence:,.1f}"
    if grower.trend is Trend.STAIRCASE:
        text += f", by {slope.rises} rises with rests between them"
    return _field("slope", text)


def _contrast(contrast: Contrast) -> str:
    delta = delta_bytes_text if contrast.unit == "bytes" else delta_count_text
    treatment, control = (", ".join(map(delta, counts)) for counts in (contrast.treatment, contrast.control))
    return f"{contrast.kind.value}: {treatment} with the treatment, {control} without"


def _is_in_control(grower: Grower) -> bool:
    return grower.contrast is not None and grower.contrast.kind is ContrastKind.ALSO_IN_CONTROL


def _settled(row: Settling) -> str:
    base, busy, settled = (size_text(c) if row.unit == "bytes" else count_text(c) for c in row.counts)
    text = f"{row.standing.value}: {base} → {busy} busy → {settled} settled, {round(100 * row.part)} % is left"
    return text if row.kept is None else f"{text}; {count_text(row.kept)} of the settled were made while it was busy"


def _shown(count: int, adds: int | None) -> list[int | None]:
    """The hops after the root, with None for a stretch in the middle that is left out."""
    places: list[int | None] = list(range(1, count))
    if count <= _MOST_HOPS:
        return places
    kept = set(range(1, 5)) | set(range(count - 4, count))
    if adds is not None:
        kept |= set(range(max(1, adds - 2), min(count, adds + 2)))
    shown: list[int | None] = []
    for place in range(1, count):
        if place in kept:
            shown.append(place)
        elif shown and shown[-1] is not None:
            shown.append(None)
    return shown


def _shortened(text: str, room: int) -> str:
    """The text, its middle left out where it is too long."""
    if len(text) <= room:
        return text
    tail = room * 2 // 3
    return f"{text[: room - tail - 1]}…{text[-tail:]}"


def _shortened_type(name: str, room: int) -> str:
    """The full name of a type, or without its module where that is too long."""
    return name if len(name) <= room else _shortened(name.rpartition(".")[2], max(room, 3))


def _field(name: str, text: str) -> list[str]:
    """A named line of a suspect, wrapped under its text."""
    first, *rest = _wrapped(text, _WIDTH - 16) or [""]
    return [f"   {name:<12} {first}", *(f"{'':<16}{line}" for line in rest)]


def _wrapped(text: str, width: int = _WIDTH) -> list[str]:
    """Lines of at most that width; a word that is longer keeps a line of its own, cut where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
        while len(line) > width:
            lines.append(line[:width])
            line = line[width:]
    return [*lines, line] if line else lines
