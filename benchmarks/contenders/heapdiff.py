"""heapdiff itself."""

__all__ = ["JOBS"]
JOBS = {}
