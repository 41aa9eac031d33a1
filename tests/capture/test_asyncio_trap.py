"""CPython 3.12 before 3.12.6: traversing the module ``_asyncio`` damages its free list (gh-122695)."""

from tests.capture.processes import run_python

WAITS = """
    import asyncio, gc
    import heapdiff

    async def main():
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0.001)  # leaves an iterator in the free list
        {look}
        task.cancel()
        await asyncio.gather(*(asyncio.sleep(0.001) for _ in range(100)))

    asyncio.run(main())
    gc.collect()
    print("lives")
"""


def test_tasks_still_work_after_captures_and_collections() -> None:
    """gc.get_referents(_asyncio) in the place of the captures hangs."""
    look = "for _ in range(3): heapdiff.take_snapshot(collect=True); heapdiff.take_census(); gc.collect()"

    assert run_python(WAITS.replace("{look}", look), seconds=60) == "lives"


def test_a_dead_iterator_in_the_free_list_is_no_object() -> None:
    """One of them waits for the task that sleeps; the other is freed memory."""
    look = "print([row.objects for row in heapdiff.take_census().rows() if row.type == '_asyncio.FutureIter'])"

    assert run_python(WAITS.replace("{look}", look), seconds=60).splitlines() == ["[1]", "lives"]
