"""heapdiff subtracts two pictures of a CPython heap and says why what grew cannot be freed."""

import importlib
from typing import TYPE_CHECKING, Any

from heapdiff.version import VERSION as __version__

if TYPE_CHECKING:
    from heapdiff.capture import (
        Epoch,
        epoch,
        register_type,
        start_epoch,
        start_tracing,
        stop_tracing,
        take_census,
        take_snapshot,
    )
    from heapdiff.errors import HeapdiffError, HeapGrowthError
    from heapdiff.explain import DEFAULT_RULES, KNOWN_LEAKS, KnownGrowth, KnownLeak
    from heapdiff.growth import (
        Growth,
        GrowthGuard,
        GrowthReport,
        ObjectSet,
        Watch,
        assert_no_growth,
        find_growth,
        find_growth_async,
        watching,
    )
    from heapdiff.pipeline import compare, compare_groups, compare_settled
    from heapdiff.report import Report
    from heapdiff.report.accept_file import read_accepted
    from heapdiff.snapshot.census import Census
    from heapdiff.snapshot.file import read_snapshot, write_snapshot
    from heapdiff.snapshot.model import Snapshot

__all__ = [
    "DEFAULT_RULES",
    "KNOWN_LEAKS",
    "Census",
    "Epoch",
    "Growth",
    "GrowthGuard",
    "GrowthReport",
    "HeapGrowthError",
    "HeapdiffError",
    "KnownGrowth",
    "KnownLeak",
    "ObjectSet",
    "Report",
    "Snapshot",
    "Watch",
    "__version__",
    "assert_no_growth",
    "compare",
    "compare_groups",
    "compare_settled",
    "epoch",
    "find_growth",
    "find_growth_async",
    "read_accepted",
    "read_snapshot",
    "register_type",
    "start_epoch",
    "start_tracing",
    "stop_tracing",
    "take_census",
    "take_snapshot",
    "watching",
    "write_snapshot",
]

# A service that imports heapdiff and never asks shall not pay for it: with attrs and the extension it is 7 MiB, with
# what explains 13 MiB. And one that only takes snapshots shall not carry the latter in the heap that is looked at.
_ROOM_OF = {
    "DEFAULT_RULES": "heapdiff.explain",
    "KNOWN_LEAKS": "heapdiff.explain",
    "Census": "heapdiff.snapshot.census",
    "Epoch": "heapdiff.capture",
    "Growth": "heapdiff.growth",
    "GrowthGuard": "heapdiff.growth",
    "GrowthReport": "heapdiff.growth",
    "HeapGrowthError": "heapdiff.errors",
    "HeapdiffError": "heapdiff.errors",
    "KnownGrowth": "heapdiff.explain",
    "KnownLeak": "heapdiff.explain",
    "ObjectSet": "heapdiff.growth",
    "Report": "heapdiff.report",
    "Snapshot": "heapdiff.snapshot.model",
    "Watch": "heapdiff.growth",
    "assert_no_growth": "heapdiff.growth",
    "compare": "heapdiff.pipeline",
    "compare_groups": "heapdiff.pipeline",
    "compare_settled": "heapdiff.pipeline",
    "epoch": "heapdiff.capture",
    "find_growth": "heapdiff.growth",
    "find_growth_async": "heapdiff.growth",
    "read_accepted": "heapdiff.report.accept_file",
    "read_snapshot": "heapdiff.snapshot.file",
    "register_type": "heapdiff.capture",
    "start_epoch": "heapdiff.capture",
    "start_tracing": "heapdiff.capture",
    "stop_tracing": "heapdiff.capture",
    "take_census": "heapdiff.capture",
    "take_snapshot": "heapdiff.capture",
    "watching": "heapdiff.growth",
    "write_snapshot": "heapdiff.snapshot.file",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _ROOM_OF[name] == "heapdiff.capture":
        # Whoever takes pictures writes them. What that needs is in the first one, and no growth in the second.
        importlib.import_module("heapdiff.snapshot.file")
    value = globals()[name] = getattr(importlib.import_module(_ROOM_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
