"""An explanation in, a fragment of HTML for a notebook out."""

from html import escape

from heapdiff.explain.model import Explanation, Grower
from heapdiff.report.escape import clean
from heapdiff.report.text import render_text
from heapdiff.sizes import delta_bytes_text, delta_count_text

__all__ = ["render_html"]


def render_html(explanation: Explanation) -> str:
    """The growers as a table, and below it the report as text. Names are escaped; nothing is loaded."""
    table = "".join(_row(grower) for grower in explanation.growers)
    head = "".join(f"<th>{name}</th>" for name in ("type", "objects", "shallow", "retained", "held by", "verdict"))
    rows = f"<table><thead><tr>{head}</tr></thead><tbody>{table}</tbody></table>" if table else ""
    return f'<div class="heapdiff">{rows}<pre>{escape(render_text(explanation))}</pre></div>'


def _row(grower: Grower) -> str:
    cells = (
        grower.type_name,
        delta_count_text(grower.objects_delta),
        delta_bytes_text(grower.shallow_bytes_delta),
        delta_bytes_text(grower.retained_bytes_delta),
        grower.holder.expression if grower.holder else "",
        "" if grower.verdict is None else f"{grower.verdict.kind.value}: {grower.verdict.rule}",
    )
    return "<tr>" + "".join(f"<td>{escape(clean(cell))}</td>" for cell in cells) + "</tr>"
