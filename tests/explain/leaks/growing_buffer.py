"""A log that goes to a buffer in memory, as a test or a status page does it."""

import io
import logging

shown = io.StringIO()
log = logging.getLogger("shop")
log.addHandler(logging.StreamHandler(shown))
log.propagate = False


def leak(number: int) -> None:
    log.warning("order %d: %s", number, "item " * 2000)


def mended(number: int) -> None:
    leak(number)
    shown.seek(0)
    shown.truncate()
