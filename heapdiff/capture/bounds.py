"""How much memory a capture may take: a share of what the cgroup or the machine has left."""

from heapdiff.memory import memory_left

__all__ = ["default_max_bytes"]

SHARE = 0.5


def default_max_bytes() -> int:
    """Half of the memory that is left; 2**62 where that cannot be known."""
    left = memory_left()
    return 2**62 if left is None else int(left * SHARE)
