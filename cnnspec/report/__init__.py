"""The findings of a run as text: for people (full, concise) and for machines (json, github, gitlab, sarif, junit).

A `Report` goes in, the whole text comes out; nothing is printed here. Machine formats hold findings alone. What came from a
user is escaped in every one of them: control and bidirectional characters reach no terminal and break no line.
"""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Graph

NAMES = ("full", "concise", "json", "github", "gitlab", "sarif", "junit")


@record
class Result:
    """What was found in one file, and its models that fit together."""

    path: str
    graphs: tuple[Graph, ...]
    diagnostics: tuple[Diagnostic, ...]


@record
class Report:
    """The results of a run, file by file."""

    results: tuple[Result, ...]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every finding once: a mistake in a file that several others import is found from each of them."""
        return [found for result in self.unique() for found in result.diagnostics]

    def unique(self) -> list[Result]:
        """The results, each without what an earlier one holds."""
        seen: set[tuple[str, int, int, str, str]] = set()
        results = []
        for result in self.results:
            kept = []
            for found in result.diagnostics:
                span = found.span
                key = (span.source.path, span.start, span.end, found.code.id, found.message)
                if key not in seen:
                    seen.add(key)
                    kept.append(found)
            results.append(replace(result, diagnostics=tuple(kept)))
        return results

    def count(self, severity: str) -> int:
        return sum(found.severity == severity for found in self.diagnostics)


def write(report: Report, name: str, *, color: bool = False, quiet: bool = False, statistics: bool = False) -> str:
    """The report in one of the formats, with a line end behind its last line; "" where there is nothing to say.

    `color` and `quiet` are for full alone; `statistics` counts the findings by code, for full, concise and json.
    """
    match name:
        case "json":
            from cnnspec.report.json_format import write_json

            return write_json(report, statistics=statistics)
        case "github":
            from cnnspec.report.github import write_github

            return write_github(report)
        case "gitlab":
            from cnnspec.report.gitlab import write_gitlab

            return write_gitlab(report)
        case "sarif":
            from cnnspec.report.sarif import write_sarif

            return write_sarif(report)
        case "junit":
            from cnnspec.report.junit import write_junit

            return write_junit(report)
    from cnnspec.report.text import count_by_code, write_concise, write_full

    if statistics:
        return count_by_code(report)
    return write_concise(report) if name == "concise" else write_full(report, color=color, quiet=quiet)
