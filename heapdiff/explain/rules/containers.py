"""Mappings, sequences and buffers that only grow, and those that came to rest."""

from __future__ import annotations

from heapdiff.explain.evidence import LEAST_BYTES_TO_JUDGE, Evidence
from heapdiff.explain.model import Holder, Verdict, VerdictKind
from heapdiff.explain.rules.sentences import entries, grows
from heapdiff.explain.rules.shapes import is_at_lru_cache, is_mapping, is_sequence
from heapdiff.sizes import size_text

__all__ = ["bounded_cache_filling", "growing_buffer", "unbounded_mapping", "unbounded_sequence"]


def unbounded_mapping(evidence: Evidence) -> Verdict | None:
    """A mapping to which keys are added and from which none are taken."""
    if not is_mapping(evidence.holder.type_name) or (evidence.grower.in_place and not _grew(evidence.holder)):
        return None
    return evidence.verdict(
        "unbounded-mapping",
        f"{evidence.holder.expression} is a mapping that {grows(evidence)}: {entries(evidence.holder, 'keys')}.",
        "Give it a bound or an age (functools.lru_cache(maxsize=…), cachetools.TTLCache), hold the values "
        "weakly (weakref.WeakValueDictionary), or drop the entry where its object is done with.",
    )


def unbounded_sequence(evidence: Evidence) -> Verdict | None:
    """A list, set or deque to which elements are added and from which none are taken."""
    if not is_sequence(evidence.holder.type_name) or (evidence.grower.in_place and not _grew(evidence.holder)):
        return None
    kind = evidence.holder.type_name.rpartition(".")[2]
    return evidence.verdict(
        "unbounded-sequence",
        f"{evidence.holder.expression} is a {kind} that {grows(evidence)}: {entries(evidence.holder, 'elements')}.",
        "Take elements out where they are done with, or bound it (collections.deque(maxlen=…)).",
    )


def growing_buffer(evidence: Evidence) -> Verdict | None:
    """A buffer that gets longer where it is, or is replaced by a longer one, or collects its pieces in a list."""
    name = next((name for name in evidence.types_above()[-2:] if name in _FILES), evidence.grower.type_name)
    if name not in _BUFFERS or not (name in _FILES or evidence.grower.in_place or _is_larger(evidence)):
        return None
    added = size_text(evidence.grower.shallow_bytes_delta)
    mend = "Hand its contents on and start it anew (clear(), or a new one), or bound it."
    if name in _FILES:
        mend = "Hand its contents on and start it anew (seek(0) and truncate(), or a new one), or bound it."
    if name in _ARRAYS:
        mend = "Keep the part that is needed: a copy of it, array[-n:].copy(), because a slice keeps the whole array."
    return evidence.verdict("growing-buffer", f"{evidence.holder.expression} got longer by {added}.", mend)


def bounded_cache_filling(evidence: Evidence) -> Verdict | None:
    """A container that filled up and then stayed as it is, or is pruned from time to time."""
    name = evidence.holder.type_name
    is_container = is_mapping(name) or is_sequence(name) or is_at_lru_cache(evidence)
    if evidence.kind is not VerdictKind.BENIGN or not is_container or evidence.grower.in_place:
        return None
    return evidence.verdict(
        "bounded-cache-filling", f"{evidence.holder.expression} behaves as something bounded does.", ""
    )


_FILES = frozenset({"_io.BytesIO", "_io.StringIO"})
_ARRAYS = frozenset({"numpy.ndarray", "array.array"})
_BUFFERS = frozenset({"bytes", "bytearray", "str", "memoryview", "mmap.mmap"}) | _FILES | _ARRAYS


def _grew(holder: Holder) -> bool:
    return (holder.entries_now or 0) > (holder.entries_base or 0)


def _is_larger(evidence: Evidence) -> bool:
    grower = evidence.grower
    few = grower.objects_delta <= 2  # noqa: PLR2004 - it was replaced by a longer one
    return few and grower.shallow_bytes_delta >= LEAST_BYTES_TO_JUDGE
