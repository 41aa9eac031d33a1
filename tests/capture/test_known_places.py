"""Where the references of C types stand: each row of known_places.cpp against a living object.

A shifted position gives a reference no name, or another one's, and fails here.
"""

import abc
import asyncio
import collections
import contextvars
import csv
import decimal
import io
import itertools
import operator
import queue
import re
import struct
import sys
import threading
import types
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

import heapdiff
from heapdiff.graph import HeapGraph
from tests.capture.living import Picture


class Held:
    """Something to be led to; it may be called, iterated, added and compared."""

    def __call__(self, *_: object) -> "Held":
        return self


class Loop:
    """As much of an event loop as a future needs."""

    def get_debug(self) -> bool:
        return True

    def call_soon(self, callback: object, *_: object, **__: object) -> None:
        self.scheduled = callback

    def call_exception_handler(self, _: object) -> None: ...


def picture() -> Picture:
    return Picture(heapdiff.take_snapshot())


def _started(iterator: Any) -> Any:
    next(iterator)
    return iterator


def _grouping(held: Any) -> Any:
    made = itertools.groupby([held], lambda _: 7)
    next(made)
    return made


class LocalWithArguments(threading.local):
    """A thread-local whose threads are initialised."""

    def __init__(self, held: object) -> None:
        self.held = held


def _token(held: object) -> object:
    variable: contextvars.ContextVar[object] = contextvars.ContextVar("variable")
    context = contextvars.copy_context()
    context.run(variable.set, held)
    return context.run(variable.set, 1)


def _queued(held: object) -> object:
    made: queue.SimpleQueue[object] = queue.SimpleQueue()
    made.put(held)
    return made


def _read(file: io.TextIOWrapper) -> object:
    file.readline()
    return file


def _with_parameters() -> object:
    from typing import TypeVar

    alias: Any = list[TypeVar("T")]  # type: ignore[misc]
    assert alias.__parameters__  # made when asked for
    return alias


def _abstract() -> object:
    class Abstract(metaclass=abc.ABCMeta):  # noqa: B024 - only its registry is of interest
        pass

    Abstract.register(Held)
    return Abstract._abc_impl  # type: ignore[attr-defined]


def _local(held: object) -> object:
    made = threading.local()
    made.held = held
    return made


