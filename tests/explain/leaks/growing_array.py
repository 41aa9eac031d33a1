"""Samples that are appended to an array of NumPy."""

import numpy as np


class Monitor:
    """Has the latencies so far."""

    def __init__(self) -> None:
        self.latencies = np.zeros(10)


monitor = Monitor()


def leak(number: int) -> None:
    monitor.latencies = np.append(monitor.latencies, np.full(2000, number))


def mended(number: int) -> None:
    leak(number)
    monitor.latencies = monitor.latencies[-2000:].copy()
