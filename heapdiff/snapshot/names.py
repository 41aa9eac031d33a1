"""Columns with a table of texts and one of types in, their names as people read them out."""

from heapdiff.native import Columns

__all__ = ["full_name", "text_of", "type_name_of"]


def text_of(columns: Columns, number: int) -> str:
    """The text of that number.

    Raises:
        IndexError: There is no text of that number.
    """
    start = columns["text_start"]
    if not 0 <= number < len(start) - 1:
        raise IndexError(f"text {number} does not exist; there are texts 0 to {len(start) - 2}")
    return bytes(columns["text_bytes"][start[number] : start[number + 1]]).decode("utf-8", "backslashreplace")


def type_name_of(columns: Columns, row: int) -> str:
    """The full name of the type in that row."""
    return full_name(text_of(columns, columns["type_module"][row]), text_of(columns, columns["type_name"][row]))


def full_name(module: str, name: str) -> str:
    """Such as ``app.locks.Lock``; builtins without their module."""
    return name if module in ("builtins", "") else f"{module}.{name}"
