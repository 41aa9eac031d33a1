"""The tools that are measured, one module each with ``JOBS``: how it does each job, and how its answer is judged."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from benchmarks.stage import Stage

__all__ = ["CONTENDERS", "JOB_QUESTIONS", "Claim", "Contender", "Job", "contender"]

JOB_QUESTIONS: Mapping[str, str] = {
    "import": "What does a program pay for importing it?",
    "pause": "How long do the other threads of a service stand still for one picture?",
    "census": "How many objects of each type are there, and how many bytes?",
    "retained": "What would be freed with each object (or with one set)?",
    "diff": "What grew between two moments, and what holds it?",
    "chain": "Why is this one object alive?",
    "file": "How large is a picture on disk, how long does it take to write and read?",
}


@attrs.frozen
class Claim:
    """One answer of a tool beside the truth; right when it differs by at most *tolerance*."""

    what: str
    found: float | str | None
    truth: float | str
    tolerance: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether the tool said what is true."""
        if isinstance(self.found, str) or isinstance(self.truth, str) or self.found is None:
            return self.found == self.truth
        return abs(self.found - self.truth) <= self.tolerance


def _nothing(stage: Stage) -> None:
    """For a job that needs no preparation."""


def _no_claims(stage: Stage, result: Any) -> list[Claim]:
    return []


@attrs.frozen
class Job:
    """How one tool does one job; only *run* is measured.

    Attributes:
        how: The call, in words that its users know.
        run: Does it; what it returns is what a user would keep, and is held while the objects are counted.
        claims: Reads the answer out of the result; judged, not measured. It may add to ``stage.figures``.
        prepare: Before the heap is built: a first small use, so that imports and caches are not counted.
        let_go: After the claims: drops what is held outside the result.
        watched: Gets ready and gives back what is then done while another thread watches how long it stands
            still; None: nothing is watched.
    """

    how: str
    run: Callable[[Stage], Any]
    claims: Callable[[Stage, Any], list[Claim]] = _no_claims
    prepare: Callable[[Stage], None] = _nothing
    let_go: Callable[[Stage], None] = _nothing
    watched: Callable[[], Callable[[], object]] | None = None


@attrs.frozen
class Contender:
    """A tool: the module here that drives it, what must be importable for that, and what ``import`` is measured of."""

    name: str
    module: str
    needs: tuple[str, ...]
    imports: str
    jobs: tuple[str, ...]

    @property
    def is_installed(self) -> bool:
        """Whether everything it needs can be imported here; nothing is imported to find out."""
        return all(importlib.util.find_spec(name) is not None for name in self.needs)

    def job(self, name: str) -> Job:
        """How this tool does that job; imports the tool."""
        jobs: Mapping[str, Job] = importlib.import_module(f"benchmarks.contenders.{self.module}").JOBS
        return jobs[name]


CONTENDERS = (
    Contender(
        "heapdiff",
        "heapdiff",
        ("heapdiff", "attrs"),
        "heapdiff",
        ("import", "pause", "census", "retained", "diff", "chain", "file"),
    ),
    Contender("the collector", "floor", (), "gc", ("pause",)),
    Contender("guppy3", "guppy3", ("guppy",), "guppy", ("import", "pause", "census", "retained", "diff", "chain")),
    Contender(
        "pympler",
        "pympler",
        ("pympler",),
        "pympler.muppy, pympler.summary, pympler.asizeof",
        ("import", "census", "retained", "diff"),
    ),
    Contender("objgraph", "objgraph", ("objgraph",), "objgraph", ("import", "pause", "census", "diff", "chain")),
    Contender("tracemalloc", "tracemalloc", (), "tracemalloc", ("import", "diff")),
    Contender("igraph", "igraph", ("igraph", "numpy"), "igraph", ("retained",)),
    Contender("rustworkx", "rustworkx", ("rustworkx", "numpy"), "rustworkx", ("retained",)),
)


def contender(name: str) -> Contender:
    """The contender of that name."""
    return next(found for found in CONTENDERS if found.name == name)
