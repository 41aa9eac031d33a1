"""Small programs that leak, or only look as if they did, run in processes of their own; each rule is held to one."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

DRIVER = """
import json, sys
import heapdiff
import program

def work(start, count):
    for number in range(start, start + count):
        program.step(number)
    return start + count

rounds, steps = int(sys.argv[1]), int(sys.argv[2])
done = work(0, 5)
snapshots = [heapdiff.take_snapshot()]
for _ in range(rounds):
    done = work(done, steps)
    snapshots.append(heapdiff.take_snapshot())
print(heapdiff.compare(*snapshots).to_json(), flush=True)
import os
os._exit(0)  # threads that never end are what some programs are about
"""

FINGERPRINTS = {
    what: fingerprint
    for fingerprint, what in (
        line.split("  ", 1) for line in (ROOT / "tests/golden/fingerprints.txt").read_text("utf-8").splitlines()
    )
}

ITEM = """
class Item:
    def __init__(self, number):
        self.payload = [number] * 20
"""

LEAKS: dict[str, tuple[str, str, str, str]] = {
    # what it is: program, type, a word of its holder, rule
    "a registry on a class": (
        ITEM + "class Plugin:\n    known = {}\ndef step(n): Plugin.known[n] = Item(n)",
        "program.Item",
        "Plugin.known",
        "unbounded-mapping",
    ),
    "a default argument": (
        ITEM + "def collect(item, seen=[]): seen.append(item)\ndef step(n): collect(Item(n))",
        "program.Item",
        "collect",
        "unbounded-sequence",
    ),
    "a cache without a bound": (
        ITEM + "import functools\n@functools.cache\ndef load(n): return Item(n)\ndef step(n): load(n)",
        "program.Item",
        "load",
        "unbounded-lru-cache",
    ),
    "a cached method": (
        """
        import functools
        class Client:
            def __init__(self): self.buffer = [0] * 50
            @functools.cache
            def price(self, item): return item * 2
        def step(n): Client().price(3)
        """,
        "program.Client",
        "price",
        "lru-cache-keys-pin-objects",
    ),
    "listeners by event": (
        """
        class Bus:
            def __init__(self): self._listeners = {}
            def on(self, event, callback): self._listeners.setdefault(event, []).append(callback)
        bus = Bus()
        class View:
            def __init__(self): bus.on("changed", self.refresh)
            def refresh(self): pass
        def step(n): View()
        """,
        "program.View",
        "_listeners",
        "listener-never-removed",
    ),
    "an exit handler for each object": (
        """
        import atexit
        class Pool:
            def __init__(self): atexit.register(self.close)
            def close(self): pass
        def step(n): Pool()
        """,
        "program.Pool",
        "atexit",
        "interpreter-callbacks",
    ),
    "a callback of the collector for each object": (
        """
        import gc
        class Meter:
            def __init__(self): gc.callbacks.append(self.collected)
            def collected(self, phase, info): pass
        def step(n): Meter()
        """,
        "program.Meter",
        "callbacks",
        "interpreter-callbacks",
    ),
    "handlers of logging": (
        """
        import logging
        class Handler(logging.Handler): pass
        def step(n): logging.getLogger("app").addHandler(Handler())
        """,
        "program.Handler",
        "handlers",
        "logging-handlers",
    ),
    "loggers by connection": (
        "import logging\ndef step(n): logging.getLogger(f'app.connection.{n}')",
        "logging.Logger",
        "loggerDict",
        "logging-loggers",
    ),
    "a thread-local of a pool": (
        ITEM
        + """
import threading
from concurrent.futures import ThreadPoolExecutor
local, pool = threading.local(), ThreadPoolExecutor(1)
def work(n):
    if not hasattr(local, "seen"):
        local.seen = []
    local.seen.append(Item(n))
def step(n): pool.submit(work, n).result()
""",
        "program.Item",
        "seen",
        "thread-local",
    ),
    "a context variable": (
        ITEM
        + """
import contextvars
trail = contextvars.ContextVar("trail", default=())
def step(n): trail.set((*trail.get(), Item(n)))
""",
        "program.Item",
        "trail",
        "contextvar",
    ),
    "a value that leads back to its weak key": (
        ITEM
        + """
import weakref
states = weakref.WeakKeyDictionary()
def step(n):
    item = Item(n)
    states[item] = {"of": item}
""",
        "program.Item",
        "states",
        "weak-mapping-held-by-value",
    ),
    "weak references to what is gone": (
        ITEM + "import weakref\nviews = []\ndef step(n): views.append(weakref.ref(Item(n)))",
        "weakref.ReferenceType",
        "views",
        "dead-weakrefs",
    ),
    "sockets": (
        "import socket\nopened = []\ndef step(n): opened.append(socket.socket())",
        "socket.socket",
        "opened",
        "unclosed-resource",
    ),
    "a buffer": (
        "class Log:\n    pending = bytearray()\ndef step(n): Log.pending += bytes(9000)",
        "bytearray",
        "pending",
        "growing-buffer",
    ),
    "stored exceptions": (
        ITEM
        + """
errors = []
def fail(item): raise ValueError
def step(n):
    try:
        fail(Item(n))
    except ValueError as error:
        errors.append(error)
