"""An explanation and what fails by it in, JUnit's XML for a CI server out: a test case for each type that grew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from heapdiff.explain.conditions import Failure
from heapdiff.explain.model import Explanation, Grower
from heapdiff.report.escape import clean
from heapdiff.report.text import render_text

__all__ = ["render_junit"]

# What XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(explanation: Explanation, failures: Sequence[Failure]) -> str:
    """The test suite ``heapdiff``; where nothing grew it has one case that says so.

    Source: the schema that Jenkins, GitLab and others read (``testsuites/testsuite/testcase/failure``).
    """
    failed = {id(failure.grower): failure for failure in failures if failure.grower is not None}
    cases = [(f"{g.type_name} in {_place(g)}", failed.get(id(g))) for g in explanation.growers]
    cases += [(failure.name, failure) for failure in failures if failure.grower is None]
    counts = {"tests": str(max(1, len(cases))), "failures": str(len(failures)), "errors": "0", "skipped": "0"}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "heapdiff", **counts})
    report = _xml(render_text(explanation))
    for name, failure in cases or [("nothing grew", None)]:
        attributes = {"classname": "heapdiff", "name": _xml(clean(name)), "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        if failure is not None:
            message = failure.verdict.text if failure.verdict is not None else "It grew."
            attributes = {"type": _xml(clean(failure.condition.text)), "message": _xml(clean(message))}
            ElementTree.SubElement(case, "failure", attributes).text = report
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _place(grower: Grower) -> str:
    return grower.holder.expression if grower.holder is not None else "many places"


def _xml(text: str) -> str:
    return _NO_XML.sub("�", text)
