"""What a forward pass of PyTorch source did, as the table that specs have: modules, operations, shapes, parameters."""

from __future__ import annotations

from cnnspec.backends.tables import Column, plain
from cnnspec.record import record
from cnnspec.torch_source.check import Outcome
from cnnspec.torch_source.describe import show_output
from cnnspec.torch_source.trace import Run, Step
from cnnspec.torch_source.values import Instance, Tensor, show_shape
from cnnspec.torch_source.weights import count_parameters

COLUMNS = (Column(""), Column("Layer", flexible=True), Column("Output"), Column("Parameters", right=True))


@record
class Row:
    """One line of the table. `depth` is how deep the module is nested; `parameters` those of everything in it."""

    depth: int
    key: str
    layer: str
    output: str
    parameters: int

    def cells(self) -> tuple[str, ...]:
        count = f"{self.parameters:,}" if self.parameters else "-"
        return f"{'  ' * self.depth}{self.key}", self.layer, self.output, count


_MERGES = frozenset(["+", "*", "cat", "add", "mul", "matmul", "@", "bmm", "stack"])


def summarize_python(outcome: Outcome, *, color: bool = False) -> str:
    """The table of a module that was followed to its end."""
    shapes = " and ".join(map(show_shape, outcome.inputs))
    rows = [Row(0, "", "input", shapes, 0)]
    seen: set[int] = set()
    if outcome.trace is not None and outcome.trace.root is not None:
        rows += _rows(outcome.trace.root, 0, seen)
    count = outcome.parameters or 0
    size = count * 4 / 1e6
    total = [f"{count:,} parameters, {size:,.2f} MB as float32"]
    return plain(outcome.name, COLUMNS, [row.cells() for row in rows], total, color=color)


def _rows(run: Run, depth: int, seen: set[int]) -> list[Row]:
    found: list[Row] = []
    for part in run.steps:
        if isinstance(part, Run):
            found.append(_row(part.module, part.module.cls.name, part.output, depth, seen))
            found += _rows(part, depth + 1, seen)
        elif part.module is not None:
            found.append(_row(part.module, part.name, part.output, depth, seen))
        elif _matters(part):
            found.append(Row(depth, "", part.name, show_output(part.output), 0))
    return found


def _row(module: Instance, layer: str, output: object, depth: int, seen: set[int]) -> Row:
    """The line of a module; its parameters are counted where it runs first."""
    first = id(module) not in seen
    seen.add(id(module))
    return Row(depth, module.name, layer, show_output(output), (count_parameters(module) or 0) if first else 0)


def _matters(step: Step) -> bool:
    """Whether an operation is worth a line: it changes the shape, or joins several tensors."""
    before = next((value for value in step.inputs if isinstance(value, Tensor)), None)
    if not isinstance(step.output, Tensor) or step.name in _MERGES:
        return step.name in _MERGES or before is not None
    return before is None or before.shape != step.output.shape
