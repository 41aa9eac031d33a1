"""Each rule is held to a real library, misused in a process of its own, and to the same program mended."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path
from typing import Any

import attrs
import pytest

from heapdiff import compare, compare_groups
from heapdiff.report import Report
from tests.conftest import Check
from tests.sketch import Sketch

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).with_name("leaks")
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@attrs.frozen
class Leak:
    """What a report must say of a program."""

    program: str
    rule: str
    type_name: str
    holder: str  # a part of its expression
    kind: str = "leak"
    golden: bool = False  # it is the one by which the rule's report is read


LEAKS = (
    Leak(
        "bounded_cache_filling", "bounded-cache-filling", "email.message.Message", "app.orders", "benign", golden=True
    ),
    Leak("contextvar", "contextvar", "decimal.Context", "['spans']", golden=True),
    Leak("dead_weakrefs", "dead-weakrefs", "weakref.ReferenceType", "app.seen", golden=True),
    Leak(
        "exception_pins_frames", "exception-pins-frames", "concurrent.futures._base.Future", "app.failed", golden=True
    ),
    Leak("fork_callbacks", "interpreter-callbacks", "random.Random", "os.register_at_fork"),
    Leak("growing_array", "growing-buffer", "numpy.ndarray", "app.monitor.latencies", golden=True),
    Leak("growing_buffer", "growing-buffer", "str", "app.shown"),
    Leak("growing_population", "growing-population", "xml.etree.ElementTree.Element", "app.root", golden=True),
    Leak(
        "interpreter_callbacks",
        "interpreter-callbacks",
        "concurrent.futures.thread.ThreadPoolExecutor",
        "atexit",
        golden=True,
    ),
    Leak("listener_never_removed", "listener-never-removed", "app.Page", "app.order_changed.receivers", golden=True),
    Leak("listener_of_emitter", "listener-never-removed", "app.Request", "app.emitter._events['price']"),
    Leak("logging_handlers", "logging-handlers", "logging.handlers.MemoryHandler", "app.log.handlers", golden=True),
    Leak("logging_loggers", "logging-loggers", "logging.Logger", "loggerDict", golden=True),
    Leak("lru_cache_keys_pin_objects", "lru-cache-keys-pin-objects", "app.Page", "app.Page.price", golden=True),
    Leak("metric_labels", "metric-labels", "prometheus_client.metrics.Counter", "requests_total._metrics", golden=True),
    Leak("module_loaded", "module-loaded", "module", "sys.modules", "unsure", golden=True),
    Leak("native_held", "native-held", "email.message.Message", "native", golden=True),
    Leak("pending_generator", "pending-task-or-generator", "generator", "app.readers"),
    Leak("pending_task", "pending-task-or-generator", "_asyncio.Task", "app.tasks", golden=True),
    Leak("pending_thread", "pending-task-or-generator", "threading.Thread", "threading._active"),
    Leak("runtime_attrs", "runtime-classes", "type", "app.models"),
    Leak("runtime_classes", "runtime-classes", "type", "app.as_json.registry", golden=True),
    Leak("thread_local", "thread-local", "decimal.Context", "app.local", golden=True),
    Leak("unbounded_lru_cache", "unbounded-lru-cache", "email.message.Message", "app.parse", golden=True),
    Leak("unbounded_mapping", "unbounded-mapping", "http.cookiejar.Cookie", "session.cookies._cookies", golden=True),
    Leak("unbounded_sequence", "unbounded-sequence", "logging.LogRecord", "app.records.queue", golden=True),
    Leak("unclosed_database", "unclosed-resource", "sqlite3.Connection", "app.store.connections"),
    Leak("unclosed_resource", "unclosed-resource", "http.client.HTTPConnection", "app.connections", golden=True),
    Leak("weak_mapping_held_by_value", "weak-mapping-held-by-value", "email.message.Message", "replies", golden=True),
)
OUTSIDE = ("native_lost", "garbage_waiting")  # no object of the program grows


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of the extension of forgetful.c, compiled with the compiler that is there."""
    if COMPILER is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("forgetful")
    built = folder / ("forgetful" + str(sysconfig.get_config_var("EXT_SUFFIX")))
    include = sysconfig.get_path("include")
    source = PROGRAMS / "forgetful.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", f"-I{include}", "-o", built, source], check=True)
    return str(folder)


