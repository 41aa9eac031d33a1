"""An explanation in, the text for a person at three in the morning out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from heapdiff.diff.model import HeapDiff, Identity, IdentityMode, TypeGrowth
from heapdiff.explain.model import Explanation, Grower
from heapdiff.report.escape import clean
from heapdiff.report.headline import coverage_text, headline, is_in_control, moments_text
from heapdiff.report.layout import BOLD, DIM, WIDTH, Pen, shortened, wrapped
from heapdiff.report.suspect_text import heading_text, suspect_lines
from heapdiff.sizes import count_text, delta_bytes_text, delta_count_text, percent_text

__all__ = ["render_text"]

_TABLE_ROWS = 10
_SUSPECTS = 4  # groups that are drawn in full


def render_text(explanation: Explanation, *, colour: bool = False) -> str:
    """The report, the answer first, at most 100 columns wide.

    Args:
        explanation: What grew and why.
        colour: Whether to write the colours of a terminal; say so only where it goes to one.
    """
    return "\n".join(_Text(explanation, colour).lines()) + "\n"


class _Text:
    def __init__(self, explanation: Explanation, colour: bool) -> None:
        self._explanation = explanation
        self._diff = explanation.diff
        self._pen = Pen(colour=colour)

    def lines(self) -> list[str]:
        groups = _groups(self._explanation.growers)
        lines = [self._pen.paint(BOLD, part) for part in wrapped(headline(self._explanation, groups))]
        lines += wrapped(moments_text(self._diff) + coverage_text(self._explanation))
        lines += self._table(groups)
        suspects, told = _drawn(groups)
        for number, growers in enumerate(suspects, start=1):
            lines += ["", self._pen.paint(BOLD, heading_text(number, growers[0])), *suspect_lines(growers, self._pen)]
        lines += self._others(
            [growers for growers in groups if growers not in suspects and not _is_told(growers, told)],
            imports_drawn=any(growers[0].imported for growers in suspects),
        )
        lines += self._settlings()
        lines += self._accepted()
        lines += self._footer()
        return lines

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
                shortened(clean(row.name), 40),
            )
            lines.append("  ".join(cells))
        left = len(self._diff.grown) - len(rows)
        if left > 0:
            lines.append(self._pen.paint(DIM, f"{'':>60}  {left:,} more types grew"))
        return lines

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
            lines.append(self._pen.paint(DIM, shortened(text, WIDTH)))
        imported = self._explanation.imported
        if imported is not None and not imports_drawn:
            what = f"{count_text(imported.type_count)} types, {delta_bytes_text(imported.shallow_bytes)}"
            lines.append(self._pen.paint(DIM, f"also  modules imported meanwhile: {what}"))
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
                f"{shortened(clean(row.type_name), 40)}: {row.standing.value}"
            )
        if len(rows) > _TABLE_ROWS:
            lines.append(self._pen.paint(DIM, f"{'':>42}  {len(rows) - _TABLE_ROWS:,} more"))
        return lines

    def _accepted(self) -> list[str]:
        """Growth that somebody knows of, one line each; and what is in the file but grows no more."""
        lines = []
        for grower in self._explanation.accepted:
            size = grower.shallow_bytes_delta
            delta = delta_bytes_text(size) if grower.in_place else delta_count_text(grower.objects_delta)
            place = f" in {clean(grower.known.holder)}" if grower.known.holder else ""
            what = f"accepted  {delta} {clean(grower.type_name)}{place}"
            lines.append(f"{shortened(what, WIDTH)}: {clean(grower.known.reason)}")
        for known in self._explanation.gone:
            name = f"{known.fingerprint} {clean(known.type_name)}".strip()
            lines.append(f"gone      {name} no longer grows; its entry can go as well")
        return ["", *(part for line in lines for part in wrapped(line))] if lines else []

    def _footer(self) -> list[str]:
        lines: list[str] = []
        garbage = self._explanation.garbage_verdict
        if garbage is not None:
            lines += wrapped(f"Garbage: {garbage.text} {garbage.mend}".strip())
        blocks = self._explanation.blocks_verdict
        if blocks is not None:
            lines += wrapped(f"Blocks: {blocks.kind.value}: {blocks.text} {blocks.mend}".strip())
            lines += wrapped(f"Known: {clean(blocks.known)}") if blocks.known else []
        lines += [line for remark in self._diff.remarks for line in wrapped(clean(remark))]
        if not self._diff.same_process and self._explanation.growers:
            lines += wrapped("Not known to be one process: matched by label paths, not by identity.")
        elif self._explanation.growers:
            lines += wrapped(_identity(self._diff.identity))
        limits = sorted({clean(limit.text) for limit in self._diff.now.snapshot.limits})
        lines += wrapped(f"Not seen: {' '.join(limits)}") if limits else []
        if self._explanation.next_step:
            lines += wrapped(f"Next: {self._explanation.next_step}")
        return ["", *lines] if lines else []


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
        if is_in_control(growers[0]):
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


def _delta(grower: Grower) -> str:
    return delta_bytes_text(grower.shallow_bytes_delta) if grower.in_place else delta_count_text(grower.objects_delta)
