"""CPython's own test modules in, a table out: what each leaves behind is captured, and its results must not change.

Run as ``python tests/live/prey.py [--during] [--write docs/dev/prey.md] [module ...]``. The modules run twice, one
after the other in one process: with heapdiff, which takes a snapshot after each (``--during``: and many while it runs),
validates it and lets every pass over it; and without. A process that dies is named and the next one goes on behind it.
``--write`` puts the counts into the columns of this Python. Exit code 1 where a process died or results differ.
"""

import argparse
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
from pathlib import Path
from typing import Any

__all__ = ["MODULES", "main", "run_modules", "write_table"]

# First those that collect in each test, while the heap is small.
MODULES = """
    test_asyncio.test_tasks test_asyncio.test_futures test_asyncio.test_locks test_asyncio.test_queues
    test_asyncio.test_taskgroups test_asyncio.test_base_events test_asyncio.test_context
    test_gc test_weakref test_weakset test_generators test_generator_stop test_coroutines test_asyncgen test_descr
    test_descrtut test_dict test_dictviews test_dict_version test_set test_io test_memoryio test_fileio test_bufio
    test_threading test_threading_local test_threadsignals test_thread test_ctypes test_sqlite3 test_capi
    test_functools test_typing test_dataclasses test_enum test_exceptions test_exception_group test_baseexception
    test_raise test_traceback test_frame test_sys_settrace test_sys_setprofile test_code test_codeop test_module
    test_import test_importlib test_types test_super test_slice test_range test_memoryview test_buffer test_array
    test_mmap test_struct test_collections test_deque test_ordered_dict test_defaultdict test_userdict
    test_contextlib test_contextlib_async test_context test_queue test_logging test_unittest test_itertools
    test_iter test_list test_tuple test_bytes test_int test_long test_float test_complex test_decimal test_fractions
    test_datetime test_zoneinfo test_re test_json test_pickle test_pickletools test_copy test_copyreg test_csv
    test_xml_etree test_xml_etree_c test_pyexpat test_zlib test_bz2 test_lzma test_hashlib test_hmac test_ssl
    test_select test_selectors test_tracemalloc test_faulthandler test_audit test_atexit test_abc test_class
    test_metaclass test_subclassinit test_property test_isinstance test_inspect test_operator test_heapq test_bisect
    test_random test_string test_unicode test_codecs test_stringprep test_sys test_sysconfig test_time test_signal
    test_finalization test_genericalias test_named_expressions test_patma test_positional_only_arg test_pow
    test_print test_reprlib test_richcmp test_scope test_shelve test_symtable test_syntax test_textwrap test_timeit
    test_tokenize test_type_annotations test_type_params test_type_aliases test_monitoring test_interpreters
    test_with test_yield_from test_zipimport test__xxsubinterpreters
""".split()  # noqa: SIM905 - a list of as many lines says no more

_ROOT = Path(__file__).resolve().parents[2]
_SILENCE_SECONDS = 1_800
_HEAD = """\
# CPython's own tests as prey

Written by `tests/live/prey.py --write`, not by hand. Each cell: the tests that pass without heapdiff / with a snapshot
taken and analysed after each module, one process for all modules of a run; then the objects of the snapshot after that
module. "same when run alone": the module's tests came out differently beside the others, and the same in a process of
their own.
"""


