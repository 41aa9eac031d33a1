"""heapdiff subtracts two pictures of a CPython heap and says why what grew cannot be freed."""

from heapdiff.capture import start_tracing, stop_tracing, take_census, take_snapshot
from heapdiff.errors import HeapdiffError
from heapdiff.explain import DEFAULT_RULES
from heapdiff.pipeline import compare
from heapdiff.report import Report
from heapdiff.snapshot.census import Census
from heapdiff.snapshot.file import read_snapshot, write_snapshot
from heapdiff.snapshot.model import Snapshot
from heapdiff.version import VERSION as __version__

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
