"""The one door to the native core."""

from heapdiff.native._native import Columns, capture, census

__all__ = ["Columns", "capture", "census"]
