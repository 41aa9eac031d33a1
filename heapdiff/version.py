"""The version of heapdiff, where every room can read it without the cost of importlib.metadata."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