def main() -> int:
    """Run what the command line names and print the table; 1 where a process died or results differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("modules", nargs="*", help="names in the package test; all of them by default")
    parser.add_argument(
        "--during", action="store_true", help="capture while the tests run, too; results are not compared"
    )
    parser.add_argument("--write", type=Path, help="the table to put the counts of this Python into")
    parser.add_argument("--worker", choices=("with", "without"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    modules = options.modules or MODULES
    if options.worker is not None:
        _work(modules, captured=options.worker == "with", during=options.during)
        return 0

    def show(line: str, row: dict[str, Any] | None) -> None:
        print(line, flush=True)
        if row is not None and options.write is not None:
            write_table(options.write, [row])

    rows, good = run_modules(modules, during=options.during, show=show)
    tests = sum(row.get("tests", 0) for row in rows)
    print(f"{len(rows)} modules, {tests} tests; {'all well' if good else 'NOT ALL WELL'}")
    return 0 if good else 1


def run_modules(modules: list[str], *, during: bool = False, show: Any = None) -> tuple[list[dict[str, Any]], bool]:
    """The rows of the table, and whether every process lived and every result is the same as without heapdiff.

    *show* is called with each line of the table and the row that it shows, None for the head.
    A module whose results differ runs alone, with and without heapdiff, up to three times: tests that fail now and
    then do so without heapdiff too.
    """
    show = show or (lambda line, row: None)
    head = f"{'module':32} {'tests':>6} {'failed':>6} {'skipped':>7} {'taken':>6} {'objects':>9} {'pause':>8}  result"
    show(head, None)
    plain = {} if during else {row["module"]: row for row in _rows(modules, "without", during)}
    rows, good = [], True
    for row in _rows(modules, "with", during):
        if "died" in row:
            row["result"] = "DIED: " + row["died"]
            if "died" in plain.get(row["module"], {}):
                row["result"] = "dies without heapdiff too"
        elif "missing" in row:
            row["result"] = "not in this Python"
        elif not during and _outcome(row) != _outcome(plain.get(row["module"], {})):
            row["result"] = _result_alone(row["module"])
        else:
            row["result"] = "same" if not during else "alive"
        good &= not row["result"].startswith(("DIED", "DIFFERENT"))
        rows.append(row)
        row["passed_without"] = plain.get(row["module"], {}).get("passed")
        counts = f"{row.get('tests', 0):6} {len(row.get('failed', ())):6} {row.get('skipped', 0):7}"
        sizes = f"{row.get('snapshots', 0):6} {row.get('objects', 0):9} {row.get('pause', 0.0) * 1e3:6.0f}ms"
        show(f"{row['module']:32} {counts} {sizes}  {row['result']}", row)
    return rows, good


def _result_alone(module: str) -> str:
    for _ in range(3):
        with_it, without = [[_outcome(row) for row in _rows([module], who, False)] for who in ("with", "without")]
        if with_it == without:
            return "same when run alone"
    return f"DIFFERENT: {with_it}, {without}"


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Put the rows into the column of this Python; what was run of other modules and Pythons stays."""
    here = platform.python_version()
    columns = _columns(path.read_text(encoding="utf-8") if path.exists() else "")
    columns[here] = {**columns.get(here, {}), **{row["module"]: _cell(row) for row in rows}}
    pythons = sorted(columns)
    lines = [_HEAD, "| " + " | ".join(["module", *pythons]) + " |", "|---" * (len(pythons) + 1) + "|"]
    for module in sorted(set().union(*columns.values())):
        lines.append(
            "| " + " | ".join([module, *(columns[python].get(module, "not run") for python in pythons)]) + " |"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _columns(text: str) -> dict[str, dict[str, str]]:
    """What a table says: Python -> module -> cell."""
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    if not table:
        return {}
    return {python: {line[0]: line[place] for line in table[2:]} for place, python in enumerate(table[0]) if place}


def _cell(row: dict[str, Any]) -> str:
    if "missing" in row:
        return "not in this Python"
    if "died" in row:
        return str(row["result"])
    without = "not measured" if row["passed_without"] is None else row["passed_without"]
    said = "" if row["result"] == "same" else f", {row['result'].split(':')[0]}"
    return f"{without} / {row['passed']}, {row['objects']:,}{said}"


def _outcome(row: dict[str, Any]) -> tuple[Any, ...]:
    counts = row.get("tests"), row.get("passed"), row.get("skipped")
    return *counts, tuple(row.get("failed", ())), "missing" in row, row.get("died")


def _rows(modules: list[str], who: str, during: bool) -> Any:
    """One row a module; where the process dies, the row says how and another process goes on with the next module."""
    left = list(modules)
    while left:
        with tempfile.TemporaryDirectory() as folder:
            errors = Path(folder, "stderr").open("w+", encoding="utf-8")  # noqa: SIM115 - closed below
            flags = ["--worker", who, *(["--during"] if during else [])]
            arguments = [sys.executable, "-X", "faulthandler", __file__, *flags, *left]
            process = subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
            watch = threading.Timer(_SILENCE_SECONDS, process.kill)
            watch.start()
            assert process.stdout is not None
            for line in process.stdout:
                if not line.startswith("prey {"):
                    continue
                watch.cancel()
                watch = threading.Timer(_SILENCE_SECONDS, process.kill)
                watch.start()
                row = json.loads(line.removeprefix("prey "))
                left.remove(row["module"])
                yield row
            code = process.wait()
            watch.cancel()
            if left:
                errors.seek(0)
                said = [text for text in errors.read().splitlines() if text.strip()]
                last = next((text for text in said if text.startswith(("Fatal", "heapdiff"))), said[-1] if said else "")
                if len(left) < len(modules) or code != 0:
                    yield {"module": left.pop(0), "died": f"exit code {code}: {last[:200]}", "stderr": said[-40:]}
            errors.close()


def _work(modules: list[str], *, captured: bool, during: bool) -> None:
    """Run the modules in this process and print a row for each."""
    import faulthandler

    from test import support  # type: ignore[import-not-found]

    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it, and tests send it
    support.use_resources = []
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, str(_ROOT))
    hunter = _Hunter(during) if captured else None
    for name in modules:
        row: dict[str, Any] = {"module": name}
        if importlib.util.find_spec(f"test.{name}") is None:
            row["missing"] = True
        else:
            suite = unittest.defaultTestLoader.loadTestsFromName(f"test.{name}")
            result = _Counted()
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                suite.run(result)
            failed = [str(test) for test, _ in result.failures + result.errors]
            failed += map(str, result.unexpectedSuccesses)
            row |= {"tests": result.testsRun, "passed": result.passed, "skipped": len(result.skipped)}
            row["failed"] = sorted(failed)
            del suite, result
        if hunter is not None:
            row |= hunter.capture()
        out.write(f"prey {json.dumps(row)}\n")
        out.flush()
    out.flush()
    os._exit(0)


