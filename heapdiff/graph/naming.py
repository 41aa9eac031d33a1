"""A reference's label in, out how a person would write it: ``.name``, ``['name']``, ``module app.locks``."""

from collections.abc import Iterable

from heapdiff.snapshot.labels import LabelKind, kind_of, payload_of
from heapdiff.snapshot.model import Snapshot

__all__ = ["label_text", "path_expression", "read_label", "task_name"]

_PLAIN = {
    LabelKind.ATTRIBUTE: ".{}",
    LabelKind.KEY: "['{}']",
    LabelKind.KEY_OF_TYPE: "[<{}>]",
    LabelKind.KEY_OBJECT: "a key",
    LabelKind.ELEMENT: "[{}]",
    LabelKind.MEMBER: "{{…}}",
    LabelKind.DICT: ".__dict__",
    LabelKind.CELL: "closure {}",
    LabelKind.LOCAL: "local {}",
    LabelKind.STACK: "evaluation stack",
    LabelKind.TYPE: ".__class__",
    LabelKind.WEAK: "weak reference",
    LabelKind.WEAK_CALLBACK: "weakref callback",
    LabelKind.CACHE_ENTRY: "cached result",
    LabelKind.FIELD: "C field {}",
    LabelKind.ROOT_MODULE: "module {}",
    LabelKind.ROOT_MACHINERY: "module {}",
    LabelKind.ROOT_LOCAL: "local {}",
    LabelKind.ROOT_THREAD: "thread state: {}",
    LabelKind.ROOT_INTERPRETER: "interpreter: {}",
    LabelKind.ROOT_STATIC_TYPE: "static type {}",
    LabelKind.ROOT_IMMORTAL: "immortal object",
    LabelKind.ROOT_NATIVE: "native code: {}",
    LabelKind.ROOT_EVENT_LOOP: "event loop of {}",
    LabelKind.ROOT_OWN: "heapdiff",
}

# In an expression, which is the same for all objects of a label path, positions and keys that are
# data are [*]; what no code can be written for stands in angle brackets.
_IN_EXPRESSION = {
    LabelKind.KEY_OF_TYPE: "[*]",
    LabelKind.KEY_OBJECT: ".keys()[*]",
    LabelKind.ELEMENT: "[*]",
    LabelKind.MEMBER: "[*]",
    LabelKind.CACHE_ENTRY: ".<cache>[*]",
    LabelKind.CELL: ".<closure {}>",
    LabelKind.LOCAL: ".<local {}>",
    LabelKind.STACK: ".<stack>",
    LabelKind.WEAK: ".<weak reference>",
    LabelKind.WEAK_CALLBACK: ".<weakref callback>",
    LabelKind.FIELD: ".<C field>",
    LabelKind.ROOT_MODULE: "{}",
    LabelKind.ROOT_MACHINERY: "{}",
    LabelKind.ROOT_LOCAL: "<{}>",
    LabelKind.ROOT_THREAD: "<thread: {}>",
    LabelKind.ROOT_INTERPRETER: "<interpreter: {}>",
    LabelKind.ROOT_STATIC_TYPE: "{}",
    LabelKind.ROOT_IMMORTAL: "<immortal>",
    LabelKind.ROOT_NATIVE: "<native code>",
    LabelKind.ROOT_EVENT_LOOP: "<event loop of {}>",
    LabelKind.ROOT_OWN: "<heapdiff>",
}


_COROUTINE = "coroutine "  # of native/cpython/coroutines.cpp
_MOST_FIELDS = 16  # of a task


def read_label(snapshot: Snapshot, label: int) -> tuple[LabelKind, str]:
    """The kind of a label, and its text or number as text; empty where the kind has neither."""
    kind = kind_of(label)
    if kind.has_text:
        return kind, snapshot.text(payload_of(label))
    return kind, str(payload_of(label)) if kind in (LabelKind.ELEMENT, LabelKind.FIELD, LabelKind.STACK) else ""


def label_text(kind: LabelKind, text: str) -> str:
    """How one reference is shown in a chain; keys that are data show their type only, of a str just ``['…']``."""
    if kind is LabelKind.INTERNAL:
        return f".{text}" if text.isidentifier() else text
    if kind is LabelKind.KEY_OF_TYPE and text == "str":
        return "['…']"
    if kind is LabelKind.ROOT_NATIVE and not text:
        return "native code"
    return _PLAIN[kind].format(text)


def task_name(snapshot: Snapshot, obj: int) -> str:
    """What a task of asyncio is known by, such as ``"poller-…" (app.poll)``; empty for anything else.

    It is what the label of its coroutine says. Of the name only the part is written that stands in the
    program as a literal.
    """
    columns = snapshot.columns
    start = columns["reference_start"][obj]
    for label in columns["reference_label"][start : min(columns["reference_start"][obj + 1], start + _MOST_FIELDS)]:
        text = snapshot.text(payload_of(label)) if kind_of(label) is LabelKind.INTERNAL else ""
        if text.startswith(_COROUTINE):
            function, _, name = text.removeprefix(_COROUTINE).partition(", task ")
            return f"{name} ({function.removesuffix('()')})".lstrip()
    return ""


def path_expression(steps: Iterable[tuple[LabelKind, str]]) -> str:
    """Chained references as code, such as ``app.locks.registry._locks`` or ``app.cache.CACHE[*].items``.

    Args:
        steps: Kind and text of each reference, that of the virtual root first. The ``__dict__`` of
            an object is left out: what it has under a key is an attribute.
    """
    parts: list[str] = []
    before_namespace: str | None = None
    before: tuple[LabelKind, str] | None = None
    for kind, text in steps:
        if kind is LabelKind.INTERNAL and (kind, text) == before:
            continue  # the trie of a context, however deep
        before = kind, text
        if before_namespace is not None:
            parts.append(f".{text}" if kind is LabelKind.KEY else before_namespace + _part(kind, text))
            before_namespace = None
        elif kind is LabelKind.DICT:
            before_namespace = ".__dict__"
        else:
            parts.append(_part(kind, text))
    return "".join(parts) + (before_namespace or "")


def _part(kind: LabelKind, text: str) -> str:
    if kind is LabelKind.INTERNAL:
        return f".{text}" if text.isidentifier() else f".<{text}>"
    if kind in (LabelKind.ROOT_LOCAL, LabelKind.ROOT_THREAD, LabelKind.ROOT_EVENT_LOOP):
        text = text.partition(", thread ")[0]  # the same place in every thread
    return _IN_EXPRESSION.get(kind, _PLAIN[kind]).format(text)
