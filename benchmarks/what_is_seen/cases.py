"""All cases of the truth table, in its order."""

from benchmarks.what_is_seen.holders import HOLDER_CASES
from benchmarks.what_is_seen.memory import MEMORY_CASES
from benchmarks.what_is_seen.objects import OBJECT_CASES

__all__ = ["CASES"]

CASES = (*OBJECT_CASES, *HOLDER_CASES, *MEMORY_CASES)
