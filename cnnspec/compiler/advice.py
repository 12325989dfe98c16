"""Suggestions for habits that users bring along: the batch in shapes, names without a rank, a forgotten Flatten."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.compiler.flow import Flow, Known
from cnnspec.compiler.stack import part_of
from cnnspec.diagnostics import Suggestion, codes, note
from cnnspec.diagnostics.suggestions import FLATTEN, SPELLING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.compiler.walk import Walk
    from cnnspec.declare import Reject
    from cnnspec.layers import Layer


def batch(walk: Walk, reject: Reject, layer: Layer) -> tuple[Suggestion, ...]:
    """For an input that was written with its batch."""
    shape = walk.flow.shape
    if reject.code.id != codes.WRONG_RANK.id or shape is None or shape is not walk.start.shape:
        return ()
    stated = layer.given.get(layer.inferred)
    written = layer.rank > 0 and len(shape) == layer.rank + 2 and stated in (None, shape[1])
    return (note(f"shapes leave out the batch: `input {list(shape[1:])}`"),) if written else ()


def flatten(layer: Layer, stated: int, flow: Flow) -> tuple[Suggestion, ...]:
    """For a width that Flatten would give."""
    shape = flow.shape
    if layer.inferred_axis != -1 or shape is None or len(shape) < 2:
        return ()
    count = 1
    for size in shape:
        count *= size
    return (Suggestion(FLATTEN, {"count": stated}),) if count == stated else ()


def of_rank(helps: tuple[Suggestion, ...], flow: Known) -> tuple[Suggestion, ...]:
    """For a name without its rank, the layer of the rank that arrives: `BatchNorm` of an image is `BatchNorm2d`."""
    if not helps or helps[0].kind is not SPELLING or not isinstance(flow, Flow) or flow.sizes is None:
        return helps
    written, meant = str(helps[0].facts["written"]), str(helps[0].facts["meant"])
    if meant[-2:] not in ("1d", "2d", "3d") or any(digit in written for digit in "123"):
        return helps
    fitting = f"{meant[:-2]}{max(1, len(flow.sizes) - 1)}d"
    if layers.find(fitting) is None:
        return helps
    return (Suggestion(SPELLING, {"written": written, "meant": fitting, "ties": helps[0].facts["ties"]}),)


def sizes_of_value(name: str) -> tuple[Suggestion, ...]:
    """For a value of the network where a number is wanted."""
    return (note(f"did you mean `channels({name})`, or another of its sizes?"),)


def one_of_tuple(walk: Walk, count: int) -> tuple[Suggestion, ...]:
    """For a tuple where one value is wanted: how to go on from one of them."""
    feed = walk.stack.resolve(walk.feed)
    names = {named.name: named.feed for named in walk.stack.names}
    for name, found in names.items():
        if found == feed:
            return (note(f"go on from one of them: `use {name}[0]`"),)
        if found == part_of(feed, 0):
            return (note(f"go on from one of them: `use {name}`"),)
    return (note("give the tuple a name, `... as parts`, and go on from one of them: `use parts[0]`"),)
