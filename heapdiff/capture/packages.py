"""The folders of installed packages in, the versions of those that are imported out."""

import os
import sys
from collections.abc import Mapping

__all__ = ["package_versions"]

_SITES = ("site-packages", "dist-packages")
_METADATA = (".dist-info", ".egg-info")


def package_versions() -> Mapping[str, str] | None:
    """Versions of imported packages by the name of the distribution, lower case with hyphens.

    The names of the folders say it, such as ``multidict-6.3.0.dist-info``: no file is opened and nothing is imported.
    ``importlib.metadata`` would take a hundred times as long and bring the mail parser along, into the heap that is
    looked at. A distribution whose name is not that of what it brings, such as Pillow, is passed over. None where no
    folder of packages is on ``sys.path``.
    """
    global _last  # noqa: PLW0603 - see below
    path, modules = vars(sys).get("path"), vars(sys).get("modules")
    if type(path) is not list or type(modules) is not dict:  # programs replace them
        return None
    folders = [folder for folder in list(path) if type(folder) is str and folder.endswith(_SITES)]
    if not folders:
        return None
    imported = {name.lower().replace("_", "-").replace(".", "-") for name in list(modules) if type(name) is str}
    found: dict[str, str] = {}
    for folder in folders:
        for entry in _entries(folder):
            if entry.endswith(_METADATA):
                name, _, rest = entry.removesuffix(_METADATA[0]).removesuffix(_METADATA[1]).partition("-")
                name = name.lower().replace("_", "-").replace(".", "-")
                if rest and (name in imported or name.removeprefix("python-") in imported):
                    found.setdefault(name, rest.partition("-")[0])
    if found != _last:
        _last = dict(sorted(found.items()))
    return _last


# One object for all snapshots: texts that each of them had of its own would be memory blocks that no object explains.
_last: Mapping[str, str] = {}


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (OSError, ValueError):  # a path may hold what no file system takes
        return []
