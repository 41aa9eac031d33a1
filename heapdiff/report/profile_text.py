"""A profile in; out comes the text of pprof's top, tree, peek and traces, its columns and its number formats."""

import json
import re
from collections.abc import Callable, Sequence

import attrs

from heapdiff.diff.profile import Profile, ProfileNode, ProfileSample, filter_profile, sum_by_frame, total_value
from heapdiff.errors import NothingFoundError
from heapdiff.report.escape import clean

__all__ = ["ProfileOptions", "profile_json", "profile_peek", "profile_top", "profile_traces", "profile_tree"]

_BYTE_UNITS = (("PB", 1 << 50), ("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10), ("B", 1))
_TREE_RULE = "-" * 58 + "+" + "-" * 13
_TREE_HEAD = "      flat  flat%   sum%        cum   cum%   calls calls% + context"
_TRACE_RULE = "-" * 11 + "+" + "-" * 55
_TREE_NODES = 80
_FILTER_WIDTH = 80


@attrs.frozen
class ProfileOptions:
    """pprof's options, with its defaults; ``header`` is what comes above the legend."""

    sample_index: str = "inuse_space"  # or "inuse_objects", or "retained": inuse_space ordered by cum
    by_cum: bool = False
    node_count: int | None = None  # None: all in a top, 80 in a tree
    node_fraction: float = 0.005
    edge_fraction: float = 0.001
    focus: re.Pattern[str] | None = None
    ignore: re.Pattern[str] | None = None
    tag_focus: re.Pattern[str] | None = None
    tag_ignore: re.Pattern[str] | None = None
    header: tuple[str, ...] = ()

    def value(self, sample: ProfileSample) -> int:
        """The number of the sample that is asked for."""
        return sample.objects if self.sample_index == "inuse_objects" else sample.shallow_bytes

    @property
    def counts_objects(self) -> bool:
        """Whether values are objects and not bytes."""
        return self.sample_index == "inuse_objects"

    @property
    def orders_by_cum(self) -> bool:
        """Whether rows are ordered by cum and not by flat."""
        return self.by_cum or self.sample_index == "retained"


def profile_top(profile: Profile, options: ProfileOptions) -> str:
    """The text of ``pprof -top``: one row a frame, the heaviest first."""
    page = _Page.of(profile, options, default_count=0)
    lines = [*page.legend(), "      flat  flat%   sum%        cum   cum%"]
    flat_sum = 0
    for node in page.nodes:
        flat_sum += node.flat
        lines.append(f"{page.sums(node, flat_sum)}  {clean(node.name)}")
    return _text(lines)


def profile_tree(profile: Profile, options: ProfileOptions) -> str:
    """The text of ``pprof -tree``: each frame between those that lead to it and those it leads to."""
    return _tree(_Page.of(profile, options, default_count=_TREE_NODES), None)


def profile_peek(profile: Profile, options: ProfileOptions, frames: re.Pattern[str]) -> str:
    """The text of ``pprof -peek=REGEX``: as a tree, of the frames that match, nothing trimmed.

    Raises:
        NothingFoundError: No frame matches.
    """
    untrimmed = attrs.evolve(options, node_count=0, node_fraction=0.0, edge_fraction=0.0)
    return _tree(_Page.of(profile, untrimmed, default_count=0), frames)


def profile_traces(profile: Profile, options: ProfileOptions) -> str:
    """The text of ``pprof -traces``: every stack with its value, the heaviest first."""
    page = _Page.of(profile, attrs.evolve(options, node_fraction=0.0), default_count=0)
    lines = [*options.header, f"Type: {options.sample_index}"]
    samples = sorted(page.profile.samples, key=lambda sample: (-abs(options.value(sample)), sample.stack))
    for sample in samples[: options.node_count or None]:
        if sample.stack:
            lines.append(_TRACE_RULE)
            if sample.type_name is not None:
                lines.append(f"{'type':>10}:  {clean(sample.type_name)}")
            own = [_automatic(options.value(sample), options.counts_objects), *("" for _ in sample.stack[1:])]
            lines += [f"{value:>10}   {clean(frame)}" for value, frame in zip(own, sample.stack, strict=True)]
    lines.append(_TRACE_RULE)
    return _text(lines)


def profile_json(profile: Profile, options: ProfileOptions) -> str:
    """The rows of ``-top`` for a program to read; values are bytes, or objects with ``inuse_objects``."""
    page = _Page.of(profile, options, default_count=0)
    rows = [{"name": node.name, "flat": node.flat, "cum": node.cum} for node in page.nodes]
    picture = {"sample_index": options.sample_index, "total": page.total, "rows": rows}
    return json.dumps(picture, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@attrs.frozen
class _Page:
    """What all four have in common: the profile filtered, summed, trimmed and ordered."""

    profile: Profile
    options: ProfileOptions
    nodes: list[ProfileNode]
    total: int
    unit: str
    dropped_count: int
    original_count: int

    @classmethod
    def of(cls, profile: Profile, options: ProfileOptions, default_count: int) -> "_Page":
        # Percentages stay relative to the whole, also where only a part is in focus: so does pprof.
        total = total_value(profile, options.value)
        kept = filter_profile(
            profile,
            focus=options.focus,
            ignore=options.ignore,
            tag_focus=options.tag_focus,
            tag_ignore=options.tag_ignore,
        )
        nodes = sum_by_frame(kept, options.value)
        flat_total = abs(sum(node.flat for node in nodes))
        complete = len(nodes)
        cutoff = int(flat_total * options.node_fraction)
        nodes = _rebuilt(kept, options, [node for node in nodes if abs(node.cum) >= cutoff], complete, nodes)
        original = len(nodes)
        nodes.sort(key=_order(options))
        count = default_count if options.node_count is None else options.node_count
        if count:
            nodes = _rebuilt(kept, options, nodes[:count], original, nodes)
            nodes.sort(key=_order(options))
        nodes = _without_light_edges(nodes, int(flat_total * options.edge_fraction))
        unit = "" if options.counts_objects else _common_unit(nodes, total)
        return cls(kept, options, nodes, total, unit, complete - original, original)

    def legend(self) -> list[str]:
        """The lines above the table: what is shown, of how much, and what is not."""
        options = self.options
        lines = [*options.header, f"Type: {options.sample_index}", *_filters(options)]
        flat_sum = sum(node.flat for node in self.nodes)
        lines.append(
            f"Showing nodes accounting for {self.value(flat_sum)}, "
            f"{_percentage(flat_sum, self.total).strip()} of {self.value(self.total)} total"
        )
        if self.total and self.dropped_count > 0:
            noun = "nodes" if self.dropped_count > 1 else "node"
            limit = self.value(int(self.total * options.node_fraction))
            lines.append(f"Dropped {self.dropped_count} {noun} (cum <= {limit})")
        if self.total and 0 < len(self.nodes) < self.original_count:
            lines.append(f"Showing top {len(self.nodes)} nodes out of {self.original_count}")
        return lines

    def value(self, number: int) -> str:
        """The number in the unit of the page."""
        factor = dict(_BYTE_UNITS).get(self.unit, 1)
        return _trimmed(number / factor, self.unit)

    def sums(self, node: ProfileNode, flat_sum: int) -> str:
        """The five columns on the left."""
        return (
            f"{self.value(node.flat):>10} {_percentage(node.flat, self.total)} {_percentage(flat_sum, self.total)} "
            f"{self.value(node.cum):>10} {_percentage(node.cum, self.total)}"
        )


def _rebuilt(
    profile: Profile, options: ProfileOptions, kept: list[ProfileNode], count: int, nodes: list[ProfileNode]
) -> list[ProfileNode]:
    """The sums over *kept* alone, so that edges lead past what was left out; *nodes* where that is nothing."""
    if len(kept) == count:
        return nodes
    return sum_by_frame(profile, options.value, frozenset(node.name for node in kept))


def _order(options: ProfileOptions) -> Callable[[ProfileNode], tuple[int, str, int]]:
    if options.orders_by_cum:
        return lambda node: (-abs(node.cum), node.name, -abs(node.flat))
    return lambda node: (-abs(node.flat), node.name, -abs(node.cum))


def _without_light_edges(nodes: Sequence[ProfileNode], cutoff: int) -> list[ProfileNode]:
    return [
        attrs.evolve(
            node,
            incoming=tuple(edge for edge in node.incoming if abs(edge.weight) >= cutoff),
            outgoing=tuple(edge for edge in node.outgoing if abs(edge.weight) >= cutoff),
        )
        for node in nodes
    ]


def _tree(page: _Page, frames: re.Pattern[str] | None) -> str:
    nodes = [node for node in page.nodes if frames is None or frames.search(node.name)]
    if frames is not None and not nodes:
        raise NothingFoundError(f"no frame matches {frames.pattern!r}. Frames are what -top lists on the right.")
    lines = [*page.legend(), _TREE_RULE, _TREE_HEAD]
    flat_sum = 0
    for node in nodes:
        flat_sum += node.flat
        lines.append(_TREE_RULE)
        lines += [_edge_line(page, edge.weight, node.cum, edge.source) for edge in node.incoming]
        lines.append(f"{page.sums(node, flat_sum)}                | {clean(node.name)}")
        lines += [_edge_line(page, edge.weight, node.cum, edge.target) for edge in node.outgoing]
    if page.nodes:
        lines.append(_TREE_RULE)
    return _text(lines)


def _edge_line(page: _Page, weight: int, cum: int, frame: str) -> str:
    return f"{page.value(weight):>50} {_percentage(weight, cum)} |   {clean(frame)}"


def _filters(options: ProfileOptions) -> list[str]:
    pairs = (
        ("focus", options.focus),
        ("ignore", options.ignore),
        ("tagfocus", options.tag_focus),
        ("tagignore", options.tag_ignore),
    )
    lines = [f"{name}={pattern.pattern}" for name, pattern in pairs if pattern is not None]
    shortened = [line if len(line) <= _FILTER_WIDTH else line[:_FILTER_WIDTH] + "…" for line in lines]
    return ["Active filters:", *(f"   {line}" for line in shortened)] if lines else []


# ------------------------------------------------------------------ numbers, as pprof prints them


def _common_unit(nodes: Sequence[ProfileNode], total: int) -> str:
    """One unit for the page: that of the smallest value, or of its hundredfold where the largest is far above.

    Source: google/pprof, internal/report/report.go, selectOutputUnit.
    """
    smallest = min((abs(node.flat or node.cum) for node in nodes), default=0) or total
    unit = _best_unit(smallest)
    if unit != _best_unit(total) and smallest * 100 < total:
        unit = _best_unit(smallest * 100)
    return unit


def _best_unit(value: int) -> str:
    return next((unit for unit, factor in _BYTE_UNITS if abs(value) >= factor), "B")


def _automatic(value: int, counts_objects: bool) -> str:
    unit = "" if counts_objects else _best_unit(value)
    return _trimmed(value / dict(_BYTE_UNITS).get(unit, 1), unit)


def _trimmed(value: float, unit: str) -> str:
    text = f"{value:.2f}".removesuffix(".00")
    return "0" if text in ("0", "-0") else text + unit


def _percentage(value: int, total: int) -> str:
    """Six characters, such as ``82.17%``: the share without its sign, two digits of it at least."""
    share = abs(value / total) * 100 if total else 0.0
    if 99.95 <= share <= 100.05:  # noqa: PLR2004 - as pprof does
        return "  100%"
    return f"{share:5.2f}%" if share >= 1.0 else f"{share:5.2g}%"


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
