"""What is really in the heap, by a walk that is slow and plainly right; the answers of the tools are judged by it."""

import collections
import gc
from types import CodeType
from typing import Any

__all__ = ["UNSEEN_OBJECTS", "count_objects"]

# What no Python code can see, so that a complete tool counts it and the walk cannot: the names and kinds of the locals
# of each code object, the names of types, and the like. It belongs to the interpreter, whatever the size of the heap.
UNSEEN_OBJECTS = 10_000


def count_objects() -> int:
    """Every object that can be reached from those the collector tracks, each once, types and interpreter included.

    ``gc.get_referents`` with what ``tp_traverse`` leaves out: the keys of a dict whose keys are all str, and
    the innards of code objects.
    """
    pending: collections.deque[Any] = collections.deque(gc.get_objects())
    seen = set(map(id, pending))
    count = 0
    while pending:
        found = pending.pop()
        count += 1
        for referent in _referents(found):
            if referent is not pending and referent is not seen and id(referent) not in seen:
                seen.add(id(referent))
                pending.append(referent)
    return count


def _referents(found: Any) -> list[Any]:
    referents = gc.get_referents(found)
    if isinstance(found, dict):
        referents.extend(dict.keys(found))
    elif type(found) is CodeType:
        referents += [found.co_consts, found.co_names, found.co_filename, found.co_name, found.co_qualname]
        referents += [found.co_linetable, found.co_exceptiontable]
    return referents
