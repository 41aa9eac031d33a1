"""What is known of one grower in, the verdict of the rules out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from heapdiff.diff.model import HeapDiff, PathGrowth
from heapdiff.explain.joint import is_dominated
from heapdiff.explain.model import Grower, Holder, Trend, Verdict, VerdictKind
from heapdiff.sizes import count_text
from heapdiff.snapshot.labels import LabelKind, kind_of, payload_of
from heapdiff.snapshot.model import Process

__all__ = ["LEAST_BYTES_TO_JUDGE", "Evidence", "Rule", "judge"]

LEAST_BYTES_TO_JUDGE = 65_536  # in each step; less is called a leak only where there are enough objects
_RISES_TO_JUDGE = 3  # of a staircase
_MOST_STEPS = 6  # counts that a sentence can bear
_LEAST_TO_JUDGE = 5  # new objects in each step


# References of which each object has one by a name.
_ONE_EACH = frozenset({LabelKind.ATTRIBUTE, LabelKind.KEY, LabelKind.CELL, LabelKind.LOCAL})


@attrs.frozen(eq=False)
class Evidence:
    """All that is known of one grower when a rule is asked."""

    diff: HeapDiff
    grower: Grower
    path: tuple[PathGrowth, ...]  # the label path from a root to the grower's new objects
    holder_depth: int  # index in *path* of the holder; -1: the root itself
    sample: tuple[int, ...] = ()  # some of the new objects, by their numbers in the last snapshot

    @property
    def holder(self) -> Holder:
        """The holder with most of the new objects."""
        return self.grower.holders[0]

    @property
    def process(self) -> Process:
        """The process as it was at the last snapshot."""
        return self.diff.now.snapshot.process

    @property
    def above(self) -> tuple[PathGrowth, ...]:
        """The path from the root to the holder, the holder included."""
        return self.path[: self.holder_depth + 1]

    @property
    def below(self) -> tuple[PathGrowth, ...]:
        """The path from under the holder to the new objects."""
        return self.path[self.holder_depth + 1 :]

    @property
    def root_kind(self) -> LabelKind | None:
        """What kind of root the path starts at; None where the growth is spread over many."""
        return self.path[0].kind if self.path else None

    @property
    def kind(self) -> VerdictKind:
        """What the trend alone supports: a leak takes growth in each of two or more steps."""
        if self.grower.trend in (Trend.STOPPED, Trend.SAW_TOOTH):
            return VerdictKind.BENIGN
        if self._goes_on and self.is_substantial and not self._replaces_entries:
            return VerdictKind.LEAK
        return VerdictKind.UNSURE

    @property
    def is_substantial(self) -> bool:
        """Whether so much was added that it cannot be the snapshots' or an import's own doing."""
        steps = self.diff.snapshot_count - 1
        large = max(self.grower.shallow_bytes_delta, self.grower.retained_bytes_delta or 0)
        return self.holder.new_objects >= _LEAST_TO_JUDGE * steps or large >= LEAST_BYTES_TO_JUDGE * steps

    def references(self, obj: int) -> list[tuple[LabelKind, int]]:
        """What an object of the last snapshot refers to: kind of reference and object, weak ones included."""
        columns = self.diff.now.snapshot.columns
        start, targets, labels = (columns[f"reference_{name}"] for name in ("start", "target", "label"))
        return [(kind_of(labels[edge]), targets[edge]) for edge in range(start[obj], start[obj + 1])]

    def type_name(self, obj: int) -> str:
        """The type of an object of the last snapshot."""
        snapshot = self.diff.now.snapshot
        return snapshot.type_name(snapshot.columns["object_type"][obj])

    def has_internal(self, obj: int, name: str) -> bool:
        """Whether an object of the last snapshot has an inner part of that name, as a class has a ``__mro__``."""
        snapshot = self.diff.now.snapshot
        start, labels = snapshot.columns["reference_start"], snapshot.columns["reference_label"]
        found = (labels[edge] for edge in range(start[obj], start[obj + 1]))
        return any(kind_of(label) is LabelKind.INTERNAL and snapshot.text(payload_of(label)) == name for label in found)

    def is_freed_without_holder(self, objects: Sequence[int]) -> bool:
        """Whether (nearly) all of some objects would go if the holder let go."""
        return bool(objects) and is_dominated(self.diff.now, objects, self.holder.objects)

    def is_below(self, text: str, module: str) -> bool:
        """Whether the holder is the attribute *text* of that module or of something below it, or hangs there."""
        roots = {f"module {module}", module}
        names = [path.text for path in self.above]
        return text in names and bool(roots & set(names[: names.index(text)]))

    def types_above(self) -> tuple[str, ...]:
        """The types on the path from the root to the holder."""
        return tuple(path.type_name for path in self.above)

    def types_below(self) -> tuple[str, ...]:
        """The types on the path from under the holder to the new objects."""
        return tuple(path.type_name for path in self.below)

    def verdict(self, rule: str, text: str, mend: str, *, structural: bool = False) -> Verdict:
        """A verdict graded by what the snapshots can show.

        Args:
            rule: Stable identifier.
            text: What is wrong, one sentence.
            mend: What mends it.
            structural: The references alone prove that nothing can be freed; no trend is needed.
        """
        kind = (
            VerdictKind.LEAK
            if structural and self.kind is VerdictKind.UNSURE and self._may_be_structural
            else self.kind
        )
        return Verdict(
            rule, kind, f"{text} {self.trend_text(kind)}".strip(), mend if kind is not VerdictKind.BENIGN else ""
        )

    def trend_text(self, kind: VerdictKind) -> str:
        """What the counts in each snapshot say, in a sentence."""
        steps = self.grower.steps
        if self.grower.trend is Trend.TWO_PICTURES:
            return "" if kind is VerdictKind.LEAK else "Two pictures cannot show whether it stops."
        if self.grower.in_place:
            return {
                Trend.STEADY: "It got larger in every step.",
                Trend.SLOWING: "It got larger, but ever less.",
                Trend.STAIRCASE: "It got larger by steps, with rests between them.",
                Trend.STOPPED: "It no longer got larger in the last step.",
                Trend.SAW_TOOTH: "It shrank in between, so something takes away from it.",
            }[self.grower.trend]
        shown = [count_text(count) for count in steps]
        if len(shown) > _MOST_STEPS:
            shown = [*shown[:3], "…", *shown[-2:]]
        counts = " → ".join(shown)
        return {
            Trend.STEADY: f"It grew in every step: {counts}.",
            Trend.SLOWING: f"It grew ({counts}), but not evenly; more steps would show whether it stops.",
            Trend.STAIRCASE: f"It grew by steps, with rests between them: {counts}.",
            Trend.STOPPED: f"It stopped growing: {counts}.",
            Trend.SAW_TOOTH: f"It shrank in between ({counts}), so something takes entries out.",
        }[self.grower.trend]

    @property
    def _goes_on(self) -> bool:
        """Whether it grew in every step, or by steps with rests between them, three of them at least."""
        slope = self.grower.slope
        is_staircase = self.grower.trend is Trend.STAIRCASE and slope is not None and slope.rises >= _RISES_TO_JUDGE
        return self.grower.trend is Trend.STEADY or is_staircase

    @property
    def _replaces_entries(self) -> bool:
        """Whether the new objects took the places of others, or places that were there for them.

        Counters do that outgrow the shared small numbers, and attributes that are set at first use.
        """
        holder = self.holder
        if holder.object_count > 1 and self.below and self.below[0].kind in _ONE_EACH:
            return holder.object_count <= holder.object_count_base and self.below[0].objects[-1] <= holder.object_count
        if holder.object_count != 1 or holder.entries_now is None or len(self.below) != 1:
            return False
        return holder.entries_now - (holder.entries_base or 0) < holder.new_objects // 2

    @property
    def _may_be_structural(self) -> bool:
        return self.grower.trend in (Trend.TWO_PICTURES, Trend.STEADY) and self.is_substantial


class Rule(Protocol):
    """A function that knows one pattern; add yours with ``compare(…, rules=(*DEFAULT_RULES, mine))``."""

    def __call__(self, evidence: Evidence, /) -> Verdict | None:
        """The verdict where the evidence fits the pattern, else None."""


def judge(evidence: Evidence, rules: Sequence[Rule]) -> Verdict | None:
    """The answer of the last rule that has one: the rules go from the general to the particular."""
    for rule in reversed(rules):
        verdict = rule(evidence)
        if verdict is not None:
            return verdict
    return None
