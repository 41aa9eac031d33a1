"""The evidence on one grower in, a verdict or None out: what a known pattern of growth looks like."""

from __future__ import annotations

import re
from itertools import pairwise

from heapdiff.explain.evidence import LEAST_BYTES_TO_JUDGE, Evidence, Rule
from heapdiff.explain.model import Holder, HolderKind, Trend, Verdict, VerdictKind
from heapdiff.sizes import count_text, size_text
from heapdiff.snapshot.labels import LabelKind

__all__ = ["DEFAULT_RULES"]


# The general rules: what sort of thing grows


def bounded_or_stopped(evidence: Evidence) -> Verdict | None:
    """Whatever no other rule knows."""
    holder = evidence.holder
    if holder.kind is HolderKind.SPREAD:
        return Verdict(
            "spread-growth", VerdictKind.UNSURE, "The new objects hang in many places; no one holder stands out."
        )
    return evidence.verdict(
        "growing-population",
        f"{_new(evidence)} hang below {holder.expression}.",
        "Look at what adds them there and whether anything takes them out again.",
    )


_MAPPINGS = re.compile(r"(^|\.)(dict|OrderedDict|defaultdict|Counter|UserDict|\w*(Dict|Map|Mapping|Cache|Registry))$")
_SEQUENCES = re.compile(r"(^|\.)(list|set|deque|UserList|\w*(List|Set|Queue|Deque))$")


def unbounded_mapping(evidence: Evidence) -> Verdict | None:
    """A mapping to which keys are added and from which none are taken."""
    if not _MAPPINGS.search(evidence.holder.type_name) or (evidence.grower.in_place and not _grew(evidence.holder)):
        return None
    return evidence.verdict(
        "unbounded-mapping",
        f"A mapping that {_grows(evidence)}: {_entries(evidence.holder, 'keys')} between the two moments.",
        "Give it a bound or an age (functools.lru_cache(maxsize=…), cachetools.TTLCache), hold the values "
        "weakly (weakref.WeakValueDictionary), or drop the entry where its object is done with.",
    )


def unbounded_sequence(evidence: Evidence) -> Verdict | None:
    """A list, set or deque to which elements are added and from which none are taken."""
    if not _SEQUENCES.search(evidence.holder.type_name) or (evidence.grower.in_place and not _grew(evidence.holder)):
        return None
    kind = evidence.holder.type_name.rpartition(".")[2]
    return evidence.verdict(
        "unbounded-sequence",
        f"A {kind} that {_grows(evidence)}: {_entries(evidence.holder, 'elements')} between the two moments.",
        "Take elements out where they are done with, or bound it (collections.deque(maxlen=…)).",
    )


_BUFFERS = frozenset(
    {
        "bytes",
        "bytearray",
        "str",
        "array.array",
        "_io.BytesIO",
        "_io.StringIO",
        "memoryview",
        "mmap.mmap",
        "numpy.ndarray",
    }
)


def growing_buffer(evidence: Evidence) -> Verdict | None:
    """A buffer that gets longer where it is."""
    if evidence.grower.type_name not in _BUFFERS or not (evidence.grower.in_place or _is_larger(evidence)):
        return None
    added = size_text(evidence.grower.shallow_bytes_delta)
    return evidence.verdict(
        "growing-buffer",
        f"{evidence.holder.expression} got longer by {added}.",
        "Hand its contents on and start it anew (truncate(0), clear()), or bound it.",
    )


# Who holds: the interpreter, native code, threads


def interpreter_callbacks(evidence: Evidence) -> Verdict | None:
    """Callbacks in lists of the interpreter that have no way out, such as os.register_at_fork's."""
    words = " ".join(path.text for path in evidence.above[:3]).lower()
    is_interpreter = evidence.root_kind is LabelKind.ROOT_INTERPRETER
    is_list = ("atexit" in words and evidence.holder.type_name in ("list", "dict")) or words.endswith("gc callbacks")
    if not (is_interpreter or is_list):
        return None
    return evidence.verdict(
        "interpreter-callbacks",
        f"{_new(evidence)} are held by callbacks that the interpreter itself keeps ({evidence.holder.expression}).",
        "os.register_at_fork has no way to unregister: register one module-level function that finds its "
        "objects through a weakref.WeakSet. atexit.register and gc.callbacks: unregister when done.",
    )


