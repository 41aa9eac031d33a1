"""Names from a snapshot in, text that a terminal or a page shows as it is out."""

import unicodedata

__all__ = ["clean"]

# Control, format (bidirectional overrides), surrogate, private and unassigned characters, separators of lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str) -> str:
    """The text with every character that would not show, or change how others show, as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(character) if unicodedata.category(character) in _HIDDEN else character for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
