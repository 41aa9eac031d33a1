"""One case of the zoo and a peer in, the types and the text with which the peer answers out, as JSON."""

import contextlib
import gc
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.zoo_run import count_of, leave, load_workload, take_steps

__all__ = ["PEERS"]

_NAMED = 3  # growers whose holders are asked for, as many as are judged


def main(case: str, rounds: str, peer: str, out: str) -> None:
    """Runs the case under the peer and writes its answer to the file *out*."""
    Path(out).write_text(json.dumps(PEERS[peer](Path(case), int(rounds))), encoding="utf-8")


def _between(case: Path, rounds: int, base: Callable[[], Any]) -> Any:
    """Does the steps of the case; what *base* returned after the warm-up."""
    workload = load_workload(case)
    workload.setup()
    number = take_steps(workload, 0, count_of(workload, "WARMUP", 50))
    gc.collect()
    kept = base()
    for _ in range(rounds):
        number = take_steps(workload, number, count_of(workload, "STEPS", 200))
    gc.collect()
    return kept


def _pympler(case: Path, rounds: int) -> dict[str, Any]:
    """SummaryTracker: types by growth; it names no holder."""
    from pympler import summary, tracker

    tracking = _between(case, rounds, tracker.SummaryTracker)
    rows = sorted(tracking.diff(), key=lambda row: -row[2])
    lines: Callable[[Any], Any] = summary.format_
    text = "\n".join(lines(rows))
    return {"types": [str(row[0]) for row in rows], "text": text}


def _objgraph(case: Path, rounds: int) -> dict[str, Any]:
    """objgraph: types by growth, and for a new object of each of the first the shortest chain from a module."""
    import objgraph

    seen: dict[str, int] = {}

    def look() -> set[int]:
        objgraph.growth(limit=1, peak_stats=seen, shortnames=False)
        return {id(obj) for obj in gc.get_objects()}

    known = _between(case, rounds, look)
    rows = objgraph.growth(limit=10, peak_stats=seen, shortnames=False)
    lines = [f"{name} {delta:+}" for name, _, delta in rows]
    for name, *_ in rows[:_NAMED]:
        new = [obj for obj in objgraph.by_type(name) if id(obj) not in known]
        if new:
            chain = objgraph.find_backref_chain(new[-1], objgraph.is_proper_module)
            lines.append(" -> ".join(_named(chain)))
    return {"types": [name.removeprefix("builtins.") for name, *_ in rows], "text": "\n".join(lines)}


def _named(chain: list[Any]) -> list[str]:
    """The chain as objgraph's pictures label it: each object's type, and under which key its holder has it."""
    import types

    labels = []
    for holder, held in zip([None, *chain], chain, strict=False):
        label = f"module {held.__name__}" if isinstance(held, types.ModuleType) else type(held).__name__
        if isinstance(holder, dict):
            label = next((f"[{key!r}] " for key, value in holder.items() if value is held), "") + label
        labels.append(label)
    return labels


def _guppy(case: Path, rounds: int) -> dict[str, Any]:
    """guppy3: kinds by growth since setrelheap, the referrer pattern and the shortest paths of the first."""
    from guppy import hpy

    def look() -> Any:
        session = hpy()
        session.setrelheap()
        return session

    session = _between(case, rounds, look)
    heap = session.heap()
    types, parts = [], [str(heap)]
    for number in range(min(10, len(heap.parts))):
        part = heap[number]
        types.append(str(part.kind).removeprefix("<").split(" ")[-1].removesuffix(">"))
        if number < _NAMED:
            with contextlib.suppress(Exception):
                parts.append(str(part.rp))
            with contextlib.suppress(Exception):
                parts.append(str(part.byid[0].shpaths))
    return {"types": types, "text": "\n".join(parts)}


PEERS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "pympler": _pympler,
    "objgraph": _objgraph,
    "guppy3": _guppy,
}


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        leave(lambda: main(*sys.argv[1:]))
