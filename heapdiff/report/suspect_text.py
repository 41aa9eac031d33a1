"""The growers that pile up at one point in, their part of the report out: chain, holders, verdict and mend."""

from __future__ import annotations

from collections.abc import Sequence

from heapdiff.diff.model import SiteGrowth
from heapdiff.explain.model import ChainHop, Contrast, Grower, Holder, Settling, Trend, Verdict, VerdictKind
from heapdiff.report.escape import clean
from heapdiff.report.layout import BOLD, DIM, GREEN, RED, Pen, from_to, shortened, shortened_type
from heapdiff.sizes import count_text, delta_bytes_text, delta_count_text, size_text
from heapdiff.snapshot.labels import LabelKind

__all__ = ["bytes_each", "heading_text", "suspect_lines"]

_COMPANIONS = 5
_MOST_HOPS = 14
_LABEL_WIDTH = 34
_LONGEST_LABEL = 48
_LAST_WIDTH = 48
_LEAST_TYPE_WIDTH = 12
_LEAST_LABEL_WIDTH = 24


def suspect_lines(growers: Sequence[Grower], pen: Pen) -> list[str]:
    """Growers that pile up at one point, drawn by the first of them: chain, holders, sites, verdict, mend."""
    leading = growers[0]
    lines = _chain(leading, pen)
    lines += _holders(leading, pen)
    if leading.sites:
        lines += pen.field("added by", ", ".join(_site(site) for site in leading.sites))
    companions = [f"{delta_count_text(g.objects_delta)} {clean(g.type_name)}" for g in growers[1 : _COMPANIONS + 1]]
    if companions:
        lines += pen.field("with", ", ".join(companions))
    lines += _slope(leading, pen)
    if leading.contrast is not None:
        lines += pen.field("contrast", _contrast(leading.contrast))
    if leading.settling is not None:
        lines += pen.field("settled", _settled(leading.settling))
    lines += _verdict(leading.verdict, pen)
    lines += pen.field("fingerprint", leading.fingerprint)
    return lines


def heading_text(number: int, grower: Grower) -> str:
    """The line above: the type, how many there were and are, and what they retain."""
    retained = grower.retained_bytes_delta
    parts = [f"{number}  {shortened(clean(grower.type_name), 44)}"]
    if grower.in_place:
        parts.append(f"{delta_bytes_text(grower.shallow_bytes_delta)} in place")
    else:
        parts.append(from_to(grower.objects_base, grower.objects_now))
    if retained is not None:
        parts.append(f"retained {delta_bytes_text(retained)}")
    return "   ".join(parts)


def _chain(grower: Grower, pen: Pen) -> list[str]:
    hops = grower.chain
    if not hops:
        return []
    lines = [f"   ╭ GC root: {shortened(clean(hops[0].label), pen.width - 14)}"]
    if hops[0].is_holder and len(hops) > 1:
        lines[0] += pen.paint(RED, "   ◀ piles up here")
    adds = next((place + 1 for place, hop in enumerate(hops) if hop.is_holder), None)
    # What is called by its coroutine and task is not cut, and moves only its own row.
    labels = [
        shortened(clean(hop.label), _LONGEST_LABEL if hop.kind is LabelKind.INTERNAL else _LABEL_WIDTH) for hop in hops
    ]
    width = max(_LEAST_LABEL_WIDTH, *(min(len(label), _LABEL_WIDTH) for label in labels[1:-1] or [""]))
    for place in _shown(len(hops), adds):
        if place is None:
            lines.append("   │   …")
            continue
        label = labels[place]
        if place < len(hops) - 1:
            lines.append(_hop(f"{label:<{width}}", hops[place], grower, pen))
        elif len(hops) > 1:
            row = f" × {count_text(hops[place].repeats)} in a row" if hops[place].repeats > 1 else ""
            lines.append(f"   │   {label}{row}")
        if place == adds:
            lines.append(f"   │   {pen.paint(RED, '~' * len(label))}")
    last = hops[-1]
    new = f"× {count_text(grower.holder.new_objects)} new" if grower.holder and not grower.in_place else "got larger"
    mark = pen.paint(RED, "   ◀ grows here") if last.is_holder else ""
    name = shortened(clean(f"{last.type_name} {last.name}".rstrip()), _LAST_WIDTH)
    lines.append(f"   ╰→ {name}   {size_text(_bytes_of_last(grower, last))} {new}{mark}")
    return lines