@functools.cache
def outcome(program: str, variant: str, extension: str) -> dict[str, Any]:
    """The report on a program as JSON and as text."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{extension}"}
    command = [sys.executable, "-m", "tests.explain.leaks", program, variant]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.program)
def test_the_rule_knows_it_in_a_real_library(leak: Leak, extension: str, golden: Check) -> None:
    """The golden file of a rule is what the report draws first; it must have the rule's verdict."""
    found = outcome(leak.program, "leak", extension)

    verdicts = [
        (grower["verdict"]["rule"], grower["verdict"]["kind"])
        for grower in found["report"]["growers"]
        if grower["type"] == leak.type_name and any(leak.holder in holder["expression"] for holder in grower["holders"])
    ]
    assert verdicts == [(leak.rule, leak.kind)]
    if leak.golden:
        golden(f"rules/{leak.rule}.txt", plain("\n".join(section(found["text"]))))


@pytest.mark.parametrize("program", [*(leak.program for leak in LEAKS), *OUTSIDE])
def test_the_mended_program_is_not_accused(program: str, extension: str) -> None:
    report = outcome(program, "mended", extension)["report"]

    verdicts = [report["process"]["verdict"], report["garbage"]["verdict"]]
    verdicts += [grower["verdict"] for grower in report["growers"]]
    assert [verdict for verdict in verdicts if verdict and verdict["kind"] == "leak"] == []


def test_blocks_that_an_extension_lost_are_told(extension: str) -> None:
    verdict = outcome("native_lost", "leak", extension)["report"]["process"]["verdict"]

    assert (verdict["rule"], verdict["kind"]) == ("native-lost", "leak")


def test_garbage_is_told_where_the_collector_is_disabled(extension: str) -> None:
    verdict = outcome("garbage_waiting", "leak", extension)["report"]["garbage"]["verdict"]

    assert (verdict["rule"], verdict["kind"]) == ("garbage-waiting", "leak")


@pytest.mark.parametrize("program", OUTSIDE)
def test_the_report_says_what_no_object_shows(program: str, extension: str, golden: Check) -> None:
    lines = outcome(program, "leak", extension)["text"].splitlines()

    start = next(place for place, line in enumerate(lines) if line.startswith(("Blocks:", "Garbage:")))
    end = next(place for place, line in enumerate(lines) if line.startswith("Not seen:"))
    golden(f"rules/{program.replace('_', '-')}.txt", textwrap.fill(plain(" ".join(lines[start:end])), 100) + "\n")


def spread(count: int) -> Sketch:
    sketch = Sketch()
    for part in range(60):
        sketch.module(f"app.part{part}")
    for part in range(count):
        sketch.add(f"state{part}", "app.State", f"app.part{part}", ("ATTRIBUTE", f"state{part}"))
    return sketch


def in_control() -> Report:
    def run(first_address: int) -> list[Any]:
        snapshots = []
        for count in (10, 200):
            sketch = Sketch(first_address=first_address)
            sketch.module("app")
            sketch.add("log", "list", "app", ("ATTRIBUTE", "LOG"))
            sketch.many(count, "app.Line", "log", ("ELEMENT", 0))
            snapshots.append(sketch.snapshot())
        return snapshots

    return compare_groups(control=[run(0x1000)], treatment=[run(0x900000)])


@pytest.mark.parametrize(
    ("rule", "report"),
    [("spread-growth", compare(*(spread(count).snapshot() for count in (20, 60)))), ("also-in-control", in_control())],
)
def test_what_no_program_shows_for_sure_is_drawn(rule: str, report: Report, golden: Check) -> None:
    assert [grower.verdict.rule for grower in report.growers[:1] if grower.verdict] == [rule]

    golden(f"rules/{rule}.txt", str(report))


def section(text: str) -> list[str]:
    """The lines on the first suspect."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("1  "))
    end = next(place for place, line in enumerate(lines) if place > start and "fingerprint" in line)
    return lines[start : end + 1]


def plain(text: str) -> str:
    """The text without what differs between runs, machines and versions of Python: sizes, positions and companions."""
    text = re.sub(r"^   with  .*\n(?: {16}.*\n)*", "", f"{text.strip()}\n", flags=re.M)
    text = re.sub(r"^(1  .*?   )[\d,]+ → [\d,]+ ", r"\1… → … ", text)
    text = re.sub(r" *[+-]?[\d.,]+ (B|kB|MB)\b", " … bytes", text)
    text = re.sub(r"\[\d+\]", "[n]", text).replace("[<_localdummy>]", "[<ReferenceType>]")  # in 3.13, and before
    text = re.sub(r"~+", "~~~", text)
    return re.sub(r"\b(script_|C field )\d+|[\d,]+(?= more (?:memory|objects))", r"\1…", text)
