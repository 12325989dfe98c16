"""What was found: a `Result` is that of one file, a `Report` that of a run."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
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
