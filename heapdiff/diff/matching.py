"""What before is which what after: types by name, label paths by text, processes by their birth."""

from typing import Protocol

from heapdiff.diff.model import PathGrowth, PathTree
from heapdiff.native import Columns, children_of
from heapdiff.snapshot.labels import LabelKind, kind_of, payload_of
from heapdiff.snapshot.model import Process, Snapshot

__all__ = ["LabelledHeap", "PathMatcher", "is_same_process", "node_at", "type_rows"]

NO_NODE = 0xFFFFFFFF

_UNCHANGED = (0, 0)

Key = tuple[int, LabelKind, str, str]  # parent path, label kind, label text, type name


def is_same_process(base: Process, now: Process) -> bool:
    """Whether both snapshots are known to be of one process: same pid, host and start time."""
    before, after = ((p.pid, p.host, p.start_time) for p in (base, now))
    return None not in before and before == after


def type_rows(snapshot: Snapshot) -> dict[tuple[str, str], tuple[int, ...]]:
    """The rows of the type table by (module, name); classes of one name share an entry."""
    rows: dict[tuple[str, str], tuple[int, ...]] = {}
    modules, names = snapshot.columns["type_module"].tolist(), snapshot.columns["type_name"].tolist()
    for row in range(1, len(names)):
        key = (snapshot.text(modules[row]), snapshot.text(names[row]))
        rows[key] = (*rows.get(key, ()), row)
    return rows


class LabelledHeap(Protocol):
    """A snapshot with its label tree, whole or without some of its objects."""

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot."""

    @property
    def label_tree(self) -> Columns:
        """What the native pass of that name returned for it."""


class PathMatcher:
    """Joins the changed nodes of several label trees into one tree of label paths."""

    def __init__(self, base: LabelledHeap) -> None:
        self._count = 1
        self._numbers: dict[Key, int] = {}
        self._keys: list[Key] = [(0, LabelKind.ROOT_MODULE, "", "")]
        self._objects_base, self._bytes_base = [1], [0]
        self._changes: dict[int, dict[int, tuple[int, int]]] = {}  # by path and snapshot: more than in the base
        self._nodes: list[list[int | None]] = [[0, 0]]  # in the first and the last label tree
        self._base = _TreeReader(base)
        self._base_counted: set[int] = set()

    def add(self, graph: LabelledHeap, growth: Columns, *, is_last: bool = False) -> None:
        """Take in what changed from the base to the next snapshot."""
        reader = _TreeReader(graph)
        place = self._count
        self._count += 1
        names = ("base_node", "now_node", "objects_base", "objects_now", "bytes_base", "bytes_now")
        rows = zip(*(growth[name].tolist() for name in names), strict=True)
        for base_node, now_node, objects_base, objects_now, bytes_base, bytes_now in rows:
            if now_node != NO_NODE:
                number = self._number(reader, now_node, last=is_last, base=False)
            else:
                number = self._number(self._base, base_node, last=False, base=True)
            if number not in self._changes:
                self._changes[number] = {}
                self._objects_base[number] = self._bytes_base[number] = 0
            if base_node != NO_NODE and base_node not in self._base_counted:
                self._base_counted.add(base_node)
                self._base.numbers[base_node] = number
                self._nodes[number][0] = base_node
                self._objects_base[number] += objects_base
                self._bytes_base[number] += bytes_base
            # Classes of one name are nodes of their own but one path, so a path may have several rows.
            objects, size = self._changes[number].get(place, _UNCHANGED)
            self._changes[number][place] = objects + objects_now - objects_base, size + bytes_now - bytes_base

    def tree(self) -> PathTree:
        """Everything taken in so far."""
        paths = []
        for number, key in enumerate(self._keys):
            found = self._changes.get(number, {})
            changes = [found.get(place, _UNCHANGED) for place in range(self._count)]
            objects = tuple(self._objects_base[number] + more for more, _ in changes)
            size = tuple(self._bytes_base[number] + more for _, more in changes)
            paths.append(PathGrowth(number, *key, objects, size, *self._nodes[number]))
        return PathTree(tuple(paths))

    def _number(self, reader: "_TreeReader", node: int, *, last: bool, base: bool) -> int:
        climb = []
        while node not in reader.numbers:
            climb.append(node)
            node = reader.parents[node]
        number = reader.numbers[node]
        for step in reversed(climb):
            key = (number, *reader.label(step), reader.type_name(step))
            known = self._numbers.get(key)
            if known is None:
                known = self._numbers[key] = len(self._keys)
                self._keys.append(key)
                # Right for a path that no row names: it is the same in every snapshot.
                self._objects_base.append(reader.objects[step])
                self._bytes_base.append(reader.bytes[step])
                self._nodes.append([None, None])
            number = reader.numbers[step] = known
            if base:
                self._nodes[number][0] = step
            if last:
                self._nodes[number][1] = step
        return number


class _TreeReader:
    """One label tree, its nodes named as they are needed."""

    def __init__(self, graph: LabelledHeap) -> None:
        tree = graph.label_tree
        self._snapshot = graph.snapshot
        self.parents = tree["node_parent"]
        self.objects, self.bytes = tree["node_objects"], tree["node_bytes"]
        self._labels, self._types = tree["node_label"], tree["node_type"]
        self.numbers: dict[int, int] = {0: 0}
        self._type_names: dict[int, str] = {}
        self._texts: dict[int, tuple[LabelKind, str]] = {}

    def label(self, node: int) -> tuple[LabelKind, str]:
        label = self._labels[node]
        known = self._texts.get(label)
        if known is None:
            kind = kind_of(label)
            text = self._snapshot.text(payload_of(label)) if kind.has_text else ""
            if kind in (LabelKind.ROOT_LOCAL, LabelKind.ROOT_THREAD, LabelKind.ROOT_EVENT_LOOP):
                text = text.rpartition(", thread ")[0] or text  # the same place in every thread
            known = kind, text
            self._texts[label] = known
        return known

    def type_name(self, node: int) -> str:
        row = self._types[node]
        known = self._type_names.get(row)
        if known is None:
            known = self._type_names[row] = self._snapshot.type_name(row)
        return known


def node_at(heap: LabelledHeap, tree: PathTree, number: int) -> int | None:
    """The node of the heap's label tree that stands for a path of *tree*; None where it has none."""
    reader = _TreeReader(heap)
    node = 0
    for step in tree.ancestry(number):
        path = tree[step]
        wanted = (path.kind, path.text)
        children = children_of(heap.label_tree, node)["nodes"]
        matching = (c for c in children if reader.label(c) == wanted and reader.type_name(c) == path.type_name)
        found = next(matching, None)
        if found is None:
            return None
        node = found
    return node
