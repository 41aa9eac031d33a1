"""Known growth: a reviewed file in, what it accepts told apart."""

import tomllib
from pathlib import Path

import pytest

from heapdiff import KnownGrowth, Report, Snapshot, compare, read_accepted
from heapdiff.errors import AcceptFileError
from heapdiff.report.accept_file import write_accepted
from tests.report.schema import misfits
from tests.sketch import Sketch, registry


def two_leaks(locks: int, pages: int) -> Snapshot:
    """A registry of locks with buffers, and a cache of pages beside it."""
    sketch = registry(locks)
    sketch.module("app.pages")
    sketch.add("cache", "dict", "app.pages", ("ATTRIBUTE", "CACHE"))
    sketch.many(pages, "app.pages.Page", "cache", ("KEY_OF_TYPE", "str"))
    return sketch.snapshot()


def report(**settings: object) -> Report:
    return compare(two_leaks(3, 3), two_leaks(400, 90), **settings)  # type: ignore[arg-type]


def known(type_name: str, reason: str = "Reviewed.") -> KnownGrowth:
    """The entry that accepts the growth of that type."""
    grower = next(grower for grower in report().growers if grower.type_name == type_name)
    return KnownGrowth(grower.fingerprint, reason, type_name, grower.holder.expression if grower.holder else "")


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_accepted_growth_is_no_grower() -> None:
    accepted = report(accept=[known("app.locks.Lock")])

    assert "app.locks.Lock" not in [grower.type_name for grower in accepted.growers]


def test_what_hangs_below_accepted_objects_is_accepted_with_them() -> None:
    accepted = report(accept=[known("app.locks.Lock")])

    assert [grower.type_name for grower in accepted.growers] == ["app.pages.Page"]


def test_accepted_growth_is_told_in_one_line_with_its_reason() -> None:
    text = str(report(accept=[known("app.locks.Lock", "One for each tenant.")]))

    assert "accepted  +397 app.locks.Lock in app.locks.registry._locks: One for each tenant." in text


def test_accepted_growth_takes_no_place_among_the_growers() -> None:
    accepted = report(accept=[known("app.locks.Lock")], growers=1)

    assert [grower.type_name for grower in accepted.growers] == ["app.pages.Page"]


def test_growth_that_is_accepted_and_gone_is_said_to_be_gone() -> None:
    gone = compare(two_leaks(400, 3), two_leaks(400, 90), accept=[known("app.locks.Lock")])

    assert [entry.type_name for entry in gone.explanation.gone] == ["app.locks.Lock"]
    assert "app.locks.Lock no longer grows" in str(gone)


def test_an_entry_for_another_type_accepts_nothing() -> None:
    entry = known("app.locks.Lock")
    other = KnownGrowth(entry.fingerprint, "Reviewed.", "app.locks.RLock")

    assert report(accept=[other]).growers[0].type_name == "app.locks.Lock"


def test_accepted_growth_alone_is_not_a_leak() -> None:
    entries = [known("app.locks.Lock"), known("app.pages.Page")]
    steps = [two_leaks(count, count) for count in (100, 200, 300, 400)]

    assert compare(*steps).has_leak
    assert not compare(*steps, accept=entries).has_leak


def test_the_headline_says_when_all_growth_is_accepted() -> None:
    entries = [known("app.locks.Lock"), known("app.pages.Page")]

    assert str(report(accept=entries)).startswith("Nothing grew but what is accepted.")


def test_accepted_growth_has_the_documented_shape_in_json() -> None:
    entries = [known("app.locks.Lock"), KnownGrowth("00000000", "Was fixed.")]
    document = report(accept=entries).to_dict()

    assert misfits(document) == []
    assert [entry["gone"] for entry in document["accepted"]] == [False, True]


def test_what_was_written_for_review_is_refused_until_each_entry_has_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"

    assert write_accepted(report().explanation, path) == len(report().growers)

    with pytest.raises(AcceptFileError, match=r"known\.toml: entry 1 \([0-9a-f]{8}\): has no reason"):
        read_accepted(path)


def test_a_reviewed_file_accepts_all_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    write_accepted(report().explanation, path)
    written(path, path.read_text(encoding="utf-8").replace('reason = ""', 'reason = "Known."'))

    assert report(accept=path).growers == ()


def test_writing_again_keeps_the_reasons(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    entry = known("app.locks.Lock", "One for each tenant.")
    written(path, f'[[known]]\nfingerprint = "{entry.fingerprint}"\nreason = "One for each tenant."\n')

    write_accepted(report(accept=path).explanation, path)

    reasons = {table["fingerprint"]: table["reason"] for table in tomllib.loads(path.read_text())["known"]}
    assert reasons.pop(entry.fingerprint) == "One for each tenant."
    assert list(reasons.values()) == [""]


def test_hostile_names_come_back_as_they_were(tmp_path: Path) -> None:
    def draw(count: int) -> Snapshot:
        sketch = Sketch()
        sketch.module("app")
        sketch.add("all", "dict", "app", ("ATTRIBUTE", 'a"b\\\n\x00\u202e'))
        for number in range(count):
            sketch.add(f"evil{number}", 'app.Ev"il\n[[known]]\x1b', "all", ("KEY_OF_TYPE", "str"))
        return sketch.snapshot()

    path = tmp_path / "known.toml"
    write_accepted(compare(draw(3), draw(90)).explanation, path)

    table = tomllib.loads(path.read_text(encoding="utf-8"))["known"][0]
    assert (table["type"], table["holder"]) == ('app.Ev"il\n[[known]]\x1b', 'app.a"b\\\n\x00\u202e')


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    write_accepted(report().explanation, tmp_path / "known.toml")

    assert [path.name for path in tmp_path.iterdir()] == ["known.toml"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[known]\n", "is not TOML"),
        ("version = 1\n", "has 'version', expected nothing but tables"),
        ('known = "7f3a91c2"\n', "'known' is no array of tables"),
        ('[[known]]\nreason = "x"\n', "entry 1: fingerprint is None, expected the 8 hex digits"),
        ('[[known]]\nfingerprint = "7F3A"\nreason = "x"\n', "entry 1: fingerprint is '7F3A'"),
        ('[[known]]\nfingerprint = "7f3a91c2"\n', r"entry 1 \(7f3a91c2\): has no reason"),
        ('[[known]]\nfingerprint = "7f3a91c2"\nreason = "  "\n', r"entry 1 \(7f3a91c2\): has no reason"),
        ('[[known]]\nfingerprint = "7f3a91c2"\nreason = 1\n', r"entry 1 \(7f3a91c2\): reason is 1, expected a string"),
        ('[[known]]\nfingerprint = "7f3a91c2"\nreson = "x"\n', "has a field 'reson', expected fingerprint, type"),
        ('[[known]]\nfingerprint = "7f3a91c2"\nreason = "x"\n' * 2, r"entry 2 \(7f3a91c2\): is there twice"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_entry(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(AcceptFileError, match=rf"known\.toml: .*{complaint}"):
        read_accepted(written(tmp_path / "known.toml", text))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AcceptFileError, match=r"known\.toml: cannot be read: No such file"):
        read_accepted(tmp_path / "known.toml")
