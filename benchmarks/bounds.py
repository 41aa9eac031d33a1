"""What heapdiff promises: each bound with the measured figure beside it, and whether it is met."""

import statistics
from collections.abc import Callable, Sequence

import attrs

from benchmarks.runner import Run

__all__ = ["BOUNDS", "Bound", "Check", "check_bounds"]

_PROMISED = 1_000_000


@attrs.frozen
class Bound:
    """One promise: of which job, what is measured in which unit, at most how much, and from which size of heap on."""

    text: str
    job: str
    unit: str
    limit: float
    measured: Callable[[Run], float | None]
    from_objects: int = _PROMISED


@attrs.frozen
class Check:
    """A bound beside what was measured on heaps of one size; None is not measured."""

    bound: Bound
    object_count: int
    figures: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """The median of the runs."""
        return statistics.median(self.figures) if self.figures else None

    @property
    def is_met(self) -> bool | None:
        """Whether the median is within the bound; None when nothing was measured."""
        return None if self.median is None else self.median <= self.bound.limit

    @property
    def is_promised(self) -> bool:
        """Whether heapdiff promises it at this size: on small heaps the interpreter itself is what is measured."""
        return self.object_count >= self.bound.from_objects


def check_bounds(runs: Sequence[Run]) -> list[Check]:
    """Every bound at every size that was run, in the order of BOUNDS."""
    own = [run for run in runs if run.task.tool == "heapdiff"]
    checks = []
    for bound in BOUNDS:
        of_job = [run for run in own if run.task.job == bound.job]
        for size in sorted({run.task.object_count for run in of_job}):
            figures = (bound.measured(run) for run in of_job if run.task.object_count == size and run.outcome == "ok")
            checks.append(Check(bound, size, tuple(figure for figure in figures if figure is not None)))
    return checks


def _figure(name: str, factor: float = 1.0) -> Callable[[Run], float | None]:
    def measured(run: Run) -> float | None:
        figure = run.figures.get(name)
        return None if figure is None else figure * factor

    return measured


def _figure_ratio(name: str) -> Callable[[Run], float | None]:
    def measured(run: Run) -> float | None:
        figure = run.figures.get(name)
        return None if figure is None or not run.collection_seconds else figure / run.collection_seconds

    return measured


def _phase_ratio(*names: str) -> Callable[[Run], float | None]:
    def measured(run: Run) -> float | None:
        if not run.collection_seconds or any(name not in run.phases for name in names):
            return None
        return sum(run.phases[name] for name in names) / run.collection_seconds

    return measured


def _cpu_milliseconds(run: Run) -> float | None:
    return None if run.cpu_seconds is None else run.cpu_seconds * 1e3


def _peak_bytes_an_object(run: Run) -> float | None:
    return None if run.peak_bytes is None else run.peak_bytes / run.task.object_count


def _held(run: Run) -> float | None:
    return run.held["tracked"] if run.held else None


def _left(run: Run) -> float | None:
    return run.left["tracked"] if run.left else None


_GC = "× gc.collect()"
_BYTES = "bytes an object"
BOUNDS = (
    Bound("Pause of take_snapshot(), the GIL held (CPU)", "pause", _GC, 2.0, _figure_ratio("pause_cpu_seconds")),
    Bound("Pause of take_census(), the GIL held (CPU)", "census", _GC, 1.0, _figure_ratio("pause_cpu_seconds")),
    Bound(
        "Reachability, dominators and retained size of every object, GIL free",
        "retained",
        _GC,
        1.5,
        _phase_ratio("paths", "dominators"),
    ),
    Bound("Peak memory over the heap, capture and analysis", "retained", _BYTES, 90, _peak_bytes_an_object),
    Bound(
        "compare() of two snapshots in memory, explanations of ten growers included",
        "diff",
        _GC,
        6.0,
        _phase_ratio("compare"),
        5_000_000,
    ),
    Bound("Objects alive that were not before, while the snapshot is held", "pause", "objects", 20, _held),
    Bound("Objects alive that were not before, when it has been dropped", "pause", "objects", 0, _left),
    Bound("import heapdiff over bare Python, CPU", "import", "ms", 50, _cpu_milliseconds, 0),
    Bound(
        "import heapdiff over bare Python, resident memory",
        "import",
        "MiB",
        6,
        _figure("resident_memory_bytes", 2**-20),
        0,
    ),
    Bound("Snapshot file, plain", "file", _BYTES, 48, _figure("plain_file_bytes_per_object")),
    Bound("Snapshot file, compressed", "file", _BYTES, 14, _figure("compressed_file_bytes_per_object")),
)
