"""Cases: containers and holders of which the collector's own walk shows a part or nothing."""

import atexit
import codecs
import collections
import contextlib
import csv
import functools
import os
import signal
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.what_is_seen.model import Case, Marks, Question, held_by_a_module

__all__ = ["HOLDER_CASES"]


class Marked:
    """Something that is held; what it holds itself is found as well."""

    held: object

    def __call__(self, *_: object) -> None: ...


class Slotted:
    """Attributes in slots."""

    __slots__ = ("held",)
    held: object


def _text(what: str) -> str:
    """A str that nothing else has."""
    return f"{what} {'x' * 40}"


def _holding(make: Callable[[object], object]) -> Callable[[], contextlib.AbstractContextManager[Marks]]:
    """A case of one holder that is made from a str."""

    @contextlib.contextmanager
    def build() -> Iterator[Marks]:
        text = _text("held")
        target = id(text)
        holder = make(text)
        del text
        with held_by_a_module(holder):
            yield Marks((target,), id(holder))
        del holder

    return build


def _closure(held: object) -> object:
    return lambda: held


def _with_slot(held: object) -> object:
    made = Slotted()
    made.held = held
    return made


def _with_attribute(held: object) -> object:
    made = Marked()
    made.held = held
    return made


def _with_dict(held: object) -> object:
    made = Marked()
    made.held = held
    assert made.__dict__  # which is made when it is asked for
    return made


def _cached(bound: int | None) -> Callable[[object], object]:
    def make(held: object) -> object:
        box = [held]

        @functools.lru_cache(maxsize=bound)
        def answer(_: int) -> object:
            return box.pop()

        answer(1)
        return answer

    return make


def _keyed(make: Callable[[Any], object]) -> Callable[[object], object]:
    return lambda held: make({held: None})


def _dict_key_of_a_class(held: object) -> object:
    """A name that only the keys which instances share have."""
    made = type("Made", (), {})()
    setattr(made, str(held), 1)
    return type(made)


def _property(held: object) -> object:
    return property(Marked().__call__, doc=str(held))


@contextlib.contextmanager
def _static_type() -> Iterator[Marks]:
    yield Marks((id(vars(int)["bit_length"]), id(int.__mro__)), id(int))


@contextlib.contextmanager
def _descriptor() -> Iterator[Marks]:
    holder = vars(int)["bit_length"]
    yield Marks((id(holder.__name__),), id(holder))


@contextlib.contextmanager
def _code() -> Iterator[Marks]:
    function = eval("lambda: (1.5, 'a constant that only code holds')")
    code = function.__code__
    with held_by_a_module(code):
        yield Marks((id(code.co_consts), id(code.co_names), id(code.co_filename)), id(code))


@contextlib.contextmanager
def _type_names() -> Iterator[Marks]:
    made = type(_text("Made"), (), {})
    with held_by_a_module(made):
        yield Marks((id(made.__qualname__),), id(made))


@contextlib.contextmanager
def _weak_target() -> Iterator[Marks]:
    target = Marked()
    reference = weakref.ref(target)
    with held_by_a_module(target, reference):
        yield Marks((id(target),), id(reference))


@contextlib.contextmanager
def _weak_callback() -> Iterator[Marks]:
    target, callback = Marked(), Marked()
    reference = weakref.ref(target, callback)
    address = id(callback)
    del callback
    with held_by_a_module(target, reference):
        yield Marks((address,), id(reference))


@contextlib.contextmanager
def _module_state() -> Iterator[Marks]:
    """The dialects of csv are in the state of ``_csv``, which is a struct in C."""
    csv.register_dialect("marked", delimiter=";")
    yield Marks((id(csv.get_dialect("marked")),), id(sys.modules["_csv"]))
    csv.unregister_dialect("marked")


def _registered(
    register: Callable[[Any], object], forget: Callable[[Any], object]
) -> Callable[[], contextlib.AbstractContextManager[Marks]]:
    """A case of a function that a registry in C keeps, and what hangs on it."""

    @contextlib.contextmanager
    def build() -> Iterator[Marks]:
        handler = _Handler(_text("registered"))
        address, target = id(handler), id(handler.held)
        register(handler)
        reference = weakref.ref(handler)
        del handler
        try:
            yield Marks((address, target))
        finally:
            kept = reference()
            forget(kept)

    return build


