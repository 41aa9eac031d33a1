"""Leaks of published packages that are on record: a sentence where one fits, and nothing else."""

from collections.abc import Iterable

import attrs
import pytest

from heapdiff import KNOWN_LEAKS, KnownLeak, Report, compare
from heapdiff.explain.model import VerdictKind
from heapdiff.snapshot.model import Process
from tests.conftest import Check
from tests.sketch import Sketch

CACHE = KnownLeak(
    package="pages",
    affected=">=2.0,<2.4",
    fixed="2.4",
    module="pages.views",
    path=("Store", "rendered"),
    text="keeps every page that was rendered",
    reference="pages/pages#7",
)
NATIVE = KnownLeak(
    package="fastpages",
    affected="<3",
    fixed="3.0",
    rules=("native-held", "native-lost"),
    text="forgets to release what render() is handed",
    reference="pages/fastpages#12",
)
GROWING, FULL = (10, 200, 400), (10, 200, 200)


def rendered(count: int, packages: dict[str, str] | None) -> Sketch:
    sketch = Sketch()
    sketch.module("shop")
    sketch.add("class", "type", "shop", ("ATTRIBUTE", "Store"))
    sketch.add("cache", "dict", "class", ("ATTRIBUTE", "rendered"))
    sketch.many(count, "pages.views.Page", "cache", ("KEY_OF_TYPE", "str"))
    return sketch


def report(
    packages: dict[str, str] | None, leaks: Iterable[KnownLeak] = (CACHE,), counts: Iterable[int] = GROWING
) -> Report:
    process = Process(packages=packages)
    snapshots = [rendered(count, packages).snapshot(process) for count in counts]
    return compare(*snapshots, known_leaks=tuple(leaks))


def known(found: Report) -> str:
    verdict = found.growers[0].verdict
    assert verdict is not None
    return verdict.known


def test_an_affected_version_is_named_with_what_mends_it(golden: Check) -> None:
    golden("report_known_leak.txt", str(report({"pages": "2.3.1"})))


@pytest.mark.parametrize("version", ["2.0", "2.0.0", "2.3.9", "2.4rc1", "2.4.0b2", "2.4.dev3"])
def test_a_version_within_the_range_is_affected(version: str) -> None:
    assert known(report({"pages": version})) == (
        f"pages {version} keeps every page that was rendered (pages/pages#7). Fixed in 2.4: upgrade."
    )


@pytest.mark.parametrize("version", ["1.9", "2.0rc1", "2.4", "2.4.0", "2.4.post1", "2.10", "10.0"])
def test_a_version_out_of_the_range_is_not(version: str) -> None:
    assert known(report({"pages": version})) == ""


@pytest.mark.parametrize("packages", [None, {}, {"pages": "weird"}, {"pages": "9" * 5_000}])
def test_without_a_version_that_can_be_read_it_is_said_for_older_ones(packages: dict[str, str] | None) -> None:
    assert known(report(packages)) == (
        "pages keeps every page that was rendered (pages/pages#7); its version is not in the snapshot. "
        "If it is older than 2.4, upgrade."
    )


def test_a_leak_that_no_version_mends_says_what_does() -> None:
    leak = attrs.evolve(CACHE, affected="", fixed="", mend="Call Store.clear().")

    assert known(report({"pages": "9"}, [leak])).endswith("No version is known to mend it. Call Store.clear().")


@pytest.mark.parametrize(
    "other",
    [
        {"path": ("Store", "rendered_once")},
        {"path": ("Store", "render")},
        {"path": ("rendered", "Store")},
        {"module": "pages.admin"},
        {"module": "pages.view"},
        {"rules": ("unbounded-sequence",)},
    ],
)
def test_other_growth_is_not_taken_for_it(other: dict[str, object]) -> None:
    leak = attrs.evolve(CACHE, **other)  # type: ignore[arg-type]

    assert known(report({"pages": "2.3"}, [leak])) == ""


def test_nothing_but_the_sentence_changes() -> None:
    with_it, without = report({"pages": "2.3"}), report({"pages": "2.3"}, ())

    verdict = with_it.growers[0].verdict
    assert verdict is not None
    assert without.growers == (
        attrs.evolve(with_it.growers[0], verdict=attrs.evolve(verdict, known="")),
        *with_it.growers[1:],
    )


def test_what_is_benign_is_not_said_to_be_known() -> None:
    found = report({"pages": "2.3"}, counts=FULL)

    assert found.growers[0].verdict is not None
    assert found.growers[0].verdict.kind is VerdictKind.BENIGN
    assert known(found) == ""


def held_by_native_code(packages: dict[str, str]) -> str:
    snapshots = []
    for count in GROWING:
        sketch = Sketch()
        sketch.many(count, "app.Page", "root", ("ROOT_NATIVE", 0))
        snapshots.append(sketch.snapshot(Process(packages=packages)))
    return known(compare(*snapshots, known_leaks=[NATIVE]))


def test_a_leak_in_c_is_a_guess_from_the_version() -> None:
    assert held_by_native_code({"fastpages": "2.9"}) == (
        "perhaps fastpages 2.9 forgets to release what render() is handed (pages/fastpages#12). Fixed in 3.0: upgrade."
    )


def test_a_leak_in_c_is_not_guessed_without_a_version() -> None:
    assert held_by_native_code({}) == ""


def test_lost_blocks_are_a_guess_as_well() -> None:
    def process(blocks: int) -> Process:
        return Process(pid=1, host="box", start_time=1.0, packages={"fastpages": "2.9"}, allocated_blocks=blocks)

    snapshots = [rendered(5, None).snapshot(process(blocks)) for blocks in (10_000, 12_000, 14_000)]

    assert "Known: perhaps fastpages 2.9 forgets" in " ".join(str(compare(*snapshots, known_leaks=[NATIVE])).split())


@pytest.mark.parametrize("leak", KNOWN_LEAKS, ids=lambda leak: f"{leak.package} {leak.affected}")
def test_an_entry_of_the_data_file_is_complete(leak: KnownLeak) -> None:
    assert leak.package == leak.package.lower().replace("_", "-")
    assert leak.reference
    assert leak.text
    assert leak.fixed or leak.mend
    assert leak.path or (leak.rules and leak.affected)
    assert leak.module or leak.rules
    assert all(clause.startswith((">=", "<")) for clause in leak.affected.split(",") if clause)
    assert not leak.fixed or leak.affected.endswith(f"<{leak.fixed}")
