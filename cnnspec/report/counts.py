"""How often each code was found."""

from __future__ import annotations

from cnnspec.diagnostics.render import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics import Diagnostic
    from cnnspec.report.findings import Report


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
