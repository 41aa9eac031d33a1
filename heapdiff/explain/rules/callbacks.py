"""Callbacks, listeners, handlers and loggers that are registered and never removed."""

from __future__ import annotations

import re

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Verdict
from heapdiff.explain.rules.sentences import entries, new_objects
from heapdiff.snapshot.labels import LabelKind

__all__ = ["interpreter_callbacks", "listener_never_removed", "logging_handlers", "logging_loggers"]


def interpreter_callbacks(evidence: Evidence) -> Verdict | None:
    """Callbacks in lists of the interpreter that have no way out, such as os.register_at_fork's."""
    words = " ".join(path.text for path in evidence.above[:3]).lower()
    is_interpreter = evidence.root_kind is LabelKind.ROOT_INTERPRETER
    is_list = ("atexit" in words and evidence.holder.type_name in ("list", "dict")) or words.endswith("gc callbacks")
    if not (is_interpreter or is_list):
        return None
    return evidence.verdict(
        "interpreter-callbacks",
        f"{new_objects(evidence)} are held by callbacks that the interpreter itself keeps "
        f"({evidence.holder.expression}).",
        _way_out(" ".join(path.text for path in evidence.path[:3]).lower()),
    )


def _way_out(words: str) -> str:
    one = "one module-level function that finds its objects through a weakref.WeakSet"
    if "fork" in words:
        return f"os.register_at_fork has no way to unregister: register {one}, once."
    if "atexit" in words:
        return f"Call atexit.unregister() where the owner ends, or register {one}, once."
    if "gc callbacks" in words:
        return f"Take it out of gc.callbacks where the owner ends, or add {one}, once."
    return f"Unregister each where its owner ends, or register {one}, once."


def listener_never_removed(evidence: Evidence) -> Verdict | None:
    """Callbacks in a registry of listeners; named as such by the program, and callable or holding callables."""
    named = " ".join(path.text for path in evidence.above[-2:] if path.kind in _NAMED)
    callables = (
        "function",
        "method",
        "functools.partial",
        "builtin_function_or_method",
        "tuple",
        "weakref.ReferenceType",
    )
    first = evidence.below[0].type_name if evidence.below else evidence.grower.type_name
    if not _LISTENER_WORDS.search(named) or first not in callables:
        return None
    return evidence.verdict(
        "listener-never-removed",
        f"{entries(evidence.holder, 'listeners').capitalize()} to {evidence.holder.expression} and none removed; each "
        "keeps alive what it is bound to or closes over.",
        "Remove the listener where its owner ends, or register a weakref.WeakMethod.",
    )


def logging_handlers(evidence: Evidence) -> Verdict | None:
    """Handlers added again and again."""
    names = {path.text for path in evidence.above[-2:]} & {"handlers", "_handlerList", "_handlers", "filters"}
    if not names or not any("logging" in path.type_name or path.text.startswith("logging") for path in evidence.path):
        return None
    kind = "filter" if "filters" in names else "handler"
    return evidence.verdict(
        "logging-handlers",
        f"Logging {kind}s are added to {evidence.holder.expression} and never removed: "
        f"{entries(evidence.holder, f'{kind}s')}.",
        f"Configure logging once, or call remove{kind.title()}() where the {kind}'s owner ends"
        f"{', and close() it' if kind == 'handler' else ''}.",
    )


def logging_loggers(evidence: Evidence) -> Verdict | None:
    """Loggers by made-up names; logging keeps every logger for ever."""
    if not any(path.text == "loggerDict" for path in evidence.above[-1:]):
        return None
    return evidence.verdict(
        "logging-loggers",
        "logging keeps every logger by name for ever (loggerDict): "
        f"{entries(evidence.holder, 'loggers')} by new names.",
        "Use one logger for each module, logging.getLogger(__name__), and put what varies into "
        "the record (extra=, LoggerAdapter).",
    )


_LISTENER_WORDS = re.compile(
    r"listener|callback|handler|observer|subscriber|receiver|hook|watcher|signal|events?$|events? ", re.IGNORECASE
)


_NAMED = frozenset({LabelKind.ATTRIBUTE, LabelKind.KEY, LabelKind.CELL, LabelKind.LOCAL, LabelKind.ROOT_MODULE})
