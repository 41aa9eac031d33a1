"""Chains of named references, as somebody reads them."""

from itertools import pairwise

import pytest
from hypothesis import given

from heapdiff.errors import UnreachableObjectError
from heapdiff.graph import Chain, shortest_chain
from heapdiff.snapshot.labels import LabelKind
from heapdiff.snapshot.model import ObjectFlag
from tests.graph import oracle
from tests.strategies import heap_graphs
from tests.tiny_heap import Label, TinyHeap


def locks() -> TinyHeap:
    """The heap of a lock registry that only grows."""
    return TinyHeap(
        """
        root      -> module
        module    -> namespace
        namespace -> registry
        registry  -> _locks
        _locks    -> lock
        """,
        size={"lock": 258},
        types={
            "module": "builtins.module",
            "namespace": "builtins.dict",
            "registry": "app.locks.LockRegistry",
            "_locks": "builtins.dict",
            "lock": "app.locks.Lock",
        },
        labels={
            ("root", "module"): ("ROOT_MODULE", "app.locks"),
            ("module", "namespace"): ("DICT", 0),
            ("namespace", "registry"): ("KEY", "registry"),
            ("_locks", "lock"): ("KEY_OF_TYPE", "str"),
        },
    )


def labels(chain: Chain) -> list[str]:
    """Each hop as it is shown."""
    return [hop.label_text for hop in chain.hops]


def test_a_chain_names_every_reference_from_the_root() -> None:
    """Without the namespace of the module, which nobody would name."""
    heap = locks()
    assert labels(shortest_chain(heap.graph, heap["lock"])) == ["module app.locks", ".registry", "._locks", "['…']"]


def test_a_chain_is_written_as_code() -> None:
    """Keys that are data are any key."""
    heap = locks()
    assert shortest_chain(heap.graph, heap["lock"]).expression == "app.locks.registry._locks[*]"


def test_a_hop_knows_its_object() -> None:
    """Number, type and both sizes."""
    heap = locks()
    hop = shortest_chain(heap.graph, heap["lock"]).hops[-1]
    assert (hop.object, hop.type_name, hop.shallow_bytes, hop.retained_bytes) == (
        heap["lock"],
        "app.locks.Lock",
        258,
        258,
    )


def test_a_hop_through_a_namespace_is_an_attribute() -> None:
    """Whether or not CPython has made the dict."""
    heap = locks()
    assert shortest_chain(heap.graph, heap["registry"]).hops[-1].kind is LabelKind.ATTRIBUTE


def test_a_namespace_at_the_end_of_a_chain_is_named() -> None:
    """It is the object that was asked for."""
    heap = locks()
    assert labels(shortest_chain(heap.graph, heap["namespace"])) == ["module app.locks", ".__dict__"]


def test_a_key_of_a_plain_dict_stays_a_key() -> None:
    """Only a namespace is left out."""
    heap = TinyHeap("root -> d\nd -> x", types={"d": "builtins.dict"}, labels={("d", "x"): ("KEY", "name")})
    assert labels(shortest_chain(heap.graph, heap["x"])) == ["module d", "['name']"]


@pytest.mark.parametrize(
    ("label", "shown", "as_code"),
    [
        (("ATTRIBUTE", "name"), ".name", "app.name"),
        (("KEY", "name"), "['name']", "app['name']"),
        (("KEY_OF_TYPE", "str"), "['…']", "app[*]"),
        (("KEY_OF_TYPE", "int"), "[<int>]", "app[*]"),
        (("KEY_OBJECT", 0), "a key", "app.keys()[*]"),
        (("ELEMENT", 7), "[7]", "app[*]"),
        (("MEMBER", 0), "{…}", "app[*]"),
        (("DICT", 0), ".__dict__", "app.__dict__"),
        (("CELL", "total"), "closure total", "app.<closure total>"),
        (("LOCAL", "line"), "local line", "app.<local line>"),
        (("STACK", 3), "evaluation stack", "app.<stack>"),
        (("TYPE", 0), ".__class__", "app.__class__"),
        (("INTERNAL", "__globals__"), ".__globals__", "app.__globals__"),
        (("INTERNAL", "attribute names"), "attribute names", "app.<attribute names>"),
        (("WEAK_CALLBACK", 0), "weakref callback", "app.<weakref callback>"),
        (("CACHE_ENTRY", 0), "cached result", "app.<cache>[*]"),
        (("FIELD", 2), "C field 2", "app.<C field>"),
    ],
)
def test_a_reference_is_shown_as_a_person_would_write_it(label: Label, shown: str, as_code: str) -> None:
    """In a chain, and as code."""
    heap = TinyHeap("root -> app\napp -> x", labels={("app", "x"): label})
    chain = shortest_chain(heap.graph, heap["x"])
    assert (chain.hops[-1].label_text, chain.expression) == (shown, as_code)


