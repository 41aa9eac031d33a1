"""The one door to the native core."""

from heapdiff.native._native import Columns

__all__ = ["Columns"]
