"""The rounds of find_growth(): when they end, what they leave out, what they run."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import tracemalloc
from collections.abc import AsyncIterator, Iterator

import pytest

import heapdiff
from heapdiff.errors import WorkloadError


class Session:
    """What leaks."""


class Cart:
    """What leaks as well."""


def leak_into(kept: list[object], kind: type = Session) -> None:
    kept.append(kind())


def test_it_ends_with_the_first_round_in_which_nothing_grew() -> None:
    report = heapdiff.find_growth(lambda: None, warmup=4, per_round=6, rounds=5)

    assert (report.has_growth, report.rounds, report.iterations) == (False, 1, 10)


def test_no_snapshot_is_taken_where_nothing_grew() -> None:
    assert heapdiff.find_growth(lambda: None).report is None


def test_counts_are_for_each_iteration() -> None:
    kept: list[object] = []

    def body() -> None:
        kept.extend([Session(), Session(), Session()])

    report = heapdiff.find_growth(body, patience=50)

    first = report.growths[0]
    assert (first.type_name, first.objects_per_iteration) == (f"{__name__}.Session", 3.0)


def test_what_grows_seldom_is_told_by_the_iterations_it_takes() -> None:
    kept: list[object] = []
    numbers = itertools.count()

    report = heapdiff.find_growth(lambda: leak_into(kept) if next(numbers) % 7 == 0 else None)

    assert "every 7.0 iterations" in str(report)


def test_all_rounds_and_the_long_and_the_traced_ones_are_run_where_something_grows() -> None:
    kept: list[object] = []

    report = heapdiff.find_growth(lambda: leak_into(kept), rounds=2, warmup=5, per_round=10, patience=100)

    assert report.iterations == len(kept) == 5 + 2 * 10 + 100 + 2 * 10


def test_the_long_round_ends_before_it_fills_the_memory() -> None:
    kept: list[object] = []

    report = heapdiff.find_growth(lambda: kept.append(bytes(1 << 20)), per_round=5, patience=100_000)

    assert report.has_growth
    assert len(kept) < 100


def test_the_allocating_line_is_told_though_nothing_was_traced() -> None:
    kept: list[object] = []

    report = heapdiff.find_growth(lambda: leak_into(kept), patience=50)

    grower = report.growths[0].grower
    assert grower is not None
    assert grower.sites[0].frames[0] == (__file__, leak_into.__code__.co_firstlineno + 1)


def test_tracing_ends_with_the_search_that_started_it() -> None:
    kept: list[object] = []
    heapdiff.find_growth(lambda: leak_into(kept), patience=50)

    assert not tracemalloc.is_tracing()


def test_tracing_that_was_on_before_stays_on() -> None:
    kept: list[object] = []
    tracemalloc.start(2)
    try:
        heapdiff.find_growth(lambda: leak_into(kept), patience=50)

        assert tracemalloc.get_traceback_limit() == 2
    finally:
        tracemalloc.stop()


def test_a_cache_that_is_full_after_some_rounds_is_no_growth() -> None:
    cache: dict[int, Session] = {}
    numbers = itertools.count()

    def body() -> None:
        cache.setdefault(next(numbers) % 300, Session())

    assert not heapdiff.find_growth(body).has_growth


def test_a_cache_larger_than_the_patience_looks_like_a_leak() -> None:
    cache: dict[int, Session] = {}
    numbers = itertools.count()

    def body() -> None:
        cache.setdefault(next(numbers) % 300, Session())

    assert heapdiff.find_growth(body, patience=0).has_growth


def test_a_leak_is_not_hidden_by_a_cache_of_the_same_type_that_fills_up() -> None:
    kept: list[object] = []
    numbers = itertools.count()

    def body() -> None:
        kept.extend(Session() for _ in range(50 if next(numbers) < 25 else 1))

    assert heapdiff.find_growth(body).has_growth


def test_garbage_in_cycles_is_no_growth_even_with_the_collector_off() -> None:
    def body() -> None:
        session = Session()
        session.me = session  # type: ignore[attr-defined]

    gc.disable()
    try:
        assert not heapdiff.find_growth(body).has_growth
    finally:
        gc.enable()


def test_a_block_that_c_code_lost_is_growth() -> None:
    def body() -> None:
        lost = b"%d" % (1 << 300)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(lost))

    report = heapdiff.find_growth(body)

    assert "memory blocks" in [growth.type_name for growth in report.growths]


# What is left out


@pytest.mark.parametrize("entry", [Session, f"{__name__}.Session", "*.Session", "*kept*"])
def test_growth_is_ignored_by_type_by_pattern_and_by_holder(entry: str | type) -> None:
    kept: list[object] = []

    report = heapdiff.find_growth(lambda: leak_into(kept), patience=50, ignore=[entry])

    assert not report.has_growth
    assert [growth.type_name for growth in report.ignored] == [f"{__name__}.Session"]


def test_growth_is_ignored_by_fingerprint() -> None:
    kept: list[object] = []
    found = heapdiff.find_growth(lambda: leak_into(kept), patience=50)

    report = heapdiff.find_growth(lambda: leak_into(kept), patience=50, ignore=[found.growths[0].fingerprint])

    assert not report.has_growth


def test_growth_is_accepted_with_its_reason() -> None:
    kept: list[object] = []
    found = heapdiff.find_growth(lambda: leak_into(kept), patience=50)
    known = heapdiff.KnownGrowth(found.growths[0].fingerprint, "it is what this test keeps")

    report = heapdiff.find_growth(lambda: leak_into(kept), patience=50, accept=[known])

    assert not report.has_growth


def test_what_is_not_ignored_is_still_growth() -> None:
    sessions: list[object] = []
    carts: list[object] = []

    def body() -> None:
        leak_into(sessions)
        leak_into(carts, Cart)

    report = heapdiff.find_growth(body, patience=50, ignore=[Session])

    assert [growth.type_name for growth in report.growths] == [f"{__name__}.Cart"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rounds": 0}, "rounds is 0; expected 1 or more"),
        ({"warmup": -1}, "warmup is -1; expected 0 or more"),
        ({"per_round": 0}, "per_round is 0; expected 1 or more"),
        ({"settle_seconds": -1.0}, "settle_seconds is -1.0"),
        ({"backend": "curio"}, "backend is 'curio'"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(options: dict[str, object], message: str) -> None:
    async def body() -> None: ...

    with pytest.raises(ValueError, match=message):
        heapdiff.find_growth(body, **options)  # type: ignore[arg-type]


def test_one_name_in_place_of_a_list_of_names_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a sequence, such as \['app.Session'\]"):
        heapdiff.find_growth(lambda: None, ignore="app.Session")


# What it runs


def test_a_generator_does_one_iteration_each_time() -> None:
    def work() -> Iterator[None]:
        kept = []
        while True:
            kept.append(Session())
            yield

    report = heapdiff.find_growth(work(), patience=50)

    assert report.growths[0].type_name == f"{__name__}.Session"


def test_what_only_the_workload_itself_holds_is_seen() -> None:
    class Work:
        def __init__(self) -> None:
            self.kept: list[object] = []

        def __call__(self) -> None:
            leak_into(self.kept)

    assert heapdiff.find_growth(Work(), patience=50).growths[0].type_name == f"{__name__}.Session"


def test_an_iterator_that_ends_too_soon_is_an_error() -> None:
    with pytest.raises(WorkloadError, match="Give one that does not end"):
        heapdiff.find_growth(iter(range(15)))


def test_a_workload_that_cannot_be_run_is_refused() -> None:
    with pytest.raises(TypeError, match="the workload is a list; expected a function"):
        heapdiff.find_growth([1, 2])


def test_a_function_that_returns_a_coroutine_is_refused() -> None:
    async def body() -> None: ...

    with pytest.raises(TypeError, match="expected a coroutine function"):
        heapdiff.find_growth(lambda: body())  # noqa: PLW0108 - that is what it is about


async def yields_asynchronously() -> AsyncIterator[None]:
    yield


def yields() -> Iterator[None]:
    yield


@pytest.mark.parametrize("workload", [yields, yields_asynchronously, lambda: (number for number in range(3))])
def test_a_function_of_which_a_call_runs_no_line_is_refused(workload: object) -> None:
    with pytest.raises(TypeError, match="a generator of which no line has run"):
        heapdiff.find_growth(workload)


def test_what_the_workload_raises_comes_out_with_a_note_where() -> None:
    numbers = itertools.count(1)

    def body() -> None:
        if next(numbers) == 14:
            raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing") as caught:
        heapdiff.find_growth(body)

    assert caught.value.__notes__ == ["heapdiff: raised in iteration 14; nothing is said about growth."]


def test_tracing_ends_where_a_traced_round_raises() -> None:
    kept: list[object] = []

    def body() -> None:
        leak_into(kept)
        if tracemalloc.is_tracing():
            raise LookupError

    with pytest.raises(LookupError):
        heapdiff.find_growth(body, patience=20)

    assert not tracemalloc.is_tracing()


def test_the_hook_is_called_before_each_picture() -> None:
    calls: list[int] = []

    heapdiff.find_growth(lambda: None, settle=lambda: calls.append(1))

    assert len(calls) == 2


def test_the_hook_may_let_go_of_what_is_kept_until_then() -> None:
    kept: list[object] = []

    assert not heapdiff.find_growth(lambda: leak_into(kept), settle=kept.clear).has_growth


# Event loops


def test_a_coroutine_function_gets_a_loop_of_its_own() -> None:
    kept: list[object] = []

    async def body() -> None:
        await asyncio.sleep(0)
        leak_into(kept)

    assert heapdiff.find_growth(body, patience=50).has_growth


def test_all_iterations_run_in_one_loop() -> None:
    loops: set[int] = set()

    async def body() -> None:
        loops.add(id(asyncio.get_running_loop()))

    heapdiff.find_growth(body)

    assert len(loops) == 1


def test_an_asynchronous_generator_does_one_iteration_each_time() -> None:
    async def work() -> AsyncIterator[None]:
        kept = []
        while True:
            kept.append(Session())
            yield

    assert heapdiff.find_growth(work(), patience=50).growths[0].type_name == f"{__name__}.Session"


def test_in_a_running_loop_it_is_awaited() -> None:
    kept: list[object] = []

    async def body() -> None:
        leak_into(kept)

    async def main() -> heapdiff.GrowthReport:
        return await heapdiff.find_growth_async(body, patience=50)

    assert asyncio.run(main()).has_growth


def test_an_async_workload_in_a_running_loop_says_what_to_await() -> None:
    async def body() -> None: ...

    async def main() -> None:
        heapdiff.find_growth(body)

    with pytest.raises(WorkloadError, match="Await find_growth_async"):
        asyncio.run(main())


def test_a_workload_of_trio_runs_through_anyio() -> None:
    pytest.importorskip("anyio")
    trio = pytest.importorskip("trio")
    kept: list[object] = []

    async def body() -> None:
        await trio.sleep(0)
        leak_into(kept)

    assert heapdiff.find_growth(body, patience=50, backend="trio").has_growth
