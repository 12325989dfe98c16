"""Budgets in comments, `# cnnspec: assert macs <= 1e9`: of the class that they stand in, or of all networks of the file."""

from __future__ import annotations

import re

from cnnspec.compiler.budgets import NAMES, check_budget
from cnnspec.diagnostics import Diagnostic, Sink, codes
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import runs
from cnnspec.record import replace
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse_expression
from cnnspec.torch_source.lower.foreign import Foreign
from cnnspec.torch_source.outcome import Outcome
from cnnspec.torch_source.values import Class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"#[ \t]*cnnspec:[ \t]*assert[ \t]([^\n#]*)")


def check_budgets(source: Source, outcome: Outcome, graph: Graph, sink: Sink) -> None:
    """Check the budgets of a network that was followed to its end."""
    for match in _COMMENT.finditer(source.text):
        if not _is_about(source, match.start(), outcome):
            continue
        # The text in front is blanked out, so that places in the expression are those of the file.
        text, _, message = match[1].partition(', "')
        inner = Sink()
        test = parse_expression(Source(source.path, " " * match.start(1) + text.rstrip()), inner)
        unknown = _unknown(graph, test)
        if unknown and not inner.has_errors:
            found = f"it can't be worked out: {unknown}"
            sink.report(codes.OVER_BUDGET, Span(source, test.span.start, test.span.end), found=found)
            continue
        if not inner.has_errors:
            check_budget(graph, test, message.rstrip().removesuffix('"'), inner)
        for one in _of_file(inner, source):
            sink.add(one)


def _is_about(source: Source, at: int, outcome: Outcome) -> bool:
    """Whether a comment is about a network: it stands in its class, or in none."""
    line = source.text.count("\n", 0, at) + 1
    cls = outcome.module.cls if outcome.module is not None else None
    script = cls.script if isinstance(cls, Class) else outcome.place.script
    around = [
        node for node in script.tree.body if node.lineno <= line <= (node.end_lineno or 0) and hasattr(node, "bases")
    ]
    return not around or (isinstance(cls, Class) and cls.node is around[0])


def _unknown(graph: Graph, test: tree.Expression) -> str:
    """Why a measure that is asked for is not known: what specs have no layer for costs nobody knows what."""
    if not {part.id for part in tree.walk(test) if isinstance(part, tree.Name)} & set(NAMES):
        return ""
    nodes = (node for _, node in runs(graph.root) if isinstance(node, LayerNode))
    return next((node.layer.reason for node in nodes if isinstance(node.layer, Foreign)), "")


def _of_file(sink: Sink, source: Source) -> Iterator[Diagnostic]:
    """Findings whose places are in the file rather than in its blanked copy."""
    for found in sink.diagnostics:
        yield replace(found, span=Span(source, found.span.start, found.span.end))
