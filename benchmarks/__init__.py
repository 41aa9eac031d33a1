"""heapdiff beside its peers on one heap, each in a fresh process; ``python -m benchmarks --help``."""
