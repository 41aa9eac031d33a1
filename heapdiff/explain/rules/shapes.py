"""What sort of thing holds, by the name of its type."""

from __future__ import annotations

import re

from heapdiff.explain.evidence import Evidence

__all__ = ["is_at_lru_cache", "is_mapping", "is_sequence"]


def is_mapping(type_name: str) -> bool:
    """Whether it is a dict, or a class that is called one."""
    return _MAPPINGS.search(type_name) is not None


def is_sequence(type_name: str) -> bool:
    """Whether it is a list, set or deque, or a class that is called one."""
    return _SEQUENCES.search(type_name) is not None


def is_at_lru_cache(evidence: Evidence) -> bool:
    """Whether the holder is a ``functools.lru_cache``, or its table of results."""
    return any(name == "functools._lru_cache_wrapper" for name in evidence.types_above()[-2:])


_MAPPINGS = re.compile(r"(^|\.)(dict|OrderedDict|defaultdict|Counter|UserDict|\w*(Dict|Map|Mapping|Cache|Registry))$")
_SEQUENCES = re.compile(r"(^|\.)(list|set|deque|UserList|\w*(List|Set|Queue|Deque))$")
