"""Arguments in PyTorch's order, where the width that arrives comes first: one fix for all of a file."""

from __future__ import annotations

from cnnspec.diagnostics.suggestions import Kind
from cnnspec.repair.case import Candidate, Case
from cnnspec.repair.situations.base import situation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER = Kind("order", "write what arrives in front of `->` on all {count} lines that have PyTorch's order")


@situation
def torch_order(case: Case) -> Iterator[Candidate]:
    """A file in the habit of `Conv2d(3, 16, 3)` and `Linear(400, 120)`.

    One such statement may be read in two ways. Where all of them check as PyTorch reads them, nothing else was meant.
    """
    if case.found.code.id != "E127":
        return
    habit = [one for one in case.trials.findings if one.code is case.found.code]
    if len(habit) < 2 or habit[0] is not case.found:
        return
    first = [one.fixes[0].edits for one in habit if one.fixes and one.span.source is case.found.span.source]
    edits = tuple(edit for fix in first for edit in fix)
    if len(first) == len(habit):
        yield Candidate(-2.0, ORDER, {"count": len(habit)}, edits, "order", sure=True)
