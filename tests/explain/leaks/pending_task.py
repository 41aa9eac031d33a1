"""Tasks of asyncio that wait for an answer that never comes."""

import asyncio

loop = asyncio.new_event_loop()
tasks: set[asyncio.Task[object]] = set()


async def _ask(seconds: float | None) -> None:
    answer = loop.create_future()
    task: asyncio.Task[object] = loop.create_task(asyncio.wait_for(answer, seconds))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    await asyncio.wait([task], timeout=0.001)


def leak(number: int) -> None:
    loop.run_until_complete(_ask(None))


def mended(number: int) -> None:
    loop.run_until_complete(_ask(0))
