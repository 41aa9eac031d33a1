"""A case of the zoo is judged by its truth, word for word."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from benchmarks.zoo import Case, judge, read_cases

LEAK = Case(
    name="locks",
    folder=Path("locks"),
    is_leak=True,
    types=frozenset({"app.Lock"}),
    holder_words=("app.registry", "_locks"),
    verdicts=frozenset({"unbounded-mapping"}),
    rounds=3,
    python="3.11",
)
HEALTHY = attrs.evolve(LEAK, is_leak=False)


def report(*growers: tuple[str, str, str, str], process: str = "") -> dict[str, Any]:
    return {
        "growers": [
            {
                "type": name,
                "holders": [{"expression": holder}],
                "chain": [],
                "verdict": {"rule": rule, "kind": kind, "text": "", "mend": ""},
            }
            for name, holder, rule, kind in growers
        ],
        "process": {"verdict": process},
    }


RIGHT = ("app.Lock", "app.registry._locks", "unbounded-mapping", "leak")
OTHER = ("app.Page", "app.pages", "growing-population", "unsure")


def test_a_leak_is_right_where_type_holder_and_rule_are() -> None:
    judgement = judge(LEAK, report(RIGHT), report(RIGHT))

    assert judgement.is_right
    assert judgement.verdict_right


def test_a_type_that_comes_fourth_is_wrong() -> None:
    assert not judge(LEAK, report(OTHER, OTHER, OTHER, RIGHT), report(RIGHT)).is_right


def test_the_words_of_a_holder_must_stand_together() -> None:
    apart = report(("app.Lock", "app.registry", "unbounded-mapping", "leak"), ("app.Page", "_locks", "", "leak"))

    assert judge(LEAK, apart, report(RIGHT)).holder_right is False


def test_the_process_part_may_name_the_holder() -> None:
    words = report(OTHER, process="app.registry lost _locks")

    assert judge(LEAK, words, words).holder_right


def test_two_snapshots_need_no_verdict_but_type_and_holder() -> None:
    unsure = report((*RIGHT[:3], "unsure"))

    assert judge(LEAK, report(RIGHT), unsure).is_right
    assert not judge(LEAK, report(RIGHT), report(OTHER)).is_right


@pytest.mark.parametrize(("kind", "is_right"), [("leak", False), ("unsure", True), ("benign", True)])
def test_a_healthy_program_is_right_where_nothing_is_called_a_leak(kind: str, is_right: bool) -> None:
    assert judge(HEALTHY, report((*RIGHT[:3], kind)), report(OTHER)).is_right is is_right


def test_a_fixed_version_may_have_the_residue_that_its_truth_names() -> None:
    fixed = attrs.evolve(HEALTHY, is_fixed=True, residue="one hook for each")

    assert judge(fixed, report(RIGHT), report(RIGHT)).is_right


def test_a_case_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "truth.toml").write_text(
        'kind = "leak"\nholder_words = ["_locks"]\nverdicts = ["unbounded-mapping"]\n'
        '[growth_per_step]\n"app.Lock" = 1\n',
        encoding="utf-8",
    )

    (case,) = read_cases(tmp_path)

    assert (case.name, case.types, case.rounds) == ("locks", frozenset({"app.Lock"}), 3)
