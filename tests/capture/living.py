"""Living objects found again in a snapshot, for the tests of the capture."""

from typing import Any

from heapdiff.snapshot.labels import kind_of, payload_of
from heapdiff.snapshot.model import Snapshot

__all__ = ["Picture"]


class Picture:
    """A snapshot of this very process, addressed by living objects."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        addresses = snapshot.columns["object_address"].tolist()
        self._number = {address: number for number, address in enumerate(addresses)}

    def __contains__(self, obj: object) -> bool:
        return id(obj) in self._number

    def number(self, obj: object) -> int:
        """The number of a living object."""
        return self._number[id(obj)]

    def references(self, obj: object) -> list[tuple[str, int]]:
        """What the object refers to, as (label, number of the target)."""
        columns, number = self.snapshot.columns, self.number(obj)
        edges = range(columns["reference_start"][number], columns["reference_start"][number + 1])
        return [(self.label(columns["reference_label"][edge]), columns["reference_target"][edge]) for edge in edges]

    def labels(self, holder: object, held: object) -> list[str]:
        """The labels of the references from one living object to another."""
        wanted = self.number(held)
        return [label for label, target in self.references(holder) if target == wanted]

    def label(self, label: int) -> str:
        """A label as ``kind:payload``."""
        kind = kind_of(label)
        payload: Any = self.snapshot.text(payload_of(label)) if kind.has_text else payload_of(label)
        return f"{kind.name}:{payload}"

    def shallow_bytes(self, obj: object) -> int:
        """The shallow size of a living object."""
        return self.snapshot.shallow_bytes(self.number(obj))

    def root_names(self, obj: object) -> list[str]:
        """The roots that hold the object directly, as ``KIND:name``."""
        wanted = self.number(obj)
        return [f"{root.kind.name}:{root.name}" for root in self.snapshot.roots() if root.object == wanted]

    def native_references(self, obj: object) -> int:
        """References to the object that nothing explains."""
        held = dict(
            zip(self.snapshot.columns["native_held_object"], self.snapshot.columns["native_held_count"], strict=True)
        )
        return held.get(self.number(obj), 0)
