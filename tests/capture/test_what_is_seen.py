"""The capture sees what the process holds: each trap of the other tools, by name."""

import collections
import contextvars
import functools
import gc
import sys
import threading
import types
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import heapdiff
from benchmarks.what_is_seen.cases import CASES
from benchmarks.what_is_seen.model import Case, answer_of
from benchmarks.what_is_seen.tools import Heapdiff
from heapdiff.graph import HeapGraph
from heapdiff.snapshot.model import ObjectFlag
from tests.capture.living import Picture


class Plain:
    """An instance with a managed dict."""


class Slotted:
    """An instance with slots."""

    __slots__ = ("__weakref__", "left", "right")
    left: object
    right: object


def picture() -> Picture:
    return Picture(heapdiff.take_snapshot())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_case_of_the_truth_table_is_seen(case: Case) -> None:
    """The page docs/what-is-seen.md is made of these, and asks other tools the same."""
    if case.needs is not None:
        pytest.importorskip(case.needs)

    with case.build() as marks:
        answer = answer_of(case, marks, Heapdiff())

    assert answer == "yes"


def test_objects_are_seen_after_gc_freeze() -> None:
    frozen = [Plain() for _ in range(100)]
    gc.collect()
    gc.freeze()
    try:
        seen = picture()
        assert all(one in seen for one in frozen)
        flags = seen.snapshot.columns["object_flags"][seen.number(frozen[0])]
        assert flags & ObjectFlag.FROZEN
    finally:
        gc.unfreeze()


def test_a_local_of_a_running_frame_of_another_thread_is_named() -> None:
    ready, stop, kept = threading.Event(), threading.Event(), []

    def hold() -> None:
        big_buffer = bytearray(20_000_000)
        kept.append(id(big_buffer))
        ready.set()
        stop.wait()
        del big_buffer

    thread = threading.Thread(target=hold, name="the-holder")
    thread.start()
    ready.wait()
    try:
        snapshot = heapdiff.take_snapshot()
    finally:
        stop.set()
        thread.join()

    number = snapshot.columns["object_address"].tolist().index(kept[0])
    names = [root.name for root in snapshot.roots() if root.object == number]
    assert any("hold() big_buffer" in name and "the-holder" in name for name in names)
    assert snapshot.shallow_bytes(number) >= 20_000_000


def test_attributes_kept_as_bare_values_are_labelled_by_name() -> None:
    one = Plain()
    one.payload = ["inline"]  # type: ignore[attr-defined]

    assert picture().labels(one, one.payload) == ["ATTRIBUTE:payload"]  # type: ignore[attr-defined]


def test_a_materialised_dict_is_a_namespace_hop_and_its_values_are_not_counted_twice() -> None:
    one = Plain()
    one.payload = ["in the dict"]  # type: ignore[attr-defined]
    namespace = one.__dict__

    seen = picture()

    assert seen.labels(one, namespace) == ["DICT:0"]
    assert seen.labels(namespace, namespace["payload"]) == ["KEY:payload"]
    assert seen.labels(one, namespace["payload"]) == []


def test_the_capture_makes_no_dict() -> None:
    class Fresh:
        pass

    many = [Fresh() for _ in range(1_000)]
    for one in many:
        one.attribute = 1  # type: ignore[attr-defined]
    gc.collect()
    before = sum(type(o) is dict for o in gc.get_objects())

    heapdiff.take_snapshot()

    assert sum(type(o) is dict for o in gc.get_objects()) - before < 20
    del many


def test_slots_are_labelled_by_name() -> None:
    one = Slotted()
    one.left, one.right = ["left"], ["right"]

    seen = picture()

    assert seen.labels(one, one.left) == ["ATTRIBUTE:left"]
    assert seen.labels(one, one.right) == ["ATTRIBUTE:right"]


def test_slots_and_attributes_of_derived_classes_are_all_seen() -> None:
    class Derived(Slotted):
        __slots__ = ("third",)

    class WithDict(Derived):
        pass

    one = WithDict()
    one.left, one.third, one.fourth = [1], [3], [4]  # type: ignore[attr-defined]

    seen = picture()

    assert seen.labels(one, one.left) == ["ATTRIBUTE:left"]
    assert seen.labels(one, one.third) == ["ATTRIBUTE:third"]  # type: ignore[attr-defined]
    # From 3.13 on a class whose base has slots keeps a dict at once; before, this one is made here, and may lie
    # where the picture has something else.
    namespace = one.__dict__
    labels = seen.labels(one, namespace["fourth"]) or seen.labels(namespace, namespace["fourth"])
    assert labels in (["ATTRIBUTE:fourth"], ["KEY:fourth"])


