"""Our sizes against the allocator: heaps of one kind of object, and what the process really asked for."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import attrs

__all__ = ["COUNT", "KINDS", "SizeRow", "measure"]

COUNT = 10_000
_ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen
class SizeRow:
    """Bytes and objects for each of COUNT things of one kind; None is not measured."""

    kind: str
    ours: float  # the sum of the shallow sizes
    asked: float | None  # what was asked of the allocators, as tracemalloc counts it
    given: float | None  # what glibc's malloc had in use for it, rounding and headers included
    objects: float


def measure(kind: str, *, traced: bool, python: str = sys.executable) -> SizeRow:
    """Makes COUNT objects of that kind in a fresh process.

    Args:
        kind: One of KINDS.
        traced: Measure what was asked for (tracemalloc); else what malloc had in use, in a process that
            has no other allocator.
        python: The interpreter.

    Raises:
        subprocess.CalledProcessError: The process failed.
    """
    code = _MEASURE.replace("{making}", KINDS[kind]).replace("{count}", str(COUNT))
    code = textwrap.dedent(code.replace("{trace}", "tracemalloc.start()" if traced else "pass"))
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)} | ({} if traced else {"PYTHONMALLOC": "malloc"})
    done = subprocess.run([python, "-c", code], cwd=_ROOT, env=environment, capture_output=True, text=True, check=True)
    ours, asked, given, objects = (number / COUNT for number in json.loads(done.stdout))
    return SizeRow(kind, ours, asked if traced else None, None if traced else given, objects)


KINDS = {
    "float": "i * 1.5",
    "int": "10**30 + i",
    "str": "'text %09d' % i",
    "str of wide characters": "'\\u20ac%09d' % i",
    "bytes": "b'%030d' % i",
    "tuple": "(i, None, None)",
    "list": "[None] * 5",
    "list that was appended to": "appended(7)",
    "dict": "{'a': 1, 'b': 2, 'c': 3}",
    "dict of many keys": "dict.fromkeys(range(30))",
    "set": "{1, 2, 3}",
    "set of many members": "set(range(50))",
    "frozenset": "frozenset(range(20))",
    "bytearray": "bytearray(100)",
    "instance": "Plain(i)",
    "instance with a __dict__": "dicted(Plain(i))",
    "instance with slots": "Slotted(i)",
    "instance of a dataclass": "Data(1, 2)",
    "function": "(lambda: None)",
    "bound method": "one.method",
    "deque": "collections.deque()",
    "OrderedDict": "collections.OrderedDict(a=1)",
    "array": "array.array('q', range(20))",
    "datetime": "datetime.datetime(2020, 1, 1)",
    "Decimal": "decimal.Decimal(7)",
    "BytesIO": "io.BytesIO(b'')",
    "partial": "functools.partial(print, 1)",
    "generator": "generate()",
    "exception": "ValueError()",
    "weak reference": "weakref.ref(one, print)",
    "object": "object()",
    "complex": "complex(i, 1)",
    "memoryview": "memoryview(given)",
    "cell": "types.CellType(1)",
    "class": "type('Made', (), {})",
}

_MEASURE = """
    import array, collections, ctypes, dataclasses, datetime, decimal, functools, gc, io, json, tracemalloc, types, weakref
    from heapdiff import take_snapshot

    class Plain:
        def __init__(self, i):
            self.a, self.b, self.c = None, None, None
        def method(self): pass

    class Slotted:
        __slots__ = ("a", "b")
        def __init__(self, i):
            self.a = self.b = None

    @dataclasses.dataclass
    class Data:
        a: int
        b: int

    def appended(n):
        made = []
        for _ in range(n):
            made.append(None)
        return made

    def dicted(made):
        made.__dict__
        return made

    def generate():
        yield

    class Info(ctypes.Structure):
        names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
        _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = Info
    one, given = Plain(0), bytearray(10)

    def used():
        info = mallinfo2()
        return info.uordblks + info.hblkhd

    def make(i):
        return {making}

    kept = [None] * {count}
    for i in range(300):
        make(i)
    {trace}
    gc.collect()
    gc.disable()
    take_snapshot()
    base = take_snapshot().columns
    before, traced = used(), tracemalloc.get_traced_memory()[0]
    for i in range({count}):
        kept[i] = make(i)
    grown, asked = used() - before, tracemalloc.get_traced_memory()[0] - traced
    now = take_snapshot().columns
    known = set(base["object_address"])
    shallow = [size for address, size in zip(now["object_address"], now["object_shallow"]) if address not in known]
    print(json.dumps([sum(shallow), asked, grown, len(shallow)]))
"""
