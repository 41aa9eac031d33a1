"""The command line and the ini file of a test run in, what they ask of heapdiff out."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest

from heapdiff.errors import AcceptFileError
from heapdiff.explain import KnownGrowth
from heapdiff.explain.conditions import Condition, read_condition
from heapdiff.report.accept_file import read_accepted, read_reviewed

__all__ = ["Settings", "settings_of"]


@attrs.frozen
class Settings:
    """What a test run asks for."""

    is_session_watched: bool = False
    report_folder: Path | None = None
    fail_on: tuple[Condition, ...] = ()  # empty: what is left behind is told and fails nothing
    accept_file: Path | None = None
    writes_accepted: bool = False  # growth that is not known is added to the file
    known: tuple[KnownGrowth, ...] = ()
    allow: tuple[str, ...] = ()


def settings_of(config: pytest.Config) -> Settings:
    """The settings of that run; an option goes before the ini file.

    Raises:
        pytest.UsageError: A condition or the file of known growth cannot be read, or there is no folder to write into.
    """
    try:
        fail_on = tuple(map(read_condition, config.getoption("heapdiff_fail_on") or config.getini("heapdiff_fail_on")))
    except ValueError as error:
        raise pytest.UsageError(f"--heapdiff-fail-on: {error}") from None
    writes = bool(config.getoption("heapdiff_accept"))
    accept_file = _path(config, "heapdiff_accept")
    try:
        known = _known(accept_file, writes=writes)
    except AcceptFileError as error:
        raise pytest.UsageError(f"--heapdiff-accept: {error}") from None
    return Settings(
        is_session_watched=bool(config.getoption("heapdiff") or config.getini("heapdiff")),
        report_folder=_report_folder(config),
        fail_on=fail_on,
        accept_file=accept_file,
        writes_accepted=writes,
        known=known,
        allow=tuple(config.getini("heapdiff_allow")),
    )


def _report_folder(config: pytest.Config) -> Path | None:
    """It is made now: a test that grew would otherwise fail by the folder, and nobody would learn what grew."""
    folder = _path(config, "heapdiff_report")
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--heapdiff-report: {folder}: {error.strerror}; name another folder") from None
    return folder


def _path(config: pytest.Config, name: str) -> Path | None:
    given = config.getoption(name)
    if given:
        return config.invocation_params.dir / str(given)
    written = config.getini(name)
    folder = config.rootpath if config.inipath is None else config.inipath.parent
    return folder / written if written else None


def _known(path: Path | None, *, writes: bool) -> tuple[KnownGrowth, ...]:
    """What the file accepts; entries that wait for a reason accept nothing yet where the run itself adds such."""
    if path is None or (writes and not os.path.exists(path)):
        return ()
    return read_reviewed(path) if writes else read_accepted(path)