def test_str_keys_of_dicts_are_seen() -> None:
    key = "a key that only the dict holds, " + "x" * 30
    mapping = {key: 1}

    assert picture().labels(mapping, key) == ["KEY_OBJECT:0"]


def test_a_key_that_is_data_is_not_written_down() -> None:
    secret = "hunter2-" + "".join(chr(97 + i % 26) for i in range(40))
    value = ["held"]
    mapping = {secret: value, 42: value}

    seen = picture()

    assert seen.labels(mapping, value) == ["KEY_OF_TYPE:str", "KEY_OF_TYPE:int"]
    assert secret.encode() not in bytes(seen.snapshot.columns["text_bytes"])


def test_an_identifier_of_the_program_names_its_value() -> None:
    value = ["held"]
    mapping = {sys.intern("an_identifier"): value}

    assert picture().labels(mapping, value) == ["KEY:an_identifier"]


@pytest.mark.parametrize("make", [list, tuple], ids=["list", "tuple"])
def test_elements_are_labelled_by_position(make: Any) -> None:
    first, second = ["first"], ["second"]
    sequence = make([first, second])

    assert picture().labels(sequence, second) == ["ELEMENT:1"]


def test_elements_of_sets_and_deques_are_seen() -> None:
    member = Plain()
    group, queue = {member}, collections.deque([member])

    seen = picture()

    assert seen.labels(group, member) == ["MEMBER:0"]
    assert len(seen.labels(queue, member)) == 1


def test_a_closure_is_labelled_by_its_variable() -> None:
    captured = ["captured"]

    def inner() -> list[str]:
        return captured

    seen = picture()

    assert inner.__closure__ is not None
    cell = inner.__closure__[0]
    assert "CELL:captured" in seen.labels(inner, cell)
    assert seen.labels(cell, captured) == ["INTERNAL:cell_contents"]


def test_constants_of_code_are_seen() -> None:
    function = eval("lambda: (1.5, 'a constant that only code holds')")
    constants = function.__code__.co_consts

    seen = picture()

    assert seen.labels(function.__code__, constants) == ["INTERNAL:co_consts"]


def test_namespaces_of_static_types_are_seen() -> None:
    seen = picture()

    labels = [label for label, _ in seen.references(int)]
    assert "DICT:0" in labels
    assert "ROOT_STATIC_TYPE:int" in seen.root_names(int)


def test_locals_of_a_suspended_generator_are_named() -> None:
    def generate() -> Iterator[int]:
        scratch = ["scratch"]
        yield len(scratch)

    generator = generate()
    next(generator)
    frame_locals = [value for value in gc.get_referents(generator) if value == ["scratch"]]

    assert picture().labels(generator, frame_locals[0]) == ["LOCAL:scratch"]


def test_locals_of_suspended_coroutines_and_async_generators_are_named() -> None:
    @types.coroutine
    def pause() -> Any:
        yield

    held = ["held"]

    async def work(argument: object) -> None:
        await pause()

    async def stream(argument: object) -> Any:
        yield argument

    coroutine = work(held)
    coroutine.send(None)
    asynchronous = stream(held)

    seen = picture()

    assert seen.labels(coroutine, held) == ["LOCAL:argument"]
    assert seen.labels(asynchronous, held) == ["LOCAL:argument"]
    coroutine.close()


def test_locals_of_an_executing_generator_are_seen() -> None:
    seen: list[Picture] = []
    held = ["held while executing"]

    def generate(argument: object) -> Iterator[int]:
        seen.append(picture())
        yield 1

    generator = generate(held)
    next(generator)

    assert seen[0].labels(generator, held) == ["LOCAL:argument"]


def test_weak_references_are_known_as_weak() -> None:
    target, calls = Plain(), []

    def callback(reference: object) -> None:
        calls.append(reference)

    reference = weakref.ref(target, callback)

    seen = picture()

    assert seen.labels(reference, target) == ["WEAK:0"]
    assert seen.labels(reference, callback) == ["WEAK_CALLBACK:0"]


def test_what_an_lru_cache_keeps_is_seen() -> None:
    @functools.cache
    def unbounded(key: int) -> list[int]:
        return [key]

    @functools.lru_cache(maxsize=4)
    def bounded(key: int) -> list[int]:
        return [key]

    in_unbounded, in_bounded = unbounded(1000), bounded(1000)

    seen = picture()

    caches = [target for label, target in seen.references(unbounded) if label == "ATTRIBUTE:cache"]
    columns = seen.snapshot.columns
    assert len(caches) == 1
    edges = range(columns["reference_start"][caches[0]], columns["reference_start"][caches[0] + 1])
    assert seen.number(in_unbounded) in [columns["reference_target"][edge] for edge in edges]
    assert seen.labels(bounded, in_bounded) == ["CACHE_ENTRY:0"]
    assert "ATTRIBUTE:__wrapped__" in seen.labels(bounded, bounded.__wrapped__)


