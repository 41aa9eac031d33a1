"""Does assert_no_growth fail on every real leak and on no healthy program? The zoo in, a table out.

``python -m benchmarks.zoo_growth --cases anyio-runvars --repeats 20 --fixed``. The cases run with the defaults of
assert_no_growth and the zoo's own way to settle; the environments are those of ``benchmarks.zoo``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.table import Table, as_text
from benchmarks.zoo import USUAL_ZOO, Case, answer_of, has_fix, read_cases

__all__ = ["main"]


@attrs.frozen
class _Outcome:
    case: Case
    answers: list[dict[str, Any]]

    @property
    def right(self) -> int:
        """Runs in which a leak failed, or a healthy program passed."""
        return sum(answer.get("failed") is self.case.is_leak for answer in self.answers)

    @property
    def is_right(self) -> bool:
        return bool(self.case.residue and self.case.is_fixed) or self.right == len(self.answers)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the cases and prints the table; 1 when one of them is wrong."""
    options = _options(arguments)
    if options.zoo is None:
        print("There is no zoo beside this project; say where it is: --zoo FOLDER", file=sys.stderr)
        return 2
    cases = read_cases(options.zoo, options.cases)
    if options.fixed:
        cases += [attrs.evolve(case, is_fixed=True, is_leak=False) for case in cases if has_fix(case)]
    outcomes = []
    for case in cases:
        answers = []
        for number in range(options.repeats):
            print(f"{_name(case)} {number + 1}/{options.repeats}", file=sys.stderr, flush=True)
            answers.append(answer_of(case, options.python, ["benchmarks.zoo_growth_run"], {}))
            _keep(options.keep, case, answers[-1])
        outcomes.append(_Outcome(case, answers))
    print(as_text([_table(outcomes)]))
    return int(not all(outcome.is_right for outcome in outcomes))


def _keep(folder: Path | None, case: Case, answer: dict[str, Any]) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        text = answer.get("text") or answer["error"]
        (folder / f"{_name(case).replace(' ', '-')}.txt").write_text(text, encoding="utf-8")


def _name(case: Case) -> str:
    return f"{case.name}{' fixed' if case.is_fixed else ''}"


def _table(outcomes: Sequence[_Outcome]) -> Table:
    header = ("case", "said", "should", "right", "iterations", "seconds")
    rows = tuple(_row(outcome) for outcome in outcomes)
    wrong = sum(not outcome.is_right for outcome in outcomes)
    return Table("assert_no_growth on the zoo", f"{wrong} of {len(outcomes)} cases wrong.", header, rows)


def _row(outcome: _Outcome) -> tuple[str, ...]:
    last = outcome.answers[-1]
    residue = " (known to remain)" if outcome.case.is_fixed and outcome.case.residue else ""
    said = str(last.get("text") or last["error"]).partition("\n")[0]
    return (
        _name(outcome.case),
        said if len(said) <= 70 else f"{said[:69]}…",
        "fail" if outcome.case.is_leak else f"pass{residue}",
        f"{outcome.right}/{len(outcome.answers)}",
        str(last.get("iterations", "-")),
        f"{last['seconds']:.1f}" if "seconds" in last else "not measured",
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo_growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", default=(), metavar="CASE", help="names of folders; all where none")
    parser.add_argument("--zoo", type=Path, default=USUAL_ZOO if USUAL_ZOO.is_dir() else None, help="its folder")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each case")
    parser.add_argument("--fixed", action="store_true", help="the fixed versions too, which must pass")
    parser.add_argument("--python", help="the interpreter for the environments; its extension must be built")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the last message of each case there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
