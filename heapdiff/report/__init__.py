"""An explanation in, something a person or a program reads out."""

from heapdiff.report.machine import SCHEMA_VERSION, report_dict
from heapdiff.report.model import Report
from heapdiff.report.page import render_html
from heapdiff.report.text import render_text

__all__ = ["SCHEMA_VERSION", "Report", "render_html", "render_text", "report_dict"]
