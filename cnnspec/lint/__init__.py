"""Warnings: networks that are legal and hardly what was meant. One function a rule, in a file for each theme.

`order`: what stands in front of what. `windows`: windows and widths that waste what they read or hold. `overwrites`:
values that `inplace=true` and broadcasting change. `names`: what is not used, or hides a layer.
"""

from __future__ import annotations

from cnnspec.compiler.project import File
from cnnspec.diagnostics import Sink, codes
from cnnspec.graph.nodes import Graph
from cnnspec.lint import names, order, overwrites, windows
from cnnspec.lint.runs import runs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cnnspec.lint.runs import Run

_RUN_RULES: tuple[tuple[codes.Code, Callable[[Run, Sink], None]], ...] = (
    (codes.NO_NONLINEARITY, order.nothing_nonlinear),
    (codes.LINEAR_ON_MAP, order.linear_on_map),
    (codes.BIAS_BEFORE_NORM, order.bias_before_norm),
    (codes.DROPOUT_BEFORE_NORM, order.dropout_before_norm),
    (codes.SOFTMAX_OVER_BATCH, order.softmax_over_batch),
    (codes.UNREAD_PIXELS, windows.unread_pixels),
    (codes.MOSTLY_PADDING, windows.mostly_padding),
    (codes.ONE_VALUE_PER_CHANNEL, windows.one_value_per_channel),
    (codes.NARROW, windows.narrow),
    (codes.ARGUMENT_ORDER, windows.argument_order),
    (codes.NO_GRADIENT, overwrites.no_gradient),
)
_GRAPH_RULES: tuple[tuple[codes.Code, Callable[[Graph, Sink], None]], ...] = (
    (codes.ACTIVATION_BEFORE_LOSS, order.activation_before_loss),
    (codes.LARGE_LINEAR, windows.large_linear),
    (codes.OVERWRITES_VALUE, overwrites.overwrites_value),
    (codes.OUTER_PRODUCT, overwrites.outer_product),
)
_FILE_RULES: tuple[tuple[codes.Code, Callable[[names.FileText, Sink], None]], ...] = (
    (codes.UNUSED_BLOCK, names.unused_block),
    (codes.UNUSED_PARAMETER, names.unused_parameter),
    (codes.UNUSED_LABEL, names.unused_label),
    (codes.UNUSED_LET, names.unused_let),
    (codes.UNUSED_IMPORT, names.unused_import),
    (codes.SHADOWS_LAYER, names.shadows_layer),
)


def enabled(code: codes.Code, select: Collection[str] = ()) -> bool:
    """Whether a warning is looked for: by default, or because `select` names it, its first signs ("W2") or "ALL"."""
    return code.default or any(code.id.startswith(chosen) or chosen == "ALL" for chosen in select)


def lint(graph: Graph, sink: Sink, select: Collection[str] = ()) -> None:
    """Report the warnings about a network."""
    for code, rule in _GRAPH_RULES:
        if enabled(code, select):
            rule(graph, sink)
    chosen = [run_rule for code, run_rule in _RUN_RULES if enabled(code, select)]
    for run in runs_of(graph.root):
        for run_rule in chosen:
            run_rule(run, sink)


def lint_file(file: File, sink: Sink, select: Collection[str] = ()) -> None:
    """Report the warnings about the text of a file; not about those of what it imports."""
    text = names.read(file)
    for code, rule in _FILE_RULES:
        if enabled(code, select):
            rule(text, sink)
