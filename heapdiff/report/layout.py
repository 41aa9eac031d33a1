"""Texts in, lines that fit a terminal out: wrapped, shortened, aligned under their name, and in colour."""

from __future__ import annotations

from heapdiff.sizes import count_text

__all__ = ["BOLD", "DIM", "GREEN", "RED", "WIDTH", "Pen", "field", "from_to", "shortened", "shortened_type", "wrapped"]

WIDTH = 100
RED, GREEN, BOLD, DIM = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[2m"
_RESET = "\x1b[0m"


class Pen:
    """Writes in colour, or not."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def paint(self, code: str, text: str) -> str:
        """The text in that colour; as it is where there are to be no colours."""
        return f"{code}{text}{_RESET}" if self._colour and text else text


def field(name: str, text: str) -> list[str]:
    """A named line of a suspect, wrapped under its text."""
    first, *rest = wrapped(text, WIDTH - 16) or [""]
    return [f"   {name:<12} {first}", *(f"{'':<16}{line}" for line in rest)]


def wrapped(text: str, width: int = WIDTH) -> list[str]:
    """Lines of at most that width; a word that is longer keeps a line of its own, cut where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
        while len(line) > width:
            lines.append(line[:width])
            line = line[width:]
    return [*lines, line] if line else lines


def shortened(text: str, room: int) -> str:
    """The text, its middle left out where it is too long."""
    if len(text) <= room:
        return text
    tail = room * 2 // 3
    return f"{text[: room - tail - 1]}…{text[-tail:]}"


def shortened_type(name: str, room: int) -> str:
    """The full name of a type, or without its module where that is too long."""
    return name if len(name) <= room else shortened(name.rpartition(".")[2], max(room, 3))


def from_to(before: int | None, after: int | None) -> str:
    """Two counts, as in ``213 → 3,213``."""
    return f"{count_text(before or 0)} → {count_text(after)}"
