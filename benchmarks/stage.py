"""What a job finds when it starts: the heap's size, the leak and its truth, and a place for its figures."""

import contextlib
import sys
import time
from collections.abc import Iterator

from benchmarks import measuring, service_heap
from benchmarks.measuring import Live
from benchmarks.service_heap import LeakTruth

__all__ = ["Stage"]


class Stage:
    """One process, one heap, one job.

    ``phases`` are CPU seconds of named parts of the job, ``figures`` whatever else it measured, by name.
    What leak() itself costs is taken off everything.
    """

    def __init__(self, object_count: int) -> None:
        self.object_count = object_count
        self.leak_count = max(50, object_count // 200)
        self.phases: dict[str, float] = {}
        self.figures: dict[str, float | None] = {}
        self.truth: LeakTruth | None = None
        self.forget_leak_costs()

    def forget_leak_costs(self) -> None:
        """After a leak that was made before the measurement."""
        self.leak_cpu_seconds = self.leak_wall_seconds = 0.0
        self.leak_resident_bytes = 0
        self.leak_live = Live(0, 0)

    @property
    def leaked(self) -> LeakTruth:
        """What was leaked; ValueError before the leak."""
        if self.truth is None:
            raise ValueError("nothing has been leaked yet")
        return self.truth

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measures a part of the job; parts of one name add up."""
        started, excluded = measuring.cpu_seconds(), self.leak_cpu_seconds
        yield
        spent = measuring.cpu_seconds() - started - (self.leak_cpu_seconds - excluded)
        self.phases[name] = self.phases.get(name, 0.0) + spent

    def leak(self) -> None:
        """Adds the Sessions; for jobs that need a moment before and one after."""
        cpu, wall = measuring.cpu_seconds(), time.perf_counter()
        resident, before = measuring.resident_bytes(), measuring.live()
        self.truth = service_heap.leak(self.leak_count)
        self.leak_live = measuring.live() - before
        self.leak_resident_bytes = max(0, measuring.resident_bytes() - resident)
        self.leak_cpu_seconds = measuring.cpu_seconds() - cpu
        self.leak_wall_seconds = time.perf_counter() - wall

    def set_retained_bytes(self, *, allocated: bool) -> int:
        """Bytes freed if every Session went at once.

        *allocated* for tools that count the attributes of an instance as part of it (heapdiff does), which
        ``sys.getsizeof`` leaves out: the same sum with what CPython asks its allocators for in the place of
        the getsizeof of each Session.
        """
        return self.leaked.set_retained_bytes + (self._attribute_bytes() if allocated else 0)

    def single_retained_bytes(self, *, allocated: bool) -> int:
        """The sum, over the Sessions, of the bytes freed if only that one went."""
        return self.leaked.single_retained_bytes + (self._attribute_bytes() if allocated else 0)

    def _attribute_bytes(self) -> int:
        session = next(iter(service_heap.REGISTRY.entries.values()))
        return self.leaked.session_count * (service_heap.instance_bytes() - sys.getsizeof(session))
