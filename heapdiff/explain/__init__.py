"""A diff in, why what grew cannot be freed out."""

from heapdiff.explain.evidence import Evidence, Rule
from heapdiff.explain.model import (
    AcceptedGrower,
    ChainHop,
    Coverage,
    Explanation,
    Grower,
    Holder,
    HolderKind,
    Imported,
    KnownGrowth,
    Trend,
    Verdict,
    VerdictKind,
)
from heapdiff.explain.rules import DEFAULT_RULES
from heapdiff.explain.suspects import explain_diff

__all__ = [
    "DEFAULT_RULES",
    "AcceptedGrower",
    "ChainHop",
    "Coverage",
    "Evidence",
    "Explanation",
    "Grower",
    "Holder",
    "HolderKind",
    "Imported",
    "KnownGrowth",
    "Rule",
    "Trend",
    "Verdict",
    "VerdictKind",
    "explain_diff",
]
