"""The growth of treated processes and of controls in, what the treatment makes grow out, first things first."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import attrs

from heapdiff.diff.model import HeapDiff
from heapdiff.explain.accumulation import Branch, growth_below, named_steps
from heapdiff.explain.evidence import Rule
from heapdiff.explain.growers import Candidate, rank_growers
from heapdiff.explain.model import Contrast, ContrastKind, Explanation, Grower, Trend, Verdict, VerdictKind
from heapdiff.explain.suspects import explain_candidates
from heapdiff.sizes import delta_bytes_text, delta_count_text
from heapdiff.snapshot.labels import LabelKind

__all__ = ["explain_contrast"]

_LEAST = {"objects": 5, "bytes": 4096}  # less is no growth
_NOISE = 0.1  # of the least growth of a treatment: so much of it in a control is growth there too
_ENOUGH_PAIRS = 2
_KINDS = list(ContrastKind)  # first those that the treatment explains best


def explain_contrast(
    controls: Sequence[HeapDiff], treatments: Sequence[HeapDiff], growers: int, rules: Sequence[Rule]
) -> Explanation:
    """Why what grew in the treatments and in no control cannot be freed; what grew in both comes last.

    What is the same in several diffs is told by its label path and type. The explanation is that of the
    first treatment; what grew in others alone is added from there.

    Args:
        controls: Growth without what is tested, one diff for each process; at least one.
        treatments: Growth with it, at least one.
        growers: Types to explain at most in each treatment, 0 or more.
        rules: Patterns to look for.

    Raises:
        ValueError: *growers* is negative.

    Source: memlab's ``diff-leaks``.
    """
    if growers < 0:
        raise ValueError(f"growers is {growers}; expected 0 or more")
    seen: set[object] = set()
    explained: list[Grower] = []
    explanations = []
    for diff in treatments:
        fresh = []
        for candidate in rank_growers(diff, sys.maxsize):
            place = _Place.of(diff, candidate)
            if place.key not in seen:
                seen.add(place.key)
                fresh.append((candidate, _contrast(place, controls, treatments)))
        fresh.sort(key=lambda pair: _KINDS.index(pair[1].kind))
        fresh = fresh[:growers]
        explanation = explain_candidates(diff, [candidate for candidate, _ in fresh], rules)
        explanations.append(explanation)
        first_group = 1 + max((grower.group for grower in explained), default=-1)
        explained += [
            _contrasted(grower, contrast, first_group)
            for grower, (_, contrast) in zip(explanation.growers, fresh, strict=True)
        ]
    explained.sort(key=lambda grower: (_kind_number(grower), grower.group))
    return attrs.evolve(
        explanations[0],
        diff=attrs.evolve(treatments[0], remarks=(_remark(controls, treatments), *treatments[0].remarks)),
        growers=tuple(explained[:growers]),
        next_step=_next_step(explained, min(len(controls), len(treatments))),
    )


@attrs.frozen
class _Place:
    """Where a candidate piles up, in words that hold for every process."""

    type_name: str
    in_place: bool
    steps: tuple[tuple[frozenset[LabelKind], str | None, str], ...]  # kinds, text or None for any, type name

    @classmethod
    def of(cls, diff: HeapDiff, candidate: Candidate) -> _Place:
        branch = candidate.branch
        depth = branch.point or min(1, len(branch.steps) - 1)
        return cls(candidate.growth.name, branch.in_place, _steps(diff, branch, depth))

    @property
    def key(self) -> object:
        return (self.type_name, self.in_place, self.steps)

    @property
    def unit(self) -> str:
        return "bytes" if self.in_place else "objects"

    def growth_in(self, diff: HeapDiff) -> int:
        """By how much the type grew below this place; 0 where the diff has no such place."""
        nodes = [0]
        for kinds, text, type_name in self.steps:
            children = (diff.paths[child] for node in nodes for child in diff.paths.children[node])
            nodes = [
                child.number
                for child in children
                if child.kind in kinds and child.type_name == type_name and text in (None, child.text)
            ]
        if self.in_place:
            return sum(diff.paths[node].shallow_bytes_delta for node in nodes)
        counts = growth_below(diff.paths, self.type_name, nodes)
        return counts[-1] - counts[0]


def _steps(diff: HeapDiff, branch: Branch, depth: int) -> tuple[tuple[frozenset[LabelKind], str | None, str], ...]:
    names = named_steps(diff.paths, branch)[:depth]
    return tuple(
        (frozenset(diff.paths[number].kind for number in numbers), text or None, type_name)
        for numbers, (_, text, type_name) in zip(branch.steps[1:], names, strict=False)
    )


def _contrast(place: _Place, controls: Sequence[HeapDiff], treatments: Sequence[HeapDiff]) -> Contrast:
    least = _LEAST[place.unit]
    treated = tuple(place.growth_in(diff) for diff in treatments)
    untreated = tuple(place.growth_in(diff) for diff in controls)
    grown = [growth for growth in treated if growth >= least]
    noise = max(least, _NOISE * min(grown, default=0))
    if any(growth >= noise for growth in untreated):
        kind = ContrastKind.ALSO_IN_CONTROL
    else:
        kind = ContrastKind.TREATMENT_ONLY if len(grown) == len(treated) else ContrastKind.LIKELY
    return Contrast(kind, treated, untreated, place.unit)


def _contrasted(grower: Grower, contrast: Contrast, first_group: int) -> Grower:
    """The grower with its contrast, in a group with others of the same kind; not accused where the control grew too."""
    number = _KINDS.index(contrast.kind)
    group = first_group + grower.group * len(_KINDS) + number
    verdict = grower.verdict
    if contrast.kind is ContrastKind.ALSO_IN_CONTROL:
        text = delta_bytes_text if contrast.unit == "bytes" else delta_count_text
        shown = ", ".join(text(growth) for growth in contrast.control)
        verdict = Verdict("also-in-control", VerdictKind.BENIGN, f"It grows in the control too: {shown}.")
    return attrs.evolve(grower, contrast=contrast, group=group, verdict=verdict)


def _kind_number(grower: Grower) -> int:
    return _KINDS.index(grower.contrast.kind) if grower.contrast is not None else len(_KINDS)


def _remark(controls: Sequence[HeapDiff], treatments: Sequence[HeapDiff]) -> str:
    with_it, without = len(treatments), len(controls)
    return (
        f"{with_it} treatment{'s' * (with_it > 1)} against {without} control{'s' * (without > 1)}; "
        "sizes and totals are those of the first treatment."
    )


def _next_step(growers: Sequence[Grower], pairs: int) -> str | None:
    accused = [grower for grower in growers if _kind_number(grower) < _KINDS.index(ContrastKind.ALSO_IN_CONTROL)]
    if not accused:
        return None
    if pairs < _ENOUGH_PAIRS:
        return "A second pair of each, control and treatment, would tell the treatment from chance."
    if accused[0].trend is Trend.TWO_PICTURES:
        return "A third moment of each treatment would show whether it grows steadily."
    return None
