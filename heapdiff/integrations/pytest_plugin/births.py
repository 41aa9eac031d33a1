"""A program that runs in, which of the objects it tracks were made while what went on out."""

from __future__ import annotations

import gc
from array import array
from typing import Any

__all__ = ["Births"]

_YOUNG = (0, 1)  # generations; what is older has been through here
_MOST_KEPT = 1_000_000  # addresses, before those of the dead are taken out


class Births:
    """Writes down the addresses of young objects before the collector makes them old, and who was at work then.

    At each change of who is at work, and before each collection by which objects get old. So an object that lives was
    made by whom its address is written down for last: whatever is at an address later is young first.

    Only young objects are looked at, so that it costs the same on a large heap. No object is held; the collector is
    in its usual state. It frees young garbage a little earlier than it would by itself.
    """

    def __init__(self) -> None:
        self._worker: int | None = None
        self._records: list[tuple[int | None, array[int]]] = []
        self._kept = 0
        self._most = _MOST_KEPT

    def start(self) -> None:
        """All that is there by now is nobody's."""
        gc.collect()
        gc.callbacks.append(self._before_collection)

    def stop(self) -> None:
        """Nothing is written down from now on."""
        self.change(None)
        if self._before_collection in gc.callbacks:
            gc.callbacks.remove(self._before_collection)

    def change(self, worker: int | None) -> int | None:
        """What is made from now on is that worker's; None is nobody that matters. Returns who was before."""
        before = self._worker
        gc.collect(0)
        gc.collect(1)  # calls back
        self._worker = worker
        if self._kept > self._most:
            self._drop_dead()
        return before

    def by_address(self) -> dict[int, int | None]:
        """Who made the object that is at an address now, of all that were made since the start."""
        return {address: worker for worker, addresses in self._records for address in addresses}

    def _before_collection(self, phase: str, details: dict[str, Any]) -> None:
        if phase != "start" or not details["generation"]:
            return
        addresses: array[int] = array("Q")
        for generation in _YOUNG:
            addresses.extend(map(id, gc.get_objects(generation)))
        self._kept += len(addresses)
        self._records.append((self._worker, addresses))

    def _drop_dead(self) -> None:
        alive = set(map(id, gc.get_objects()))
        workers = {address: worker for address, worker in self.by_address().items() if address in alive}
        kept: dict[int | None, array[int]] = {}
        for address, worker in workers.items():
            kept.setdefault(worker, array("Q")).append(address)
        self._records = list(kept.items())
        self._kept = len(workers)
        self._most = max(_MOST_KEPT, 2 * self._kept)
