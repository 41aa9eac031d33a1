"""Types of extension modules in, what the walk must know of them out: their layouts, and what their authors answer."""

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import attrs

from heapdiff.capture.extension_layouts import Adaptation, LayoutRow, known_layouts
from heapdiff.capture.patience import when_idle
from heapdiff.native import instances
from heapdiff.snapshot.model import Limit

__all__ = ["ExtensionPlan", "plan_extensions", "register_type"]

Answer = tuple[object, int, tuple[tuple[str, object], ...]]


def register_type(
    type: type,
    *,
    size: Callable[[Any], int] | None = None,
    references: Callable[[Any], Iterable[tuple[str, object]]] | None = None,
    size_offset: int | None = None,
    references_at: Sequence[tuple[int, str]] = (),
) -> None:
    """From now on captures see memory and references of *type* that it reports to nobody.

    It goes for the type and the classes derived from it, until one of them is registered itself. To
    register a type again replaces what was said before; with nothing said it is forgotten. The
    type is not kept alive.

    ``size`` and ``references`` are Python, so they cannot run while the heap is read: they are asked
    right before, on the objects that a first walk finds, 100,000 at most, and what they answer is
    taken up when the walk meets the object. What they raise becomes a limit of the
    snapshot and nothing else. ``size_offset`` and ``references_at`` cost nothing and need no first walk.

    Args:
        type: A class, usually of an extension module.
        size: From an object to the bytes that it owns besides its struct, 0 or more.
        references: From an object to names and the objects that it holds under them. The names are written
            to the snapshot: fields of the program, never data. What was made only for the answer is left out.
        size_offset: Where the object's struct has a ``Py_ssize_t`` with these bytes; -1 in it is unknown.
        references_at: Where the struct has a ``PyObject *`` that is null or owned, and its name.

    Raises:
        TypeError: ``type`` is no class, or one of the functions cannot be called.
        ValueError: An offset is not inside the struct, or the size is given twice.
    """
    if not isinstance(type, _type):
        raise TypeError(f"type is a {_type(type).__name__}; register_type() needs a class")
    for name, function in (("size", size), ("references", references)):
        if function is not None and not callable(function):
            raise TypeError(
                f"{name} of {type.__qualname__} is a {_type(function).__name__}; it must be a function of one object"
            )
    if size is not None and size_offset is not None:
        raise ValueError(f"the size of {type.__qualname__} is given twice: leave out size or size_offset")
    at = tuple((_inside(type, offset), str(name)) for offset, name in references_at)
    place = None if size_offset is None else _inside(type, size_offset)
    key = id(type)
    _registrations.pop(key, None)
    if size is not None or references is not None or place is not None or at:
        reference = weakref.ref(type, lambda _: _registrations.pop(key, None))
        _registrations[key] = _Registration(reference, size, references, place, at)


@attrs.frozen
class ExtensionPlan:
    """What the walk is told of extension types, and what is known already not to be seen."""

    adaptations: list[Adaptation]
    layouts: list[LayoutRow]
    answers: list[Answer]
    limits: tuple[Limit, ...] = ()
    pause_seconds: float = 0.0  # the GIL was held to find the objects to ask
    pause_cpu_seconds: float = 0.0

    @property
    def rows(self) -> tuple[list[Adaptation], list[LayoutRow], list[Answer]]:
        """What ``native.capture`` and ``native.census`` take."""
        return self.adaptations, self.layouts, self.answers


def plan_extensions(max_objects: int, max_bytes: int) -> ExtensionPlan:
    """What is to be known of extension types now; runs the functions that were registered.

    The plan holds the objects that were asked, so it must go as soon as the heap is read.

    Args:
        max_objects, max_bytes: The bounds of the walk that finds the objects to ask.

    Raises:
        CaptureBusyError, CaptureLimitError, UnsupportedInterpreterError, MemoryError: As take_snapshot.
    """
    known = known_layouts()
    living = [
        (cls, registration)
        for registration in list(_registrations.values())
        if (cls := registration.type()) is not None
    ]
    rows = [
        (cls, registration.size_offset or 0, registration.references_at)
        for cls, registration in living
        if registration.size_offset is not None or registration.references_at
    ]
    plan = ExtensionPlan(list(known.adaptations), [*known.layouts, *rows], [], _limits_of(known.unknown))
    asked = tuple(cls for cls, registration in living if registration.size or registration.references)
    return _ask(plan, asked, max_objects, max_bytes) if asked and not _asking else plan


