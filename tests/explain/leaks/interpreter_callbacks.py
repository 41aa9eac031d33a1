"""A thread pool for each report, to be shut down at exit."""

import atexit
from concurrent.futures import ThreadPoolExecutor


def leak(number: int) -> None:
    pool = ThreadPoolExecutor(1)
    atexit.register(pool.shutdown)


def mended(number: int) -> None:
    pool = ThreadPoolExecutor(1)
    atexit.register(pool.shutdown)
    atexit.unregister(pool.shutdown)
