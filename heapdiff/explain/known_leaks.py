"""An explanation in, the same out where a verdict fits a leak that a published package is known for and says so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from heapdiff.explain.model import Explanation, Grower, KnownLeak, Verdict, VerdictKind
from heapdiff.snapshot.labels import LabelKind

__all__ = ["KNOWN_LEAKS", "read_known_leaks", "with_known_leaks"]


def with_known_leaks(explanation: Explanation, leaks: Sequence[KnownLeak]) -> Explanation:
    """The same with the sentence of the first leak that fits each verdict; kinds and ranks stay as they are.

    A leak fits where its package has an affected version, and the chain or a holder has its path. A leak
    without a path, such as one in C, fits only where the version is known.

    Args:
        explanation: What grew and why.
        leaks: What is on record, the more particular of one package first.
    """
    packages = explanation.diff.now.snapshot.process.packages or {}
    versions = {name: version for name, version in packages.items() if _version(version) is not None}
    possible = [leak for leak in leaks if _may_be_affected(leak, versions)]
    if not possible:
        return explanation
    growers = []
    for grower in explanation.growers:
        mates = [mate for mate in explanation.growers if mate.group == grower.group]
        verdict = grower.verdict
        if verdict is not None and verdict.kind is not VerdictKind.BENIGN:
            found = next((leak for leak in possible if _fits(leak, grower, mates, verdict)), None)
            verdict = _told(verdict, found, versions)
        growers.append(attrs.evolve(grower, verdict=verdict))
    blocks = explanation.blocks_verdict
    if blocks is not None:
        found = next((leak for leak in possible if not leak.path and blocks.rule in leak.rules), None)
        blocks = _told(blocks, found, versions)
    return attrs.evolve(explanation, growers=tuple(growers), blocks_verdict=blocks)


def read_known_leaks() -> tuple[KnownLeak, ...]:
    """What is in the data file ``known_leaks.toml`` beside this module."""
    content = tomllib.loads(Path(__file__).with_name("known_leaks.toml").read_text(encoding="utf-8"))
    return tuple(
        KnownLeak(**entry | {name: tuple(entry.get(name, ())) for name in ("path", "rules")})
        for entry in content["leak"]
    )


def _may_be_affected(leak: KnownLeak, versions: Mapping[str, str]) -> bool:
    version = versions.get(leak.package)
    if version is None:
        return bool(leak.path)
    return all(_satisfies(version, clause) for clause in leak.affected.split(",") if clause)


def _fits(leak: KnownLeak, grower: Grower, mates: Sequence[Grower], verdict: Verdict) -> bool:
    if leak.rules and verdict.rule not in leak.rules:
        return False
    if leak.module and not any(_is_in(name, leak.module) for mate in mates for name in _names(mate)):
        return False
    if not leak.path:
        return bool(leak.rules)
    chain = "\n".join(f"{hop.label} {hop.type_name}" for hop in grower.chain)
    way = re.compile(".*".join(rf"{re.escape(word)}(?!\w)" for word in leak.path), re.DOTALL)
    return any(way.search(text) for text in (chain, *(holder.expression for holder in grower.holders)))


def _names(grower: Grower) -> list[str]:
    """Types and modules on the way to the new objects, and what the holders are called."""
    modules = [hop.label.removeprefix("module ") for hop in grower.chain if hop.kind is LabelKind.ROOT_MODULE]
    holders = [name for holder in grower.holders for name in (holder.expression, holder.type_name)]
    return [grower.type_name, *modules, *(hop.type_name for hop in grower.chain), *holders]


def _is_in(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def _told(verdict: Verdict, leak: KnownLeak | None, versions: Mapping[str, str]) -> Verdict:
    if leak is None:
        return verdict
    version = versions.get(leak.package)
    if version is None:
        known = f"{leak.package} {leak.text} ({leak.reference}); its version is not in the snapshot. "
        known += f"If it is older than {leak.fixed}, upgrade." if leak.fixed else leak.mend
    else:
        perhaps = "" if leak.path else "perhaps "
        known = f"{perhaps}{leak.package} {version} {leak.text} ({leak.reference}). "
        known += f"Fixed in {leak.fixed}: upgrade." if leak.fixed else f"No version is known to mend it. {leak.mend}"
    return attrs.evolve(verdict, known=known.strip())


def _satisfies(version: str, clause: str) -> bool:
    if clause.startswith(">="):
        return _order(version) >= _order(clause[2:])
    return _order(version) < _order(clause.removeprefix("<"))


def _order(version: str) -> tuple[tuple[int, ...], int, int]:
    """A version as numbers that sort as versions do: the release, then pre-releases before it and posts after."""
    found = _version(version)
    assert found is not None
    release = [int(part) for part in found[1].split(".")]
    while release and release[-1] == 0:
        release.pop()
    return tuple(release), _PHASES.get(found[2], 0), int(found[3] or 0)


def _version(text: str) -> re.Match[str] | None:
    """The parts of a version; None where it is none, or has numbers longer than any that somebody has published."""
    return _VERSION.match(text.strip().lower())


_VERSION = re.compile(
    r"v?((?:\d{1,20}\.)*\d{1,20})(?!\d)[-_.]?(dev|a|alpha|b|beta|rc|c|post)?[-_.]?(\d{0,20})(?!\d)", re.ASCII
)
_PHASES = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1, "c": -1, "post": 1}

KNOWN_LEAKS: tuple[KnownLeak, ...] = read_known_leaks()
