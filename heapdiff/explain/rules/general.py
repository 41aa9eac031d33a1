"""Growth of no particular sort: the verdict that is left where no other rule knows more."""

from __future__ import annotations

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import HolderKind, Verdict, VerdictKind
from heapdiff.explain.rules.sentences import new_objects

__all__ = ["growing_population"]


def growing_population(evidence: Evidence) -> Verdict | None:
    """Whatever no other rule knows."""
    holder = evidence.holder
    if holder.kind is HolderKind.SPREAD:
        return Verdict(
            "spread-growth", VerdictKind.UNSURE, "The new objects hang in many places; no one holder stands out."
        )
    return evidence.verdict(
        "growing-population",
        f"{new_objects(evidence)} hang below {holder.expression}.",
        "Look at what adds them there and whether anything takes them out again.",
    )
