"""Request ids in; out comes the first answer to each, so that a client that asks again orders once."""

import hashlib
import threading
import time
from dataclasses import dataclass, field

__all__ = ["DedupeRegistry", "SeenRequest", "registry"]


@dataclass(slots=True)
class SeenRequest:
    """What is kept of a request: enough to give the same answer again."""

    request_id: str
    fingerprint: bytes
    answer: bytes
    status: int
    tags: list[str]
    received_at: float = field(default_factory=time.time)


class DedupeRegistry:
    """The requests that have been answered, by their ids.

    This is the leak of the example, as it is found in real services: entries are added with every
    request and nothing ever takes one out. The mend is a bound or an age.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, SeenRequest] = {}
        self._lock = threading.Lock()

    def answer_of(self, request_id: str) -> SeenRequest | None:
        """The request of that id, if it has been answered before."""
        with self._lock:
            return self._by_id.get(request_id)

    def remember(self, request_id: str, body: bytes, answer: bytes, status: int) -> None:
        """Keeps the answer for whoever asks again under this id."""
        seen = SeenRequest(
            request_id=request_id,
            fingerprint=hashlib.sha256(body).digest(),
            answer=answer,
            status=status,
            tags=[f"client-{request_id[:2]}", f"bytes-{len(body)}"],
        )
        with self._lock:
            self._by_id[request_id] = seen


registry = DedupeRegistry()
