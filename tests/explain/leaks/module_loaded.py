"""Scripts of customers, each loaded as a module of its own."""

import sys
import types


def leak(number: int) -> None:
    name = f"script_{number}"
    module = types.ModuleType(name)
    exec("price = [3, 4, 5]\ndef total(): return sum(price)", vars(module))
    sys.modules[name] = module


def mended(number: int) -> None:
    leak(number)
    del sys.modules[f"script_{number}"]
