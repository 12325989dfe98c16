"""A summary as text: a table for the terminal or for Markdown, and the two columns of the course notes."""

from __future__ import annotations

from cnnspec.backends.summary import AGAIN, INPUT, MODULE, WEIGHT, Account, Row, rows
from cnnspec.backends.tables import Column, bar, markdown, plain
from cnnspec.compiler.values import show_shape
from cnnspec.graph.nodes import Graph, LayerNode, Shape
from cnnspec.layers.base import Parts
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.analysis.receptive_field import Field

BAR = 8
LONG = 24
"""Characters of a tuple that is listed on a terminal."""
UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


@record
class Options:
    """How a summary is shown. `depth` None: all levels, or as many as leave at most `height` lines.

    With `memory` it tells what is kept for the way back and how much memory a step takes; with `explain` the arithmetic.
    """

    depth: int | None = None
    height: int | None = None
    width: int | None = None
    color: bool = False
    memory: bool = False
    explain: bool = False


def summarize(account: Account, options: Options | None = None) -> str:
    """The table as text for a terminal."""
    options = options or Options()
    listed = fitting(account, options)
    columns, found = cells(listed, account, options)
    lines: list[list[str] | str] = list(found)
    if options.explain:
        keys = max((len(line[0]) for line in found), default=0)
        lines = []
        for row, own in zip(listed, found):
            lines += [own, *_arithmetic(row, keys)]
    total = totals(account, memory=options.memory)
    return plain(account.title, columns, lines, total, width=options.width, color=options.color)


def summarize_markdown(account: Account, options: Options | None = None) -> str:
    """The table in Markdown."""
    options = options or Options()
    columns, lines = cells(fitting(account, options), account, options)
    return markdown(account.title, columns, lines, totals(account, memory=options.memory))


def fitting(account: Account, options: Options) -> list[Row]:
    """The rows down to the depth that is asked for, or to the last one that leaves few enough of them."""
    found = list(rows(account.graph, account.costs, depth=options.depth))
    if options.depth is not None or options.height is None:
        return found
    depth = max((row.depth for row in found), default=0)
    while len(found) > options.height and depth > 0:
        found = list(rows(account.graph, account.costs, depth=depth))
        depth -= 1
    return found


def cells(listed: list[Row], account: Account, options: Options) -> tuple[list[Column], list[list[str]]]:
    """The columns of a table, and the texts in them for each row."""
    columns = [
        Column(""), Column("Layer", flexible=True), Column("Output"), Column("Parameters", right=True),
        Column("MACs", right=True), Column("", optional=True), Column("Activations", right=True, optional=True),
        *([Column("Kept", right=True)] if options.memory else []),
        Column("Field", right=True, sparable=True), Column("Stride", right=True, optional=True),
        Column("Padding", right=True, optional=True),
    ]  # fmt: skip
    most = account.costs.total.macs or 1
    lines = []
    for row in listed:
        times = f"  x{row.times}" if row.times > 1 else ""
        lines.append(
            [
                f"{'  ' * row.depth}{row.key if row.kind != AGAIN else ''}", row.layer + times,
                _brief(row.output) if options.width else show_shape(row.output),
                number(row.cost.parameters), "" if row.kind == INPUT else number(row.cost.macs),
                bar(row.cost.macs / most, BAR) if row.own else "",
                "" if row.kind == WEIGHT else size(account.activations(row)) if row.cost.output else "",
                *([size(account.kept(row)) if row.kind == MODULE else ""] if options.memory else []),
                *_seen(account.seen(row), account.graph.input or ()),
            ]
        )  # fmt: skip
    return columns, lines


def _brief(shape: Shape) -> str:
    """A shape for a terminal, where a long tuple is counted and not listed."""
    text = show_shape(shape)
    if not isinstance(shape, Parts) or len(text) <= LONG:
        return text
    return f"{len(shape)} x ({show_shape(shape[0])})" if len(set(shape)) == 1 else f"{len(shape)} values"


