"""A snapshot in, the same out with all that only the test runner holds told apart as none of the program's."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

import attrs
import pytest

from heapdiff.native import Columns, select_types
from heapdiff.snapshot.labels import LabelKind, kind_of, make_label, payload_of
from heapdiff.snapshot.model import ObjectFlag, Snapshot
from heapdiff.snapshot.names import text_of

__all__ = ["runner_modules", "without_runner"]

_RUNNERS = (
    "_pytest",
    "pytest",
    "pluggy",
    "xdist",
    "execnet",
    "iniconfig",
    "hypothesis",
    "coverage",
    "_hypothesis_pytestplugin",
)
_NOT_OURS = bytes(flags | ObjectFlag.OWN if flags & ObjectFlag.LAST_ERROR else flags for flags in range(256))
_OWN_IF_CHOSEN = bytes([0, ObjectFlag.OWN, *[0] * 254])


def runner_modules(config: pytest.Config) -> tuple[str, ...]:
    """Modules of pytest and of its plugins that are installed; those of the project's own conftest.py are not."""
    plugins = (plugin for plugin, _ in config.pluginmanager.list_plugin_distinfo())
    names = {getattr(plugin, "__name__", None) or type(plugin).__module__ for plugin in plugins}
    return tuple(sorted({*_RUNNERS, *map(_package, names)}))


def without_runner(snapshot: Snapshot, modules: Sequence[str]) -> Snapshot:
    """The snapshot with the objects of classes of these modules, the modules, and what only they hold left out.

    As heapdiff leaves out its own: they are in no count, and hold nothing. So is the last error, which keeps the
    frames of a test that failed.
    """
    columns = snapshot.columns
    of_runner = _Prefixes(modules)
    module_names = columns["type_module"]
    rows = bytes(of_runner.fit(snapshot.text(module_names[row])) for row in range(snapshot.type_count))
    chosen = bytes(select_types(columns, rows)["group"]).translate(_OWN_IF_CHOSEN)
    flags = bytearray(_either(bytes(columns["object_flags"]).translate(_NOT_OURS), chosen))
    start, end = columns["reference_start"][0], columns["reference_start"][1]
    targets, labels = array("I", columns["reference_target"]), array("I", columns["reference_label"])
    roots = []
    for edge in range(start, end):
        kind, text = kind_of(labels[edge]), payload_of(labels[edge])
        name = text_of(columns, text) if kind in (LabelKind.ROOT_MODULE, LabelKind.ROOT_LOCAL) else ""
        label = labels[edge]
        if name and of_runner.fit(name):
            if kind is LabelKind.ROOT_MODULE:
                flags[targets[edge]] |= ObjectFlag.OWN
            label = make_label(LabelKind.ROOT_OWN)
        roots.append((label, targets[edge]))
    for edge, (label, target) in enumerate(sorted(roots), start=start):
        labels[edge], targets[edge] = label, target
    changed = {"object_flags": flags, "reference_target": targets, "reference_label": labels}
    return attrs.evolve(snapshot, columns=Columns({name: changed.get(name, columns[name]) for name in columns.names()}))


class _Prefixes:
    """Whether a dotted name is of one of some modules; most names are asked for many times."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = tuple(modules)
        self._below = tuple(f"{module}." for module in modules)

    def fit(self, name: str) -> bool:
        return name in self._modules or name.startswith(self._below)


def _package(module: str) -> str:
    """All of a package that is a plugin; of another package only the module that is one."""
    package = module.partition(".")[0]
    return package if "pytest" in package else module


def _either(flags: bytes, more: bytes) -> bytes:
    joined = int.from_bytes(flags, sys.byteorder) | int.from_bytes(more, sys.byteorder)
    return joined.to_bytes(len(flags), sys.byteorder)