@pytest.mark.parametrize(
    ("label", "shown", "as_code"),
    [
        (("ROOT_MODULE", "app.web"), "module app.web", "app.web"),
        (("ROOT_MACHINERY", "sys"), "module sys", "sys"),
        (
            ("ROOT_LOCAL", "app.web.handle() buffer, thread T-1"),
            "local app.web.handle() buffer, thread T-1",
            "<app.web.handle() buffer>",
        ),
        (
            ("ROOT_THREAD", "context, thread MainThread"),
            "thread state: context, thread MainThread",
            "<thread: context>",
        ),
        (("ROOT_INTERPRETER", "atexit.register"), "interpreter: atexit.register", "<interpreter: atexit.register>"),
        (("ROOT_STATIC_TYPE", "dict"), "static type dict", "dict"),
        (("ROOT_IMMORTAL", 0), "immortal object", "<immortal>"),
        (("ROOT_NATIVE", "data of libfoo.so"), "native code: data of libfoo.so", "<native code>"),
        (("ROOT_NATIVE", ""), "native code", "<native code>"),
    ],
)
def test_a_root_is_named_by_what_holds_it(label: Label, shown: str, as_code: str) -> None:
    """In a chain, and as code."""
    heap = TinyHeap("root -> x", labels={("root", "x"): label})
    chain = shortest_chain(heap.graph, heap["x"])
    assert (chain.hops[0].label_text, chain.expression) == (shown, as_code)


def test_a_linked_list_in_a_chain_is_one_hop() -> None:
    """With the count of its references."""
    nodes = [f"n{k}" for k in range(1000)]
    drawing = "\n".join(f"{source} -> {target}" for source, target in pairwise(["root", *nodes]))
    heap = TinyHeap(
        drawing,
        types=dict.fromkeys(nodes, "app.Node"),
        labels=dict.fromkeys(pairwise(nodes), ("ATTRIBUTE", "next")),
    )
    chain = shortest_chain(heap.graph, heap["n999"])
    assert [(hop.label_text, hop.repeats) for hop in chain.hops] == [("module n0", 1), (".next", 999)]


def test_a_few_nested_lists_stay_hops_of_their_own() -> None:
    """Three positions tell more than one hop with a count."""
    heap = TinyHeap(
        "root -> a\na -> b\nb -> c\nc -> d",
        types=dict.fromkeys("abcd", "builtins.list"),
        labels={("a", "b"): ("ELEMENT", 5), ("b", "c"): ("ELEMENT", 6), ("c", "d"): ("ELEMENT", 7)},
    )
    assert labels(shortest_chain(heap.graph, heap["d"])) == ["module a", "[5]", "[6]", "[7]"]


def test_a_chain_prints_itself() -> None:
    """A line for each hop."""
    heap = locks()
    assert str(shortest_chain(heap.graph, heap["lock"])).splitlines()[-1] == "['…'] → app.locks.Lock"


def test_no_chain_leads_to_garbage() -> None:
    """The error says that it is garbage."""
    heap = TinyHeap("root -> a\nlost")
    with pytest.raises(UnreachableObjectError, match="is garbage"):
        shortest_chain(heap.graph, heap["lost"])


def test_no_chain_leads_to_an_object_of_heapdiff() -> None:
    """The error says whose it is."""
    heap = TinyHeap(
        "root -> a own\nown -> hidden",
        flags={"own": ObjectFlag.OWN},
    )
    with pytest.raises(UnreachableObjectError, match="heapdiff's own"):
        shortest_chain(heap.graph, heap["hidden"])


def test_no_chain_leads_to_the_virtual_root() -> None:
    """Chains begin there."""
    with pytest.raises(ValueError, match="where chains begin"):
        shortest_chain(TinyHeap("root -> a").graph, 0)


@given(heap_graphs())
def test_every_live_object_has_a_chain_that_ends_with_it(heap: TinyHeap) -> None:
    """Runs of equal references included."""
    for obj in oracle.reachable(heap.snapshot):
        assert shortest_chain(heap.graph, obj).hops[-1].object == obj
