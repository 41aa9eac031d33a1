"""A thread pool for each request, whose threads wait for more work for ever."""

from concurrent.futures import ThreadPoolExecutor

pools: list[ThreadPoolExecutor] = []


def leak(number: int) -> None:
    pools.append(ThreadPoolExecutor(1))
    pools[-1].submit(abs, number).result()


def mended(number: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(abs, number).result()