def _seen(fields: tuple[Field, ...], shape: Shape) -> tuple[str, str, str]:
    """A receptive field: its size, its stride and how far it reaches into the padding, one number where the axes agree."""
    if not fields:
        return "", "", ""
    sizes = shape[len(shape) - len(fields) :]
    if all(field.covers(one) for field, one in zip(fields, sizes)):
        return "all", "", ""
    return _each([f.size for f in fields]), _each([f.stride for f in fields]), _each([-f.start for f in fields])


def _each(values: Sequence[object]) -> str:
    return str(values[0]) if values.count(values[0]) == len(values) else "x".join(map(str, values))


def number(value: int) -> str:
    """A number with commas; a dash for none."""
    return f"{value:,}" if value else "-"


def size(count: int) -> str:
    """Bytes in the unit that suits them, of 1000 or its powers; a dash for none."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:,.3g} {name}" if count < 1000 * unit else f"{count / unit:,.0f} {name}"
    return f"{count} B" if count else "-"


def _arithmetic(row: Row, keys: int) -> list[str]:
    """How the numbers of a row come about, a line each."""
    node = row.node
    if not isinstance(node, LayerNode) or node.layer is None or node.input is None or node.output is None:
        return []
    return [f"{' ' * (keys + 4)}{what}: {text}" for what, text in node.layer.arithmetic(node.input, node.output)]


def totals(account: Account, *, memory: bool = False) -> list[str]:
    """What is said of the whole network."""
    graph, total = account.graph, account.costs.total
    layers = f"{graph.layers:,} layer{'' if graph.layers == 1 else 's'}"
    megabytes = total.parameters * account.float_size / 1e6
    lines = [f"{total.parameters:,} parameters in {layers}, {megabytes:,.2f} MB as {account.dtype}"]
    if total.buffers or total.counters:
        lines.append(f"{total.buffers + total.counters:,} values in buffers, which are not learned")
    lines.append(
        f"{total.macs:,} multiply-accumulates (MACs), {total.flops:,} FLOPs, and {total.operations:,} other operations "
        "for one sample forward"
    )
    if account.fields.output:
        lines.append(_view(account.fields.output, graph.input or ()))
    return [*lines, *(memory_lines(account) if memory else [])]


def memory_lines(account: Account) -> list[str]:
    """What a step of training takes and one of evaluation, in words."""
    step, samples = account.training, f"{account.batch} sample{'' if account.batch == 1 else 's'}"
    where = f", at `{step.peak_at}`" if step.peak_at else ""
    return [
        f"a training step, forward and backward, is {step.macs:,} MACs for one sample",
        f"a training step of {samples} with {account.optimizer} takes {size(step.peak)}; most in the {step.peak_phase} "
        f"phase{where}; {size(step.activations)} of it are kept for the way back",
        f"evaluation of {samples} takes {size(account.evaluation.peak)}",
    ]


def _view(fields: tuple[Field, ...], shape: Shape) -> str:
    """What the output sees of the input, in words."""
    sizes = shape[len(shape) - len(fields) :]
    field, whole = " x ".join(str(field.size) for field in fields), " x ".join(map(str, sizes))
    askew = "; branches that meet are not centred on each other" if any(field.misaligned for field in fields) else ""
    if all(field.covers(one) for field, one in zip(fields, sizes)):
        return f"every output sees all of the {whole} input"
    if all(field.size >= one for field, one in zip(fields, sizes)):
        return f"an output sees {field} places, and the input has {whole}{askew}"
    return f"an output sees {field} of the {whole} input{askew}"


def course_notes(graph: Graph, batch: int = 1) -> str:
    """A line for each top-level module: its class, and the shape that it gives."""
    account = Account(graph)
    found = rows(account.graph, account.costs, depth=1, fold=False)
    listed = [row for row in found if row.kind in (MODULE, AGAIN)]
    return "\n".join(f"{row.layer.partition('(')[0]} output shape:\t {_size(row.output, batch)}" for row in listed)


def _size(shape: object, batch: int) -> str:
    if not isinstance(shape, tuple):
        return ""
    if shape and isinstance(shape[0], tuple):
        return "(" + ", ".join(_size(part, batch) for part in shape) + ")"
    return f"torch.Size([{', '.join(map(str, (batch, *shape)))}])"
