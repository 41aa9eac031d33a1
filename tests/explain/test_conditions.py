"""What a condition says, and what fails by it."""

import pytest

from heapdiff.explain.conditions import DEFAULT_CONDITION, find_failures, read_condition
from heapdiff.pipeline import compare
from heapdiff.snapshot.model import Process
from tests.sketch import registry
from tests.tiny_heap import TinyHeap

FACTS: dict[str, str | int] = {
    "retained": 2**20 + 1,
    "shallow": 4096,
    "objects": 100,
    "verdict": "unsure",
    "rule": "unbounded-mapping",
    "type": "app.Lock",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("retained>1MB", True),
        ("retained > 1.5MiB", False),
        ("retained>=1,048,577", True),
        ("retained>1GB", False),
        ("shallow>4kB", False),
        ("shallow>=4kB", True),
        ("objects>99", True),
        ("objects>100", False),
        ("verdict=leak", False),
        ("verdict!=benign", True),
        ("rule=unbounded-mapping", True),
        ("type=app.Lock and objects>0", True),
        ("type!=app.Lock and objects>0", False),
    ],
)
def test_a_condition_holds_as_it_reads(text: str, expected: bool) -> None:
    assert read_condition(text).holds(FACTS) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no condition"),
        ("retained", "is no condition"),
        ("retained<1MB", "is no condition"),
        ("retained=1MB", "retained, shallow, objects with > or >="),
        ("type>app", "verdict, rule, type with = or !="),
        ("size>1MB", "'size>1MB' is no condition"),
        ("retained>1XB", "expected a number such as 64kB or 1MB"),
        ("objects>1MB", "objects is '1MB'; expected a number"),
        ("verdict=bad", "expected one of leak, benign, unsure"),
        ("objects>1 and", "'' is no condition"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_is_expected(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        read_condition(text)


def test_growth_fails_by_the_first_condition_that_holds() -> None:
    explanation = compare(registry(1).snapshot(), registry(300).snapshot()).explanation
    conditions = [read_condition("verdict=leak"), read_condition("objects>5"), DEFAULT_CONDITION]

    failures = find_failures(explanation, conditions)

    assert [(failure.name, failure.condition.text) for failure in failures][:1] == [("app.locks.Lock", "objects>5")]


def test_by_default_whatever_is_not_benign_fails() -> None:
    explanation = compare(registry(1).snapshot(), registry(300).snapshot()).explanation

    assert find_failures(explanation, [DEFAULT_CONDITION])


def test_where_nothing_grew_nothing_fails() -> None:
    explanation = compare(registry(300).snapshot(), registry(300).snapshot()).explanation

    assert find_failures(explanation, [DEFAULT_CONDITION]) == ()


def test_garbage_that_no_collector_will_free_fails_as_a_leak() -> None:
    now = TinyHeap("root -> a\nlost", size={"lost": 500_000}, process=Process(gc_enabled=False))
    explanation = compare(TinyHeap("root -> a").snapshot, now.snapshot).explanation

    failures = find_failures(explanation, [read_condition("verdict=leak")])

    assert [(failure.name, failure.verdict and failure.verdict.rule) for failure in failures] == [
        ("garbage", "garbage-waiting")
    ]
