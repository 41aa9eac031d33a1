"""The manifest of a snapshot file: what its columns are, and what is known of the process."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import attrs

from heapdiff.errors import SnapshotCorruptError
from heapdiff.snapshot.model import Limit, Process

__all__ = [
    "COLUMNS",
    "FORMAT",
    "ITEM_BYTES",
    "ColumnEntry",
    "Manifest",
    "Packing",
    "decode_manifest",
    "encode_manifest",
]

FORMAT: Final = 1  # the newest version this heapdiff reads, and the one it writes
ITEM_BYTES: Final[Mapping[str, int]] = {"|u1": 1, "<u4": 4, "<i4": 4, "<u8": 8}

# The columns that every snapshot has, and their numbers; False: a snapshot may be without.
COLUMNS: Final[Mapping[str, tuple[str, bool]]] = {
    "object_type": ("<u4", True),
    "object_shallow": ("<u4", True),
    "object_address": ("<u8", True),
    "object_flags": ("|u1", True),
    "object_site": ("<u4", False),
    "reference_start": ("<u4", True),
    "reference_label": ("<u4", True),
    "reference_target": ("<u4", True),
    "large_object": ("<u4", True),
    "large_bytes": ("<u8", True),
    "native_held_object": ("<u4", True),
    "native_held_count": ("<u4", True),
    "type_module": ("<u4", True),
    "type_name": ("<u4", True),
    "type_object": ("<u4", True),
    "type_flags": ("|u1", True),
    "site_start": ("<u4", False),
    "site_file": ("<u4", False),
    "site_line": ("<u4", False),
    "text_start": ("<u4", True),
    "text_bytes": ("|u1", True),
}

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Seconds since the epoch, about the years 1 to 9900: what calendars can name in every time zone.
_MOMENTS: Final = (-6.2e10, 2.5e11)
_LENGTH_LIMIT = 1 << 40  # numbers in one column; object and reference numbers have 32 bits
_SITES = ("object_site", "site_start", "site_file", "site_line")
_SAME_LENGTH = (
    ("object_type", "object_shallow", "object_address", "object_flags", "object_site"),
    ("reference_target", "reference_label"),
    ("large_object", "large_bytes"),
    ("native_held_object", "native_held_count"),
    ("type_module", "type_name", "type_object", "type_flags"),
    ("site_file", "site_line"),
)


@attrs.frozen
class Packing:
    """How the numbers of a compressed column are stored; docs/snapshot-format.md has the formulas."""

    transform: str  # none, delta, same_type, label or target
    codec: str  # deflate or zstd
    block_bytes: int  # of shuffled numbers in each compressed block; the last has what is left


@attrs.frozen
class ColumnEntry:
    """One column: its numbers, the member they are in, and the CRC-32 of the plain numbers."""

    name: str
    dtype: str
    length: int
    member: str
    crc32: int
    packing: Packing | None = None

    @property
    def plain_bytes(self) -> int:
        """Bytes of the plain numbers."""
        return self.length * ITEM_BYTES[self.dtype]


@attrs.frozen
class Manifest:
    """What the file says of itself; ``heapdiff`` is the version that wrote it."""

    heapdiff: str
    columns: tuple[ColumnEntry, ...]
    process: Process
    limits: tuple[Limit, ...]


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON."""
    content = {
        "format": FORMAT,
        "heapdiff": manifest.heapdiff,
        "columns": [attrs.asdict(entry) for entry in manifest.columns],
        "process": {name: _as_json(value) for name, value in attrs.asdict(manifest.process, recurse=False).items()},
        "limits": [attrs.asdict(limit) for limit in manifest.limits],
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


def decode_manifest(data: bytes) -> Manifest:
    """The manifest that these bytes are, checked: the columns are all there and have lengths that belong together.

    Raises:
        SnapshotCorruptError: They are not a manifest, or one that contradicts itself.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SnapshotCorruptError(f"its manifest is not JSON: {error}") from error
    fields = _Fields(content, "the manifest")
    if fields.integer("format") != FORMAT:
        raise SnapshotCorruptError(f"its manifest says format {content['format']}, its first member {FORMAT}.")
    manifest = Manifest(
        heapdiff=fields.text("heapdiff"),
        columns=tuple(_column(_Fields(entry, "a column of the manifest")) for entry in fields.list("columns")),
        process=_process(_Fields(fields.get("process", dict), "the process")),
        limits=tuple(
            Limit(limit.text("name"), limit.text("text"))
            for limit in (_Fields(entry, "a limit") for entry in fields.list("limits"))
        ),
    )
    _check_columns({entry.name: entry for entry in manifest.columns}, len(manifest.columns))
    return manifest


class _Fields:
    """A JSON object whose fields have the types one asks for; every disappointment is a SnapshotCorruptError."""

    def __init__(self, content: object, what: str) -> None:
        if not isinstance(content, dict):
            raise SnapshotCorruptError(f"{what} is {type(content).__name__}, expected a JSON object.")
        self.content = cast(dict[str, Any], content)
        self._what = what

    def get(self, name: str, kind: Any) -> Any:
        value = self.content.get(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            found = "nothing" if value is None else type(value).__name__
            raise SnapshotCorruptError(f"{self._what} has {found} as {name!r}, expected {kind.__name__}.")
        return value

    def integer(self, name: str) -> int:
        return cast(int, self.get(name, int))

    def text(self, name: str) -> str:
        return cast(str, self.get(name, str))

    def list(self, name: str) -> Sequence[object]:
        return cast(Sequence[object], self.get(name, list))


def _column(fields: _Fields) -> ColumnEntry:
    packing = None
    if fields.content.get("packing") is not None:
        packed = _Fields(fields.content["packing"], "a packing")
        packing = Packing(packed.text("transform"), packed.text("codec"), packed.integer("block_bytes"))
    entry = ColumnEntry(
        name=fields.text("name"),
        dtype=fields.text("dtype"),
        length=fields.integer("length"),
        member=fields.text("member"),
        crc32=fields.integer("crc32"),
        packing=packing,
    )
    if _NAME.fullmatch(entry.name) is None:
        raise SnapshotCorruptError(f"a column is called {entry.name[:80]!r}.")
    expected = f"{entry.name}.{'npy' if packing is None else 'packed'}"
    if entry.member != expected:
        raise SnapshotCorruptError(f"column {entry.name} is in {entry.member[:80]!r}, expected {expected!r}.")
    if entry.dtype not in ITEM_BYTES or entry.dtype != COLUMNS.get(entry.name, (entry.dtype, False))[0]:
        raise SnapshotCorruptError(f"column {entry.name} has numbers of type {entry.dtype[:20]!r}.")
    if not 0 <= entry.length < _LENGTH_LIMIT or not 0 <= entry.crc32 < 1 << 32:
        raise SnapshotCorruptError(f"column {entry.name} has length {entry.length} and CRC-32 {entry.crc32}.")
    return entry


def _check_columns(columns: Mapping[str, ColumnEntry], count: int) -> None:
    if len(columns) != count:
        raise SnapshotCorruptError("the manifest names a column twice.")
    missing = [name for name, (_, required) in COLUMNS.items() if required and name not in columns]
    if "object_site" in columns:
        missing += [name for name in _SITES if name not in columns]
    if missing:
        raise SnapshotCorruptError(f"the manifest lacks {', '.join(missing)}.")
    length = {name: entry.length for name, entry in columns.items()}
    for together in _SAME_LENGTH:
        if len({length[name] for name in together if name in length}) > 1:
            raise SnapshotCorruptError(f"the columns {', '.join(together)} do not have one length.")
    objects = length["object_type"]
    if objects == 0 or length["reference_start"] != objects + 1 or max(objects, length["reference_target"]) >= 1 << 32:
        raise SnapshotCorruptError(
            f"{objects} objects have {length['reference_start']} offsets to {length['reference_target']} references; "
            "expected one offset more than objects, at least object 0, and numbers of 32 bits."
        )


def _as_json(value: Any) -> object:
    # isinstance(value, Mapping) would fill the caches of every abstract class the program derives from Mapping:
    # heapdiff itself would grow the heap that is looked at.
    return dict(cast("Mapping[str, object]", value)) if hasattr(value, "keys") else value


def _process(fields: _Fields) -> Process:
    """The process; fields that this version does not know are passed over."""
    values: dict[str, Any] = {}
    for field in attrs.fields(Process):
        value = fields.content.get(field.name)
        if value is None:
            continue
        if field.name == "descriptors":
            counts = _Fields(value, "the descriptors")
            values[field.name] = {kind: _in_range(kind, counts.integer(kind)) for kind in counts.content}
        elif field.name == "packages":
            versions = _Fields(value, "the packages")
            values[field.name] = {name: versions.text(name) for name in versions.content}
        elif field.name == "gc_collections":
            numbers = fields.list(field.name)
            if not all(type(number) is int for number in numbers):
                raise SnapshotCorruptError(f"the process has other than integers as {field.name!r}.")
            values[field.name] = tuple(_in_range(field.name, cast(int, number)) for number in numbers)
        else:
            kind: Any = field.type  # such as int | None
            good = isinstance(value, kind) or (kind == float | None and type(value) is int)
            if not good or (isinstance(value, bool) and kind != bool | None):
                raise SnapshotCorruptError(f"the process has {type(value).__name__} as {field.name!r}.")
            values[field.name] = _in_range(field.name, value) if kind in (int | None, float | None) else value
    return Process(**values)


def _in_range(name: str, number: Any) -> Any:
    """The number, where it is one that a clock or an operating system may have said."""
    least, bound = _MOMENTS if name in ("start_time", "capture_time", "epoch_start") else (0, 1 << 63)
    if not least <= number < bound:  # NaN is in no range
        raise SnapshotCorruptError(
            f"the process has {format(float(number), '.6g') if abs(number) < 1 << 1000 else 'a huge number'} as "
            f"{name[:80]!r}, expected {least:g} to {bound:g}."
        )
    return number
