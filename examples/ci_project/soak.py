"""Work for a while and write two snapshots: python soak.py BEFORE AFTER."""

from __future__ import annotations

import sys

from orders import book

import heapdiff


def work(numbers: range) -> None:
    """What the program does all day."""
    for number in numbers:
        book.place(number)
        book.ship(number)


def main(before: str, after: str) -> None:
    """Warm up, snapshot, work, snapshot."""
    work(range(1_000))
    heapdiff.write_snapshot(heapdiff.take_snapshot(collect=True), before)
    work(range(1_000, 6_000))
    heapdiff.write_snapshot(heapdiff.take_snapshot(collect=True), after)


if __name__ == "__main__":
    main(*sys.argv[1:])
