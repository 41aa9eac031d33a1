"""What holds the objects of a type in; the text and the JSON of ``heapdiff why`` out."""

import json
import textwrap

from heapdiff.explain.keepers import KeeperPath, TypeKeepers
from heapdiff.graph import Hop
from heapdiff.report.escape import clean
from heapdiff.sizes import count_text, size_text

__all__ = ["render_keepers", "render_keepers_json"]

_WIDTH = 100
_LABEL_WIDTH = 42


def render_keepers(keepers: TypeKeepers, *, rows: int = 10) -> str:
    """The text: how many there are, by which paths they are held, and one chain in full.

    Args:
        keepers: What holds the objects.
        rows: Paths to list; 0 lists all.
    """
    name = clean(keepers.type_name)
    if not keepers.objects:
        return "\n".join(_wrapped(f"{name}: nothing holds an object of it.{_garbage_words(keepers)}")) + "\n"
    verbs = ("occupies", "retains") if keepers.objects == 1 else ("occupy", "retain")
    lines = [
        *_wrapped(
            f"{name}: {_objects(keepers.objects)} {verbs[0]} {size_text(keepers.shallow_bytes)} and {verbs[1]} "
            f"{size_text(keepers.retained_bytes)}{' together' if keepers.objects > 1 else ''}.{_garbage_words(keepers)}"
        ),
        "",
        f"{'objects':>12}  {'flat':>9}  {'retained':>9}  held by",
    ]
    shown = keepers.paths[: rows or None]
    lines += map(_path_line, shown)
    hidden = keepers.paths[len(shown) :]
    if hidden:
        count = sum(path.objects for path in hidden)
        lines.append(f"{count_text(count):>12}  {'':>9}  {'':>9}  {count_text(len(hidden))} other paths (-nodecount=0)")
    first = shown[0].objects
    lines += ["", f"The shortest chain to {'it' if first == 1 else f'one of the {_objects(first)} of the first path'}:"]
    lines += _chain_lines(keepers.chain)
    return "\n".join(lines) + "\n"


def render_keepers_json(keepers: TypeKeepers) -> str:
    """The same for a program to read; sizes are bytes, and retained ones may be null where they were not measured."""
    picture = {
        "type": keepers.type_name,
        "objects": keepers.objects,
        "shallow_bytes": keepers.shallow_bytes,
        "retained_bytes": keepers.retained_bytes,
        "garbage_objects": keepers.garbage_objects,
        "paths": [
            {
                "expression": path.expression,
                "objects": path.objects,
                "shallow_bytes": path.shallow_bytes,
                "retained_bytes": path.retained_bytes,
            }
            for path in keepers.paths
        ],
        "chain": [
            {"label": hop.label_text, "type": hop.type_name, "retained_bytes": hop.retained_bytes}
            for hop in keepers.chain
        ],
    }
    return json.dumps(picture, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _objects(count: int) -> str:
    return f"{count_text(count)} object" + ("" if count == 1 else "s")


def _garbage_words(keepers: TypeKeepers) -> str:
    if not keepers.garbage_objects:
        return ""
    one = keepers.garbage_objects == 1
    return (
        f" {_objects(keepers.garbage_objects)} more {'waits' if one else 'wait'} for the collector; "
        f"no root reaches {'it' if one else 'them'}."
    )


def _path_line(path: KeeperPath) -> str:
    retained = "-" if path.retained_bytes is None else size_text(path.retained_bytes)
    return (
        f"{count_text(path.objects):>12}  {size_text(path.shallow_bytes):>9}  {retained:>9}  {clean(path.expression)}"
    )


def _chain_lines(chain: tuple[Hop, ...]) -> list[str]:
    lines = []
    for place, hop in enumerate(chain):
        label = clean(hop.label_text)
        if place == 0:
            lines.append(f"   ╭ GC root: {label}")
            continue
        what = clean(hop.type_name) + (f" × {count_text(hop.repeats)} in a row" if hop.repeats > 1 else "")
        end = "╰→" if place == len(chain) - 1 else "│ "
        lines.append(f"   {end} {label:<{_LABEL_WIDTH}}  {size_text(hop.retained_bytes):>9}  {what}")
    return lines