def native_held(evidence: Evidence) -> Verdict | None:
    """Objects with more references than the heap explains."""
    if evidence.root_kind is not LabelKind.ROOT_NATIVE or (evidence.holder_depth >= 0 and not evidence.grower.in_place):
        return None
    return evidence.verdict(
        "native-held",
        f"{_new(evidence)} are native-held: no object refers to them, yet their reference counts are not zero, "
        "so native code (a C extension) keeps references or forgot to release them.",
        "Look at which extension is handed such objects; upgrade it, or report it with the smallest call "
        "that adds one.",
    )


def thread_local(evidence: Evidence) -> Verdict | None:
    """Values of threading.local in threads that live on."""
    if not any("_thread._local" in name or name == "threading.local" for name in evidence.types_above()) and not (
        evidence.root_kind is LabelKind.ROOT_THREAD and "context" not in evidence.path[0].text
    ):
        return None
    return evidence.verdict(
        "thread-local",
        f"{_new(evidence)} are in thread-local storage of threads that live on.",
        "Clear the threading.local where the work of a thread ends; threads of a pool never end.",
    )


def context_variable(evidence: Evidence) -> Verdict | None:
    """Values of contextvars in contexts that live on."""
    is_context = any(name in ("_contextvars.Context", "hamt", "Context") for name in evidence.types_above())
    if not is_context and not (evidence.root_kind is LabelKind.ROOT_THREAD and "context" in evidence.path[0].text):
        return None
    return evidence.verdict(
        "contextvar",
        f"{_new(evidence)} are values of context variables in a context that lives on: {evidence.holder.expression}.",
        "Reset the variable with its token (var.reset(token)) where its work ends, or run the work in "
        "contextvars.copy_context().run(…).",
    )


_METRIC_NAMES = re.compile(r"metric|label|series|aggregation|instrument|gauge|histogram|timeseries", re.IGNORECASE)
_METRIC_TYPES = re.compile(r"(^|\.)_?(Counter|Gauge|Histogram|Summary|Metric|Meter|Timer|Instrument)\w*$")


def metric_labels(evidence: Evidence) -> Verdict | None:
    """Metrics by the values of their labels, which take ever new values."""
    holder = evidence.holder
    keys = [hop.label for before, hop in pairwise(evidence.grower.chain) if before.is_holder]
    is_by_values = any(label.startswith(("[<tuple>", "[<frozenset>")) for label in keys)
    owners = [path for path in evidence.above[-3:] if not path.type_name.startswith("collections.")]
    is_metric = any(_METRIC_TYPES.search(path.type_name) or _METRIC_NAMES.search(path.text) for path in owners)
    if not _MAPPINGS.search(holder.type_name) or not is_by_values or not is_metric:
        return None
    return evidence.verdict(
        "metric-labels",
        f"{holder.expression} keeps one entry for each combination of label values, for ever: "
        f"{_entries(holder, 'combinations')}.",
        "Let labels take few values only: no user, path, id or error text (a route's pattern, not its path); or remove "
        "the combinations that are done with.",
    )


# What the new objects are


def runtime_classes(evidence: Evidence) -> Verdict | None:
    """Classes that are created again and again."""
    below = (*evidence.types_below(), evidence.grower.type_name)
    is_class = any(name == "type" or name.endswith(("ABCMeta", "EnumType")) for name in below)
    if not is_class and not any(evidence.has_internal(obj, "__mro__") for obj in evidence.sample[:1]):
        return None
    return evidence.verdict(
        "runtime-classes",
        f"Classes are created while the program runs, and {evidence.holder.expression} keeps them.",
        "Create classes once: lift class statements, namedtuple() and type() calls out of functions, or cache them.",
    )


_TASKS = re.compile(r"(^|\.)(Task|Future|coroutine|generator|async_generator|Thread|Timer|Handle|TimerHandle)$")


def pending_task(evidence: Evidence) -> Verdict | None:
    """Tasks, generators and threads that never finish."""
    if evidence.is_below("_active", "threading") or evidence.is_below("_limbo", "threading"):
        return evidence.verdict(
            "pending-task-or-generator",
            f"{_entries(evidence.holder, 'threads').capitalize()} that run on: {evidence.holder.expression} has every "
            "thread until its function returns.",
            "Give each a way to end (an event or a sentinel that it waits for) and join it, or share a pool of few.",
        )
    tasks = [name for name in (*evidence.types_below(), evidence.grower.type_name) if _TASKS.search(name)]
    if not tasks:
        return None
    mend = "Await or cancel each task; asyncio.timeout() bounds a wait; drop finished ones (add_done_callback)."
    if tasks[0].endswith(("generator", "coroutine")):
        mend = "Run each to its end, or close() it (contextlib.closing, aclosing) where its reader gives up."
    return evidence.verdict(
        "pending-task-or-generator",
        f"Each {tasks[0]} in {evidence.holder.expression} has not finished, or is kept although it has.",
        mend,
    )


