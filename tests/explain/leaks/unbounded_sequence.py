"""Log records in a queue that nobody listens to."""

import logging
import queue
from logging.handlers import QueueHandler, QueueListener

records: queue.Queue[logging.LogRecord] = queue.Queue()
log = logging.getLogger("shop")
log.addHandler(QueueHandler(records))
log.propagate = False
listener = QueueListener(records, logging.NullHandler())


def leak(number: int) -> None:
    log.warning("order %d is late", number)


def mended(number: int) -> None:
    log.warning("order %d is late", number)
    listener.handle(records.get())
