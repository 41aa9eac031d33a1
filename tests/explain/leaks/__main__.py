"""``python -m tests.explain.leaks PROGRAM leak|mended``: run it, and print the report on it as JSON and text."""

import gc
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import heapdiff

_WARM_UP, _ROUNDS, _STEPS = 10, 3, 20


def _load(name: str) -> ModuleType:
    """The program, as a module that is called ``app``."""
    found = importlib.util.spec_from_file_location("app", Path(__file__).with_name(f"{name}.py"))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["app"] = module
    found.loader.exec_module(module)
    return module


def _report(name: str, variant: str) -> heapdiff.Report:
    step = getattr(_load(name), variant)
    numbers = iter(range(_WARM_UP + _ROUNDS * _STEPS))
    snapshots = []
    for count in (_WARM_UP, *[_STEPS] * _ROUNDS):
        for _ in range(count):
            step(next(numbers))
        if gc.isenabled():
            gc.collect()
        snapshots.append(heapdiff.take_snapshot())
    return heapdiff.compare(*snapshots)


if __name__ == "__main__":
    report = _report(*sys.argv[1:])
    print(json.dumps({"report": report.to_dict(), "text": str(report)}), flush=True)
    os._exit(0)  # threads that never end are what some programs are about
