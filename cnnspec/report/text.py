"""The formats for people: full, with the lines of the spec, and concise, one line a finding."""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.render import clean, render_all
from cnnspec.report import Report, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Graph


def write_full(report: Report, *, color: bool, quiet: bool) -> str:
    """Findings as they are drawn, a line for every model that fits together, and what was found in all."""
    parts = [_full_result(result, color=color, quiet=quiet) for result in report.unique()]
    errors, warnings = report.count("error"), report.count("warning")
    if not quiet or errors or warnings:
        parts.append(_total(len(report.results), errors, warnings) + "\n")
    return "".join(parts)


def _full_result(result: Result, *, color: bool, quiet: bool) -> str:
    findings = render_all(result.diagnostics, color=color) + "\n\n" if result.diagnostics else ""
    return findings + ("" if quiet else "".join(_verdict(graph) + "\n" for graph in result.graphs))


def _verdict(graph: Graph) -> str:
    shapes = f"{show_shape(graph.input or ())} -> {show_shape(graph.output or ())}"
    return f"{clean(graph.source.path)}: {graph.name}  {shapes}  {graph.parameters:,} parameters"


def _total(files: int, errors: int, warnings: int) -> str:
    parts = [_count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return f"{_count(files, 'file')} checked: {' and '.join(parts) or 'no problems'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def write_concise(report: Report) -> str:
    """`path:line:column: severity[code] message`, one line a finding."""
    return "".join(f"{_concise(found)}\n" for found in report.diagnostics)


def _concise(found: Diagnostic) -> str:
    line, column = found.span.position
    place = f"{clean(found.span.source.path)}:{line}:{column}"
    return f"{place}: {found.severity}[{found.code.id}] {clean(found.message)}"


def count_by_code(report: Report) -> str:
    """How often each code was found, the most frequent first, each with the headline of its first finding."""
    first: dict[str, Diagnostic] = {}
    counts: dict[str, int] = {}
    for found in report.diagnostics:
        first.setdefault(found.code.id, found)
        counts[found.code.id] = counts.get(found.code.id, 0) + 1
    width = max((len(f"{count:,}") for count in counts.values()), default=0)
    ranked = sorted(counts, key=lambda code: (-counts[code], code))
    return "".join(f"{counts[code]:>{width},}  {code}  {clean(first[code].message)}\n" for code in ranked)