def test_partials_methods_and_properties_are_labelled() -> None:
    def function(one: object) -> None: ...

    argument = ["argument"]
    partial = functools.partial(function, argument)
    prop = property(function)
    method = types.MethodType(function, argument)

    seen = picture()

    assert seen.labels(partial, function) == ["ATTRIBUTE:func"]
    assert seen.labels(prop, function) == ["ATTRIBUTE:fget"]
    assert seen.labels(method, argument) == ["ATTRIBUTE:__self__"]


def test_exceptions_lead_over_their_traceback_to_the_frame() -> None:
    def fail() -> None:
        pinned = ["pinned by the frame"]
        raise ValueError(len(pinned))

    try:
        fail()
    except ValueError as error:
        kept = error

    seen = picture()

    traceback = kept.__traceback__
    assert traceback is not None
    assert seen.labels(kept, traceback) == ["ATTRIBUTE:__traceback__"]
    inner = traceback.tb_next
    assert inner is not None
    assert seen.labels(traceback, inner) == ["ATTRIBUTE:tb_next"]
    assert seen.labels(inner, inner.tb_frame) == ["ATTRIBUTE:tb_frame"]
    assert "LOCAL:pinned" in [label for label, _ in seen.references(inner.tb_frame)]


def test_ordered_and_default_dicts_are_read_as_dicts() -> None:
    value, key = ["value"], "key " + "x" * 40
    ordered = collections.OrderedDict({key: value})
    default = collections.defaultdict(list, {key: value})

    seen = picture()

    assert seen.labels(ordered, value) == ["KEY_OF_TYPE:str"]
    assert seen.labels(default, value) == ["KEY_OF_TYPE:str"]
    assert seen.labels(default, list) == ["ATTRIBUTE:default_factory"]
    assert seen.native_references(key) == 0


def test_the_values_of_a_context_have_the_names_of_their_variables() -> None:
    variables = [contextvars.ContextVar[Plain](name) for name in ("request", "not an identifier")]
    values = [Plain() for _ in variables]

    def fill() -> contextvars.Context:
        for variable, value in zip(variables, values, strict=True):
            variable.set(value)
        return contextvars.copy_context()

    context = contextvars.Context().run(fill)
    seen = picture()
    labels = {
        seen.label(seen.snapshot.columns["reference_label"][edge]): target
        for edge, target in enumerate(seen.snapshot.columns["reference_target"])
        if target in (seen.number(values[0]), seen.number(values[1]))
    }

    assert labels["KEY:request"] == seen.number(values[0])
    assert labels["KEY_OF_TYPE:ContextVar"] == seen.number(values[1])
    assert [label for label, _ in seen.references(context)] == ["INTERNAL:variables"]


def test_a_function_registered_at_exit_is_named() -> None:
    import atexit

    class Handler:
        def __call__(self) -> None: ...

    handler = Handler()
    atexit.register(handler)
    try:
        assert "ROOT_INTERPRETER:atexit.register" in picture().root_names(handler)
    finally:
        atexit.unregister(handler)


def test_the_list_of_fork_hooks_is_named() -> None:
    import os

    def hook() -> None: ...

    os.register_at_fork(after_in_child=hook)

    seen = picture()
    roots = {root.object: root.name for root in seen.snapshot.roots() if "register_at_fork" in root.name}
    columns, target = seen.snapshot.columns, seen.number(hook)
    held_by = [
        number
        for number in roots
        for edge in range(columns["reference_start"][number], columns["reference_start"][number + 1])
        if columns["reference_target"][edge] == target
    ]
    assert [roots[number] for number in held_by] == ["os.register_at_fork(after_in_child=...)"]


def test_garbage_is_known_without_collecting_it() -> None:
    class Cyclic:
        me: object

    gc.collect()
    gc.disable()
    try:
        cyclic = Cyclic()
        cyclic.me = cyclic
        address = id(cyclic)
        del cyclic
        snapshot = heapdiff.take_snapshot()
    finally:
        gc.enable()

    number = snapshot.columns["object_address"].tolist().index(address)
    assert HeapGraph.of(snapshot).paths["state"][number] == 0


def test_a_reference_too_many_in_native_code_is_counted() -> None:
    import ctypes

    lost = Plain()
    for _ in range(20):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(lost))

    seen = picture()

    # a word that a dead frame left on an evaluation stack may be taken for one of them
    assert 15 <= seen.native_references(lost) <= 20
    assert "ROOT_NATIVE:" in seen.root_names(lost)
    for _ in range(20):
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(lost))
