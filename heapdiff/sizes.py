"""Bytes and counts as people read them."""

__all__ = ["NOT_MEASURED", "count_text", "delta_bytes_text", "delta_count_text", "percent_text", "size_text"]

NOT_MEASURED = "not measured"

_THREE_DIGITS = 9.995  # from here on two decimals would be a digit too many
_UNITS = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


def size_text(size_bytes: int | None) -> str:
    """The size with three or four digits and a unit of 1024s, such as ``12.4 MB``."""
    if size_bytes is None:
        return NOT_MEASURED
    for factor, unit in _UNITS:
        # 1023.96 kB would be printed as 1024.0 kB
        if abs(size_bytes) >= factor * 0.99995:
            value = size_bytes / factor
            return f"{value:.2f} {unit}" if abs(value) < _THREE_DIGITS else f"{value:.1f} {unit}"
    return f"{size_bytes} B"


def delta_bytes_text(size_bytes: int | None) -> str:
    """The same with a sign, such as ``+12.4 MB``."""
    if size_bytes is None:
        return NOT_MEASURED
    return ("+" if size_bytes >= 0 else "") + size_text(size_bytes)


def count_text(count: int | None) -> str:
    """The count with its thousands marked, such as ``48,000``."""
    return NOT_MEASURED if count is None else f"{count:,}"


def delta_count_text(count: int | None) -> str:
    """The same with a sign, such as ``+48,000``."""
    return NOT_MEASURED if count is None else f"{count:+,}"


def percent_text(part: float, whole: float) -> str:
    """The share with at most one decimal, such as ``93.1%``; ``-`` of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else "-"
