"""For which sizes of its input a module of PyTorch source holds: those of its spec, where the source agrees."""

from __future__ import annotations

from cnnspec.compiler.any_size import Holding
from cnnspec.diagnostics import Sink
from cnnspec.errors import CnnspecError
from cnnspec.importers.torch_source import exact_graph, import_module
from cnnspec.pipeline import sizes_that_work
from cnnspec.record import replace
from cnnspec.sizes.sets import contains
from cnnspec.source import Source
from cnnspec.torch_source.lower.graphs import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnspec.torch_source.outcome import Outcome
    from cnnspec.torch_source.values import Shape

_FAR = 61
"""How much larger than the size that was followed the largest one is at which source and spec are compared."""


def sizes_of_module(
    outcome: Outcome, sink: Sink, follow: Callable[[tuple[Shape, ...]], Outcome | None]
) -> Holding | None:
    """The sizes for which a module holds that was followed to its end; what specs can't say of it goes to `sink`.

    `follow` follows the same module with other inputs, and gives None where it refuses them. Raises CnnspecError where the
    module does at another size what its spec does not, and Entangled where the sizes can't be decided.
    """
    imported = import_module(outcome, sink)
    if imported is None:
        return None
    (found,) = sizes_that_work(Source("imported.cnn", imported.text), Sink())
    graph = replace(found.graph, name=outcome.name, source=place_of(outcome).script.source)
    for point in _points(found):
        other = follow(_shapes(outcome.inputs, found, point))
        if _holds(other, outcome) != contains(found.boxes, point):
            size = " x ".join(str(point[axis]) for axis in range(len(point)))
            raise CnnspecError(
                f"{outcome.name} asks for the size of its input as it runs, so that what holds for one size says nothing of "
                f"{size}; `--input` checks a size"
            )
    return replace(found, graph=graph)


def _holds(other: Outcome | None, outcome: Outcome) -> bool:
    """Whether a module does at another size what it did, with the weights that it has, and each sample by itself."""
    if other is None or other.stop or other.parameters != outcome.parameters:
        return False
    return exact_graph(other, Sink()) is not None


def _points(found: Holding) -> Iterator[tuple[int, ...]]:
    """Sizes to compare at: beside those that were followed, and at the ends of what holds."""
    base = found.grid.base
    for axis, size in enumerate(base):
        beside = {size - 1, size + 1, size // 2, 2 * size, size + _FAR}
        for box in found.boxes:
            beside |= {box[axis].smallest, box[axis].smallest - 1}
        for other in sorted(beside - {size}):
            if other > 0:
                yield (*base[:axis], other, *base[axis + 1 :])


def _shapes(inputs: tuple[Shape, ...], found: Holding, point: tuple[int, ...]) -> tuple[Shape, ...]:
    """The shapes of the inputs with other numbers for their free sizes."""
    return tuple(
        tuple(size if axis is None else point[axis] for axis, size in zip(axes, shape))
        for axes, shape in zip(found.axes, inputs)
    )
