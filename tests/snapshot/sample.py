"""The snapshot that the tests of files write, and how two snapshots are compared."""

from heapdiff.snapshot.labels import LabelKind
from heapdiff.snapshot.model import Limit, ObjectFlag, Process, Snapshot
from tests.tiny_heap import TinyHeap

__all__ = ["assert_equal", "sample"]


def sample(*, sites: bool = True) -> Snapshot:
    """A small heap that has something in every column, and a process with every kind of field."""
    return TinyHeap(
        """
            root  -> cache
            cache -> left right
            left  -> blob
            right -> blob left
        """,
        size={"blob": 5 << 30, "cache": 232},
        types={"cache": "app.web.Cache", "left": "app.web.Entry", "right": "app.web.Entry", "blob": "builtins.bytes"},
        labels={("cache", "left"): (LabelKind.ELEMENT.name, 0), ("cache", "right"): (LabelKind.ELEMENT.name, 1)},
        flags={"cache": ObjectFlag.TRACKED, "blob": ObjectFlag.IMMORTAL},
        sites={"blob": (("app/web.py", 31), ("app/main.py", 7))} if sites else None,
        addresses={"cache": 0x7F0000001000, "left": 0x7F0000002000, "right": 0x7F0000002040, "blob": 0x7F0000800010},
        native_held={"right": 2},
        process=Process(
            pid=4242,
            host="pod-é",
            start_time=1.7e9,
            descriptors={"file": 3, "socket": 12},
            gc_enabled=True,
            gc_collections=(100, 10, 1),
            pause_seconds=0.25,
        ),
        limits=(Limit("frozen", "Objects that were frozen could not be told from others."),),
    ).snapshot


def assert_equal(found: Snapshot, expected: Snapshot) -> None:
    """The same columns of the same numbers, the same process and limits."""
    assert set(found.columns.names()) == set(expected.columns.names())
    for name in expected.columns.names():
        numbers, wanted = found.columns[name], expected.columns[name]
        assert (name, numbers.format, numbers.tobytes()) == (name, wanted.format, wanted.tobytes())
    assert found.process == expected.process
    assert found.limits == expected.limits
