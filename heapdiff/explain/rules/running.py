"""What threads, tasks, contexts and frames keep while they live."""

from __future__ import annotations

import re

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Verdict
from heapdiff.explain.rules.sentences import entries, new_objects
from heapdiff.snapshot.labels import LabelKind

__all__ = ["context_variable", "exception_pins_frames", "pending_task", "thread_local"]


def thread_local(evidence: Evidence) -> Verdict | None:
    """Values of threading.local in threads that live on."""
    if not any("_thread._local" in name or name == "threading.local" for name in evidence.types_above()) and not (
        evidence.root_kind is LabelKind.ROOT_THREAD and "context" not in evidence.path[0].text
    ):
        return None
    return evidence.verdict(
        "thread-local",
        f"{new_objects(evidence)} are in thread-local storage of threads that live on.",
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
            "Give each a way to end (an event or a sentinel that it waits for) and join it, or share a pool of few.",
        )
    tasks = [name for name in (*evidence.types_below(), evidence.grower.type_name) if _TASKS.search(name)]
    if not tasks:
        return None
    mend = "Await or cancel each task; asyncio.timeout() bounds a wait; drop finished ones (add_done_callback)."
    if tasks[0].endswith(("generator", "coroutine")):
        mend = "Run each to its end, or close() it (contextlib.closing, aclosing) where its reader gives up."
    return evidence.verdict(
        "pending-task-or-generator",
        f"Each {tasks[0]} in {evidence.holder.expression} has not finished, or is kept although it has.",
        mend,
    )


def exception_pins_frames(evidence: Evidence) -> Verdict | None:
    """A stored exception or traceback: its frames keep their local variables alive."""
    types = (*evidence.types_above()[-2:], *evidence.types_below())
    if "traceback" not in types or not ("frame" in types or evidence.grower.type_name in ("traceback", "frame")):
        return None
    return evidence.verdict(
        "exception-pins-frames",
        f"An exception is stored below {evidence.holder.expression}; its traceback keeps the frames "
        "that it went through, and "
        f"their local variables, alive.",
        "Store str(error) or traceback.format_exc() in its place, or error.with_traceback(None).",
    )


_TASKS = re.compile(r"(^|\.)(Task|Future|coroutine|generator|async_generator|Thread|Timer|Handle|TimerHandle)$")