def _hop(label: str, hop: ChainHop, grower: Grower, pen: Pen) -> str:
    details = f" × {count_text(hop.repeats)} in a row" if hop.repeats > 1 else ""
    holder = grower.holder
    if hop.is_holder and holder is not None and holder.entries_now is not None and holder.object_count == 1:
        details += f", {from_to(holder.entries_base, holder.entries_now)} entries"
    elif hop.objects_now is not None and hop.objects_now > 1:
        details += f", {from_to(hop.objects_base, hop.objects_now)} objects"
    mark = "   ◀ piles up here" if hop.is_holder else "   (yours)" if hop.is_owner else ""
    room = pen.width - 7 - len(label) - 13 - len(details)
    if hop.is_holder and room - len(mark) < min(len(hop.type_name), _LEAST_TYPE_WIDTH):
        mark = " ◀"
    what = shortened_type(clean(hop.type_name), room - len(mark)) + details
    paint = RED if hop.is_holder else DIM
    return f"   │   {label}  {size_text(hop.retained_bytes):>9}  {what}{pen.paint(paint, mark)}"


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


def bytes_each(grower: Grower) -> int | None:
    """What one of the new objects retains on average, at least what it occupies; None: not known, or got larger."""
    count, retained = grower.objects_delta, grower.retained_bytes_delta
    if grower.in_place or count <= 0 or retained is None or retained <= 0:
        return None
    return max(retained, grower.shallow_bytes_delta) // count


def _bytes_of_last(grower: Grower, last: ChainHop) -> int:
    """What one of the new objects retains, of the one that is shown where the average is not known."""
    each = bytes_each(grower)
    if each is not None:
        return each
    return last.shallow_bytes if grower.in_place else last.retained_bytes


def _holders(grower: Grower, pen: Pen) -> list[str]:
    lines = []
    joint = [holder for holder in grower.holders if holder.joint]
    if joint:
        lines += pen.field("joint", f"{len(joint)} holders keep the same objects alive; all of them must let go:")
        lines += [line for holder in joint for line in pen.field("", _joint_holder(holder))]
    apart = [holder for holder in grower.holders[1:] if not holder.joint]
    if apart:
        places = ", ".join(f"{clean(h.expression)} ({count_text(h.new_objects)} new)" for h in apart)
        lines += pen.field("also in", places)
    holder = grower.holder
    if holder is not None and holder.object_count > 1 and not grower.in_place:
        kind = clean(holder.type_name)
        lines += pen.field("held in", f"{count_text(holder.object_count)} × {kind} at {clean(holder.expression)}")
    return lines


def _joint_holder(holder: Holder) -> str:
    if holder.exclusive_bytes is None:
        return clean(holder.expression)
    return (
        f"{clean(holder.expression)} ({clean(holder.type_name)}): {size_text(holder.exclusive_bytes)} its own, "
        f"{size_text(holder.share_bytes)} with its share"
    )


def _site(site: SiteGrowth) -> str:
    file, line = site.frames[0]
    return f"{clean(file)}:{line} × {count_text(site.objects_delta)}"


def _slope(grower: Grower, pen: Pen) -> list[str]:
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
    return pen.field("slope", text)


def _contrast(contrast: Contrast) -> str:
    delta = delta_bytes_text if contrast.unit == "bytes" else delta_count_text
    treatment, control = (", ".join(map(delta, counts)) for counts in (contrast.treatment, contrast.control))
    return f"{contrast.kind.value}: {treatment} with the treatment, {control} without"


def _settled(row: Settling) -> str:
    base, busy, settled = (size_text(c) if row.unit == "bytes" else count_text(c) for c in row.counts)
    text = f"{row.standing.value}: {base} → {busy} busy → {settled} settled, {round(100 * row.part)} % is left"
    return text if row.kept is None else f"{text}; {count_text(row.kept)} of the settled were made while it was busy"


def _verdict(verdict: Verdict | None, pen: Pen) -> list[str]:
    if verdict is None:
        return []
    code = {VerdictKind.LEAK: RED, VerdictKind.BENIGN: GREEN, VerdictKind.UNSURE: BOLD}[verdict.kind]
    lines = pen.field("verdict", f"{verdict.kind.value}: {clean(verdict.text)}")
    lines[0] = lines[0].replace(verdict.kind.value, pen.paint(code, verdict.kind.value), 1)
    lines += pen.field("mend", clean(verdict.mend)) if verdict.mend else []
    return lines + (pen.field("known", clean(verdict.known)) if verdict.known else [])