class _Counted(unittest.TestResult):
    """Counts the tests that pass, too."""

    passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1


class _Hunter:
    """Takes snapshots, and lets everything that reads one read it."""

    def __init__(self, during: bool) -> None:
        import heapdiff

        self._previous = heapdiff.take_snapshot()
        self._taken = 0
        self._busy = threading.Lock()
        if during:
            sys.setswitchinterval(1e-4)
            threading.Thread(target=self._hunt, daemon=True, name="hunter").start()

    def capture(self) -> dict[str, Any]:
        import heapdiff
        from heapdiff.native import dominators, shortest_paths, validate

        with self._busy:
            snapshot = heapdiff.take_snapshot()
            validate(snapshot.columns)
            paths = shortest_paths(snapshot.columns)
            dominators(snapshot.columns, paths)
            str(heapdiff.compare(self._previous, snapshot))
            self._previous = snapshot
            taken, self._taken = self._taken + 1, 0
        return {"snapshots": taken, "objects": snapshot.object_count, "pause": snapshot.process.pause_seconds}

    def _hunt(self) -> None:
        import heapdiff
        from heapdiff.errors import CaptureBusyError
        from heapdiff.native import validate

        while True:
            with self._busy:
                try:
                    validate(heapdiff.take_snapshot().columns)
                    heapdiff.take_census()
                    self._taken += 1
                except (CaptureBusyError, MemoryError):
                    pass
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
