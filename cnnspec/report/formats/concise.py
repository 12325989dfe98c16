"""For people and `grep`: one line a finding."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.render import clean
from cnnspec.report.counts import count_by_code
from cnnspec.report.findings import Report
from cnnspec.report.formats import Format, Style


def write(report: Report, style: Style) -> str:
    """`path:line:column: severity[code] message`, one line a finding."""
    if style.statistics:
        return count_by_code(report)
    return "".join(f"{_line(found)}\n" for found in report.diagnostics)


def _line(found: Diagnostic) -> str:
    line, column = found.span.position
    place = f"{clean(found.span.source.path)}:{line}:{column}"
    return f"{place}: {found.severity}[{found.code.id}] {clean(found.message)}"


FORMAT = Format(write, counts=True)
