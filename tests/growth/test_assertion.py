"""assert_no_growth() as a function, a decorator, a loop and a block, and what its message says."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable

import pytest

import heapdiff
from heapdiff.errors import WorkloadError


class Session:
    """What leaks."""


SESSIONS: list[Session] = []


def leak() -> None:
    SESSIONS.append(Session())


def test_a_failure_is_an_assertion_error_that_has_the_report() -> None:
    with pytest.raises(AssertionError) as caught:
        heapdiff.assert_no_growth(leak, patience=50)

    assert isinstance(caught.value, heapdiff.HeapGrowthError)
    assert isinstance(caught.value.report, heapdiff.GrowthReport)
    assert str(caught.value) == str(caught.value.report)


@pytest.fixture(scope="module")
def message() -> str:
    with pytest.raises(AssertionError) as caught:
        heapdiff.assert_no_growth(leak, patience=50)
    return str(caught.value)


@pytest.mark.parametrize(
    "part",
    [
        f"+1 {__name__}.Session per iteration\nheld by {__name__}.SESSIONS.",
        f"GC root: module {__name__}",
        ".SESSIONS",
        f"test_assertion.py:{leak.__code__.co_firstlineno + 1} ×",
        "is a list that only grows",
        "mend         Take elements out",
        "fingerprint ",
    ],
)
def test_the_message_says(part: str, message: str) -> None:
    assert part in message


def test_the_message_fits_a_terminal_of_100_columns_with_the_margin_of_pytest(message: str) -> None:
    assert max(map(len, message.splitlines())) <= 92


def test_it_returns_the_report_where_nothing_grew() -> None:
    assert not heapdiff.assert_no_growth(lambda: None).has_growth


# Decorator


def test_a_call_in_the_place_of_a_workload_does_not_pass() -> None:
    kept: list[object] = []

    with pytest.raises(TypeError, match="the workload is a NoneType; expected a function"):
        heapdiff.assert_no_growth(kept.append(1))  # type: ignore[func-returns-value]  # that is what it is about


def test_a_decorated_function_fails_where_it_leaks() -> None:
    @heapdiff.assert_no_growth(patience=50)
    def test() -> None:
        leak()

    with pytest.raises(AssertionError, match="Session per iteration"):
        test()


def test_a_decorated_function_gets_its_arguments_each_time() -> None:
    calls: list[tuple[int, str]] = []

    @heapdiff.assert_no_growth(settle=calls.clear)
    def test(number: int, *, text: str) -> None:
        assert (number, text) == (1, "x")
        calls.append((number, text))

    test(1, text="x")


def test_a_decorated_function_keeps_its_name() -> None:
    @heapdiff.assert_no_growth()
    def test_of_mine() -> None: ...

    assert test_of_mine.__name__ == "test_of_mine"


def test_a_decorated_coroutine_function_runs_in_the_loop_of_the_caller() -> None:
    loops = set()

    @heapdiff.assert_no_growth(patience=50)
    async def test() -> None:
        loops.add(id(asyncio.get_running_loop()))
        leak()

    async def main() -> None:
        loops.add(id(asyncio.get_running_loop()))
        await test()

    with pytest.raises(AssertionError, match="Session per iteration"):
        asyncio.run(main())
    assert len(loops) == 1


def test_what_a_decorated_closure_keeps_is_seen() -> None:
    def make() -> Callable[[], None]:
        kept: list[Session] = []

        def test() -> None:
            kept.append(Session())

        return heapdiff.assert_no_growth(patience=50)(test)

    with pytest.raises(AssertionError, match="Session per iteration"):
        make()()


class Tests(unittest.TestCase):
    """Run by the test below; pytest must not."""

    __test__ = False

    @heapdiff.assert_no_growth(patience=50)
    def test_leaks(self) -> None:
        leak()

    @heapdiff.assert_no_growth()
    def test_is_clean(self) -> None:
        self.assertEqual(1, 1)

    def test_loops(self) -> None:
        with heapdiff.assert_no_growth(patience=50) as rounds:
            for _ in rounds:
                leak()


def test_unittest_reports_a_leak_as_a_failure_and_not_as_an_error() -> None:
    result = unittest.TestResult()

    unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(result)

    assert [test.id().rpartition(".")[2] for test, _ in result.failures] == ["test_leaks", "test_loops"]
    assert (result.testsRun, result.errors) == (3, [])


# Loop


def test_a_loop_over_the_rounds_fails_where_its_body_leaks() -> None:
    with pytest.raises(AssertionError, match="Session per iteration"), heapdiff.assert_no_growth() as rounds:
        for _ in rounds:
            leak()


def test_a_loop_over_the_rounds_has_its_report_afterwards() -> None:
    with heapdiff.assert_no_growth(warmup=3, per_round=7) as rounds:
        for _ in rounds:
            pass

    assert rounds.report is not None
    assert rounds.report.iterations == 10


def test_an_asynchronous_loop_waits_for_tasks() -> None:
    tasks = set()

    async def later() -> None:
        await asyncio.sleep(0.005)
        leak()

    async def main() -> None:
        async with heapdiff.assert_no_growth(patience=50) as rounds:
            async for _ in rounds:
                task = asyncio.create_task(later())
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    with pytest.raises(AssertionError, match="Session per iteration"):
        asyncio.run(main())


def test_a_loop_that_is_left_early_is_an_error() -> None:
    with pytest.raises(WorkloadError, match="expected no break"), heapdiff.assert_no_growth() as rounds:
        for _ in rounds:
            break


def test_an_error_in_the_loop_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError), heapdiff.assert_no_growth() as rounds:
        for _ in rounds:
            raise LookupError


# Block


def test_a_block_fails_where_it_leaves_one_object_of_the_programs_own() -> None:
    with pytest.raises(AssertionError, match=rf"\+1 {__name__}.Session, \d+ B"), heapdiff.assert_no_growth():
        leak()


def test_the_message_of_a_block_says_what_holds_the_object() -> None:
    with pytest.raises(AssertionError, match=rf"held by {__name__}.SESSIONS\[\*\]"), heapdiff.assert_no_growth():
        leak()


def test_a_block_that_leaves_many_objects_gets_the_chain_drawn() -> None:
    with pytest.raises(AssertionError, match="piles up here"), heapdiff.assert_no_growth():
        for _ in range(40):
            leak()


def test_a_block_that_leaves_nothing_passes() -> None:
    with heapdiff.assert_no_growth():
        sessions = [Session() for _ in range(1_000)]
        del sessions


def test_a_block_may_fill_a_small_cache_of_plain_objects() -> None:
    cache = {}
    with heapdiff.assert_no_growth():
        cache["key"] = [1.5, "x"]


def test_a_block_ignores_what_it_is_told_to() -> None:
    with heapdiff.assert_no_growth(ignore=[Session]):
        leak()


def test_a_place_is_ignored_as_the_message_of_a_block_prints_it() -> None:
    with pytest.raises(AssertionError) as failure, heapdiff.assert_no_growth():
        leak()
    place = str(failure.value).rpartition("held by ")[2].strip()

    assert place.endswith("[*]")
    with heapdiff.assert_no_growth(ignore=[place]):
        leak()


def test_an_error_in_a_block_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError), heapdiff.assert_no_growth():
        leak()
        raise LookupError
