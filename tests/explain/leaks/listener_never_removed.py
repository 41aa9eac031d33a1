"""A signal of blinker that each page connects to, strongly."""

from blinker import Signal

order_changed = Signal()


class Page:
    """Shows an order as long as somebody looks at it."""

    def __init__(self, *, weak: bool) -> None:
        order_changed.connect(self.refresh, weak=weak)

    def refresh(self, sender: object) -> None:
        """Draw it anew."""


def leak(number: int) -> None:
    Page(weak=False)


def mended(number: int) -> None:
    Page(weak=True)
