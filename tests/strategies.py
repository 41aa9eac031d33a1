"""Random small heaps for Hypothesis: cycles, garbage, weak references and heapdiff's own objects included."""

from hypothesis import strategies as st

from heapdiff.snapshot.model import ObjectFlag
from tests.tiny_heap import Label, TinyHeap

__all__ = ["heap_graphs"]

MOST_OBJECTS = 12
TYPES = ("builtins.dict", "builtins.list", "builtins.str", "app.Node", "app.Leaf")
LABELS: tuple[Label, ...] = (
    ("ATTRIBUTE", "next"),
    ("ATTRIBUTE", "value"),
    ("KEY", "name"),
    ("KEY_OF_TYPE", "str"),
    ("KEY_OBJECT", 0),
    ("ELEMENT", 0),
    ("ELEMENT", 7),
    ("MEMBER", 0),
    ("DICT", 0),
    ("TYPE", 0),
    ("LOCAL", "line"),
    ("WEAK", 0),
    ("WEAK_CALLBACK", 0),
)
ROOT_LABELS: tuple[Label, ...] = (
    ("ROOT_MODULE", "app"),
    ("ROOT_LOCAL", "main() line"),
    ("ROOT_MACHINERY", "sys"),
    ("ROOT_EVENT_LOOP", "asyncio, thread MainThread"),
    ("ROOT_OWN", 0),
)


@st.composite
def heap_graphs(draw: st.DrawFn, most_objects: int = MOST_OBJECTS) -> TinyHeap:
    """Heaps of at most *most_objects* objects, mostly live, of few types and labels so that they meet."""
    count = draw(st.integers(1, most_objects))
    names = [f"o{k}" for k in range(count)]
    pairs = st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=3 * count, unique=True)
    references: dict[str, list[str]] = {"root": draw(st.lists(st.sampled_from(names), max_size=3, unique=True))}
    labels: dict[tuple[str, str], Label | list[Label]] = {}
    for target in references["root"]:
        labels["root", target] = draw(st.sampled_from(ROOT_LABELS))
    for source, target in draw(pairs):
        references.setdefault(source, []).append(target)
        labels[source, target] = draw(st.sampled_from(LABELS))
    own = draw(st.lists(st.sampled_from(names), max_size=1))
    return TinyHeap(
        "\n".join([*names, *(f"{source} -> {' '.join(targets)}" for source, targets in references.items())]),
        size={name: draw(st.integers(0, 100)) for name in names},
        types={name: draw(st.sampled_from(TYPES)) for name in names},
        labels=labels,
        flags=dict.fromkeys(own, ObjectFlag.OWN),
    )
