"""Our sizes against the allocator: heaps of one kind of object, and what the process really asked for.

A process with ``PYTHONMALLOC=malloc`` makes many objects of one kind, and glibc's count of bytes in use must grow
by the sum of our shallow sizes and what malloc adds: 8 bytes a block, rounded up to 16, at least 32: 8 to 24 a block.
"""

import json
import os

import pytest

from tests.capture.processes import FREE_THREADED, run_python

COUNT = 10_000
# Blocks of one object and what it makes besides; 2 where nothing is said.
BLOCKS = {"instance with a __dict__": 3, "partial": 4, "OrderedDict": 5, "class": 12}
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

MEASURE = """
    import array, collections, ctypes, dataclasses, datetime, decimal, functools, gc, io, json, types, weakref
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
    gc.collect()
    gc.disable()
    take_snapshot()
    base = take_snapshot().columns
    before = used()
    for i in range({count}):
        kept[i] = make(i)
    grown = used() - before
    now = take_snapshot().columns
    known = set(base["object_address"])
    shallow = [size for address, size in zip(now["object_address"], now["object_shallow"]) if address not in known]
    print(json.dumps([sum(shallow), grown, len(shallow)]))
"""


@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer has an allocator of its own")
@pytest.mark.skipif(FREE_THREADED, reason="mimalloc is the only allocator, and does not count bytes")
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_sum_up_to_what_the_allocator_gave(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = MEASURE.replace("{making}", KINDS[kind]).replace("{count}", str(COUNT))

    ours, given, objects = json.loads(run_python(code, environment={"PYTHONMALLOC": "malloc"}))

    with capsys.disabled():
        print(
            f"\n{kind:28} ours {ours / COUNT:8.1f}  malloc {given / COUNT:8.1f}  objects {objects / COUNT:4.1f}",
            end=" ",
        )
    assert ours / COUNT <= given / COUNT + 1
    assert (given - ours) / COUNT <= 24 * BLOCKS.get(kind, 2) + 1
