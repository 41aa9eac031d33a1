"""A heap in; out comes its profile: stacks of dominators, of names on the way from the root, or of allocating lines."""

from collections.abc import Callable

from heapdiff.diff.profile import Profile, ProfileSample, build_profile
from heapdiff.errors import NothingFoundError
from heapdiff.graph import HeapGraph, label_text, path_expression, read_label
from heapdiff.native import Columns
from heapdiff.snapshot.labels import LabelKind

__all__ = ["UNTRACED", "profile_of_dominators", "profile_of_paths", "profile_of_sites"]

#: The frame of objects whose allocation tracemalloc has not seen.
UNTRACED = "(not traced)"

_RUNNER = "heapdiff/integrations/cli/program.py"
_SELF_EVIDENT = (LabelKind.ROOT_MODULE, LabelKind.ROOT_MACHINERY)


def profile_of_dominators(graph: HeapGraph) -> Profile:
    """Stacks of types, each kept alive by the next alone: flat is what it occupies, cum what it retains.

    Of a type that keeps others of its own type only the outermost counts, so that cum of a type is
    a lower bound of what would be freed with all its objects.
    """
    columns = graph.dominator_profile
    snapshot = graph.snapshot
    names = [snapshot.type_name(row) for row in range(snapshot.type_count)]
    types = columns["node_type"].tolist()
    return _profile_of_tree(columns, lambda node: names[types[node]])


def profile_of_paths(graph: HeapGraph) -> Profile:
    """Stacks of names, from the object outwards to its GC root, without positions and data keys.

    Each object counts once, on the shortest chain that leads to it: flat is what it occupies, cum
    what is reached through the name first. A frame reads ``.registry (app.locks.LockRegistry)``.
    """
    columns = graph.label_tree
    labels, types = columns["node_label"].tolist(), columns["node_type"].tolist()
    names = [graph.snapshot.type_name(row) for row in range(graph.snapshot.type_count)]
    frames: dict[tuple[int, int], str] = {}

    def frame(node: int) -> str:
        key = labels[node], types[node]
        if key not in frames:
            kind, text = read_label(graph.snapshot, labels[node])
            name = label_text(kind, text) if kind.is_root else path_expression([(kind, text)])
            frames[key] = name if kind in _SELF_EVIDENT else f"{name} ({names[types[node]]})"
        return frames[key]

    return _profile_of_tree(columns, frame)


def profile_of_sites(graph: HeapGraph) -> Profile:
    """Stacks of the lines that allocated, as tracemalloc saw them; the type is the samples' label.

    Raises:
        NothingFoundError: Nothing was traced when the snapshot was taken.
    """
    snapshot = graph.snapshot
    if not snapshot.has_sites:
        raise NothingFoundError(
            "the snapshot knows no allocation sites: tracemalloc was not tracing. "
            "Capture again with heapdiff run --trace, or call heapdiff.start_tracing() early in the program."
        )
    columns = graph.site_totals
    start, files, lines = (snapshot.columns[name] for name in ("site_start", "site_file", "site_line"))

    def stack(site: int) -> tuple[str, ...]:
        rows = range(start[site], start[site + 1])
        frames = [(snapshot.text(files[row]), lines[row]) for row in rows]
        # What `heapdiff run` puts below every program is no part of it.
        below = next((place for place, (file, _) in enumerate(frames) if file.endswith(_RUNNER)), len(frames))
        return tuple(f"{file}:{line}" for file, line in frames[:below] or frames) or (UNTRACED,)

    stacks: dict[int, tuple[str, ...]] = {}
    samples = []
    for site, type_row, objects, shallow_bytes in zip(
        *(columns[name].tolist() for name in ("site", "type", "objects", "bytes")), strict=True
    ):
        if site not in stacks:
            stacks[site] = stack(site)
        samples.append(ProfileSample(stacks[site], objects, shallow_bytes, snapshot.type_name(type_row)))
    return build_profile(samples)


def _profile_of_tree(columns: Columns, frame: Callable[[int], str]) -> Profile:
    """One sample a node of the tree; node 0, the virtual root, is no frame. Parents come before children."""
    parents, objects, sizes = (columns[name].tolist() for name in ("node_parent", "node_objects", "node_bytes"))
    stacks: list[tuple[str, ...]] = [()]
    samples = []
    for node in range(1, len(parents)):
        stack = (frame(node), *stacks[parents[node]])
        stacks.append(stack)
        samples.append(ProfileSample(stack, objects[node], sizes[node]))
    return build_profile(samples)
