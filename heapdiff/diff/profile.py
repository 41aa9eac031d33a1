"""A heap as pprof sees one: samples with stacks in, subtracted, filtered and summed by frame out."""

import re
from collections.abc import Callable, Iterable, Sequence

import attrs

__all__ = [
    "Profile",
    "ProfileEdge",
    "ProfileNode",
    "ProfileSample",
    "build_profile",
    "filter_profile",
    "normalise_profile",
    "subtract_profiles",
    "sum_by_frame",
    "total_value",
]


@attrs.frozen
class ProfileSample:
    """What lies at the end of one stack.

    ``stack`` is innermost first, as in pprof: the first frame owns the values, the last is the root.
    ``type_name`` is a label (pprof's word): samples with different labels never merge.
    ``is_base`` marks what a subtraction against the base's own total brought in (``-diff_base``).
    """

    stack: tuple[str, ...]
    objects: int
    shallow_bytes: int
    type_name: str | None = None
    is_base: bool = False


@attrs.frozen
class Profile:
    """Samples with distinct stacks; negative values are what was there before and is gone now."""

    samples: tuple[ProfileSample, ...]


@attrs.frozen
class ProfileEdge:
    """What flows between two frames: *weight* of the stacks that pass from *source* to *target*."""

    source: str
    target: str
    weight: int


@attrs.frozen
class ProfileNode:
    """One frame's sums: flat is what it owns, cum what it and everything above it on a stack own."""

    name: str
    flat: int
    cum: int
    incoming: tuple[ProfileEdge, ...]
    outgoing: tuple[ProfileEdge, ...]


def build_profile(samples: Iterable[ProfileSample]) -> Profile:
    """The profile of these samples: equal stacks merged, zeros dropped, in order of first appearance.

    Two samples merge only when stack, label and origin are all equal, as ``profile.Merge`` of pprof does.
    """
    merged: dict[tuple[tuple[str, ...], str | None, bool], list[int]] = {}
    for sample in samples:
        values = merged.setdefault((sample.stack, sample.type_name, sample.is_base), [0, 0])
        values[0] += sample.objects
        values[1] += sample.shallow_bytes
    return Profile(
        tuple(
            ProfileSample(stack, objects, shallow_bytes, type_name, is_base)
            for (stack, type_name, is_base), (objects, shallow_bytes) in merged.items()
            if objects or shallow_bytes
        )
    )


def subtract_profiles(base: Profile, now: Profile, *, against_base: bool = False, normalise: bool = False) -> Profile:
    """*now* minus *base*, as pprof's ``-base``.

    Args:
        base: The earlier picture.
        now: The later picture.
        against_base: As ``-diff_base``: samples of the base stay apart, so that percentages are of
            the base's total; otherwise they are of the sum of absolute differences.
        normalise: As ``-normalize``: scale *now* first so that both totals are equal.

    Source: google/pprof, internal/driver/fetch.go and profile/merge.go.
    """
    if normalise:
        now = normalise_profile(now, like=base)
    negative = (
        attrs.evolve(sample, objects=-sample.objects, shallow_bytes=-sample.shallow_bytes, is_base=against_base)
        for sample in base.samples
    )
    return build_profile((*now.samples, *negative))


def normalise_profile(profile: Profile, *, like: Profile) -> Profile:
    """The profile scaled so that its total objects and total bytes are those of *like*."""

    def ratio(column: Callable[[ProfileSample], int]) -> float:
        whole = sum(map(column, profile.samples))
        return sum(map(column, like.samples)) / whole if whole else 0.0

    by_objects, by_bytes = ratio(lambda sample: sample.objects), ratio(lambda sample: sample.shallow_bytes)
    return build_profile(
        attrs.evolve(
            sample,
            objects=round(sample.objects * by_objects),
            shallow_bytes=round(sample.shallow_bytes * by_bytes),
        )
        for sample in profile.samples
    )


def filter_profile(
    profile: Profile,
    *,
    focus: re.Pattern[str] | None = None,
    ignore: re.Pattern[str] | None = None,
    tag_focus: re.Pattern[str] | None = None,
    tag_ignore: re.Pattern[str] | None = None,
) -> Profile:
    """The samples whose stack has a frame that *focus* matches and none that *ignore* matches.

    ``tag_focus`` and ``tag_ignore`` ask the label, that is the type of the object, in the same way.
    """

    def kept(sample: ProfileSample) -> bool:
        label = sample.type_name or ""
        return (
            (focus is None or any(map(focus.search, sample.stack)))
            and (ignore is None or not any(map(ignore.search, sample.stack)))
            and (tag_focus is None or bool(tag_focus.search(label)))
            and (tag_ignore is None or not tag_ignore.search(label))
        )

    return Profile(tuple(filter(kept, profile.samples)))


def total_value(profile: Profile, value: Callable[[ProfileSample], int]) -> int:
    """What percentages are of: the sum of absolute values, of the base alone where samples are marked as its."""
    base = sum(abs(value(sample)) for sample in profile.samples if sample.is_base)
    return base or sum(abs(value(sample)) for sample in profile.samples)


def sum_by_frame(
    profile: Profile, value: Callable[[ProfileSample], int], kept: frozenset[str] | None = None
) -> list[ProfileNode]:
    """Flat and cum of each frame and what flows between frames; *kept* leaves all other frames out.

    A frame that occurs twice on a stack counts once. Where the innermost frame is left out its
    value is nobody's flat, as in pprof. Source: google/pprof, internal/graph/graph.go, newGraph.
    """
    flat: dict[str, int] = {}
    cum: dict[str, int] = {}
    weights: dict[tuple[str, str], int] = {}
    for sample in profile.samples:
        weight = value(sample)
        if weight == 0:
            continue
        stack = sample.stack if kept is None else [frame for frame in sample.stack if frame in kept]
        for frame in set(stack):
            cum[frame] = cum.get(frame, 0) + weight
        for edge in {(stack[i + 1], stack[i]) for i in range(len(stack) - 1) if stack[i + 1] != stack[i]}:
            weights[edge] = weights.get(edge, 0) + weight
        if stack and stack[0] == sample.stack[0]:
            flat[stack[0]] = flat.get(stack[0], 0) + weight
    return _nodes(flat, cum, weights)


def _nodes(flat: dict[str, int], cum: dict[str, int], weights: dict[tuple[str, str], int]) -> list[ProfileNode]:
    incoming: dict[str, list[ProfileEdge]] = {}
    outgoing: dict[str, list[ProfileEdge]] = {}
    for (source, target), weight in weights.items():
        edge = ProfileEdge(source, target, weight)
        incoming.setdefault(target, []).append(edge)
        outgoing.setdefault(source, []).append(edge)
    return [
        ProfileNode(name, flat.get(name, 0), cum[name], _heaviest(incoming.get(name)), _heaviest(outgoing.get(name)))
        for name in cum
        if cum[name] or flat.get(name)
    ]


def _heaviest(edges: Sequence[ProfileEdge] | None) -> tuple[ProfileEdge, ...]:
    return tuple(sorted(edges or (), key=lambda edge: (-abs(edge.weight), edge.source, edge.target)))
