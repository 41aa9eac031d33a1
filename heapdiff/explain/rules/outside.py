"""What reaches beyond the heap: descriptors of the system, references of native code."""

from __future__ import annotations

import re

from heapdiff.explain.evidence import Evidence
from heapdiff.explain.model import Verdict
from heapdiff.explain.rules.sentences import new_objects
from heapdiff.snapshot.labels import LabelKind

__all__ = ["native_held", "unclosed_resource"]


def unclosed_resource(evidence: Evidence) -> Verdict | None:
    """Files, sockets and sessions that nobody closes; of others by such a name only where descriptors grew too."""
    name = evidence.grower.type_name
    before, after = evidence.diff.base.snapshot.process.descriptors, evidence.process.descriptors
    is_measured = before is not None and after is not None
    opened = sum(after.values()) - sum(before.values()) if before is not None and after is not None else 0
    if not (_RESOURCES.search(name) and (opened > 0 or not is_measured)) and not (
        _PERHAPS_RESOURCES.search(name) and opened >= evidence.holder.new_objects // 2 > 0
    ):
        return None
    text = f"{new_objects(evidence)} are still there"
    return evidence.verdict(
        "unclosed-resource",
        f"{text}, and {opened:,} more file descriptors are open." if opened > 0 else f"{text}.",
        "Close each where its work ends (with …:), and take closed ones out of the registry that holds them.",
    )


def native_held(evidence: Evidence) -> Verdict | None:
    """Objects with more references than the heap explains."""
    if evidence.root_kind is not LabelKind.ROOT_NATIVE or (evidence.holder_depth >= 0 and not evidence.grower.in_place):
        return None
    return evidence.verdict(
        "native-held",
        f"{new_objects(evidence)} are native-held: no object refers to them, yet their reference counts are not zero, "
        "so native code (a C extension) keeps references or forgot to release them.",
        "Look at which extension is handed such objects; upgrade it, or report it with the smallest call "
        "that adds one.",
    )


_RESOURCES = re.compile(
    r"^(socket\.socket|_socket\.socket|ssl\.SSL\w+|_io\.(TextIOWrapper|Buffered\w+|FileIO)|subprocess\.Popen|mmap\.mmap|"
    r"sqlite3\.Connection|http\.client\.HTTPS?Connection|requests\.sessions\.Session|aiohttp\.client\.ClientSession)$"
)


_PERHAPS_RESOURCES = re.compile(r"(^|\.)\w*(Socket|Connection|Session|Client|Stream|File|Cursor|Channel)$")
