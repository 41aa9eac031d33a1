"""A diff in, the explanation out: who grew, what holds it, how it hangs together, what mends it."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence

import attrs

from heapdiff.diff.model import HeapDiff, PathGrowth, SiteGrowth
from heapdiff.explain.accumulation import Branch, named_steps
from heapdiff.explain.blocks import judge_blocks, unexplained_blocks
from heapdiff.explain.evidence import Evidence, Rule, judge
from heapdiff.explain.garbage import judge_garbage
from heapdiff.explain.growers import Candidate, rank_growers
from heapdiff.explain.holders import Held, find_holders
from heapdiff.explain.known import sort_out_known
from heapdiff.explain.model import (
    ChainHop,
    Coverage,
    Explanation,
    Grower,
    HolderKind,
    Imported,
    KnownGrowth,
    Slope,
    Trend,
    Verdict,
    VerdictKind,
)
from heapdiff.explain.rules import DEFAULT_RULES
from heapdiff.explain.slopes import slope_of
from heapdiff.graph import Hop, shortest_chain
from heapdiff.snapshot.labels import LabelKind

__all__ = ["explain_candidates", "explain_diff"]

_SITES = 3  # most productive allocation sites that are named for each grower


def explain_diff(
    diff: HeapDiff,
    growers: int = 10,
    rules: Sequence[Rule] = DEFAULT_RULES,
    accept: Sequence[KnownGrowth] = (),
) -> Explanation:
    """Why what grew cannot be freed, for at most *growers* types, the most telling first.

    Args:
        diff: What grew.
        growers: Types to explain, 0 or more.
        rules: Patterns to look for, from the general to the particular; the last that fits is taken.
        accept: Growth that is known; it is told apart and takes no place among the growers.

    Raises:
        ValueError: *growers* is negative.
    """
    if growers < 0:
        raise ValueError(f"growers is {growers}; expected 0 or more")
    found = sort_out_known(
        diff, rank_growers(diff, sys.maxsize), lambda candidate: _fingerprint(diff, candidate), accept
    )
    explanation = explain_candidates(diff, found.news[:growers], rules)
    imported = _imported(diff) if any(candidate.imported for candidate in found.news) else None
    return attrs.evolve(explanation, accepted=found.accepted, gone=found.gone, imported=imported)


def explain_candidates(diff: HeapDiff, candidates: Sequence[Candidate], rules: Sequence[Rule]) -> Explanation:
    """Why these cannot be freed, in their order."""
    held = find_holders(diff, candidates)
    explained = _settled([_grower(diff, candidate, by, rules) for candidate, by in zip(candidates, held, strict=True)])
    return Explanation(
        diff=diff,
        growers=explained,
        coverage=_coverage(diff, candidates),
        garbage_verdict=judge_garbage(diff),
        blocks_verdict=judge_blocks(diff),
        next_step=_next_step(diff, explained),
    )


def _grower(diff: HeapDiff, candidate: Candidate, held: Held, rules: Sequence[Rule]) -> Grower:
    branch = candidate.branch
    path = tuple(diff.paths[number] for number in diff.paths.ancestry(branch.end_paths[0]))
    depth = branch.point - 1  # the virtual root is no part of the path
    if held.sample:
        node = diff.now.label_tree["node_of"][held.sample[0]]
        known = diff.paths.by_now_node.get(node)
        path = path if known is None else tuple(diff.paths[number] for number in diff.paths.ancestry(known))
    if branch.point and held.holders:
        depth = next((place for place, step in enumerate(path) if step.number == held.holders[0].path), depth)
    slope = slope_of(_bytes_at(diff, branch), "bytes") if branch.in_place else slope_of(candidate.steps, "objects")
    grower = Grower(
        type_name=candidate.growth.name,
        objects=candidate.growth.objects,
        shallow_bytes_delta=candidate.growth.shallow_bytes_delta,
        retained_bytes_delta=candidate.growth.retained_bytes_delta,
        steps=candidate.steps,
        trend=Trend.STAIRCASE if _is_staircase(candidate, slope) else candidate.trend,
        holders=held.holders,
        chain=_chain(diff, held, path, depth),
        sites=_sites(diff, candidate),
        group=candidate.group,
        group_growth_bytes=candidate.group_growth_bytes,
        in_place=branch.in_place,
        imported=candidate.imported,
        fingerprint=_fingerprint(diff, candidate),
        slope=slope,
    )
    return attrs.evolve(grower, verdict=judge(Evidence(diff, grower, path, depth, held.sample), rules))


def _bytes_at(diff: HeapDiff, branch: Branch) -> tuple[int, ...]:
    """Bytes of the objects that got larger in place, in each snapshot."""
    return tuple(map(sum, zip(*(diff.paths[number].shallow_bytes for number in branch.point_paths), strict=True)))


def _is_staircase(candidate: Candidate, slope: Slope | None) -> bool:
    """Whether what looks like the end of the growth is a rest between rises."""
    return slope is not None and slope.rises > 0 and candidate.trend in (Trend.SLOWING, Trend.STOPPED)


def _settled(growers: Sequence[Grower]) -> tuple[Grower, ...]:
    """The same growers; what is unsure of one that hangs where another is known to be benign is benign too."""
    benign: dict[int, Verdict] = {}
    for grower in growers:
        if grower.verdict is not None and grower.verdict.kind is VerdictKind.BENIGN:
            benign.setdefault(grower.group, grower.verdict)
    return tuple(
        attrs.evolve(grower, verdict=benign.get(grower.group, grower.verdict))
        if grower.verdict is not None and grower.verdict.kind is VerdictKind.UNSURE
        else grower
        for grower in growers
    )


def _chain(diff: HeapDiff, held: Held, path: Sequence[PathGrowth], depth: int) -> tuple[ChainHop, ...]:
    """The shortest chain to one of the new objects."""
    if not held.sample:
        return ()
    node_of = diff.now.label_tree["node_of"]
    by_node = {step.now_node: step for step in path}
    holder_node = path[depth].now_node if 0 <= depth < len(path) else None
    hops = []
    for hop in shortest_chain(diff.now, held.sample[0]).hops:
        node = node_of[hop.object]
        step = by_node.get(node)
        hops.append(_hop(hop, step, is_holder=node == holder_node and holder_node is not None))
    return _with_owner(hops)


def _hop(hop: Hop, step: PathGrowth | None, *, is_holder: bool) -> ChainHop:
    return ChainHop(
        kind=hop.kind,
        label=hop.label_text,
        type_name=hop.type_name,
        shallow_bytes=hop.shallow_bytes,
        retained_bytes=hop.retained_bytes,
        repeats=hop.repeats,
        objects_base=step.objects[0] if step is not None else None,
        objects_now=step.objects[-1] if step is not None else None,
        is_holder=is_holder,
        name=hop.name,
    )


def _with_owner(hops: Sequence[ChainHop]) -> tuple[ChainHop, ...]:
    """The same hops; the first module or class that the standard library does not bring is the owner."""
    for number, hop in enumerate(hops):
        name = hop.label.removeprefix("module ") if hop.kind is LabelKind.ROOT_MODULE else hop.type_name
        if "." not in name and hop.kind is not LabelKind.ROOT_MODULE:
            continue  # a builtin type
        if name.partition(".")[0] not in sys.stdlib_module_names:
            return (*hops[:number], attrs.evolve(hop, is_owner=True), *hops[number + 1 :])
    return tuple(hops)


def _sites(diff: HeapDiff, candidate: Candidate) -> tuple[SiteGrowth, ...]:
    of_type = [site for site in diff.sites or () if site.type_name == candidate.growth.name and site.objects_delta > 0]
    return tuple(sorted(of_type, key=lambda site: (-site.objects_delta, site.frames))[:_SITES])


def _fingerprint(diff: HeapDiff, candidate: Candidate) -> str:
    """Eight digits that name the suspicious stretch: label kinds, names and types, no positions and no data."""
    stretch = [f"{kind.name} {text} {type_name}" for kind, text, type_name in named_steps(diff.paths, candidate.branch)]
    digest = hashlib.sha256("\n".join([*stretch, candidate.growth.name]).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()[:8]


def _imported(diff: HeapDiff) -> Imported:
    paths = diff.paths
    modules = [n for n in paths.children[0] if paths[n].kind is LabelKind.ROOT_MODULE and paths[n].objects[0] == 0]
    below = set(modules)
    for path in paths:
        if path.parent in below:  # a parent's number is smaller
            below.add(path.number)
    return Imported(
        module_count=len(modules),
        type_count=len({paths[number].type_name for number in below if paths[number].objects_delta > 0}),
        shallow_bytes=sum(paths.subtree_bytes_delta[number] for number in modules),
    )


def _coverage(diff: HeapDiff, candidates: Sequence[Candidate]) -> Coverage:
    base, now = diff.base.snapshot.process, diff.now.snapshot.process
    roots: set[int] = set()
    for candidate in candidates:
        branch = candidate.branch
        roots.update(branch.point_paths if branch.point else branch.steps[1] if len(branch.steps) > 1 else ())
    outermost = [n for n in roots if not roots & (set(diff.paths.ancestry(n)) - {n})]
    return Coverage(
        rss_bytes_delta=_difference(base.rss_bytes, now.rss_bytes),
        live_bytes_delta=diff.live_bytes_delta,
        explained_bytes=sum(diff.paths.subtree_bytes_delta[number] for number in outermost),
        arena_bytes_delta=_difference(base.arena_bytes, now.arena_bytes),
        unexplained_blocks=unexplained_blocks(diff),
        snapshot_bytes=_held_bytes(diff),
    )


def _held_bytes(diff: HeapDiff) -> int:
    """Bytes of the earlier snapshots, where the process they show is this one: they were in its memory at the last."""
    if not diff.same_process or diff.now.snapshot.process.pid != os.getpid():
        return 0
    return sum(diff.snapshot_bytes[:-1])


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _next_step(diff: HeapDiff, growers: Sequence[Grower]) -> str | None:
    """The one step that would settle what is still open."""
    if not growers:
        return None
    leading = growers[0]
    if leading.trend is Trend.TWO_PICTURES and leading.verdict and leading.verdict.kind is VerdictKind.UNSURE:
        return "A third snapshot would show whether it grows steadily: compare(base, now, later)."
    if leading.trend is Trend.SLOWING:
        return "More snapshots, after equal amounts of work, would show whether it stops: compare(base, *later)."
    if leading.holder is not None and leading.holder.kind is HolderKind.NATIVE:
        return (
            "Count sys.getrefcount() of such an object before and after each call into the extension that is handed it."
        )
    is_open = leading.verdict is not None and leading.verdict.kind is not VerdictKind.BENIGN
    if diff.sites is None and is_open and not leading.in_place:
        return (
            "heapdiff.start_tracing() before the base snapshot would name the lines that allocate them; a service runs "
            "three to four times slower under it, and each block in use takes 50 to 90 bytes more."
        )
    return None
