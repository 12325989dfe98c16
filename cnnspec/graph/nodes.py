"""The typed graph of one model: a tree of modules with the shape of every value, and which value goes where.

Shapes leave out the batch; the shapes of a tuple of values are `Parts`. A shape is None only where a mistake hides it, and
then `Graph.complete` is False. Nodes are frozen and may occur several times: equal uses of one block share their node, and
every occurrence is a module of its own.

A body is a list of modules, `children`, and of `steps`, which say what each of them is given. Where every child takes what
the one before it gives, `steps` is empty: the body is a plain `nn.Sequential`.
"""

from __future__ import annotations

from cnnspec.layers import Layer
from cnnspec.layers.base import Parts
from cnnspec.record import record, replace
from cnnspec.source import Source, Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from cnnspec.sizes.declared import DeclaredSizes

Shape = tuple[int, ...]

ARRIVING, TAKEN, STEP, WEIGHT = "arriving", "taken", "step", "weight"


@record
class Wire:
    """A value inside of a body: where it comes from, and the path of a part where that is a tuple.

    `kind` is ARRIVING (what the body is run on), TAKEN (the value `index` of those that it takes from outside), STEP (what
    step `index` gives) or WEIGHT (the weight `index`, stretched over the batch). Where a step's module gives `taps` as
    well, the first index of a path chooses between its own value, 0, and those.
    """

    kind: str
    index: int = 0
    path: tuple[int, ...] = ()


Feed: TypeAlias = "Wire | tuple[Feed, ...]"
"""What a module is given: a value, or a tuple of them."""


@record
class Link:
    """A module that is run again: a child of this body, or (`taken`) one of those that it takes from outside."""

    index: int
    taken: bool = False


@record
class Step:
    """One run of a module: what it takes as its running value, and the further values and modules it needs."""

    module: Link
    feed: Feed
    values: tuple[Feed, ...] = ()
    modules: tuple[Link, ...] = ()
    again: Node | None = None
    """The module as it is in this run, where it has run before: its shapes may differ, its weights are the first's."""


