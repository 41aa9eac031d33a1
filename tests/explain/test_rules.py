"""Each rule knows its pattern, and none takes a name alone for evidence."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from heapdiff import DEFAULT_RULES, compare
from heapdiff.explain import Verdict, VerdictKind, rules
from heapdiff.snapshot.model import ObjectFlag, Process
from tests.sketch import Sketch, registry
from tests.tiny_heap import TinyHeap

Draw = Callable[[int], Sketch]


def verdict(draw: Draw, *counts: int, process: Process | None = None) -> Verdict:
    report = compare(*(draw(count).snapshot(process) for count in counts or (3, 40, 80)))
    found = report.growers[0].verdict
    assert found is not None
    return found


def app() -> Sketch:
    sketch = Sketch()
    sketch.module("app")
    return sketch


def in_dict(count: int) -> Sketch:
    return registry(count)


def in_deque(count: int) -> Sketch:
    sketch = app()
    sketch.add("queue", "collections.deque", "app", ("ATTRIBUTE", "QUEUE"))
    sketch.many(count, "app.Job", "queue", ("ELEMENT", 0))
    return sketch


def in_lru_cache(count: int) -> Sketch:
    sketch = app()
    sketch.add("load", "functools._lru_cache_wrapper", "app", ("ATTRIBUTE", "load"))
    sketch.many(count, "app.Page", "load", ("CACHE_ENTRY", 0))
    return sketch


def in_keys_of_lru_cache(count: int) -> Sketch:
    sketch = app()
    sketch.add("load", "functools._lru_cache_wrapper", "app", ("ATTRIBUTE", "load"))
    sketch.add("table", "dict", "load", ("ATTRIBUTE", "cache"))
    for key in sketch.many(count, "tuple", "table", ("KEY_OBJECT", 0)):
        sketch.add(f"{key}.self", "app.Service", key, ("ELEMENT", 0))
    return sketch


def buffer(size: int) -> Sketch:
    sketch = app()
    sketch.add("buffer", "bytearray", "app", ("ATTRIBUTE", "BUFFER"), size=size * 10_000)
    return sketch


def in_exceptions(count: int) -> Sketch:
    sketch = app()
    sketch.add("errors", "list", "app", ("ATTRIBUTE", "ERRORS"))
    for error in sketch.many(count, "ValueError", "errors", ("ELEMENT", 0)):
        sketch.add(f"{error}.tb", "traceback", error, ("ATTRIBUTE", "__traceback__"))
        sketch.add(f"{error}.frame", "frame", f"{error}.tb", ("ATTRIBUTE", "tb_frame"))
        sketch.add(f"{error}.local", "app.Request", f"{error}.frame", ("LOCAL", "request"))
    return sketch


def in_loggers(count: int) -> Sketch:
    sketch = Sketch()
    sketch.module("logging")
    sketch.add("manager", "logging.Manager", "logging", ("ATTRIBUTE", "manager"))
    sketch.add("loggers", "dict", "manager", ("ATTRIBUTE", "loggerDict"))
    sketch.many(count, "logging.Logger", "loggers", ("KEY_OF_TYPE", "str"))
    return sketch


def in_handlers(count: int) -> Sketch:
    sketch = Sketch()
    sketch.module("logging")
    sketch.add("log", "logging.RootLogger", "logging", ("ATTRIBUTE", "root"))
    sketch.add("handlers", "list", "log", ("ATTRIBUTE", "handlers"))
    sketch.many(count, "logging.StreamHandler", "handlers", ("ELEMENT", 0))
    return sketch


def in_fork_hooks(count: int) -> Sketch:
    sketch = Sketch()
    sketch.add("hooks", "list", "root", ("ROOT_INTERPRETER", "os.register_at_fork(after_in_child=...)"))
    for hook in sketch.many(count, "method", "hooks", ("ELEMENT", 0)):
        sketch.add(f"{hook}.self", "app.Processor", hook, ("ATTRIBUTE", "__self__"))
    return sketch


def in_thread_local(count: int) -> Sketch:
    sketch = app()
    sketch.add("local", "_thread._local", "app", ("ATTRIBUTE", "LOCAL"))
    sketch.add("items", "list", "local", ("ATTRIBUTE", "items"))
    sketch.many(count, "app.Job", "items", ("ELEMENT", 0))
    return sketch


def in_context(count: int) -> Sketch:
    sketch = Sketch()
    sketch.add("context", "_contextvars.Context", "root", ("ROOT_THREAD", "context, thread MainThread"))
    sketch.add("items", "list", "context", ("FIELD", 0))
    sketch.many(count, "app.Job", "items", ("ELEMENT", 0))
    return sketch


def in_weak_mapping(count: int) -> Sketch:
    sketch = app()
    sketch.add("weak", "weakref.WeakKeyDictionary", "app", ("ATTRIBUTE", "BY_LOOP"))
    sketch.add("data", "dict", "weak", ("ATTRIBUTE", "data"))
    tasks = sketch.many(count, "app.Task", "data", ("KEY_OF_TYPE", "weakref.ReferenceType"))
    for task, key in zip(tasks, sketch.many(count, "weakref.ReferenceType", "data", ("KEY_OBJECT", 0)), strict=True):
        sketch.refer(key, sketch.add(f"{task}.loop", "app.Loop", task, ("ATTRIBUTE", "loop")), ("WEAK", 0))
    return sketch


def in_weak_mapping_of_objects_held_elsewhere(count: int) -> Sketch:
    sketch = app()
    sketch.add("weak", "weakref.WeakKeyDictionary", "app", ("ATTRIBUTE", "BY_LOOP"))
    sketch.add("data", "dict", "weak", ("ATTRIBUTE", "data"))
    sketch.many(count, "app.Task", "data", ("KEY_OF_TYPE", "weakref.ReferenceType"))
    loops = sketch.many(count, "app.Loop", "app", ("ATTRIBUTE", "loop"))
    for loop, key in zip(loops, sketch.many(count, "weakref.ReferenceType", "data", ("KEY_OBJECT", 0)), strict=True):
        sketch.refer(key, loop, ("WEAK", 0))
    return sketch


def dead_references(count: int) -> Sketch:
    sketch = app()
    sketch.add("views", "list", "app", ("ATTRIBUTE", "VIEWS"))
    sketch.many(count, "weakref.ReferenceType", "views", ("ELEMENT", 0))
    return sketch


def live_references(count: int) -> Sketch:
    sketch = dead_references(count)
    for number in range(count):
        sketch.add(f"view{number}", "app.View", "app", ("ATTRIBUTE", "view"))
        sketch.refer(f"views/weakref.ReferenceType{number}", f"view{number}", ("WEAK", 0))
    return sketch


def counters(count: int) -> Sketch:
    sketch = app()
    sketch.add("requests", "prometheus_client.metrics.Counter", "app", ("ATTRIBUTE", "REQUESTS"))
    sketch.add("children", "dict", "requests", ("ATTRIBUTE", "_metrics"))
    sketch.many(count, "prometheus_client.values.Value", "children", ("KEY_OF_TYPE", "tuple"))
    return sketch


def filters(count: int) -> Sketch:
    sketch = app()
    sketch.add("log", "logging.Logger", "app", ("ATTRIBUTE", "log"))
    sketch.add("filters", "list", "log", ("ATTRIBUTE", "filters"))
    sketch.many(count, "app.RequestFilter", "filters", ("ELEMENT", 0))
    return sketch


def methods_by_event(count: int) -> Sketch:
    sketch = app()
    sketch.add("listeners", "dict", "app", ("ATTRIBUTE", "_listeners"))
    sketch.add("changed", "list", "listeners", ("KEY", "changed"))
    for method in sketch.many(count, "method", "changed", ("ELEMENT", 0)):
        sketch.add(f"{method}.self", "app.View", method, ("ATTRIBUTE", "__self__"))
    return sketch


def running_threads(count: int) -> Sketch:
    sketch = Sketch()
    sketch.module("threading")
    sketch.add("active", "dict", "threading", ("ATTRIBUTE", "_active"))
    sketch.many(count, "app.Worker", "active", ("KEY_OF_TYPE", "int"))
    return sketch


def in_bounded_lru_cache(count: int) -> Sketch:
    sketch = app()
    sketch.add("load", "functools._lru_cache_wrapper", "app", ("ATTRIBUTE", "load"))
    sketch.add("table", "dict", "load", ("ATTRIBUTE", "cache"))
    sketch.many(count, "functools._lru_list_elem", "table", ("KEY_OF_TYPE", "int"))
    sketch.many(count, "app.Page", "load", ("CACHE_ENTRY", 0))
    return sketch


def listeners(count: int) -> Sketch:
    sketch = app()
    sketch.add("listeners", "list", "app", ("ATTRIBUTE", "LISTENERS"))
    for function in sketch.many(count, "function", "listeners", ("ELEMENT", 0)):
        sketch.add(f"{function}.cell", "app.Page", function, ("CELL", "page"))
    return sketch


def in_tasks(count: int) -> Sketch:
    sketch = app()
    sketch.add("tasks", "set", "app", ("ATTRIBUTE", "TASKS"))
    for task in sketch.many(count, "_asyncio.Task", "tasks", ("MEMBER", 0)):
        sketch.add(f"{task}.local", "app.Job", task, ("LOCAL", "job"), size=900)
    return sketch


def classes(count: int) -> Sketch:
    sketch = app()
    sketch.add("models", "list", "app", ("ATTRIBUTE", "MODELS"))
    sketch.many(count, "type", "models", ("ELEMENT", 0), size=1600)
    return sketch


def sockets(count: int) -> Sketch:
    sketch = app()
    sketch.add("open", "app.Pool", "app", ("ATTRIBUTE", "POOL"))
    sketch.many(count, "socket.socket", "open", ("FIELD", 0))
    return sketch


def native(count: int) -> Sketch:
    sketch = app()
    sketch.many(count, "list", "root", ("ROOT_NATIVE", ""))
    return sketch


@pytest.mark.parametrize(
    ("rule", "draw"),
    [
        ("unbounded-mapping", in_dict),
        ("unbounded-sequence", in_deque),
        ("unbounded-lru-cache", in_lru_cache),
        ("lru-cache-keys-pin-objects", in_keys_of_lru_cache),
        ("growing-buffer", buffer),
        ("exception-pins-frames", in_exceptions),
        ("logging-loggers", in_loggers),
        ("logging-handlers", in_handlers),
        ("interpreter-callbacks", in_fork_hooks),
        ("thread-local", in_thread_local),
        ("contextvar", in_context),
        ("weak-mapping-held-by-value", in_weak_mapping),
        ("dead-weakrefs", dead_references),
        ("listener-never-removed", listeners),
        ("listener-never-removed", methods_by_event),
        ("metric-labels", counters),
        ("logging-handlers", filters),
        ("pending-task-or-generator", running_threads),
        ("pending-task-or-generator", in_tasks),
        ("runtime-classes", classes),
        ("unclosed-resource", sockets),
        ("native-held", native),
    ],
)
def test_a_rule_knows_its_pattern(rule: str, draw: Draw) -> None:
    found = verdict(draw)

    assert (found.rule, found.kind) == (rule, VerdictKind.LEAK)


@pytest.mark.parametrize("draw", [in_dict, in_deque, in_lru_cache, listeners, in_tasks, classes, native])
def test_two_pictures_leave_a_rule_unsure(draw: Draw) -> None:
    found = verdict(draw, 3, 40)

    assert found.kind is VerdictKind.UNSURE
    assert "Two pictures cannot show whether it stops." in found.text


def test_a_weak_mapping_whose_entries_stay_needs_no_trend() -> None:
    assert verdict(in_weak_mapping, 3, 40).kind is VerdictKind.LEAK


@pytest.mark.parametrize("draw", [in_dict, in_deque, in_lru_cache])
def test_a_container_that_filled_up_is_benign(draw: Draw) -> None:
    found = verdict(draw, 3, 40, 40)

    assert (found.rule, found.kind) == ("bounded-cache-filling", VerdictKind.BENIGN)


def test_a_cache_with_a_bound_is_not_accused_while_it_fills_up() -> None:
    found = verdict(in_bounded_lru_cache)

    assert (found.rule, found.kind) == ("bounded-cache-filling", VerdictKind.UNSURE)


def test_a_weak_mapping_is_not_blamed_for_objects_that_are_held_elsewhere() -> None:
    assert verdict(in_weak_mapping_of_objects_held_elsewhere, 3, 40).kind is VerdictKind.UNSURE


def test_weak_references_to_living_objects_are_not_dead() -> None:
    rules = {
        g.verdict.rule for g in compare(*(live_references(n).snapshot() for n in (3, 40, 80))).growers if g.verdict
    }

    assert "dead-weakrefs" not in rules


def test_attributes_that_are_set_at_first_use_are_bounded_by_their_objects() -> None:
    def lazily(count: int) -> Sketch:
        sketch = app()
        sketch.add("routes", "list", "app", ("ATTRIBUTE", "ROUTES"))
        for number, route in enumerate(sketch.many(200, "app.Route", "routes", ("ELEMENT", 0))):
            if number < count:
                sketch.add(f"{route}.cache", "app.Compiled", route, ("ATTRIBUTE", "compiled"))
        return sketch

    assert verdict(lazily).kind is VerdictKind.UNSURE


def failed(count: int, *, one_error: bool) -> Sketch:
    sketch = app()
    sketch.add("jobs", "list", "app", ("ATTRIBUTE", "JOBS"))
    sketch.add("error", "ValueError", "app", ("ATTRIBUTE", "LAST"))
    sketch.add("traceback", "traceback", "error", ("ATTRIBUTE", "__traceback__"))
    for job in sketch.many(count, "app.Job", "jobs", ("ELEMENT", 0)):
        if one_error:
            sketch.refer(job, "error", ("ATTRIBUTE", "error"))
        else:
            sketch.add(f"{job}.error", "ValueError", job, ("ATTRIBUTE", "error"))
            sketch.add(f"{job}.traceback", "traceback", f"{job}.error", ("ATTRIBUTE", "__traceback__"))
    return sketch


def test_objects_with_an_error_each_pin_frames() -> None:
    assert verdict(lambda count: failed(count, one_error=False)).rule == "exception-pins-frames"


def test_objects_that_share_an_error_are_judged_by_their_container() -> None:
    assert verdict(lambda count: failed(count, one_error=True)).rule == "unbounded-sequence"


def test_numbers_that_replace_others_do_not_make_a_mapping_grow() -> None:
    def outgrown(count: int) -> Sketch:
        sketch = app()
        sketch.add("hits", "dict", "app", ("ATTRIBUTE", "HITS"))
        sketch.many(count, "int", "hits", ("KEY_OF_TYPE", "str"))
        sketch.many(200 - count, "app.Small", "hits", ("KEY_OF_TYPE", "str"))
        return sketch

    assert verdict(outgrown).kind is VerdictKind.UNSURE


def test_classes_of_a_metaclass_of_their_own_are_classes() -> None:
    def rows(count: int) -> Sketch:
        sketch = app()
        sketch.add("registry", "list", "app", ("ATTRIBUTE", "REGISTRY"))
        for row in sketch.many(count, "app.RowMeta", "registry", ("ELEMENT", 0)):
            sketch.add(f"{row}.mro", "tuple", row, ("INTERNAL", "__mro__"))
        return sketch

    assert verdict(rows).rule == "runtime-classes"


def test_modules_that_go_on_being_imported_are_not_called_a_leak() -> None:
    def plugins(count: int) -> Sketch:
        sketch = app()
        for number in range(count):
            sketch.add(f"code{number}", "code", sketch.module(f"plugin_{number}"), ("ATTRIBUTE", "run"))
        return sketch

    found = verdict(plugins)

    assert (found.rule, found.kind) == ("module-loaded", VerdictKind.UNSURE)


def test_a_benign_verdict_asks_for_nothing_to_be_mended() -> None:
    assert verdict(in_dict, 3, 40, 40).mend == ""


def test_a_module_that_was_imported_in_between_is_benign() -> None:
    def imported(count: int) -> Sketch:
        sketch = app()
        if count > 3:
            sketch.module("app.late")
            sketch.many(count, "function", "app.late", ("ATTRIBUTE", "work"))
        return sketch

    found = verdict(imported, 3, 40)

    assert (found.rule, found.kind) == ("module-loaded", VerdictKind.BENIGN)


def test_a_session_is_no_resource_where_no_descriptor_was_opened() -> None:
    def sessions(count: int) -> Sketch:
        sketch = app()
        sketch.add("all", "dict", "app", ("ATTRIBUTE", "SESSIONS"))
        sketch.many(count, "app.Session", "all", ("KEY_OF_TYPE", "str"))
        return sketch

    found = verdict(sessions, process=Process(descriptors={"socket": 5}))

    assert found.rule == "unbounded-mapping"


def test_a_list_that_is_called_listeners_but_holds_data_has_no_listeners() -> None:
    def data(count: int) -> Sketch:
        sketch = app()
        sketch.add("listeners", "list", "app", ("ATTRIBUTE", "LISTENERS"))
        sketch.many(count, "app.Song", "listeners", ("ELEMENT", 0))
        return sketch

    assert verdict(data).rule == "unbounded-sequence"


def in_cache_of(owner: str) -> Draw:
    def draw(count: int) -> Sketch:
        sketch = app()
        sketch.add("cache", owner, "app", ("ATTRIBUTE", "CACHE"))
        sketch.add("data", "dict", "cache", ("ATTRIBUTE", "data"))
        sketch.many(count, "app.Page", "data", ("KEY_OF_TYPE", "str"))
        return sketch

    return draw


@pytest.mark.parametrize("owner", ["cachetools.LRUCache", "cachetools.TTLCache", "urllib3.RecentlyUsedContainer"])
def test_a_class_that_has_a_bound_is_not_blamed_while_it_fills_up(owner: str) -> None:
    found = verdict(in_cache_of(owner))

    assert (found.rule, found.kind) == ("bounded-cache-filling", VerdictKind.UNSURE)


def test_what_else_a_class_with_a_bound_has_is_judged_by_its_growth() -> None:
    def draw(count: int) -> Sketch:
        sketch = app()
        sketch.add("cache", "app.LRUCache", "app", ("ATTRIBUTE", "CACHE"))
        sketch.add("misses", "list", "cache", ("ATTRIBUTE", "misses"))
        sketch.many(count, "app.Miss", "misses", ("ELEMENT", 0))
        return sketch

    assert verdict(draw).rule == "unbounded-sequence"


def test_a_cache_without_a_bound_in_its_name_is_judged_by_its_growth() -> None:
    assert verdict(in_cache_of("app.PageCache")).kind is VerdictKind.LEAK


def test_a_list_of_functions_has_listeners_whatever_it_is_called() -> None:
    def draw(count: int) -> Sketch:
        sketch = app()
        sketch.add("before", "list", "app", ("ATTRIBUTE", "BEFORE_REQUEST"))
        for function in sketch.many(count, "function", "before", ("ELEMENT", 0)):
            sketch.add(f"{function}.order", "app.Order", function, ("CELL", "order"))
        return sketch

    assert verdict(draw).rule == "listener-never-removed"


def test_a_few_new_objects_in_each_step_are_no_leak() -> None:
    assert verdict(in_dict, 3, 6, 9).kind is VerdictKind.UNSURE


def cycles(count: int) -> str:
    return "root -> a\n" + "\n".join(f"lost{n} -> found{n}\nfound{n} -> lost{n}" for n in range(count))


def garbage(enabled: bool, count: int = 3) -> Verdict | None:
    base = TinyHeap("root -> a", process=Process(gc_enabled=enabled))
    now = TinyHeap(cycles(count), process=Process(gc_enabled=enabled))
    return compare(base.snapshot, now.snapshot).explanation.garbage_verdict


def test_garbage_that_the_collector_will_free_is_benign() -> None:
    found = garbage(enabled=True)

    assert found is not None
    assert (found.rule, found.kind) == ("garbage-waiting", VerdictKind.BENIGN)


def test_garbage_that_waits_for_a_disabled_collector_is_a_leak() -> None:
    found = garbage(enabled=False)

    assert found is not None
    assert found.kind is VerdictKind.LEAK


def test_a_cycle_or_two_that_no_collector_frees_are_no_leak() -> None:
    found = garbage(enabled=False, count=2)

    assert found is not None
    assert found.kind is VerdictKind.UNSURE


def frozen_garbage(process: Process) -> Verdict | None:
    frozen = ObjectFlag.TRACKED | ObjectFlag.FROZEN
    flags = {f"{name}{number}": frozen for name in ("lost", "found") for number in range(3)}
    base = TinyHeap("root -> a", process=process)
    now = TinyHeap(cycles(3), process=process, flags=flags)
    return compare(base.snapshot, now.snapshot).explanation.garbage_verdict


def test_garbage_that_is_frozen_is_a_leak() -> None:
    found = frozen_garbage(Process(gc_enabled=True, gc_frozen_objects=2))

    assert found is not None
    assert found.kind is VerdictKind.LEAK
    assert "6 of them are frozen" in found.text


def test_garbage_that_an_epoch_froze_is_benign() -> None:
    found = frozen_garbage(Process(gc_enabled=True, gc_frozen_objects=2, epoch_start=1.0))

    assert found is not None
    assert found.kind is VerdictKind.BENIGN


def test_what_heapdiff_made_is_no_garbage() -> None:
    base, now = TinyHeap("root -> a"), TinyHeap("root -> a\nmine", flags={"mine": ObjectFlag.OWN})

    assert compare(base.snapshot, now.snapshot).explanation.garbage_verdict is None


ROOT = Path(__file__).resolve().parents[2]


def documented() -> set[str]:
    found = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "rules.md").read_text(encoding="utf-8"), re.M)
    return set(found) - {kind.value for kind in VerdictKind}


def test_every_rule_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "heapdiff" / "explain").rglob("*.py")]

    assert {rule for source in sources for rule in re.findall(r'[vV]erdict\(\s*"([a-z-]+)"', source)} == documented()


def test_every_rule_has_a_golden_report() -> None:
    assert {path.stem for path in (ROOT / "tests" / "golden" / "rules").glob("*.txt")} == documented()


def test_every_rule_that_is_written_is_asked() -> None:
    modules = [
        importlib.import_module(f"heapdiff.explain.rules.{found.name}")
        for found in pkgutil.iter_modules(rules.__path__)
    ]
    written = {
        getattr(module, name)
        for module in modules
        for name in module.__all__
        if inspect.get_annotations(getattr(module, name)).get("return") == "Verdict | None"
    }

    assert set(DEFAULT_RULES) == written
