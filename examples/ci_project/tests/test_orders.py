"""Tests of orders: what they do, and that they keep nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from orders import Order, OrderBook, book

from heapdiff import Watch

NUMBERS = itertools.count()


@pytest.fixture
def fresh_book() -> Iterator[OrderBook]:
    yield OrderBook()


def test_a_listener_is_told(fresh_book: OrderBook) -> None:
    told: list[int] = []
    fresh_book.place(7, lambda order: told.append(order.number))
    fresh_book.ship(7)
    assert told == [7]


@pytest.mark.no_heap_growth
def test_a_shipped_order_is_not_kept() -> None:
    number = next(NUMBERS)
    book.place(number)
    book.ship(number)


def test_shipping_lets_go_of_the_order(heap: Watch) -> None:
    book.place(-1)
    assert heap.new(Order).count == 1
    book.ship(-1)
    assert heap.new(Order).count == 0
