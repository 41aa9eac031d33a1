"""The whole explanation: chains, sites, fingerprints and how much of the growth they cover."""

from heapdiff import compare
from heapdiff.explain import Explanation
from heapdiff.snapshot.model import Process, Snapshot
from tests.sketch import Sketch, registry


def explained(base: Snapshot, now: Snapshot) -> Explanation:
    return compare(base, now).explanation


def locks(before: int, after: int) -> Explanation:
    return explained(registry(before).snapshot(), registry(after).snapshot())


def test_the_chain_leads_from_the_root_to_a_new_object() -> None:
    chain = locks(3, 40).growers[0].chain

    assert [(hop.label, hop.type_name) for hop in chain] == [
        ("module app.locks", "module"),
        (".registry", "app.locks.Registry"),
        ("._locks", "dict"),
        ("['…']", "app.locks.Lock"),
    ]


def test_one_hop_of_the_chain_is_the_holder() -> None:
    chain = locks(3, 40).growers[0].chain

    assert [hop.label for hop in chain if hop.is_holder] == ["._locks"]


def test_the_first_owner_that_is_not_of_the_standard_library_is_marked() -> None:
    def in_logging(count: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("logging")
        sketch.add("handler", "app.logs.Handler", "logging", ("ATTRIBUTE", "last"))
        sketch.add("records", "list", "handler", ("ATTRIBUTE", "records"))
        sketch.many(count, "app.logs.Record", "records", ("ELEMENT", 0))
        return sketch.snapshot()

    chain = explained(in_logging(3), in_logging(40)).growers[0].chain

    assert [hop.type_name for hop in chain if hop.is_owner] == ["app.logs.Handler"]


def test_every_hop_says_what_it_retains() -> None:
    chain = locks(3, 40).growers[0].chain

    assert [hop.retained_bytes for hop in chain][-2:] == [64 + 8 * 40 + 40 * 600, 600]


def test_the_growth_of_a_linked_list_is_one_hop() -> None:
    def linked(count: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app")
        holder = sketch.add("head", "app.Node", "app", ("ATTRIBUTE", "HEAD"))
        for number in range(count):
            holder = sketch.add(f"node{number}", "app.Node", holder, ("ATTRIBUTE", "next"))
        return sketch.snapshot()

    assert len(explained(linked(5), linked(300)).growers[0].chain) == 3


def traced(count: int) -> Snapshot:
    sketch = Sketch()
    sketch.module("app")
    sketch.add("all", "list", "app", ("ATTRIBUTE", "ALL"))
    for number in range(count):
        line = 31 if number % 10 else 55
        sketch.add(f"job{number}", "app.Job", "all", ("ELEMENT", number), site=(("app/jobs.py", line),))
    return sketch.snapshot()


def test_the_sites_name_the_lines_that_allocated_most_new_objects() -> None:
    sites = explained(traced(10), traced(50)).growers[0].sites

    assert [(site.frames[0], site.objects_delta) for site in sites] == [
        (("app/jobs.py", 31), 36),
        (("app/jobs.py", 55), 4),
    ]


def test_growth_that_the_growers_explain_is_not_counted_twice() -> None:
    coverage = locks(3, 40).coverage

    assert coverage.explained_bytes == coverage.live_bytes_delta == 37 * (8 + 600)


def test_what_was_not_measured_is_unknown() -> None:
    coverage = locks(3, 40).coverage

    assert (coverage.rss_bytes_delta, coverage.explained_part) == (None, None)


def test_the_explained_part_of_the_process_is_that_of_its_rss() -> None:
    base = registry(3).snapshot(Process(rss_bytes=1_000_000))
    now = registry(40).snapshot(Process(rss_bytes=1_000_000 + 4 * 37 * 608))

    assert explained(base, now).coverage.explained_part == 0.25


def test_two_pictures_ask_for_a_third() -> None:
    assert (locks(3, 40).next_step or "").startswith("A third snapshot would show")


def test_a_leak_without_sites_asks_for_tracing() -> None:
    report = compare(*(registry(count).snapshot() for count in (3, 40, 80)))

    assert "start_tracing()" in (report.explanation.next_step or "")


def test_where_nothing_grew_there_is_no_next_step() -> None:
    assert locks(3, 3).next_step is None