""",
        "program.Item",
        "errors",
        "exception-pins-frames",
    ),
    "tasks that wait for ever": (
        """
        import asyncio
        loop, tasks = asyncio.new_event_loop(), set()
        async def start():
            tasks.add(asyncio.ensure_future(asyncio.Event().wait()))
            await asyncio.sleep(0)
        def step(n): loop.run_until_complete(start())
        """,
        "_asyncio.Task",
        "tasks",
        "pending-task-or-generator",
    ),
    "threads that wait for ever": (
        """
        import threading
        class Worker(threading.Thread):
            def run(self): threading.Event().wait()
        def step(n): Worker(daemon=True).start()
        """,
        "program.Worker",
        "_active",
        "pending-task-or-generator",
    ),
    "classes made at run time": (
        "made = []\ndef step(n): made.append(type(f'Row{n}', (), {}))",
        "type",
        "made",
        "runtime-classes",
    ),
    "metrics by user": (
        """
        class Value: pass
        class Counter:
            def __init__(self): self._metrics = {}
            def labels(self, *values): return self._metrics.setdefault(values, Value())
        requests = Counter()
        def step(n): requests.labels("GET", f"/user/{n}")
        """,
        "program.Value",
        "_metrics",
        "metric-labels",
    ),
    "references that native code forgot": (
        ITEM
        + """
import ctypes
forget = ctypes.pythonapi.Py_IncRef
forget.argtypes = [ctypes.py_object]
def step(n): forget(Item(n))
""",
        "program.Item",
        "native",
        "native-held",
    ),
    "children of one node of a tree": (
        """
        class Node:
            def __init__(self): self.children = []
        tree = Node()
        def step(n):
            node = Node()
            node.children.append(Node())
            tree.children.append(node)
        """,
        "program.Node",
        "tree.children",
        "unbounded-sequence",
    ),
}

HEALTHY = {
    "a cache with a bound that is full": (
        ITEM + "import functools\n@functools.lru_cache(maxsize=60)\ndef load(n): return Item(n)\ndef step(n): load(n)"
    ),
    "a cache with a bound that still fills": (
        ITEM + "import functools\n@functools.lru_cache(maxsize=9000)\ndef load(n): return Item(n)\ndef step(n): load(n)"
    ),
    "the last items": ITEM
    + "import collections\nlast = collections.deque(maxlen=70)\ndef step(n): last.append(Item(n))",
    "a batch that is sent when it is full": (
        ITEM + "batch = []\ndef step(n):\n    batch.append(Item(n))\n    if len(batch) == 70: batch.clear()"
    ),
    "garbage": ITEM + "def step(n):\n    item = Item(n)\n    item.me = item",
    "attributes that are set at first use": (
        ITEM + "items = [Item(n) for n in range(400)]\ndef step(n): items[n % 400].cached = {'n': [n]}"
    ),
    "counters": "hits = dict.fromkeys(range(400), 0)\ndef step(n): hits[n % 400] += 1000",
    "modules that are imported when they are needed": (
        """
        import importlib
        names = "csv decimal fractions statistics wave zipfile tarfile difflib optparse mailbox".split()
        def step(n):
            if n < len(names): importlib.import_module(names[n])
        """
    ),
    "what is known of objects that others bound": (
        ITEM
        + """
import collections, weakref
known, last = weakref.WeakKeyDictionary(), collections.deque(maxlen=70)
def step(n):
    last.append(Item(n))
    known[last[-1]] = Item(-n)
"""
    ),
}


def report(program: str, folder: Path, rounds: int, steps: int) -> Any:
    (folder / "program.py").write_text(textwrap.dedent(program), encoding="utf-8")
    command = [sys.executable, "-P", "-c", DRIVER, str(rounds), str(steps)]
    path = f"{ROOT}:{folder}"
    result = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("what", LEAKS)
def test_a_leak_is_named_with_its_holder_and_its_rule(what: str, tmp_path: Path) -> None:
    program, type_name, word, rule = LEAKS[what]

    growers = report(program, tmp_path, rounds=3, steps=15)["growers"]

    assert type_name in [grower["type"] for grower in growers[:3]]
    verdicts = {(g["verdict"]["rule"], g["verdict"]["kind"]) for g in growers if word in str(g["holders"])}
    assert (rule, "leak") in verdicts
    # The same on every Python and machine: files of accepted growth are kept for years.
    assert growers[0]["fingerprint"] == FINGERPRINTS[what]


@pytest.mark.parametrize("what", HEALTHY)
def test_a_healthy_program_is_not_accused(what: str, tmp_path: Path) -> None:
    growers = report(HEALTHY[what], tmp_path, rounds=5, steps=20)["growers"]

    assert [g["verdict"] for g in growers if g["verdict"] and g["verdict"]["kind"] == "leak"] == []


def test_a_task_is_named_in_its_chain_and_its_verdict(tmp_path: Path) -> None:
    program = """
        import asyncio
        loop = asyncio.new_event_loop()
        async def poll(buffer): await asyncio.sleep(3600)
        async def start(n): asyncio.create_task(poll([n] * 50), name=f"poller-{n}")
        def step(n):
            loop.run_until_complete(start(n))
            loop.run_until_complete(asyncio.sleep(0))
    """

    grower = report(program, tmp_path, rounds=3, steps=15)["growers"][0]

    assert (grower["type"], grower["chain"][-1]["name"]) == ("_asyncio.Task", '"poller-…" (program.poll)')
    assert grower["verdict"]["text"].startswith(
        'Each task "poller-…" (program.poll) in program.loop._scheduled has not'
    )


def test_strings_that_native_code_forgot_are_seen_by_their_blocks(tmp_path: Path) -> None:
    program = """
        import ctypes
        forget = ctypes.pythonapi.Py_IncRef
        forget.argtypes = [ctypes.py_object]
        def step(n):
            for part in range(40): forget(f"{n} {part}" * 9)
    """

    process = report(program, tmp_path, rounds=3, steps=15)["process"]

    assert (process["verdict"]["rule"], process["verdict"]["kind"]) == ("native-lost", "leak")
