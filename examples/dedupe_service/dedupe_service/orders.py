"""Orders in, their confirmations out; only the last of them are kept in memory."""

import itertools
from collections import deque
from dataclasses import dataclass

from dedupe_service.catalogue import Article

__all__ = ["Order", "OrderBook", "orders"]


@dataclass(slots=True)
class Order:
    """An order that was accepted."""

    number: int
    article: Article
    quantity: int

    @property
    def total_cents(self) -> int:
        """What the customer pays."""
        return self.article.price_cents * self.quantity


class OrderBook:
    """The latest orders, for the page of the operators."""

    def __init__(self, kept: int) -> None:
        self._latest: deque[Order] = deque(maxlen=kept)
        self._numbers = itertools.count(1)

    def place(self, article: Article, quantity: int) -> Order:
        """A new order with the next number."""
        order = Order(next(self._numbers), article, quantity)
        self._latest.append(order)
        return order

    def latest(self) -> list[Order]:
        """The orders that are still remembered, the oldest first."""
        return list(self._latest)


orders = OrderBook(kept=200)
