"""The one door to the native core."""

from heapdiff.native._native import (
    Columns,
    capture,
    census,
    dominator_profile,
    dominators,
    label_growth,
    label_tree,
    retained_by_groups,
    shortest_paths,
    site_totals,
    survivors,
    type_retained,
    type_totals,
    validate,
)

__all__ = [
    "Columns",
    "capture",
    "census",
    "dominator_profile",
    "dominators",
    "label_growth",
    "label_tree",
    "retained_by_groups",
    "shortest_paths",
    "site_totals",
    "survivors",
    "type_retained",
    "type_totals",
    "validate",
]
