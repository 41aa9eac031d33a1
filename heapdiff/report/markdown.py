"""An explanation and what fails by it in, Markdown for a pull request or a step summary out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from heapdiff.explain.conditions import Failure
from heapdiff.explain.model import Explanation, Grower, Verdict
from heapdiff.report.escape import clean
from heapdiff.report.text import render_text
from heapdiff.sizes import delta_bytes_text, delta_count_text

__all__ = ["render_markdown"]


def render_markdown(explanation: Explanation, failures: Sequence[Failure]) -> str:
    """The answer as a heading, a row for each type that grew, and the whole report folded below."""
    lines = [f"### heapdiff: {_answer(explanation, failures)}", ""]
    failed = {id(failure.grower): failure for failure in failures}
    rows = [_row(grower, failed.get(id(grower))) for grower in explanation.growers]
    rows += [
        f"| ❌ | {failure.name} | | | | {_verdict(failure.verdict)} |" for failure in failures if not failure.grower
    ]
    if rows:
        lines += ["| | type | objects | retained | held by | verdict |", "|---|---|--:|--:|---|---|", *rows, ""]
    lines += [f"- accepted: {_code(known.type_name)}: {_words(known.known.reason)}" for known in explanation.accepted]
    lines += [f"- gone: {_code(known.type_name or known.fingerprint)} no longer grows" for known in explanation.gone]
    report = render_text(explanation).rstrip()
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", report)), default=0))
    lines += [
        "",
        "<details><summary>The whole report</summary>",
        "",
        f"{fence}text",
        report,
        fence,
        "",
        "</details>",
        "",
    ]
    return "\n".join(lines)


def _answer(explanation: Explanation, failures: Sequence[Failure]) -> str:
    if failures:
        return f"growth that fails the check ({len(failures)})"
    return "growth, but none that fails" if explanation.growers else "nothing grew"


def _row(grower: Grower, failure: Failure | None) -> str:
    retained = grower.retained_bytes_delta
    verdict = _verdict(grower.verdict)
    cells = (
        "❌" if failure is not None else "✅",
        _code(grower.type_name),
        "in place" if grower.in_place else delta_count_text(grower.objects_delta),
        delta_bytes_text(max(retained, grower.shallow_bytes_delta) if retained is not None else None),
        _code(grower.holder.expression) if grower.holder is not None else "",
        f"{verdict} ({_code(failure.condition.text)})" if failure is not None else verdict,
    )
    return f"| {' | '.join(cells)} |"


def _verdict(verdict: Verdict | None) -> str:
    return f"{verdict.kind.value}: {verdict.rule}" if verdict is not None else ""


def _code(text: str) -> str:
    """A name as code; one with a backtick or a bar cannot end its cell."""
    return f"`{clean(text).replace('`', 'ˋ').replace('|', '∣')}`"


def _words(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", clean(text))
