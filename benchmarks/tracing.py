"""What does it cost a program that tracemalloc records who allocates? ``python -m benchmarks.tracing``

Each workload runs with tracing off and on, in turn, in one process; a line is the ratio of CPU time, the median of the
turns with the least and the greatest. The bytes are tracemalloc's own, for each block it knows.
"""

import json
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import heapdiff

if TYPE_CHECKING:
    from flask.testing import FlaskClient

_TURNS = 7
_FRAMES = (1, 10)
_LEAST_BLOCKS = 1000  # what a workload keeps; of fewer, the table itself is most


def allocate() -> object:
    """Next to nothing but new objects: the worst case."""
    return {number: [str(number), (number,)] for number in range(100_000)}


def read_json() -> object:
    """A parser written in C, which makes one object after another."""
    return [json.loads(_DOCUMENT) for _ in range(150)]


def compute() -> object:
    """A loop over numbers: each is allocated and freed at once, which costs nearly nothing without tracing."""
    total = 0
    for number in range(1_000_000):
        total = (total + number * 7) & 0xFF
    return total


def serve() -> object:
    """Requests to a Flask application that answers with JSON."""
    return [_CLIENT.get(f"/users/{number}").get_json() for number in range(150)]


def main() -> None:
    """Print one line for each workload."""
    print(f"{'workload':<12}" + "".join(f"{f'{frames} frame(s)':>24}" for frames in _FRAMES) + f"{'bytes a block':>16}")
    for workload in (compute, serve, read_json, allocate):
        cells = [_cell(list(_ratios(workload, frames))) for frames in _FRAMES]
        print(f"{workload.__name__:<12}" + "".join(f"{cell:>24}" for cell in cells) + f"{_bytes_each(workload):>16}")


def _cell(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _ratios(workload: Callable[[], object], frames: int) -> Iterator[float]:
    for _ in range(_TURNS):
        plain = _seconds(workload)
        heapdiff.start_tracing(frames)
        traced = _seconds(workload)
        heapdiff.stop_tracing()
        yield traced / plain


def _seconds(workload: Callable[[], object]) -> float:
    start = time.process_time()
    workload()
    return time.process_time() - start


def _bytes_each(workload: Callable[[], object]) -> str:
    heapdiff.start_tracing()
    kept = workload()
    blocks = sum(entry.count for entry in tracemalloc.take_snapshot().statistics("filename"))
    size = tracemalloc.get_tracemalloc_memory()
    heapdiff.stop_tracing()
    del kept
    return f"{size / blocks:.0f}" if blocks >= _LEAST_BLOCKS else "not measured"


_DOCUMENT = json.dumps([{"name": f"user {number}", "roles": ["a", "b"], "age": number / 7} for number in range(100)])


def _client() -> "FlaskClient":
    from flask import Flask, Response, jsonify

    app = Flask("benchmark")

    @app.get("/users/<int:number>")
    def user(number: int) -> Response:
        return jsonify(id=number, name=f"user {number}", roles=["reader", "writer"])

    return app.test_client()


_CLIENT = _client()

if __name__ == "__main__":
    main()
