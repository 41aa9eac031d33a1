"""Heaps that a report tells a story of; each is a golden file too."""

from collections.abc import Callable

import attrs

from heapdiff import Report, compare
from heapdiff.snapshot.model import Limit, Process, Snapshot
from tests.sketch import Sketch, registry
from tests.tiny_heap import TinyHeap

__all__ = ["STORIES", "Story"]

HOUR = 3600.0


@attrs.frozen
class Story:
    """Snapshots of one program, and what the report on them is called."""

    name: str
    snapshots: Callable[[], list[Snapshot]]

    def report(self) -> Report:
        """The report."""
        return compare(*self.snapshots())


def process(moment: int, rss_bytes: int = 50_000_000) -> Process:
    """The process at that hour after two in the afternoon of some day."""
    return Process(
        pid=4242,
        host="box",
        start_time=1_700_000_000.0,
        capture_time=1_699_970_531.0 + moment * HOUR,
        rss_bytes=rss_bytes,
        gc_enabled=True,
        collected_before=True,
        descriptors={"socket": 4},
    )


def two_pictures() -> list[Snapshot]:
    return [
        registry(213).snapshot(process(0)),
        registry(4213).snapshot(process(1, rss_bytes=52_700_000)),
    ]


def steady() -> list[Snapshot]:
    counts = (213, 1213, 2213, 3213)
    return [registry(count).snapshot(process(hour)) for hour, count in enumerate(counts)]


def filled_up() -> list[Snapshot]:
    counts = (0, 400, 500, 500)
    return [registry(count).snapshot(process(hour)) for hour, count in enumerate(counts)]


def joint() -> list[Snapshot]:
    def draw(count: int, hour: int) -> Snapshot:
        sketch = registry(count)
        sketch.add("index", "dict", "app.locks", ("ATTRIBUTE", "by_owner"), size=64 + 8 * count)
        for number in range(count):
            sketch.refer("index", f"locks/app.locks.Lock{number}", ("KEY_OF_TYPE", "int"))
        return sketch.snapshot(process(hour))

    return [draw(20, 0), draw(500, 1)]


def buffer() -> list[Snapshot]:
    def draw(size: int, hour: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app.audit")
        sketch.add("log", "app.audit.Log", "app.audit", ("ATTRIBUTE", "LOG"))
        sketch.add("buffer", "bytearray", "log", ("ATTRIBUTE", "_pending"), size=size)
        return sketch.snapshot(process(hour))

    return [draw(1_000, 0), draw(900_000, 1), draw(1_800_000, 2)]


def native() -> list[Snapshot]:
    def draw(count: int, hour: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app")
        sketch.many(count, "list", "root", ("ROOT_NATIVE", ""))
        limits = (Limit("native-held", f"{count} objects have references that no object explains."),)
        return sketch.snapshot(process(hour), limits)

    return [draw(3, 0), draw(600, 1), draw(1_200, 2)]


def traced() -> list[Snapshot]:
    def draw(count: int, hour: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app.jobs")
        sketch.add("done", "list", "app.jobs", ("ATTRIBUTE", "DONE"))
        for number in range(count):
            site = (("app/jobs.py", 31 if number % 10 else 55), ("app/main.py", 7))
            sketch.add(f"job{number}", "app.jobs.Job", "done", ("ELEMENT", number), site=site)
        return sketch.snapshot(process(hour))

    return [draw(10, 0), draw(300, 1), draw(600, 2)]


def nothing() -> list[Snapshot]:
    return [registry(20).snapshot(process(hour)) for hour in (0, 1)]


def garbage() -> list[Snapshot]:
    return [
        TinyHeap("root -> a", process=process(0)).snapshot,
        TinyHeap("root -> a\nlost -> found\nfound -> lost", size={"lost": 3000}, process=process(1)).snapshot,
    ]


def hostile() -> list[Snapshot]:
    """Names that would move a terminal's cursor, colour it, turn the line around or open a tag."""

    def draw(count: int, hour: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app\x1b[2J")
        sketch.add("all", "dict", "app\x1b[2J", ("ATTRIBUTE", "\u202eyrtsiger\n<script>alert(1)</script>"))
        sketch.many(count, "app.Evil\x1b]0;\x07<b>", "all", ("KEY_OF_TYPE", "str"))
        return sketch.snapshot(process(hour))

    return [draw(3, 0), draw(400, 1)]


STORIES = [
    Story("two_pictures", two_pictures),
    Story("steady", steady),
    Story("filled_up", filled_up),
    Story("joint", joint),
    Story("buffer", buffer),
    Story("native", native),
    Story("traced", traced),
    Story("nothing", nothing),
    Story("garbage", garbage),
    Story("hostile", hostile),
]
