"""The one door to the native core."""

from heapdiff.native._native import (
    Columns,
<<<<<<< HEAD
    capture,
    census,
=======
    children_of,
>>>>>>> explain
    dominator_profile,
    dominators,
    label_growth,
    label_tree,
    objects_at,
    retained_by_groups,
    select_types,
    shortest_paths,
    site_totals,
    state_totals,
    survivors,
    type_retained,
    type_totals,
    validate,
)

__all__ = [
    "Columns",
<<<<<<< HEAD
    "capture",
    "census",
=======
    "children_of",
>>>>>>> explain
    "dominator_profile",
    "dominators",
    "label_growth",
    "label_tree",
    "objects_at",
    "retained_by_groups",
    "select_types",
    "shortest_paths",
    "site_totals",
    "state_totals",
    "survivors",
    "type_retained",
    "type_totals",
    "validate",
]
