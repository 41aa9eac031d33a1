"""A logger for each order."""

import logging


def leak(number: int) -> None:
    logging.getLogger(f"shop.orders.{number}").debug("checked out")


def mended(number: int) -> None:
    logging.getLogger("shop.orders").debug("checked out", extra={"order": number})