class _Handler:
    """A callable that the collector tracks, with a str that it does not."""

    __slots__ = ("__weakref__", "held")

    def __init__(self, held: object) -> None:
        self.held = held

    def __call__(self, *_: object) -> None:
        return None


def _fork_hook(hook: Any) -> None:
    os.register_at_fork(after_in_child=hook)


def _never(_: object) -> None:
    """Nothing takes it away again."""


@contextlib.contextmanager
def _lost_in_native_code() -> Iterator[Marks]:
    import ctypes

    lost = Marked()
    for _ in range(20):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(lost))
    try:
        yield Marks((id(lost),))
    finally:
        for _ in range(20):
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(lost))


_TYPES, _HOLDERS, _C = "Types, code and attributes", "Functions and containers", "Registries and references in C"

HOLDER_CASES = (
    Case("static type → its dictionary and bases", _TYPES, Question.HELD, _static_type),
    Case("descriptor of a static type → its name", _TYPES, Question.HELD, _descriptor),
    Case("class → its qualified name", _TYPES, Question.HELD, _type_names),
    Case("code → constants, names, file name", _TYPES, Question.HELD, _code),
    Case("instance → attribute kept as a bare value", _TYPES, Question.HELD, _holding(_with_attribute)),
    Case("instance → attribute in its `__dict__`", _TYPES, Question.HELD, _holding(_with_dict)),
    Case("instance → slot", _TYPES, Question.HELD, _holding(_with_slot)),
    Case("class → names in the keys that its instances share", _TYPES, Question.HELD, _holding(_dict_key_of_a_class)),
    Case("property → its documentation", _TYPES, Question.HELD, _holding(_property)),
    Case("closure → variable", _HOLDERS, Question.HELD, _holding(_closure)),
    Case("bound method → its object", _HOLDERS, Question.HELD, _holding(lambda held: _with_slot(held).__repr__)),
    Case("`partial` → argument", _HOLDERS, Question.HELD, _holding(lambda held: functools.partial(print, held))),
    Case("unbounded `lru_cache` → result", _HOLDERS, Question.HELD, _holding(_cached(None))),
    Case("bounded `lru_cache` → result", _HOLDERS, Question.HELD, _holding(_cached(4))),
    Case("dict → str key", _HOLDERS, Question.HELD, _holding(_keyed(dict))),
    Case("`OrderedDict` → key", _HOLDERS, Question.HELD, _holding(_keyed(collections.OrderedDict))),
    Case("`deque` → element", _HOLDERS, Question.HELD, _holding(lambda held: collections.deque([held]))),
    Case("set → member", _HOLDERS, Question.HELD, _holding(lambda held: {held})),
    Case("`mappingproxy` → mapping", _HOLDERS, Question.HELD, _holding(lambda held: types.MappingProxyType({1: held}))),
    Case("weak reference → its target, as one that does not hold", _HOLDERS, Question.WEAK, _weak_target),
    Case("weak reference → its callback", _HOLDERS, Question.HELD, _weak_callback),
    Case("module in C → what its state keeps (csv's dialects)", _HOLDERS, Question.HELD, _module_state),
    Case("`atexit.register`", _C, Question.OBJECTS, _registered(atexit.register, atexit.unregister)),
    Case("`os.register_at_fork`", _C, Question.OBJECTS, _registered(_fork_hook, _never)),
    Case("`codecs.register`", _C, Question.OBJECTS, _registered(codecs.register, codecs.unregister)),
    Case(
        "`signal.signal`",
        _C,
        Question.OBJECTS,
        _registered(
            lambda handler: signal.signal(signal.SIGUSR2, handler),
            lambda _: signal.signal(signal.SIGUSR2, signal.SIG_DFL),
        ),
    ),
    Case("`sys.setprofile`", _C, Question.OBJECTS, _registered(sys.setprofile, lambda _: sys.setprofile(None))),
    Case("an object with references too many, lost in C", _C, Question.NATIVE, _lost_in_native_code),
)
