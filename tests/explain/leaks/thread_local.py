"""What the threads of a pool remember."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Context, Decimal

local, pool = threading.local(), ThreadPoolExecutor(1)


def _round(number: int) -> Decimal:
    context = Context(prec=6)
    if not hasattr(local, "contexts"):
        local.contexts = []
    local.contexts.append(context)
    return context.create_decimal(number)


def _round_and_clear(number: int) -> Decimal:
    result = _round(number)
    local.contexts.clear()
    return result


def leak(number: int) -> None:
    pool.submit(_round, number).result()


def mended(number: int) -> None:
    pool.submit(_round_and_clear, number).result()
