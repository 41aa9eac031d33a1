"""An emitter of pyee on which every request listens."""

from pyee.base import EventEmitter

emitter = EventEmitter()


class Request:
    """Waits for the price to change."""

    def __init__(self) -> None:
        emitter.on("price", self.priced)

    def priced(self) -> None:
        """Answer with the new price."""


def leak(number: int) -> None:
    Request()


def mended(number: int) -> None:
    request = Request()
    emitter.remove_listener("price", request.priced)
