"""What pictures are made of: items in bodies, each with what it is fed. Nothing is measured or placed here."""

from __future__ import annotations

from cnnspec.graph.nodes import ARRIVING, STEP
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnspec.graph.nodes import Node, Shape
    from cnnspec.layers.base import Parts
    from cnnspec.source import Span

LAYER, BLOCK, BRANCHES, MERGE, REPEAT, INPUT, LEARNT, VALUE = (
    "layer", "block", "branches", "merge", "repeat", "input", "learnt", "value",
)  # fmt: skip


@record
class Source:
    """Where a value comes from: what arrives, what is taken from outside, or the step with a path.

    `part` is the number of a part of what arrives, -1 for all of it; `name` is what a spec calls the value.
    """

    kind: str
    path: str = ""
    part: int = -1
    name: str = ""


PLAIN = (Source(ARRIVING),)


@record
class Body:
    """Items in the order in which they run; `label` is that of a branch."""

    items: tuple[Item, ...]
    label: str | None = None


@record
class Item:
    """One thing that a picture may show: a layer with what rides on it, a block, branches, a merge, an input."""

    form: str
    name: str
    path: str
    value: str
    """How others of its body refer to what it gives."""
    label: str | None
    input: Shape | Parts | None
    output: Shape | Parts | None
    node: Node | None = None
    span: Span | None = None
    role: str = ""
    brief: str = ""
    arguments: str = ""
    parameters: int = 0
    layers: int = 0
    feed: tuple[Source, ...] = PLAIN
    extra: tuple[Source, ...] = ()
    before: tuple[Item, ...] = ()
    """Layers that run in front of it and are shown with it."""
    after: tuple[Item, ...] = ()
    branches: tuple[Body, ...] = ()
    """The body of a block, or those of branches; of a repeat, the unit that is repeated."""
    kind: str = ""
    """Of branches and merges: add, multiply, concat, matmul or tuple."""
    residual: bool = False
    again: bool = False
    members: tuple[tuple[Item, ...], ...] = ()
    """Of a repeat: all copies of its unit."""
    exact: bool = True
    """Of a repeat: whether all copies have the same shapes."""

    @property
    def items(self) -> tuple[Item, ...]:
        """The body of a block, or the unit of a repeat."""
        return self.branches[0].items if self.branches and self.form in (BLOCK, REPEAT) else ()

    @property
    def inside(self) -> Iterator[Item]:
        """The items of all its bodies."""
        return (item for body in self.branches for item in body.items)

    @property
    def paths(self) -> tuple[str, ...]:
        """The modules that are shown with it."""
        return tuple(one.path for one in (*self.before, self, *self.after))

    @property
    def copies(self) -> int:
        """How often a repeat runs its unit."""
        return len(self.members) or 1

    @property
    def marks(self) -> dict[str, str]:
        """The attributes by which a page finds what is drawn: its path, and the others that are shown with it."""
        return marks_of([self])

    def follows(self, before: Item) -> bool:
        """Whether it takes the value of the item before it as its running value."""
        return len(self.feed) == 1 and self.feed[0].kind == STEP and self.feed[0].path == before.value


def marks_of(items: Sequence[Item]) -> dict[str, str]:
    """As `Item.marks`, of items that are drawn as one."""
    first = items[0].path
    also = [path for item in items for path in item.paths if path != first]
    return {"data_node": first} | ({"data_also": " ".join(also)} if also else {})
