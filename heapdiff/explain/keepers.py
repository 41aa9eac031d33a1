"""A heap and the name of a type in; out comes by which paths its objects are held, and what they retain."""

import difflib
from collections.abc import Sequence

import attrs

from heapdiff.errors import NothingFoundError
from heapdiff.graph import HeapGraph, Hop, LabelTree, shortest_chain
from heapdiff.native import objects_at, retained_by_groups, select_types

__all__ = ["KeeperPath", "TypeKeepers", "find_keepers"]

_MEASURED_PATHS = 62  # of the 63 sets whose retained size one native pass finds
_NAMED_CANDIDATES = 8
_SUGGESTIONS = 3


@attrs.frozen
class KeeperPath:
    """The objects that one label path leads to: a chain without positions and data keys."""

    expression: str  # as in code, such as "app.locks.registry._locks[*]"
    objects: int
    shallow_bytes: int
    retained_bytes: int | None  # what would be freed if all of them went at once; None: not measured


@attrs.frozen
class TypeKeepers:
    """What holds the live objects of a type."""

    type_name: str
    objects: int
    shallow_bytes: int
    retained_bytes: int  # of all of them at once; not the sum over paths
    garbage_objects: int  # of the type, held by nothing
    paths: tuple[KeeperPath, ...]  # by what they retain, the most first
    chain: tuple[Hop, ...]  # the shortest from a root to an object of the first path; empty where none is live


def find_keepers(graph: HeapGraph, name: str) -> TypeKeepers:
    """What holds the objects of the type of that name.

    Args:
        graph: The heap.
        name: The full name, or the last part of it where only one type is called so. Case counts.

    Raises:
        NothingFoundError: No type is called so, or several are.
    """
    full_name, rows = _rows_of(graph, name)
    labels = LabelTree.of(graph)
    tree, columns = graph.label_tree, graph.snapshot.columns
    counts, sizes = tree["node_objects"], tree["node_bytes"]
    nodes = [node for node, row in enumerate(tree["node_type"].tolist()) if row in rows and counts[node]]
    nodes.sort(key=lambda node: (-sizes[node], node))
    measured = _retained_by_nodes(graph, nodes[:_MEASURED_PATHS])
    retained = dict(zip(nodes, measured, strict=False))
    paths = [KeeperPath(labels.expression(node), counts[node], sizes[node], retained.get(node)) for node in nodes]
    nodes.sort(key=lambda node: (-retained.get(node, 0), -sizes[node], node))
    paths.sort(key=lambda path: (-(path.retained_bytes or 0), -path.shallow_bytes, path.expression))
    of_type = bytearray(graph.snapshot.type_count)
    for row in rows:
        of_type[row] = 1
    members = select_types(columns, of_type)["group"]
    live = sum(counts[node] for node in nodes)
    return TypeKeepers(
        type_name=full_name,
        objects=live,
        shallow_bytes=sum(sizes[node] for node in nodes),
        retained_bytes=retained_by_groups(columns, members)["bytes"][1] if nodes else 0,
        garbage_objects=_garbage(graph, bytes(members)),
        paths=tuple(paths),
        chain=tuple(shortest_chain(graph, _nearest(graph, nodes[0])).hops) if nodes else (),
    )


def _rows_of(graph: HeapGraph, name: str) -> tuple[str, frozenset[int]]:
    """The full name and the rows of the type table; two classes of one name have two."""
    snapshot = graph.snapshot
    rows_by_name: dict[str, list[int]] = {}
    for row in range(1, snapshot.type_count):
        rows_by_name.setdefault(snapshot.type_name(row), []).append(row)
    if name in rows_by_name:
        return name, frozenset(rows_by_name[name])
    called = sorted(full for full in rows_by_name if full.endswith("." + name))
    if len(called) == 1:
        return called[0], frozenset(rows_by_name[called[0]])
    if called:
        shown = ", ".join(called[:_NAMED_CANDIDATES]) + (", …" if len(called) > _NAMED_CANDIDATES else "")
        raise NothingFoundError(f"{len(called)} types are called {name!r}: {shown}. Give the full name of one.")
    raise NothingFoundError(f"no type is called {name!r}. {_suggestion(name, list(rows_by_name))}")


def _suggestion(name: str, names: Sequence[str]) -> str:
    """What may have been meant: by the short names, without regard to case."""
    wanted = name.rpartition(".")[2].lower()
    by_short: dict[str, list[str]] = {}
    for full in names:
        by_short.setdefault(full.rpartition(".")[2].lower(), []).append(full)
    close = difflib.get_close_matches(wanted, list(by_short), n=_SUGGESTIONS, cutoff=0.6)
    found = [full for short in close for full in sorted(by_short[short])][:_SUGGESTIONS]
    if not found:
        return "heapdiff top lists the types that there are."
    return f"Is it {' or '.join(found)}? Upper and lower case count."


def _retained_by_nodes(graph: HeapGraph, nodes: Sequence[int]) -> list[int]:
    if not nodes:
        return []
    group = bytearray(graph.snapshot.object_count + 1)
    node_count = len(graph.label_tree["node_type"])
    for number, node in enumerate(nodes, start=1):
        wanted = bytearray(node_count)
        wanted[node] = 1
        for obj in objects_at(graph.label_tree, wanted)["objects"].tolist():
            group[obj] = number
    return retained_by_groups(graph.snapshot.columns, group)["bytes"].tolist()[1 : len(nodes) + 1]


def _nearest(graph: HeapGraph, node: int) -> int:
    """An object of the node; the first by number, so that equal heaps show equal chains."""
    wanted = bytearray(len(graph.label_tree["node_type"]))
    wanted[node] = 1
    found: int = objects_at(graph.label_tree, wanted)["objects"][0]
    return found


def _garbage(graph: HeapGraph, members: bytes) -> int:
    state = bytes(graph.paths["state"])
    return sum(1 for chosen, value in zip(members, state, strict=True) if chosen and not value)
