"""A TOML file of accepted growth in, its entries out; and a report in, such a file for review out."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from typing import Any

from heapdiff.errors import AcceptFileError
from heapdiff.explain.model import Explanation, KnownGrowth
from heapdiff.files import put_text

__all__ = ["add_accepted", "read_accepted", "read_reviewed", "write_accepted"]

_FIELDS = ("fingerprint", "type", "holder", "reason")
_FINGERPRINT = re.compile(r"[0-9a-f]{8}")
_HEADER = """\
# Growth that is known and accepted, read by heapdiff diff --accept. Each entry needs a reason that
# somebody stands for; take out what you do not accept.
"""


def read_accepted(path: str | os.PathLike[str]) -> tuple[KnownGrowth, ...]:
    """The growth that a reviewed file accepts: tables ``[[known]]`` with fingerprint, type, holder and reason.

    ``type`` and ``holder`` may be left out; where the type is given it must fit as well.

    Raises:
        AcceptFileError: The file cannot be opened, is no TOML, or an entry has no fingerprint or no reason.
    """
    return _read(os.fsdecode(path), drafts=False)


def read_reviewed(path: str | os.PathLike[str]) -> tuple[KnownGrowth, ...]:
    """The same without the entries that still wait for their reason.

    Raises:
        AcceptFileError: The file cannot be opened, is no TOML, or an entry has no fingerprint.
    """
    return tuple(entry for entry in _read(os.fsdecode(path), drafts=True) if entry.reason)


def write_accepted(explanation: Explanation, path: str | os.PathLike[str]) -> int:
    """Writes the growers into a file for review, and returns how many of them are new in it.

    Entries that the file has stay as they are. A new one has an empty reason, and is refused by
    ``read_accepted`` until somebody has filled it in. The file appears whole, or stays as it was.

    Raises:
        AcceptFileError: The file is there but is none of this kind, or cannot be written.
    """
    accepted = [accepted.known for accepted in explanation.accepted]
    growers = explanation.growers
    drafts = [KnownGrowth(g.fingerprint, "", g.type_name, g.holder.expression if g.holder else "") for g in growers]
    return add_accepted([*accepted, *drafts], path)


def add_accepted(entries: Iterable[KnownGrowth], path: str | os.PathLike[str]) -> int:
    """Adds entries that the file has not yet, and returns how many of them have no reason.

    Raises:
        AcceptFileError: The file is there but is none of this kind, or cannot be written.
    """
    name = os.fsdecode(path)
    there = _read(name, drafts=True) if os.path.exists(name) else ()
    known = {entry.fingerprint for entry in there}
    fresh: dict[str, KnownGrowth] = {}
    for entry in entries:
        if entry.fingerprint not in known:
            fresh.setdefault(entry.fingerprint, entry)
    _put(name, _HEADER + "".join(_table(entry) for entry in (*there, *fresh.values())))
    return sum(not entry.reason for entry in fresh.values())


def _read(name: str, *, drafts: bool) -> tuple[KnownGrowth, ...]:
    try:
        with open(name, "rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise AcceptFileError(f"{name}: cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AcceptFileError(f"{name}: is not TOML: {error}.") from error
    unknown = sorted(document.keys() - {"known"})
    if unknown:
        raise AcceptFileError(f"{name}: has {unknown[0]!r}, expected nothing but tables [[known]].")
    tables = document.get("known", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise AcceptFileError(f"{name}: 'known' is no array of tables; write [[known]] above each entry.")
    entries: list[KnownGrowth] = []
    for number, table in enumerate(tables, start=1):
        entry = _entry(f"{name}: entry {number}", table, drafts=drafts)
        if entry.fingerprint in {other.fingerprint for other in entries}:
            raise AcceptFileError(f"{name}: entry {number} ({entry.fingerprint}): is there twice; take one out.")
        entries.append(entry)
    return tuple(entries)


def _entry(where: str, table: dict[str, Any], *, drafts: bool) -> KnownGrowth:
    fingerprint = table.get("fingerprint")
    if not isinstance(fingerprint, str) or _FINGERPRINT.fullmatch(fingerprint) is None:
        raise AcceptFileError(f"{where}: fingerprint is {fingerprint!r}, expected the 8 hex digits of a report.")
    where = f"{where} ({fingerprint})"
    for field, value in table.items():
        if field not in _FIELDS:
            raise AcceptFileError(f"{where}: has a field {field!r}, expected {', '.join(_FIELDS)}.")
        if not isinstance(value, str):
            raise AcceptFileError(f"{where}: {field} is {value!r}, expected a string.")
    reason = table.get("reason", "").strip()
    if not reason and not drafts:
        raise AcceptFileError(f"{where}: has no reason; write why this growth is accepted, or take the entry out.")
    return KnownGrowth(fingerprint, reason, table.get("type", ""), table.get("holder", ""))


def _table(entry: KnownGrowth) -> str:
    values = (entry.fingerprint, entry.type_name, entry.holder, entry.reason)
    lines = [f"{field} = {_quoted(value)}" for field, value in zip(_FIELDS, values, strict=True)]
    return "\n".join(["", "[[known]]", *lines, ""])


def _quoted(text: str) -> str:
    """A basic string of TOML: whatever would end it, or is a control or formatting character, is escaped."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in ('"', "\\"):
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _put(name: str, text: str) -> None:
    try:
        put_text(name, text)
    except OSError as error:
        raise AcceptFileError(f"{name}: cannot be written: {error.strerror}. Name another file.") from error
