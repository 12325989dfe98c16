"""What a layer does to a value that is not known in full: it is tried on stand-ins for what is missing.

Sizes that are not sure, and arguments that are wrong, are replaced by several numbers or values each. What comes out the
same for all of them is sure; a layer that refuses every one of them is wrong whatever the missing ones are.
"""

from __future__ import annotations

from cnnspec.compiler.flow import LOST, Flow, Known, Several, doubtful, joined
from cnnspec.declare import Reject
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts, prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Shape = tuple[int, ...]


class Guess(int):
    """A stand-in for a size: messages show it as `_`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "_"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "_"


# Sizes for the first axis to the last. The first three are divisible by what networks divide by and differ in every axis,
# so that no size that depends on another one comes out the same; the others are there for rules that want small, odd or
# equal sizes.
_COMMON = ((5040, 10080, 15120, 20160), (50400, 27720, 55440, 83160), (2520, 7560, 12600, 17640))
_RARE = ((61, 67, 71, 73), (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3), (5, 9, 9, 9), (7, 13, 11, 17), (4, 4, 4, 4))
_RANKS = (3, 2, 4, 1)


def _filled(flow: Flow, rank: int, fill: tuple[int, ...]) -> Shape:
    if flow.sizes is not None:
        return tuple(Guess(fill[axis % 4]) if size is None else size for axis, size in enumerate(flow.sizes))
    sizes: list[int] = [Guess(number) for number in fill[:rank]]
    if flow.first is not None:
        sizes[0] = flow.first
    if flow.last is not None and (rank > 1 or flow.first is None):
        sizes[-1] = flow.last
    return tuple(sizes)


def _shapes(known: Known, fill: tuple[int, ...]) -> Iterator[Shape | Parts]:
    if isinstance(known, Several):
        yield Parts(next(_shapes(part, fill)) for part in known.parts)
    elif known.sizes is not None:
        yield _filled(known, len(known.sizes), fill)
    else:
        for rank in _RANKS:
            yield _filled(known, rank, fill)


def outcome(layers: list[Layer], known: Known) -> tuple[Known, Reject | None]:
    """What is sure of the value behind a layer, which is one of `layers`; or why every stand-in is refused."""
    if not isinstance(known, Flow) or not known.options:
        return _one_outcome(layers, known)
    ends: list[Flow] = []
    refusals: list[Reject] = []
    for option in known.options:
        end, refused = _one_outcome(layers, Flow(option))
        if refused is not None:
            refusals.append(refused)
            end = behind_refusal(layers[0], refused.field, Flow(option))
        if isinstance(end, Flow) and end.sizes is not None:
            ends.append(end)
    if len(refusals) == len(known.options):
        return LOST, refusals[0]
    if len(ends) < len(known.options):
        return LOST, None
    sizes = tuple(end.sizes for end in ends if end.sizes is not None)
    return doubtful(sizes, LOST) if len(set(sizes)) > 1 or None in sizes[0] else ends[0], None


def _one_outcome(layers: list[Layer], known: Known) -> tuple[Known, Reject | None]:
    legal, refused = _legal(layers)
    tried: set[Shape | Parts] = set()
    for fills in (_COMMON, (*_RARE, *_fitting(layers[0]))):
        accepted: list[Shape | Parts] = []
        for shape in (shape for fill in fills for shape in _shapes(known, fill)):
            # Where little is missing, stand-ins make the same shape.
            for layer in legal if shape not in tried else ():
                try:
                    accepted.append(layer.infer(shape))
                except Reject as reject:
                    refused = refused or reject
            tried.add(shape)
        if accepted:
            return _together(accepted), None
    return LOST, refused


def _legal(layers: list[Layer]) -> tuple[list[Layer], Reject | None]:
    """The layers whose arguments go together, and why the first of the others is refused."""
    legal: list[Layer] = []
    refused: Reject | None = None
    for layer in layers:
        try:
            layer.validate()
            legal.append(layer)
        except Reject as reject:
            refused = refused or reject
    return legal, refused


def _fitting(layer: Layer) -> list[tuple[int, ...]]:
    """Sizes that the arguments of a layer ask for: the numbers themselves, their products and multiples."""
    found: list[tuple[int, ...]] = []
    for value in layer.given.values():
        numbers = value if isinstance(value, tuple) else (value,)
        if not all(number.__class__ is int and 0 < number < 2**31 for number in numbers):
            continue
        for number in {prod(numbers), *numbers}:
            found += [(number,) * 4, (number * 5040,) * 4]
        if len(numbers) in (2, 3, 4):
            found += [(1, *numbers, 1, 1)[:4], (*numbers, 1, 1)[:4]]
    return found[:24]


def _together(shapes: list[Shape | Parts]) -> Known:
    if any(isinstance(shape, Parts) for shape in shapes):
        if len({len(shape) if isinstance(shape, Parts) else -1 for shape in shapes}) > 1:
            return LOST
        columns = [list(column) for column in zip(*shapes)]
        return Several(tuple(_together(column) for column in columns))
    return joined(shapes)


def variants(layer: Layer, unknown: Iterable[str]) -> list[Layer]:
    """The layer with values for the arguments `unknown`, which are wrong or missing: several, all of them legal."""
    fields = [layer.fields[name] for name in unknown if name in layer.fields]
    if not fields:
        return [layer]
    samples = [field.kind.samples(layer.rank) or (field.default,) for field in fields]
    found: list[Layer] = []
    for number in range(max(map(len, samples))):
        values = dict(layer.given)
        values.update({field.name: choice[number % len(choice)] for field, choice in zip(fields, samples)})
        made = type(layer).build(values)
        assert isinstance(made, Layer)
        found.append(made)
    return found


def behind_refusal(layer: Layer, field: str, known: Known) -> Known:
    """What is sure of the value behind a layer that refuses what arrives.

    The argument `field` may be to blame, or the sizes that arrive, the channels, or all of it: the least that makes the
    layer accept is taken to be what is wrong.
    """
    layers = variants(layer, [field])
    if isinstance(known, Several):
        return LOST
    if field in layer.fields:
        found, refused = outcome(layers, known)
        if refused is None:
            return found
    rank = len(known.sizes or ())
    sizes, channels, everything = tuple(range(1, rank)), (0,), tuple(range(rank))
    for less in (known.blurred(sizes), known.blurred(channels), known.blurred(everything), LOST):
        found, refused = outcome(layers if less is not LOST else [*layers, layer], less)
        if refused is None:
            return found
    return LOST
