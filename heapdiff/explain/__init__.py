"""A diff in, why what grew cannot be freed out."""

from heapdiff.explain.evidence import Evidence, Rule
from heapdiff.explain.known_leaks import KNOWN_LEAKS, with_known_leaks
from heapdiff.explain.model import (
    AcceptedGrower,
    ChainHop,
    Contrast,
    ContrastKind,
    Coverage,
    Explanation,
    Grower,
    Holder,
    HolderKind,
    Imported,
    KnownGrowth,
    KnownLeak,
    Settling,
    Slope,
    Standing,
    Trend,
    Verdict,
    VerdictKind,
)
from heapdiff.explain.rules import DEFAULT_RULES
from heapdiff.explain.suspects import explain_diff

__all__ = [
    "DEFAULT_RULES",
    "KNOWN_LEAKS",
    "AcceptedGrower",
    "ChainHop",
    "Contrast",
    "ContrastKind",
    "Coverage",
    "Evidence",
    "Explanation",
    "Grower",
    "Holder",
    "HolderKind",
    "Imported",
    "KnownGrowth",
    "KnownLeak",
    "Rule",
    "Settling",
    "Slope",
    "Standing",
    "Trend",
    "Verdict",
    "VerdictKind",
    "explain_diff",
    "with_known_leaks",
]
