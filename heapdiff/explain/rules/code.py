"""Classes and modules that are made while the program runs."""

from __future__ import annotations

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Trend, Verdict, VerdictKind
from heapdiff.snapshot.labels import LabelKind

__all__ = ["module_loaded", "runtime_classes"]


def runtime_classes(evidence: Evidence) -> Verdict | None:
    """Classes that are created again and again."""
    below = (*evidence.types_below(), evidence.grower.type_name)
    is_class = any(name == "type" or name.endswith(("ABCMeta", "EnumType")) for name in below)
    if not is_class and not any(evidence.has_internal(obj, "__mro__") for obj in evidence.sample[:1]):
        return None
    return evidence.verdict(
        "runtime-classes",
        f"Classes are created while the program runs, and {evidence.holder.expression} keeps them.",
        "Create classes once: lift class statements, namedtuple() and type() calls out of functions, or cache them.",
    )


def module_loaded(evidence: Evidence) -> Verdict | None:
    """Modules that were imported between the snapshots."""
    module = evidence.path[0] if evidence.path else None
    if module is None or module.kind is not LabelKind.ROOT_MODULE:
        return None
    if module.objects[0] > 0 or evidence.holder_depth > 0:
        return None
    if evidence.grower.trend in (Trend.TWO_PICTURES, Trend.STOPPED):
        return Verdict(
            "module-loaded",
            VerdictKind.BENIGN,
            f"{module.text} and what belongs to it was imported between the two moments; that happens once.",
        )
    if evidence.holder_depth == 0:
        return None
    return Verdict(
        "module-loaded",
        VerdictKind.UNSURE,
        f"Modules go on being imported, {module.text} among them. {evidence.trend_text(evidence.kind)}",
        "Where they are made by the program (types.ModuleType, importlib with new names), take them out of sys.modules "
        "when they are done with.",
    )