_RESOURCES = re.compile(
    r"^(socket\.socket|_socket\.socket|ssl\.SSL\w+|_io\.(TextIOWrapper|Buffered\w+|FileIO)|subprocess\.Popen|mmap\.mmap|"
    r"sqlite3\.Connection|http\.client\.HTTPS?Connection|requests\.sessions\.Session|aiohttp\.client\.ClientSession)$"
)
_PERHAPS_RESOURCES = re.compile(r"(^|\.)\w*(Socket|Connection|Session|Client|Stream|File|Cursor|Channel)$")


def unclosed_resource(evidence: Evidence) -> Verdict | None:
    """Files, sockets and sessions that nobody closes; of others by such a name only where descriptors grew too."""
    name = evidence.grower.type_name
    before, after = evidence.diff.base.snapshot.process.descriptors, evidence.process.descriptors
    is_measured = before is not None and after is not None
    opened = sum(after.values()) - sum(before.values()) if before is not None and after is not None else 0
    if not (_RESOURCES.search(name) and (opened > 0 or not is_measured)) and not (
        _PERHAPS_RESOURCES.search(name) and opened >= evidence.holder.new_objects // 2 > 0
    ):
        return None
    text = f"{_new(evidence)} are still there"
    return evidence.verdict(
        "unclosed-resource",
        f"{text}, and {opened:,} more file descriptors are open." if opened > 0 else f"{text}.",
        "Close each where its work ends (with …:), and take closed ones out of the registry that holds them.",
    )


_LISTENER_WORDS = re.compile(
    r"listener|callback|handler|observer|subscriber|receiver|hook|watcher|signal|events?$|events? ", re.IGNORECASE
)


def listener_never_removed(evidence: Evidence) -> Verdict | None:
    """Callbacks in a registry of listeners; named as such by the program, and callable or holding callables."""
    named = " ".join(path.text for path in evidence.above[-2:] if path.kind in _NAMED)
    callables = (
        "function",
        "method",
        "functools.partial",
        "builtin_function_or_method",
        "tuple",
        "weakref.ReferenceType",
    )
    first = evidence.below[0].type_name if evidence.below else evidence.grower.type_name
    if not _LISTENER_WORDS.search(named) or first not in callables:
        return None
    return evidence.verdict(
        "listener-never-removed",
        f"{_entries(evidence.holder, 'listeners').capitalize()} to {evidence.holder.expression} and none removed; each "
        "keeps alive what it is bound to or closes over.",
        "Remove the listener where its owner ends, or register a weakref.WeakMethod.",
    )


_NAMED = frozenset({LabelKind.ATTRIBUTE, LabelKind.KEY, LabelKind.CELL, LabelKind.LOCAL, LabelKind.ROOT_MODULE})


# Known places


def weak_mapping_held_by_value(evidence: Evidence) -> Verdict | None:
    """A weak mapping whose entries cannot go, because their values lead back to their keys (or keys to values)."""
    types = evidence.types_above()
    weak = next((name for name in reversed(types[-2:]) if name.endswith(_WEAK_MAPPINGS)), None)
    if weak is None or not evidence.is_freed_without_holder(_weakly_held(evidence)):
        return None
    back = ("value", "key") if weak.endswith("WeakKeyDictionary") else ("key", "value")
    return evidence.verdict(
        "weak-mapping-held-by-value",
        f"The entries of the {weak.rpartition('.')[2]} {evidence.holder.expression} outlive what they are to go with: "
        f"a {back[0]} leads back to its {back[1]}.",
        f"Let the {back[0]} not refer to the {back[1]} (hold it through weakref.ref), or remove the entry where "
        f"the {back[1]} ends.",
        structural=True,
    )


_WEAK_MAPPINGS = ("WeakKeyDictionary", "WeakValueDictionary")
_WEAK_SAMPLE = 200


def _weakly_held(evidence: Evidence) -> list[int]:
    """The objects that the holder's entries refer to weakly."""
    found: list[int] = []
    for holder in evidence.holder.objects:
        tables = [holder, *(target for kind, target in evidence.references(holder) if kind is LabelKind.ATTRIBUTE)]
        tables += [entry for table in tables for kind, entry in evidence.references(table) if kind is LabelKind.KEY]
        for table in tables:
            for kind, entry in evidence.references(table)[-2 * _WEAK_SAMPLE :]:
                if kind in (LabelKind.KEY_OBJECT, LabelKind.KEY_OF_TYPE):
                    found += [target for weak, target in evidence.references(entry) if weak is LabelKind.WEAK]
    return found[-_WEAK_SAMPLE:]