# Each: the attribute or words, and from something to hold the object that holds it there.
PLACES: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("ContextVar", "ATTRIBUTE:default", lambda held: contextvars.ContextVar("variable", default=held)),
    ("Token of an older value", "INTERNAL:old value", _token),
    ("mappingproxy", "ATTRIBUTE:mapping", lambda held: types.MappingProxyType({"a": held})),
    ("dict keys", "ATTRIBUTE:mapping", lambda held: {"a": held}.keys()),
    ("dict values", "ATTRIBUTE:mapping", lambda held: {"a": held}.values()),
    ("dict items", "ATTRIBUTE:mapping", lambda held: {"a": held}.items()),
    ("dict key iterator", "ATTRIBUTE:dict", lambda held: iter({"a": held})),
    ("dict value iterator", "ATTRIBUTE:dict", lambda held: iter({"a": held}.values())),
    ("dict item iterator", "ATTRIBUTE:dict", lambda held: iter({"a": held}.items())),
    ("reverse dict iterator", "ATTRIBUTE:dict", lambda held: reversed({"a": held})),
    ("OrderedDict iterator", "ATTRIBUTE:mapping", lambda held: iter(collections.OrderedDict(a=held))),
    ("itemgetter", "ATTRIBUTE:item", operator.itemgetter),
    ("attrgetter", "ATTRIBUTE:attributes", lambda held: operator.attrgetter("name.other")),
    ("methodcaller's arguments", "ATTRIBUTE:arguments", lambda held: operator.methodcaller("name", held)),
    (
        "methodcaller's keyword arguments",
        "INTERNAL:keyword arguments",
        lambda held: operator.methodcaller("name", key=held),
    ),
    ("zip", "ATTRIBUTE:iterators", lambda held: zip([held], strict=True)),
    ("map's function", "ATTRIBUTE:function", lambda held: map(held, [1])),
    ("map's iterators", "ATTRIBUTE:iterators", lambda held: map(held, [1])),
    ("filter's function", "ATTRIBUTE:function", lambda held: filter(held, [1])),
    ("filter's iterator", "ATTRIBUTE:iterator", lambda held: filter(held, [1])),
    ("enumerate", "ATTRIBUTE:iterator", lambda held: enumerate([held])),
    ("list iterator", "ATTRIBUTE:list", lambda held: iter([held])),
    ("reverse list iterator", "ATTRIBUTE:list", lambda held: reversed([held])),
    ("tuple iterator", "ATTRIBUTE:tuple", lambda held: iter((held, held))),
    ("set iterator", "ATTRIBUTE:set", lambda held: iter({held})),
    ("str iterator", "ATTRIBUTE:str", lambda held: iter("text")),
    ("bytes iterator", "ATTRIBUTE:bytes", lambda held: iter(b"bytes")),
    ("reversed", "ATTRIBUTE:sequence", lambda held: reversed((held, held))),
    ("callable iterator", "ATTRIBUTE:callable", lambda held: iter(held, 1)),
    ("sentinel of a callable iterator", "ATTRIBUTE:sentinel", lambda held: iter(bytearray().pop, held)),
    ("deque iterator", "ATTRIBUTE:deque", lambda held: iter(collections.deque([held]))),
    ("chain", "ATTRIBUTE:iterators", lambda held: itertools.chain([held])),
    ("chain under way", "ATTRIBUTE:iterator", lambda held: _started(itertools.chain([held, held]))),
    ("cycle", "ATTRIBUTE:iterator", lambda held: itertools.cycle([held])),
    ("what a cycle saved", "ATTRIBUTE:saved", lambda held: _started(itertools.cycle([held]))),
    ("repeat", "ATTRIBUTE:element", itertools.repeat),
    ("count", "ATTRIBUTE:count", lambda held: itertools.count(10**30)),
    ("count's step", "ATTRIBUTE:step", lambda held: itertools.count(10**30, 10**31)),
    ("islice", "ATTRIBUTE:iterator", lambda held: itertools.islice([held], 3)),
    ("accumulate", "ATTRIBUTE:function", lambda held: itertools.accumulate([held], held)),
    ("accumulate's total", "ATTRIBUTE:total", lambda held: _started(itertools.accumulate([held], held))),
    ("accumulate's start", "ATTRIBUTE:initial", lambda held: itertools.accumulate([1], initial=held)),
    ("groupby", "ATTRIBUTE:keyfunc", lambda held: itertools.groupby([held], held)),
    ("groupby's value", "INTERNAL:current value", _grouping),
    ("a group", "ATTRIBUTE:groupby", lambda held: next(itertools.groupby([held]))[1]),
    ("starmap", "ATTRIBUTE:function", lambda held: itertools.starmap(held, [])),
    ("takewhile", "ATTRIBUTE:function", lambda held: itertools.takewhile(held, [])),
    ("dropwhile", "ATTRIBUTE:function", lambda held: itertools.dropwhile(held, [])),
    ("filterfalse", "ATTRIBUTE:function", lambda held: itertools.filterfalse(held, [])),
    ("compress", "ATTRIBUTE:selectors", lambda held: itertools.compress([held], [held])),
    ("pairwise", "ATTRIBUTE:before", lambda held: _started(itertools.pairwise([held, held, held]))),
    ("product", "ATTRIBUTE:pools", lambda held: itertools.product([held])),
    ("combinations", "ATTRIBUTE:pool", lambda held: itertools.combinations([held], 1)),
    ("permutations", "ATTRIBUTE:pool", lambda held: itertools.permutations([held], 1)),
    ("zip_longest", "ATTRIBUTE:fillvalue", lambda held: itertools.zip_longest([1], fillvalue=held)),
    ("tee", "ATTRIBUTE:data", lambda held: itertools.tee([held])[0]),
    ("SimpleQueue", "ELEMENT:0" if sys.version_info >= (3, 13) else "ATTRIBUTE:items", _queued),
    ("method of a C type", "ATTRIBUTE:__self__", lambda held: [held].__len__),
    ("property's doc", "ATTRIBUTE:__doc__", lambda held: property(held, doc="words" + repr(1))),
    ("Pattern", "ATTRIBUTE:pattern", lambda held: re.compile("(?P<named>a+b)")),
    ("Pattern's names", "ATTRIBUTE:groupindex", lambda held: re.compile("(?P<named>a+b)")),
    ("Match", "ATTRIBUTE:re", lambda held: re.match("a+", "aa")),
    ("Match's text", "ATTRIBUTE:string", lambda held: re.match("a+", "aa" + repr(1))),
    ("Struct", "ATTRIBUTE:format", lambda held: struct.Struct("<iiq" + "b" * int("3"))),
    ("decimal context", "ATTRIBUTE:traps", lambda held: decimal.Context()),
    ("csv reader", "ATTRIBUTE:dialect", lambda held: csv.reader(["a"])),
    ("text file", "ATTRIBUTE:decoder", lambda held: _read(io.TextIOWrapper(io.BytesIO(b"a\nb"), "utf-8"))),
    ("text file's errors", "ATTRIBUTE:errors", lambda held: io.TextIOWrapper(io.BytesIO(), errors="replace" + "")),
    ("text file that is written", "ATTRIBUTE:encoder", lambda held: io.TextIOWrapper(io.BytesIO(), "utf-8")),
    ("newline decoder", "ATTRIBUTE:decoder", lambda held: io.IncrementalNewlineDecoder(held, True)),
    ("generic alias", "ATTRIBUTE:__parameters__", lambda held: _with_parameters()),
    ("registry of an abstract class", "ATTRIBUTE:_abc_registry", lambda held: _abstract()),
    ("thread-local", "INTERNAL:attributes by thread", _local),
    ("arguments of a thread-local", "ATTRIBUTE:arguments", LocalWithArguments),
    ("element of a tree", "ATTRIBUTE:attrib", lambda held: ElementTree.Element("a", {"key": "value"})),
    ("child of an element", "ELEMENT:0", lambda held: ElementTree.fromstring("<a><b/></a>")),
]


