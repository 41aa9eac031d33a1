"""The parts of the sentences that several rules write."""

from __future__ import annotations

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Holder, Trend
from heapdiff.sizes import count_text, size_text

__all__ = ["entries", "grows", "new_objects"]


def grows(evidence: Evidence) -> str:
    """What a container did, as far as the trend shows it."""
    return "only grows" if evidence.grower.trend is Trend.STEADY else "grew"


def new_objects(evidence: Evidence) -> str:
    """How much of what was added: "48,000 new app.locks.Lock"."""
    if evidence.grower.in_place:
        return f"{size_text(evidence.grower.shallow_bytes_delta)} of {evidence.grower.type_name}"
    return f"{count_text(evidence.holder.new_objects)} new {evidence.grower.type_name}"


def entries(holder: Holder, word: str) -> str:
    """How many *word* a holder took on: "48,000 keys added"."""
    if holder.entries_now is None:
        return f"{word} were added"
    before = holder.entries_base or 0
    if holder.entries_now > before:
        return f"{count_text(holder.entries_now - before)} {word} added"
    return f"{count_text(holder.new_objects)} objects added"
