"""The findings as JSON, for editors and scripts. Its schema is `cnnspec/schemas/check.schema.json`.

`format_version` counts as terraform's does: the second number grows when fields are added, the first when one changes.
"""

from __future__ import annotations

from cnnspec.report.findings import Report
from cnnspec.report.formats import Format, Style
from cnnspec.report.places import dump, range_of, shown_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.diagnostics import Diagnostic, Suggestion
    from cnnspec.graph.nodes import Graph

FORMAT_VERSION = "1.0"


def write(report: Report, style: Style) -> str:
    """The report as one JSON object."""
    found = report.diagnostics
    errors = report.count("error")
    content: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": len(found) - errors,
        "files": len(report.results),
        "models": [_model(graph) for result in report.results for graph in result.graphs],
        "diagnostics": [_diagnostic(one) for one in found],
    }
    if style.statistics:
        codes = [one.code.id for one in found]
        content["statistics"] = {code: codes.count(code) for code in sorted(set(codes))}
    return dump(content)


def _model(graph: Graph) -> dict[str, Any]:
    return {
        "file": shown_path(graph.source.path),
        "name": graph.name,
        "input": list(graph.input or ()),
        "output": list(graph.output or ()),
        "parameters": graph.parameters,
    }


def _diagnostic(found: Diagnostic) -> dict[str, Any]:
    return {
        "code": found.code.id,
        "severity": found.severity,
        "message": found.message,
        "file": shown_path(found.span.source.path),
        "range": range_of(found.span),
        "label": found.label,
        "labels": [
            {"file": shown_path(label.span.source.path), "range": range_of(label.span), "text": label.text}
            for label in found.labels
        ],
        "notes": found.notes,
        "helps": found.all_helps,
        "fixes": [_fix(fix) for fix in found.fixes],
    }


def _fix(fix: Suggestion) -> dict[str, Any]:
    edits = [
        {"file": shown_path(edit.span.source.path), "range": range_of(edit.span), "text": edit.text}
        for edit in fix.edits
    ]
    return {"message": fix.message, "safe": fix.sure, "edits": edits}


FORMAT = Format(write, counts=True)