@record
class Weight:
    """A learned value of a body: its label, its shape without the batch, and how it starts."""

    label: str
    shape: Shape
    start: Any
    """A number, or a recipe's `Init`-like pair of a name in torch.nn.init and its arguments: (name, {argument: value})."""
    span: Span

    @property
    def parameters(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count


@record
class Named:
    """A value that a spec has named, by `as` or as an input."""

    name: str
    feed: Feed
    span: Span


@record
class LayerNode:
    """A layer. `layer` is None where the statement is wrong."""

    label: str | None
    title: str
    layer: Layer | None
    input: Shape | Parts | None
    output: Shape | Parts | None
    parameters: int
    span: Span
    layers: int = 1


@record
class BlockUse:
    """The block or model that a body comes from, and the values of those of its parameters that are plain ones."""

    definition: tree.Block | tree.Model
    values: tuple[tuple[str, Any], ...]


@record
class StackNode:
    """Modules that run one after the other: a model, the use of a block, a branch, a labelled loop."""

    label: str | None
    title: str
    children: tuple[Node, ...]
    input: Shape | Parts | None
    output: Shape | Parts | None
    parameters: int
    span: Span
    layers: int
    steps: tuple[Step, ...] = ()
    """Empty where every child takes what the one before it gives, and the last one's value is the body's."""
    result: Feed | None = None
    """The value of the body; None for that of the last step."""
    takes: tuple[str, ...] = ()
    """The values that it takes from outside, by the names they have there."""
    modules: int = 0
    """How many modules it takes from outside, to run them again."""
    taps: tuple[Feed, ...] = ()
    """Values that it gives besides its own, since the body around it names them by a path."""
    weights: tuple[Weight, ...] = ()
    names: tuple[Named, ...] = ()
    inputs: int = 1
    """How many values a model is called with."""
    block: BlockUse | None = None
    """What it is a use of; None for a branch or a labelled loop."""


@record
class ResidualNode:
    """body(x) + shortcut(x); `shortcut` None is the identity."""

    label: str | None
    title: str
    body: StackNode
    shortcut: StackNode | None
    input: Shape | None
    output: Shape | None
    parameters: int
    span: Span
    layers: int
    given: tuple[Given, ...] = ()
    takes: int = 0
    modules: int = 0
    taps: tuple[Tap, ...] = ()


@record
class Given:
    """Which of the values and modules that a merge takes go to one of its branches, in their order."""

    values: tuple[int, ...] = ()
    modules: tuple[int, ...] = ()


@record
class Tap:
    """A value that a merge gives besides its own: that of a branch (`tap` None), or one of those that the branch gives."""

    branch: int
    tap: int | None = None


@record
class MergeNode:
    """`add`, `multiply`, `concat` or `matmul` of branches, or of the running value with others; `tuple` keeps them apart.

    `operands` lists what is merged with the running value where there are no branches: numbers, and None for the next of
    the values that the step hands over. `sources` has the names they are written under.
    """

    label: str | None
    title: str
    kind: str
    branches: tuple[StackNode, ...]
    operands: tuple[float | None, ...]
    sources: tuple[str, ...]
    merged: tuple[Shape | Parts | None, ...]
    dim: int
    input: Shape | Parts | None
    output: Shape | Parts | None
    parameters: int
    span: Span
    layers: int
    given: tuple[Given, ...] = ()
    takes: int = 0
    modules: int = 0
    taps: tuple[Tap, ...] = ()


Node = LayerNode | StackNode | ResidualNode | MergeNode


@record
class Entry:
    """An input of a model."""

    name: str | None
    shape: Shape | None
    span: Span
    integers: bool = False
    """Whether it is of int64 rather than of floats: what takes it first is an Embedding."""


@record
class Graph:
    """A model that has been expanded and checked."""

    name: str
    values: dict[str, Any]
    """The values of the model's parameters."""
    root: StackNode
    complete: bool
    """True where every shape is known and no error was found."""
    recipe: tree.Train | None
    source: Source
    """The file that calls the model by its name; the base of a variant may stand in another one."""
    inputs: tuple[Entry, ...] = ()
    sizes: DeclaredSizes | None = None
    """The sizes of the input by their names, where they are not numbers; shapes then depend on them."""

    at: str = ""
    """The sizes that were chosen for those by name, as `H = 32`."""

    smallest: bool = False
    """Whether nobody chose these sizes, and they are the smallest that are admitted."""

    fixed: tuple[str, ...] = ()
    """The parameters that the definition of a variant gives; nothing else can give them."""

    @property
    def numbers(self) -> Graph:
        """The graph with numbers for all sizes: where they have names, the smallest that are admitted."""
        return self if self.sizes is None else replace(self.sizes.at(self.sizes.smallest), smallest=True)

    @property
    def typical(self) -> Graph:
        """As `numbers`, at admitted sizes that are no extremes: what pictures show."""
        return self if self.sizes is None else self.sizes.at(self.sizes.typical)

    @property
    def span(self) -> Span:
        """Where the model is called by its name."""
        return self.root.span

    @property
    def input_span(self) -> Span | None:
        """Where the first input stands."""
        return self.inputs[0].span if self.inputs else None

    @property
    def input(self) -> Shape | None:
        """The shape of the only input; of several, that of the first."""
        return self.inputs[0].shape if self.inputs else None

    @property
    def takes(self) -> Shape | Parts:
        """The shape of the input, or of several inputs their shapes."""
        shapes = [entry.shape or () for entry in self.inputs]
        return Parts(shapes) if len(shapes) > 1 else shapes[0] if shapes else ()

    @property
    def output(self) -> Shape | Parts | None:
        return self.root.output

    @property
    def parameters(self) -> int:
        """Number of learnable values."""
        return self.root.parameters

    @property
    def layers(self) -> int:
        return self.root.layers