@pytest.fixture(scope="module")
def seen() -> tuple[Picture, dict[str, Any]]:
    """All holders at once, and a picture of them."""
    holders = {what: make(Held()) for what, _, make in PLACES}
    return picture(), holders


@pytest.mark.parametrize(("what", "label"), [place[:2] for place in PLACES], ids=[place[0] for place in PLACES])
def test_a_reference_of_a_c_type_has_its_name(seen: tuple[Picture, dict[str, Any]], what: str, label: str) -> None:
    looked, holders = seen

    assert label in [found for found, _ in looked.references(holders[what])]


@pytest.mark.parametrize("what", [place[0] for place in PLACES])
def test_no_reference_of_it_is_left_without_a_name(seen: tuple[Picture, dict[str, Any]], what: str) -> None:
    """But of an Element, whose texts are marked pointers."""
    looked, holders = seen

    unnamed = [found for found, _ in looked.references(holders[what]) if found.startswith("FIELD")]
    assert unnamed == [] or what in ("element of a tree", "child of an element")


def test_the_fields_of_a_future_have_their_names() -> None:
    loop: Any = Loop()
    first, second, result, error = Held(), Held(), Held(), ValueError()
    futures: list[asyncio.Future[Any]] = [asyncio.Future(loop=loop) for _ in range(4)]
    waiting, done, failed, cancelled = futures
    waiting.add_done_callback(first)
    waiting.add_done_callback(second)
    done.set_result(result)
    failed.set_exception(error)
    message = "message" + repr(1)
    cancelled.cancel(message)

    looked = picture()
    failed.exception()

    assert looked.labels(waiting, loop) == ["ATTRIBUTE:_loop"]
    assert looked.labels(waiting, first) == ["INTERNAL:first callback"]
    assert "ATTRIBUTE:_callbacks" in [label for label, _ in looked.references(waiting)]
    assert "INTERNAL:context of the first callback" in [label for label, _ in looked.references(waiting)]
    assert "ATTRIBUTE:_source_traceback" in [label for label, _ in looked.references(waiting)]
    assert looked.labels(done, result) == ["ATTRIBUTE:_result"]
    assert looked.labels(failed, error) == ["ATTRIBUTE:_exception"]
    assert looked.labels(cancelled, message) == ["ATTRIBUTE:_cancel_message"]


def test_the_fields_of_a_task_have_their_names() -> None:
    loop: Any = Loop()
    awaited: asyncio.Future[None] = asyncio.Future(loop=loop)
    context = contextvars.copy_context()

    async def wait() -> None:
        await awaited

    name = "a name of " + repr(1)
    task = asyncio.Task(wait(), loop=loop, name=name, context=context)
    step = loop.scheduled
    asyncio.events._set_running_loop(loop)  # 3.14 runs a step in its own loop alone
    step()
    asyncio.events._set_running_loop(None)

    looked = picture()
    asyncio.Task.get_coro(task).close()

    assert looked.labels(step, task) == ["ATTRIBUTE:task"]
    assert looked.labels(task, awaited) == ["ATTRIBUTE:_fut_waiter"]
    assert looked.labels(task, name) == ["ATTRIBUTE:name"]
    assert looked.labels(task, context) == ["ATTRIBUTE:context"]


def test_many_unnamed_fields_make_few_label_paths() -> None:
    """The nodes of a shared iterator and the items of a queue are told by their number."""
    held = [Held() for _ in range(40)]
    made: queue.SimpleQueue[Held] = queue.SimpleQueue()
    for one in held:
        made.put(one)
    held.clear()

    looked = picture()
    tree = HeapGraph.of(looked.snapshot).label_tree

    assert len({tree["node_of"][looked.number(made.get())] for _ in range(40)}) == 1
