"""heapdiff subtracts two pictures of a CPython heap and says why what grew cannot be freed."""

import importlib
from typing import TYPE_CHECKING

from heapdiff.version import VERSION as __version__

if TYPE_CHECKING:
    from heapdiff.capture import start_tracing, stop_tracing, take_census, take_snapshot
    from heapdiff.errors import HeapdiffError
    from heapdiff.explain import DEFAULT_RULES
    from heapdiff.pipeline import compare
    from heapdiff.report import Report
    from heapdiff.snapshot.census import Census
    from heapdiff.snapshot.file import read_snapshot, write_snapshot
    from heapdiff.snapshot.model import Snapshot

__all__ = [
    "DEFAULT_RULES",
    "Census",
    "HeapdiffError",
    "Report",
    "Snapshot",
    "__version__",
    "compare",
    "read_snapshot",
    "start_tracing",
    "stop_tracing",
    "take_census",
    "take_snapshot",
    "write_snapshot",
]

# Where each name lives. A service that imports heapdiff and never asks pays a few milliseconds; all of it costs ten
# times that.
_HOMES = {
    "DEFAULT_RULES": "explain",
    "Census": "snapshot.census",
    "HeapdiffError": "errors",
    "Report": "report",
    "Snapshot": "snapshot.model",
    "compare": "pipeline",
    "read_snapshot": "snapshot.file",
    "start_tracing": "capture",
    "stop_tracing": "capture",
    "take_census": "capture",
    "take_snapshot": "capture",
    "write_snapshot": "snapshot.file",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'heapdiff' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"heapdiff.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