def dead_weakrefs(evidence: Evidence) -> Verdict | None:
    """Weak references whose objects are gone, and which nobody takes out of the container they are in."""
    name = evidence.grower.type_name
    if not name.startswith("weakref.") or name.endswith(("Dictionary", "Set", "finalize")) or not evidence.sample:
        return None
    dead = sum(all(kind is not LabelKind.WEAK for kind, _ in evidence.references(ref)) for ref in evidence.sample)
    if dead < _MOSTLY * len(evidence.sample):
        return None
    return evidence.verdict(
        "dead-weakrefs",
        f"{_new(evidence)} refer to nothing any more, yet {evidence.holder.expression} keeps them.",
        "Give each a callback that takes it out, weakref.ref(obj, container.remove), or use weakref.WeakSet or "
        "WeakKeyDictionary, which do so.",
    )


_MOSTLY = 0.8


def unbounded_lru_cache(evidence: Evidence) -> Verdict | None:
    """A functools.lru_cache that fills and fills."""
    if not _at_lru_cache(evidence):
        return None
    if _is_bounded_lru_cache(evidence):
        return _filling_lru_cache(evidence)
    return evidence.verdict(
        "unbounded-lru-cache",
        f"A functools.lru_cache without a bound that {_grows(evidence)}: {_entries(evidence.holder, 'entries')}.",
        "Give it a maxsize that fits, or call cache_clear() where its results are done with.",
    )


def lru_cache_keys_pin_objects(evidence: Evidence) -> Verdict | None:
    """A functools.lru_cache on a method: the keys of its entries keep each instance alive."""
    keys = {LabelKind.KEY_OBJECT, LabelKind.ELEMENT}
    if not _at_lru_cache(evidence) or "." not in evidence.grower.type_name or _is_bounded_lru_cache(evidence):
        return None
    in_key = any(path.type_name in ("tuple", "functools._HashedSeq") for path in evidence.below[:-1])
    if not (in_key and evidence.below[-1].kind in keys):
        return None
    return evidence.verdict(
        "lru-cache-keys-pin-objects",
        f"The keys of a functools.lru_cache keep {_new(evidence)} alive, as they do where a method is cached.",
        "Cache on the instance (functools.cached_property), or let the cached function take what "
        "it needs and not self.",
    )


def logging_loggers(evidence: Evidence) -> Verdict | None:
    """Loggers by made-up names; logging keeps every logger for ever."""
    if not any(path.text == "loggerDict" for path in evidence.above[-1:]):
        return None
    return evidence.verdict(
        "logging-loggers",
        "logging keeps every logger by name for ever (loggerDict): "
        f"{_entries(evidence.holder, 'loggers')} by new names.",
        "Use one logger for each module, logging.getLogger(__name__), and put what varies into "
        "the record (extra=, LoggerAdapter).",
    )


def logging_handlers(evidence: Evidence) -> Verdict | None:
    """Handlers added again and again."""
    names = {path.text for path in evidence.above[-2:]} & {"handlers", "_handlerList", "_handlers", "filters"}
    if not names or not any("logging" in path.type_name or path.text.startswith("logging") for path in evidence.path):
        return None
    kind = "filter" if "filters" in names else "handler"
    return evidence.verdict(
        "logging-handlers",
        f"Logging {kind}s are added and never removed: {_entries(evidence.holder, f'{kind}s')}.",
        f"Configure logging once, or call remove{kind.title()}() where the {kind}'s owner ends"
        f"{', and close() it' if kind == 'handler' else ''}.",
    )


def exception_pins_frames(evidence: Evidence) -> Verdict | None:
    """A stored exception or traceback: its frames keep their local variables alive."""
    types = (*evidence.types_above()[-2:], *evidence.types_below())
    if "traceback" not in types or not ("frame" in types or evidence.grower.type_name in ("traceback", "frame")):
        return None
    return evidence.verdict(
        "exception-pins-frames",
        f"An exception is stored below {evidence.holder.expression}; its traceback keeps the frames "
        "that it went through, and "
        f"their local variables, alive.",
        "Store str(error) or traceback.format_exc() in its place, or error.with_traceback(None).",
    )


