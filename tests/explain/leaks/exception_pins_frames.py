"""Futures of orders that failed, kept for a report."""

from concurrent.futures import Future, ThreadPoolExecutor
from email.message import Message

pool = ThreadPoolExecutor(1)
failed: list[Future[None]] = []
reasons: set[str] = set()


def _charge(order: Message) -> None:
    raise ConnectionError("the bank does not answer")


def _order(number: int) -> None:
    order = Message()
    order["number"] = str(number)
    _charge(order)


def leak(number: int) -> None:
    failed.append(pool.submit(_order, number))
    failed[-1].exception()


def mended(number: int) -> None:
    reasons.add(str(pool.submit(_order, number).exception()))
