"""Metrics that keep one entry for each combination of label values."""

from __future__ import annotations

import re
from itertools import pairwise

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Verdict
from heapdiff.explain.rules.sentences import entries
from heapdiff.explain.rules.shapes import is_mapping

__all__ = ["metric_labels"]


def metric_labels(evidence: Evidence) -> Verdict | None:
    """Metrics by the values of their labels, which take ever new values."""
    holder = evidence.holder
    keys = [hop.label for before, hop in pairwise(evidence.grower.chain) if before.is_holder]
    is_by_values = any(label.startswith(("[<tuple>", "[<frozenset>")) for label in keys)
    owners = [path for path in evidence.above[-3:] if not path.type_name.startswith("collections.")]
    is_metric = any(_METRIC_TYPES.search(path.type_name) or _METRIC_NAMES.search(path.text) for path in owners)
    if not is_mapping(holder.type_name) or not is_by_values or not is_metric:
        return None
    return evidence.verdict(
        "metric-labels",
        f"{holder.expression} keeps one entry for each combination of label values, for ever: "
        f"{entries(holder, 'combinations')}.",
        "Let labels take few values only: no user, path, id or error text (a route's pattern, not its path); or remove "
        "the combinations that are done with.",
    )


_METRIC_NAMES = re.compile(r"metric|label|series|aggregation|instrument|gauge|histogram|timeseries", re.IGNORECASE)
_METRIC_TYPES = re.compile(r"(^|\.)_?(Counter|Gauge|Histogram|Summary|Metric|Meter|Timer|Instrument)\w*$")
