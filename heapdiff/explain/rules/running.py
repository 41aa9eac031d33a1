"""What threads, tasks, contexts and frames keep while they live."""

from __future__ import annotations

import re

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Verdict
from heapdiff.explain.rules.sentences import entries, new_objects
from heapdiff.snapshot.labels import LabelKind

__all__ = ["context_variable", "exception_pins_frames", "pending_task", "stored_exception", "thread_local"]


def thread_local(evidence: Evidence) -> Verdict | None:
    """Values of threading.local in threads that live on."""
    if not any("_thread._local" in name or name == "threading.local" for name in evidence.types_above()) and not (
        evidence.root_kind is LabelKind.ROOT_THREAD and "context" not in evidence.path[0].text
    ):
        return None
    return evidence.verdict(
        "thread-local",
        f"{new_objects(evidence)} are in thread-local storage of threads that live on: {evidence.holder.expression}.",
        "Clear the threading.local where the work of a thread ends; threads of a pool never end.",
    )


def context_variable(evidence: Evidence) -> Verdict | None:
    """Values of contextvars in contexts that live on."""
    is_context = any(name in ("_contextvars.Context", "hamt", "Context") for name in evidence.types_above())
    if not is_context and not (evidence.root_kind is LabelKind.ROOT_THREAD and "context" in evidence.path[0].text):
        return None
    return evidence.verdict(
        "contextvar",
        f"{new_objects(evidence)} are values of context variables in a context that lives on: "
        f"{evidence.holder.expression}.",
        "Reset the variable with its token (var.reset(token)) where its work ends, or run the work in "
        "contextvars.copy_context().run(…).",
    )


def pending_task(evidence: Evidence) -> Verdict | None:
    """Tasks, generators and threads that never finish."""
    if evidence.is_below("_active", "threading") or evidence.is_below("_limbo", "threading"):
        return evidence.verdict(
            "pending-task-or-generator",
            f"{entries(evidence.holder, 'threads').capitalize()} that run on: {evidence.holder.expression} has every "
            "thread until its function returns.",
            _THREADS_MEND,
        )
    tasks = [name for name in (*evidence.types_below(), evidence.grower.type_name) if _TASKS.search(name)]
    if not tasks:
        return None
    name = _task_name(evidence)
    return evidence.verdict(
        "pending-task-or-generator",
        f"Each {f'task {name}' if name else tasks[0]} in {evidence.holder.expression} has not finished, or is kept "
        "although it has.",
        _ending("Task" if name else tasks[0].rpartition(".")[2]),
    )


def _task_name(evidence: Evidence) -> str:
    """Of the first task on the chain; empty where there is none that has a name or a coroutine."""
    return next((hop.name for hop in evidence.grower.chain if hop.name), "")


def _ending(name: str) -> str:
    if name in ("Thread", "Timer"):
        return _THREADS_MEND
    if name in ("Handle", "TimerHandle"):
        return "Cancel each call that is no longer wanted (handle.cancel()), and keep no handle of one that is done."
    if name in ("generator", "async_generator", "coroutine"):
        return "Run each to its end, or close() it (contextlib.closing, aclosing) where its reader gives up."
    return "Await or cancel each task; asyncio.timeout() bounds a wait; drop finished ones (add_done_callback)."


def exception_pins_frames(evidence: Evidence) -> Verdict | None:
    """A stored traceback on the way to the new objects: its frames keep their local variables alive."""
    types = (*evidence.types_above()[-2:], *evidence.types_below())
    if "traceback" not in types or not ("frame" in types or evidence.grower.type_name in ("traceback", "frame")):
        return None
    return _pinned(evidence)


def stored_exception(evidence: Evidence) -> Verdict | None:
    """Exceptions, or what holds one each, such as futures that failed: every one with a traceback of its own."""
    tracebacks = [_traceback_near(evidence, obj) for obj in evidence.sample]
    found = set(tracebacks) - {None}
    if not tracebacks or len(found) < _MOSTLY * len(tracebacks):
        return None
    return _pinned(evidence)


def _pinned(evidence: Evidence) -> Verdict:
    return evidence.verdict(
        "exception-pins-frames",
        f"Exceptions are stored below {evidence.holder.expression}; the traceback of each keeps the frames that it "
        "went through, and their local variables, alive.",
        "Store str(error) or traceback.format_exc() in its place, or error.with_traceback(None).",
    )


def _traceback_near(evidence: Evidence, obj: int) -> int | None:
    """The traceback of an object, or of an exception that the object refers to."""
    level = [obj]
    for _ in range(_HOPS_TO_TRACEBACK):
        level = [target for each in level for kind, target in evidence.references(each) if kind in _PARTS]
        found = next((each for each in level if evidence.type_name(each) == "traceback"), None)
        if found is not None:
            return found
    return None


_MOSTLY = 0.8
_HOPS_TO_TRACEBACK = 2
_PARTS = frozenset({LabelKind.ATTRIBUTE, LabelKind.FIELD, LabelKind.INTERNAL})

_THREADS_MEND = "Give each a way to end (an event or a sentinel that it waits for) and join it, or share a pool of few."
_TASKS = re.compile(r"(^|\.)(Task|Future|coroutine|generator|async_generator|Thread|Timer|Handle|TimerHandle)$")