def bounded_cache_filling(evidence: Evidence) -> Verdict | None:
    """A container that filled up and then stayed as it is, or is pruned from time to time."""
    name = evidence.holder.type_name
    is_container = _MAPPINGS.search(name) or _SEQUENCES.search(name) or _at_lru_cache(evidence)
    if evidence.kind is not VerdictKind.BENIGN or not is_container or evidence.grower.in_place:
        return None
    return evidence.verdict(
        "bounded-cache-filling", f"{evidence.holder.expression} behaves as something bounded does.", ""
    )


def module_loaded(evidence: Evidence) -> Verdict | None:
    """Modules that were imported between the snapshots."""
    module = evidence.path[0] if evidence.path else None
    if module is None or module.kind is not LabelKind.ROOT_MODULE:
        return None
    if module.objects[0] > 0 or evidence.holder_depth > 0:
        return None
    if evidence.grower.trend in (Trend.TWO_PICTURES, Trend.STOPPED):
        return Verdict(
            "module-loaded",
            VerdictKind.BENIGN,
            f"{module.text} and what belongs to it was imported between the two moments; that happens once.",
        )
    if evidence.holder_depth == 0:
        return None
    return Verdict(
        "module-loaded",
        VerdictKind.UNSURE,
        f"Modules go on being imported, {module.text} among them. {evidence.trend_text(evidence.kind)}",
        "Where they are made by the program (types.ModuleType, importlib with new names), take them out of sys.modules "
        "when they are done with.",
    )


DEFAULT_RULES: tuple[Rule, ...] = (
    bounded_or_stopped,
    unbounded_sequence,
    unbounded_mapping,
    growing_buffer,
    runtime_classes,
    pending_task,
    unclosed_resource,
    listener_never_removed,
    thread_local,
    context_variable,
    metric_labels,
    native_held,
    interpreter_callbacks,
    unbounded_lru_cache,
    lru_cache_keys_pin_objects,
    weak_mapping_held_by_value,
    dead_weakrefs,
    logging_handlers,
    logging_loggers,
    exception_pins_frames,
    bounded_cache_filling,
    module_loaded,
)


# The parts of the sentences


def _grows(evidence: Evidence) -> str:
    return "only grows" if evidence.grower.trend is Trend.STEADY else "grew"


def _new(evidence: Evidence) -> str:
    if evidence.grower.in_place:
        return f"{size_text(evidence.grower.shallow_bytes_delta)} of {evidence.grower.type_name}"
    return f"{count_text(evidence.holder.new_objects)} new {evidence.grower.type_name}"


def _entries(holder: Holder, word: str) -> str:
    if holder.entries_now is None:
        return f"{word} were added"
    before = holder.entries_base or 0
    if holder.entries_now > before:
        return f"{count_text(holder.entries_now - before)} {word} added"
    return f"{count_text(holder.new_objects)} objects added"


def _grew(holder: Holder) -> bool:
    return (holder.entries_now or 0) > (holder.entries_base or 0)


def _is_larger(evidence: Evidence) -> bool:
    grower = evidence.grower
    few = grower.objects_delta <= 2  # noqa: PLR2004 - it was replaced by a longer one
    return few and grower.shallow_bytes_delta >= LEAST_BYTES_TO_JUDGE


def _is_bounded_lru_cache(evidence: Evidence) -> bool:
    """Whether it has a maxsize: only then are its entries in a linked list by age."""
    paths = evidence.diff.paths
    wrapper = next((p for p in reversed(evidence.above) if p.type_name == "functools._lru_cache_wrapper"), None)
    below = list(paths.children[wrapper.number]) if wrapper else []
    below += [grandchild for child in below for grandchild in paths.children[child]]
    return any(paths[number].type_name == "functools._lru_list_elem" for number in below)


def _filling_lru_cache(evidence: Evidence) -> Verdict:
    is_benign = evidence.kind is VerdictKind.BENIGN
    return Verdict(
        "bounded-cache-filling",
        VerdictKind.BENIGN if is_benign else VerdictKind.UNSURE,
        f"A functools.lru_cache with a bound fills up: {_entries(evidence.holder, 'entries')}. "
        f"{evidence.trend_text(evidence.kind)}".strip(),
        ""
        if is_benign
        else "Wait until it is full (cache_info() tells maxsize and currsize), and compare then; where "
        "it is too large, lower its maxsize.",
    )


def _at_lru_cache(evidence: Evidence) -> bool:
    return any(name == "functools._lru_cache_wrapper" for name in evidence.types_above()[-2:])