_type: Final = type
_POINTER: Final = 8
_HEADER: Final = 16  # of every object
_MOST_OBJECTS: Final = 100_000
_MOST_REFERENCES: Final = 1_000  # of one object
_MOST_BYTES: Final = 2**62


@attrs.frozen(eq=False)
class _Registration:
    type: Callable[[], type | None]
    size: Callable[[Any], int] | None
    references: Callable[[Any], Iterable[tuple[str, object]]] | None
    size_offset: int | None
    references_at: tuple[tuple[int, str], ...]


_registrations: dict[int, _Registration] = {}
_asking: list[bool] = []  # a function that takes a snapshot itself is not asked again


def _inside(cls: type, offset: int) -> int:
    body = type.__dict__["__basicsize__"].__get__(cls)
    if not _HEADER <= offset <= body - _POINTER or offset % _POINTER:
        raise ValueError(
            f"offset {offset} is no field of {cls.__qualname__}: its struct has {body} bytes, the first {_HEADER} are "
            f"the object's head, and fields lie at multiples of {_POINTER}"
        )
    return int(offset)


def _limits_of(unknown: Sequence[str]) -> tuple[Limit, ...]:
    if not unknown:
        return ()
    names = ", ".join(f"{name} {_version(name)}".strip() for name in unknown)
    text = f"The types of {names} are laid out in a way that is not known; their buffers and references are not seen."
    return (Limit("extension-layouts", text),)


def _version(name: str) -> str:
    module = sys.modules.get(name)
    version = vars(module).get("__version__") if type(module) is type(sys) else None
    return version if type(version) is str else ""


def _ask(plan: ExtensionPlan, types: tuple[type, ...], max_objects: int, max_bytes: int) -> ExtensionPlan:
    objects, found, pause, pause_cpu = when_idle(instances, types, _MOST_OBJECTS, max_objects, max_bytes, plan.rows)
    failures: dict[tuple[str, str], int] = {}
    _asking.append(True)
    try:
        plan.answers.extend(_answers(objects, failures))
    finally:
        _asking.pop()
    limits = [*plan.limits]
    if found > len(objects):
        text = f"{found:,} objects of registered types were found, and the first {len(objects):,} of them were asked."
        limits.append(Limit("registered-types", text))
    for (cls, what), count in sorted(failures.items()):
        limits.append(Limit("registered-types", f"{count:,} objects of {cls} gave no answer: {what}."))
    return attrs.evolve(plan, limits=tuple(limits), pause_seconds=pause, pause_cpu_seconds=pause_cpu)


def _answers(objects: list[object], failures: dict[tuple[str, str], int]) -> Iterator[Answer]:
    # By id(): a metaclass may have a __hash__ and an __eq__ that run.
    nearest: dict[int, _Registration | None] = {}
    for obj in objects:
        cls = type(obj)
        if id(cls) not in nearest:
            nearest[id(cls)] = _registration_of(cls)
        registration = nearest[id(cls)]
        if registration is None:
            continue
        size = -1
        references: tuple[tuple[str, object], ...] = ()
        try:
            if registration.size is not None:
                size = _checked_size(registration.size(obj))
            if registration.references is not None:
                references = _checked_references(registration.references(obj))
        except Exception as error:
            # Its text may be data; the name of its class is the program's.
            reason = str(error) if type(error) is _WrongAnswer else f"it raised {type(error).__name__}"
            name = type.__dict__["__qualname__"].__get__(cls)
            failures[name, reason] = failures.get((name, reason), 0) + 1
        if size >= 0 or references:
            yield obj, size, references


class _WrongAnswer(Exception):
    """What a registered function returned is not what it was asked for."""


def _registration_of(cls: type) -> _Registration | None:
    for base in type.__dict__["__mro__"].__get__(cls):
        registration = _registrations.get(id(base))
        if registration is not None and registration.type() is base:
            return registration
    return None


def _checked_size(size: object) -> int:
    if type(size) is not int or not 0 <= size < _MOST_BYTES:
        raise _WrongAnswer("size() must return an int of bytes, 0 or more")
    return size


def _checked_references(references: Iterable[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
    found: list[tuple[str, object]] = []
    for name, target in references:
        if type(name) is not str or "\0" in name or len(found) == _MOST_REFERENCES:
            raise _WrongAnswer(f"references() must give at most {_MOST_REFERENCES:,} pairs of a name and an object")
        found.append((name.encode("utf-8", "replace").decode(), target))
    return tuple(found)
