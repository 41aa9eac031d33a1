"""Weak references that do not do what they are for."""

from __future__ import annotations

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Verdict
from heapdiff.explain.rules.sentences import new_objects
from heapdiff.snapshot.labels import LabelKind

__all__ = ["dead_weakrefs", "weak_mapping_held_by_value"]


def weak_mapping_held_by_value(evidence: Evidence) -> Verdict | None:
    """A weak mapping whose entries cannot go, because their values lead back to their keys (or keys to values)."""
    types = evidence.types_above()
    weak = next((name for name in reversed(types[-2:]) if name.endswith(_WEAK_MAPPINGS)), None)
    if weak is None or not evidence.is_freed_without_holder(_weakly_held(evidence)):
        return None
    back = ("value", "key") if weak.endswith("WeakKeyDictionary") else ("key", "value")
    return evidence.verdict(
        "weak-mapping-held-by-value",
        f"The entries of the {weak.rpartition('.')[2]} {evidence.holder.expression} outlive what they are to go with: "
        f"a {back[0]} leads back to its {back[1]}.",
        f"Let the {back[0]} not refer to the {back[1]} (hold it through weakref.ref), or remove the entry where "
        f"the {back[1]} ends.",
        structural=True,
    )


def dead_weakrefs(evidence: Evidence) -> Verdict | None:
    """Weak references whose objects are gone, and which nobody takes out of the container they are in."""
    name = evidence.grower.type_name
    if not name.startswith("weakref.") or name.endswith(("Dictionary", "Set", "finalize")) or not evidence.sample:
        return None
    dead = sum(all(kind is not LabelKind.WEAK for kind, _ in evidence.references(ref)) for ref in evidence.sample)
    if dead < _MOSTLY * len(evidence.sample):
        return None
    return evidence.verdict(
        "dead-weakrefs",
        f"{new_objects(evidence)} refer to nothing any more, yet {evidence.holder.expression} keeps them.",
        "Give each a callback that takes it out, weakref.ref(obj, container.remove), or use weakref.WeakSet or "
        "WeakKeyDictionary, which do so.",
    )


_WEAK_MAPPINGS = ("WeakKeyDictionary", "WeakValueDictionary")


_WEAK_SAMPLE = 200


def _weakly_held(evidence: Evidence) -> list[int]:
    """The objects that the holder's entries refer to weakly."""
    found: list[int] = []
    for holder in evidence.holder.objects:
        tables = [holder, *(target for kind, target in evidence.references(holder) if kind is LabelKind.ATTRIBUTE)]
        tables += [entry for table in tables for kind, entry in evidence.references(table) if kind is LabelKind.KEY]
        for table in tables:
            for kind, entry in evidence.references(table)[-2 * _WEAK_SAMPLE :]:
                if kind in (LabelKind.KEY_OBJECT, LabelKind.KEY_OF_TYPE):
                    found += [target for weak, target in evidence.references(entry) if weak is LabelKind.WEAK]
    return found[-_WEAK_SAMPLE:]


_MOSTLY = 0.8
