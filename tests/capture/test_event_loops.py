"""What an event loop holds is named: by its queue, by the coroutine of a task, and by its name where that is code."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import heapdiff
from heapdiff.graph import HeapGraph, shortest_chain
from tests.capture.living import Picture
from tests.capture.processes import run_python


class Held:
    """Something to be led to."""


async def poll(argument: Held) -> None:
    await asyncio.sleep(3600)


class Story:
    """A picture taken while tasks wait, and what led to each of the objects in it."""

    def __init__(self, begin: Callable[["Story"], Awaitable[None]]) -> None:
        self.held: list[int] = []
        self._begin = begin
        asyncio.run(self._main())

    async def _main(self) -> None:
        await self._begin(self)
        self.picture = Picture(heapdiff.take_snapshot())
        self.graph = HeapGraph.of(self.picture.snapshot)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def start(self, work: Callable[[Held], Coroutine[Any, Any, None]], name: str | None = None) -> None:
        held = Held()
        self.held.append(id(held))
        keep(asyncio.get_running_loop().create_task(work(held), name=name))

    def chain(self, which: int = 0) -> list[str]:
        addresses = self.picture.snapshot.columns["object_address"].tolist()
        chain = shortest_chain(self.graph, addresses.index(self.held[which]))
        return [f"{hop.label_text} {hop.name}".rstrip() for hop in chain.hops]

    def texts(self) -> bytes:
        return bytes(self.picture.snapshot.columns["text_bytes"])


def keep(task: asyncio.Task[None]) -> None:
    """A task that nobody holds but the loop; asyncio's advice is to hold it."""


async def begun(story: Story, *works: tuple[Callable[[Held], Coroutine[Any, Any, None]], str | None]) -> None:
    for work, name in works:
        story.start(work, name)
    await asyncio.sleep(0)


MODULE = __name__


def test_a_waiting_task_is_led_to_from_the_loop_by_its_timer_and_coroutine() -> None:
    chain = Story(lambda story: begun(story, (poll, "the-waiting-task"))).chain()

    assert chain[:2] == ["event loop of asyncio, thread MainThread", "._scheduled"]
    waited = ".__self__" if sys.version_info < (3, 14) else "._asyncio_awaited_by"
    assert f'{waited} "the-waiting-task" ({MODULE}.poll)' in chain
    assert chain[-2:] == [f'coroutine {MODULE}.poll(), task "the-waiting-task"', "local argument"]


def test_a_ready_task_is_led_to_from_the_ready_queue() -> None:
    async def only_start(story: Story) -> None:
        story.start(poll)

    chain = Story(only_start).chain()

    assert chain[1] == "._ready"
    assert chain[-2:] == [f"coroutine {MODULE}.poll()", "local argument"]


def test_what_a_coroutine_awaits_is_named() -> None:
    held: list[int] = []

    async def through(argument: Held) -> None:
        held.append(id(argument))
        await hands_on(argument)

    async def hands_on(argument: Held) -> None:
        renamed, argument = argument, Held()
        held.append(id(argument))
        await asyncio.sleep(3600)
        del renamed

    story = Story(lambda story: begun(story, (through, None)))
    story.held = held[1:]

    assert story.chain()[-2:] == [f"awaits {MODULE}.{hands_on.__qualname__}()", "local argument"]


def test_a_result_that_nobody_fetched_is_named() -> None:
    async def finishes(argument: Held) -> Any:
        return argument

    async def main() -> list[str]:
        task = asyncio.get_running_loop().create_task(finishes(Held()))
        await task
        looked = Picture(heapdiff.take_snapshot())
        return looked.labels(task, task.result())

    assert asyncio.run(main()) == ["ATTRIBUTE:_result"]


def test_of_a_name_that_was_put_together_the_literal_is_written() -> None:
    number = 3

    chain = Story(lambda story: begun(story, (poll, f"poller-{number}"))).chain()

    assert chain[-2] == f'coroutine {MODULE}.poll(), task "poller-…"'


def test_of_a_name_that_is_data_nothing_is_written() -> None:
    customer = "".join(chr(97 + i) for i in range(12, 0, -1))

    story = Story(lambda story: begun(story, (poll, customer), (poll, f"for {customer}")))

    assert story.chain(0)[-2] == f"coroutine {MODULE}.poll()"
    assert story.chain(1)[-2] == f'coroutine {MODULE}.poll(), task "for …"'
    assert customer.encode() not in story.texts()


def test_a_name_that_would_break_a_line_or_a_terminal_is_left_out() -> None:
    names = ("two\nlines", "two\nlines" + str(id(poll)), "\x1b[31mred")

    story = Story(lambda story: begun(story, *((poll, name) for name in names)))

    assert {story.chain(which)[-2] for which in range(len(names))} == {f"coroutine {MODULE}.poll()"}


def test_names_that_asyncio_gave_are_left_out() -> None:
    story = Story(lambda story: begun(story, (poll, None)))

    assert story.chain()[-2] == f"coroutine {MODULE}.poll()"


def test_thousands_of_tasks_make_one_label_path() -> None:
    works = [(poll, f"poller-{number}") for number in range(2_000)]

    story = Story(lambda story: begun(story, *works))
    tree = story.graph.label_tree
    addresses = {address: number for number, address in enumerate(story.picture.snapshot.columns["object_address"])}

    assert len({tree["node_of"][addresses[address]] for address in story.held}) == 1


def test_tasks_of_different_coroutines_make_different_label_paths() -> None:
    async def other(argument: Held) -> None:
        await asyncio.sleep(3600)

    story = Story(lambda story: begun(story, (poll, None), (other, None)))
    tree = story.graph.label_tree
    addresses = {address: number for number, address in enumerate(story.picture.snapshot.columns["object_address"])}

    assert len({tree["node_of"][addresses[address]] for address in story.held}) == 2


def test_a_class_with_the_name_of_what_holds_the_loop_does_no_harm() -> None:
    run_python("""
        import ctypes, heapdiff

        class _RunningLoopHolder:
            __slots__ = ()

        of_thread = ctypes.pythonapi.PyThreadState_GetDict
        of_thread.restype = ctypes.py_object
        kept = [_RunningLoopHolder() for _ in range(3)]
        of_thread()["__asyncio_running_event_loop__"] = kept[1]
        heapdiff.take_snapshot()
    """)
