"""The caches of functools."""

from __future__ import annotations

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Verdict, VerdictKind
from heapdiff.explain.rules.sentences import entries, grows, new_objects
from heapdiff.explain.rules.shapes import is_at_lru_cache
from heapdiff.snapshot.labels import LabelKind

__all__ = ["lru_cache_keys_pin_objects", "unbounded_lru_cache"]


def unbounded_lru_cache(evidence: Evidence) -> Verdict | None:
    """A functools.lru_cache that fills and fills."""
    if not is_at_lru_cache(evidence):
        return None
    if _is_bounded_lru_cache(evidence):
        return _filling_lru_cache(evidence)
    return evidence.verdict(
        "unbounded-lru-cache",
        f"The functools.lru_cache {_cache(evidence)} has no bound and {grows(evidence)}: "
        f"{entries(evidence.holder, 'entries')}.",
        "Give it a maxsize that fits, or call cache_clear() where its results are done with.",
    )


def lru_cache_keys_pin_objects(evidence: Evidence) -> Verdict | None:
    """A functools.lru_cache on a method: the keys of its entries keep each instance alive."""
    keys = {LabelKind.KEY_OBJECT, LabelKind.ELEMENT}
    if not is_at_lru_cache(evidence) or "." not in evidence.grower.type_name or _is_bounded_lru_cache(evidence):
        return None
    in_key = any(path.type_name in ("tuple", "functools._HashedSeq") for path in evidence.below[:-1])
    if not (in_key and evidence.below[-1].kind in keys):
        return None
    return evidence.verdict(
        "lru-cache-keys-pin-objects",
        f"The keys of the functools.lru_cache {_cache(evidence)} keep {new_objects(evidence)} alive, as they do "
        "where a method is cached.",
        "Cache on the instance (functools.cached_property), or let the cached function take what "
        "it needs and not self.",
    )


def _is_bounded_lru_cache(evidence: Evidence) -> bool:
    """Whether it has a maxsize: only then are its entries in a linked list by age."""
    paths = evidence.diff.paths
    wrapper = next((p for p in reversed(evidence.above) if p.type_name == "functools._lru_cache_wrapper"), None)
    below = list(paths.children[wrapper.number]) if wrapper else []
    below += [grandchild for child in below for grandchild in paths.children[child]]
    return any(paths[number].type_name == "functools._lru_list_elem" for number in below)


def _filling_lru_cache(evidence: Evidence) -> Verdict:
    is_benign = evidence.kind is VerdictKind.BENIGN
    return Verdict(
        "bounded-cache-filling",
        VerdictKind.BENIGN if is_benign else VerdictKind.UNSURE,
        f"The functools.lru_cache {_cache(evidence)} has a bound and fills up: {entries(evidence.holder, 'entries')}. "
        f"{evidence.trend_text(evidence.kind)}".strip(),
        ""
        if is_benign
        else "Wait until it is full (cache_info() tells maxsize and currsize), and compare then; where "
        "it is too large, lower its maxsize.",
    )


def _cache(evidence: Evidence) -> str:
    """The cached function: the holder is its table of results."""
    return evidence.holder.expression.removesuffix(".cache")
