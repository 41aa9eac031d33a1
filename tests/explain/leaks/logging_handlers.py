"""A handler of logging for each order."""

import io
import logging
from logging.handlers import MemoryHandler

log = logging.getLogger("shop.orders")


def leak(number: int) -> None:
    log.addHandler(MemoryHandler(10, target=logging.StreamHandler(io.StringIO())))


def mended(number: int) -> None:
    handler = MemoryHandler(10, target=logging.StreamHandler(io.StringIO()))
    log.addHandler(handler)
    log.removeHandler(handler)
    handler.close()
