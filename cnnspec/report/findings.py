"""What was found: a `Result` is that of one file, a `Report` that of a run."""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Diagnostic
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.graph.nodes import Graph


@record
class Result:
    """What was found in one file, and its models that fit together."""

    path: str
    graphs: tuple[Graph, ...]
    diagnostics: tuple[Diagnostic, ...]
    remarks: tuple[str, ...] = ()
    """Lines for people about what is no graph: the modules of Python source that were checked, or not."""
    unfinished: int = 0
    """Modules of Python source that were not followed to their end."""


@record
class Report:
    """The results of a run, file by file."""

    results: tuple[Result, ...]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every finding."""
        return [found for result in self.results for found in result.diagnostics]

    def count(self, severity: str) -> int:
        return sum(found.severity == severity for found in self.diagnostics)


def verdict(graph: Graph) -> str:
    """A model that fits together in one line: its name, what it takes and gives, and its parameters."""
    shapes = f"{show_shape(graph.takes)} -> {show_shape(graph.output or ())}"
    return f"{graph.name}  {shapes}  {graph.parameters:,} parameters"


def report_of(results: Iterable[Result]) -> Report:
    """The report of a run, with every finding once: a mistake in a file that several others import is found from each."""
    seen: set[tuple[str, int, int, str, str]] = set()
    unique = []
    for result in results:
        kept = []
        for found in result.diagnostics:
            span = found.span
            key = (span.source.path, span.start, span.end, found.code.id, found.message)
            if key not in seen:
                seen.add(key)
                kept.append(found)
        unique.append(replace(result, diagnostics=tuple(kept)))
    return Report(tuple(unique))
