"""Objects that pretend, and objects that begin to work when somebody asks them: a capture asks nobody."""

import importlib.util
import operator
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import heapdiff
from tests.capture.living import Picture

RAN: list[str] = []


def forwarded(operation: Callable[..., Any]) -> Any:
    """A method that sets the object up first, like ``django.utils.functional.new_method_proxy``."""

    def method(self: Any, *arguments: Any) -> Any:
        if self.__dict__["_wrapped"] is None:
            self._setup()
        return operation(self.__dict__["_wrapped"], *arguments)

    return method


class LazyObject:
    """The shape of Django's: its class, attributes and comparisons are those of what it makes when first asked."""

    def __init__(self, make: Callable[[], object]) -> None:
        self.__dict__["_make"] = make
        self.__dict__["_wrapped"] = None

    def _setup(self) -> None:
        RAN.append("setup")
        self.__dict__["_wrapped"] = self.__dict__["_make"]()

    __class__ = property(forwarded(operator.attrgetter("__class__")))
    __getattr__ = forwarded(getattr)
    __eq__ = forwarded(operator.eq)
    __hash__ = forwarded(hash)
    __bool__ = forwarded(bool)
    __len__ = forwarded(len)
    __iter__ = forwarded(iter)
    __dir__ = forwarded(dir)
    __str__ = forwarded(str)
    __repr__ = forwarded(repr)
    __reduce__ = forwarded(operator.methodcaller("__reduce__"))


class Watching(type):
    """A metaclass that says of everything that is asked of its classes."""

    def __getattribute__(cls, name: str) -> Any:
        RAN.append(f"metaclass.{name}")
        return super().__getattribute__(name)

    def __instancecheck__(cls, instance: object) -> bool:
        RAN.append("__instancecheck__")
        return False

    def __subclasscheck__(cls, subclass: type) -> bool:
        RAN.append("__subclasscheck__")
        return False

    def __hash__(cls) -> int:
        RAN.append("metaclass.__hash__")
        return 1

    def __eq__(cls, other: object) -> bool:
        RAN.append("metaclass.__eq__")
        return cls is other

    def __repr__(cls) -> str:
        RAN.append("metaclass.__repr__")
        return "Watched"

    def __bool__(cls) -> bool:
        RAN.append("metaclass.__bool__")
        return False


class Watched(metaclass=Watching):
    """Its ``__dict__``, its attributes and its end are watched, too."""

    def __getattribute__(self, name: str) -> Any:
        RAN.append(f"__getattribute__ {name}")
        return object.__getattribute__(self, name)

    @property
    def computed(self) -> int:
        RAN.append("computed")
        return 1

    def __del__(self) -> None:
        RAN.append("__del__")


@pytest.fixture(autouse=True)
def nothing_ran_before() -> Iterator[None]:
    RAN.clear()
    yield
    RAN.clear()


def capture_in_every_way() -> heapdiff.Snapshot:
    snapshot = heapdiff.take_snapshot()
    heapdiff.take_census()
    str(heapdiff.compare(snapshot, heapdiff.take_snapshot(collect=True)))
    return snapshot


def test_a_lazy_object_is_not_set_up() -> None:
    lazy = LazyObject(lambda: ["made"])
    kept = {"lazy": lazy}

    snapshot = capture_in_every_way()

    assert RAN == []
    assert lazy in Picture(snapshot)
    del kept


def test_a_metaclass_is_asked_nothing_of_its_class_and_its_objects() -> None:
    kept = [Watched()]
    RAN.clear()

    snapshot = capture_in_every_way()

    assert RAN == []
    assert kept[0] in Picture(snapshot)


def test_a_module_that_loads_when_it_is_asked_is_not_loaded() -> None:
    """What importlib.util.LazyLoader makes; a module is a root, and its name is in each chain."""
    name = "this"  # prints when it is loaded
    assert name not in sys.modules
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)

        capture_in_every_way()

        assert "s" not in types.ModuleType.__getattribute__(module, "__dict__")
        assert type(module) is not types.ModuleType
    finally:
        del sys.modules[name]


def test_a_proxy_does_not_look_behind_itself() -> None:
    local = pytest.importorskip("werkzeug.local")
    proxy = local.LocalProxy(lambda: RAN.append("looked"))

    snapshot = capture_in_every_way()

    assert RAN == []
    assert proxy in Picture(snapshot)
