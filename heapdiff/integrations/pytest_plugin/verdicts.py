"""Leavings, reports of marked tests and what is known in; what is accused, accepted, gone, and fails the run out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from heapdiff.explain import KnownGrowth
from heapdiff.growth.judging import is_ignored
from heapdiff.integrations.pytest_plugin.leavings import Leaving
from heapdiff.integrations.pytest_plugin.settings import Settings
from heapdiff.integrations.pytest_plugin.summary import values_of
from heapdiff.report.accept_file import add_accepted

__all__ = ["Outcome", "accused", "judge_run"]


@attrs.frozen
class Outcome:
    """How a run stands with what is known."""

    left: tuple[Leaving, ...]
    accepted: tuple[KnownGrowth, ...] = ()
    gone: tuple[KnownGrowth, ...] = ()
    ran_all: bool = False
    file: Path | None = None
    drafts: int = 0  # entries that this run has added to the file


def accused(leavings: Sequence[Leaving], settings: Settings) -> tuple[Leaving, ...]:
    """Those that are neither allowed nor known."""
    return tuple(
        leaving
        for leaving in leavings
        if leaving.fingerprint not in settings.allow
        and not is_ignored((leaving.type_name, leaving.place, *leaving.names), settings.allow)
        and _known(leaving.fingerprint, leaving.type_name, settings) is None
    )


def judge_run(
    leavings: Sequence[Leaving], reports: Sequence[pytest.TestReport], settings: Settings, *, ran_all: bool
) -> Outcome:
    """The outcome of a run; what is not known is added to the file where that was asked for.

    Raises:
        AcceptFileError: The file cannot be written.
    """
    left = accused(leavings, settings)
    seen = {value for report in reports for value in values_of(report, "heapdiff_accepted")}
    seen |= {leaving.fingerprint for leaving in leavings}
    drafts = 0
    if settings.writes_accepted and settings.accept_file is not None:
        found = [KnownGrowth(leaving.fingerprint, "", leaving.type_name, leaving.place) for leaving in left]
        found += [entry for report in reports for entry in _grown(report)]
        drafts = add_accepted(found, settings.accept_file)
    return Outcome(
        left=left,
        accepted=tuple(entry for entry in settings.known if entry.fingerprint in seen),
        gone=tuple(entry for entry in settings.known if entry.fingerprint not in seen),
        ran_all=ran_all,
        file=settings.accept_file,
        drafts=drafts,
    )


def _known(fingerprint: str, type_name: str, settings: Settings) -> KnownGrowth | None:
    fitting = (entry for entry in settings.known if entry.fingerprint == fingerprint)
    return next((entry for entry in fitting if entry.type_name in ("", type_name)), None)


def _grown(report: pytest.TestReport) -> list[KnownGrowth]:
    columns = (values_of(report, f"heapdiff_{name}") for name in ("fingerprint", "type", "holder"))
    return [KnownGrowth(mark, "", type_name, holder) for mark, type_name, holder in zip(*columns, strict=True)]
