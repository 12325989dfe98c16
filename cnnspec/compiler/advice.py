"""Helps for habits that users bring along: PyTorch's order of arguments, the batch in shapes, names without a rank."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.compiler.flow import Flow
from cnnspec.declare import Argument, spell
from cnnspec.diagnostics import Diagnostic, Suggestion, codes, note
from cnnspec.diagnostics.suggestions import SPELLING
from cnnspec.layers import Layer, Reject
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.compiler.elaborate import Elaborator


def torch_order(flow: Flow, declared: type[Layer], written: list[Argument]) -> tuple[Suggestion, ...]:
    """For arguments in PyTorch's order, where the width that arrives comes first."""
    values = [argument.value for argument in written if argument.name is None]
    numbers = [value for value in values if value.__class__ is int and isinstance(value, int) and value > 0]
    if len(values) < 2 or values[:2] != numbers[:2] or not declared.inferred or declared.inferred in declared.fields:
        return ()
    if declared.inferred_axis == 0 and (values[0] != flow.width(0) or len(values) < 3):
        return ()
    name, first = declared.__name__, next(iter(declared.fields))
    rest = ", ".join(map(spell, values[1:]))
    fix = f"write `{name}({rest})` or `{name}({spell(values[0])} -> {rest})`"
    return (note(f"the first argument of {name} is {first}: {fix}"),)


def batch(walk: Elaborator, reject: Reject, layer: Layer) -> tuple[Suggestion, ...]:
    """For an input that was written with its batch."""
    shape = walk.flow.shape
    if reject.code is not codes.WRONG_RANK or shape is None or shape is not walk.start.shape:
        return ()
    written = layer.rank > 0 and len(shape) == layer.rank + 2
    return (note(f"shapes leave out the batch: `input {list(shape[1:])}`"),) if written else ()


def of_rank(helps: tuple[Suggestion, ...], flow: Flow) -> tuple[Suggestion, ...]:
    """For a name without its rank, the layer of the rank that arrives: `BatchNorm` of an image is `BatchNorm2d`."""
    if not helps or helps[0].kind is not SPELLING or flow.shape is None:
        return helps
    written, meant = str(helps[0].facts["written"]), str(helps[0].facts["meant"])
    if meant[-2:] not in ("1d", "2d", "3d") or any(digit in written for digit in "123"):
        return helps
    fitting = f"{meant[:-2]}{max(1, len(flow.shape) - 1)}d"
    if layers.find(fitting) is None:
        return helps
    return (Suggestion(SPELLING, {"written": written, "meant": fitting, "ties": helps[0].facts["ties"]}),)


_KNOWN = (tree.Layer, tree.Let, tree.For, tree.Repeat, tree.If, tree.Residual, tree.Merge, tree.Input, tree.Invalid)


def known(walk: Elaborator, node: tree.Statement) -> tree.Statement | None:
    """The statement if the compiler has a meaning for it; reported otherwise."""
    if _is_known(node):
        return node
    not_yet(walk, node)
    return None


def _is_known(node: tree.Statement) -> bool:
    """Whether the compiler has a meaning for a statement and its tail."""
    tail = getattr(node, "tail", None)
    if not isinstance(node, _KNOWN) or (isinstance(node, tree.Merge) and node.kind in ("matmul", "tuple")):
        return False
    if tail is None or not (tail.label or tail.annotation):
        return True
    plain = not isinstance(tail.label, tree.Labels) and (not tail.annotation or tail.annotation.is_list)
    return plain and not isinstance(node, (tree.For, tree.Repeat, tree.If))


def not_yet(walk: Elaborator, node: tree.Statement) -> None:
    """Report a statement whose meaning the compiler does not know."""
    word = node.span.text.split(maxsplit=1)[0]
    facts: dict[str, object] = {"found": f"`{word}`", "verb": "stand", "expected": "a layer"}
    walk.sink.add(Diagnostic(codes.UNEXPECTED, facts, node.span))
    walk.gap("", node.span)
