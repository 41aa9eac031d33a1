"""The command line: ``python -m benchmarks --sizes 100000 1000000 --only heapdiff guppy3 --jobs pause retained``."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.contenders import CONTENDERS, JOB_QUESTIONS, contender
from benchmarks.runner import Limits, read_runs, run_all, tasks, write_run
from benchmarks.table import as_markdown, as_text, tables

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Measures what is asked for and prints the tables; 1 when a run of heapdiff did not end well."""
    options = _options(arguments)
    if options.render:
        runs = [run for path in options.render for run in read_runs(path)]
    else:
        plan = tasks(map(contender, options.only), options.jobs, options.sizes)
        limits = Limits(options.timeout, int(options.memory_gb * 1e9))
        runs = []
        for run in run_all(plan, _is_installed, limits, options.repeats, _progress()):
            runs.append(run)
            if options.json:
                write_run(run, options.json)
            if run.error:
                print(f"{run.task}: {run.outcome}\n{run.error}", file=sys.stderr)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
    print(as_markdown(tables(runs)) if options.markdown else as_text(tables(runs)))
    return int(any(run.task.tool == "heapdiff" and run.outcome != "ok" for run in runs))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    names = [tool.name for tool in CONTENDERS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="heapdiff beside its peers on one heap; every ratio is to one full gc.collect() of that heap.",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000], help="objects")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="TOOL", help=", ".join(names))
    parser.add_argument("--jobs", nargs="+", choices=list(JOB_QUESTIONS), default=list(JOB_QUESTIONS))
    parser.add_argument("--repeats", type=int, default=1, help="processes for each tool, job and size")
    parser.add_argument("--timeout", type=float, default=300, help="CPU seconds from when the heap stands")
    parser.add_argument("--memory-gb", type=float, default=12, help="resident memory at which a run is ended")
    parser.add_argument("--json", type=Path, help="append every run to this file, a line each")
    parser.add_argument("--render", type=Path, nargs="+", help="measure nothing, print the runs of these files")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args(arguments)


def _is_installed(name: str) -> bool:
    return contender(name).is_installed


def _progress() -> Callable[[str], None]:
    """One line that is written over on a terminal, one line each elsewhere."""
    if sys.stderr.isatty():
        return lambda text: print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    return lambda text: print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
