"""For people: every finding with the lines of the spec, and the networks that fit together."""

from __future__ import annotations

from cnnspec.diagnostics.render import clean, render_all
from cnnspec.report.findings import Report, Result, verdict
from cnnspec.report.formats import Format, Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass


def write(report: Report, style: Style) -> str:
    """Findings as they are drawn, a line for every model that fits together, and what was found in all."""
    if style.statistics:
        from cnnspec.report.counts import count_by_code

        return count_by_code(report)
    parts = [_result(result, style) for result in report.results]
    errors, warnings = report.count("error"), report.count("warning")
    unfinished = sum(result.unfinished for result in report.results)
    if not style.quiet or errors or warnings:
        parts.append(_total(len(report.results), errors, warnings, unfinished) + "\n")
    return "".join(parts)


def _result(result: Result, style: Style) -> str:
    findings = render_all(result.diagnostics, color=style.color) + "\n\n" if result.diagnostics else ""
    models = [f"{clean(graph.source.path)}: {verdict(graph)}" for graph in result.graphs]
    lines = [*models, *map(clean, result.remarks)]
    return findings + ("" if style.quiet else "".join(line + "\n" for line in lines))


def _total(files: int, errors: int, warnings: int, unfinished: int) -> str:
    parts = [_count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    found = " and ".join(parts) or ("no problems" if not unfinished else "nothing in what was followed")
    rest = f", {_count(unfinished, 'module')} not followed to the end" if unfinished else ""
    return f"{_count(files, 'file')} checked: {found}{rest}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


FORMAT = Format(write, counts=True)
