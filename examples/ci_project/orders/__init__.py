"""A book of open orders: what goes in must come out."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Order", "OrderBook"]

Listener = Callable[["Order"], None]


class Order:
    """One order of a customer."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.listeners: list[Listener] = []


class OrderBook:
    """The orders that are open."""

    def __init__(self) -> None:
        self._open: dict[int, Order] = {}

    def place(self, number: int, listener: Listener | None = None) -> Order:
        """A new order, open until it is shipped."""
        order = self._open[number] = Order(number)
        if listener is not None:
            order.listeners.append(listener)
        return order

    def ship(self, number: int) -> None:
        """Tell who listens, and close the order."""
        order = self._open[number]
        for listener in order.listeners:
            listener(order)
        del self._open[number]


book = OrderBook()
