"""The findings as JSON, for editors and scripts. Its schema is `cnnspec/schemas/check.schema.json`.

`format_version` counts as terraform's does: the second number grows when fields are added, the first when one changes.
"""

from __future__ import annotations

from cnnspec.report.documents import CheckReport, Declared, Finding, Fix, Model, Place, Position, Range
from cnnspec.report.findings import Report
from cnnspec.report.formats import Format, Style
from cnnspec.report.places import dump, range_of, shown_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from cnnspec.diagnostics import Diagnostic, Suggestion
    from cnnspec.graph.nodes import Graph
    from cnnspec.source import Span

FORMAT_VERSION = "1.1"


def write(report: Report, style: Style) -> str:
    """The report as one JSON object."""
    found = report.diagnostics
    errors = report.count("error")
    content = CheckReport(
        format_version=FORMAT_VERSION,
        valid=errors == 0,
        error_count=errors,
        warning_count=len(found) - errors,
        files=len(report.results),
        models=tuple(_model(graph) for result in report.results for graph in result.graphs),
        diagnostics=tuple(map(_finding, found)),
        statistics=_statistics(found) if style.statistics else None,
    )
    return dump(content.model_dump(mode="json", exclude_none=True))


def _statistics(found: list[Diagnostic]) -> dict[str, int]:
    codes = [one.code.id for one in found]
    return {code: codes.count(code) for code in sorted(set(codes))}


def _model(graph: Graph) -> Model:
    numbers = graph.numbers
    return Model(
        file=shown_path(graph.source.path),
        name=graph.name,
        input=numbers.takes,
        output=numbers.output or (),
        parameters=graph.parameters,
        declared=None if graph.sizes is None else _declared(graph, graph.sizes.names),
    )


def _declared(graph: Graph, names: tuple[str, ...]) -> Declared:
    return Declared(sizes=names, input=_named(graph.takes), output=_named(graph.output or ()))


def _named(shape: Any) -> Any:
    """A shape, or several, with names and formulas as texts."""
    if isinstance(shape, tuple):
        return tuple(map(_named, shape))
    return shape if shape.__class__ is int else str(shape)


def _finding(found: Diagnostic) -> Finding:
    severity: Literal["error", "warning"] = "error" if found.severity == "error" else "warning"
    return Finding(
        code=found.code.id,
        severity=severity,
        message=found.message,
        file=shown_path(found.span.source.path),
        range=_range(found.span),
        label=found.label,
        labels=tuple(_place(label.span, label.text) for label in found.labels),
        notes=tuple(found.notes),
        helps=tuple(found.all_helps),
        fixes=tuple(map(_fix, found.fixes)),
    )


def _fix(fix: Suggestion) -> Fix:
    edits = tuple(_place(edit.span, edit.text) for edit in fix.edits)
    return Fix(message=fix.message, safe=fix.sure, edits=edits)


def _place(span: Span, text: str) -> Place:
    return Place(file=shown_path(span.source.path), range=_range(span), text=text)


def _range(span: Span) -> Range:
    place = range_of(span)
    return Range(start=Position(**place["start"]), end=Position(**place["end"]))


FORMAT = Format(write, counts=True)
