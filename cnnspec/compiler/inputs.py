"""What a spec says about shapes: the input of a model, and annotations behind statements."""

from __future__ import annotations

from math import prod

from cnnspec.compiler.expressions import Stop
from cnnspec.compiler.flow import LOST, Flow
from cnnspec.compiler.names import Scope
from cnnspec.compiler.values import has_unknown
from cnnspec.declare import spell
from cnnspec.diagnostics import Diagnostic, codes, note
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.compiler.elaborate import Elaborator


def start(walk: Elaborator, node: tree.Input) -> None:
    """Begin a model with its input."""
    twice, walk.has_input, walk.awaits_input = walk.has_input, True, False
    if not walk.in_model or walk.depth > 1:
        walk.sink.report(codes.INPUT_MISPLACED, node.span, problem="belongs to the top of a model", label="not here")
        return
    if twice or any(child.title for child in walk.stack.children):
        problem = "can't be given twice" if twice else "has to be the first statement of a model"
        label = "a second input" if twice else "not the first statement"
        walk.sink.report(codes.INPUT_MISPLACED, node.span, labels=walk.start.labels(), problem=problem, label=label)
        return
    sizes = [_input_size(walk, item) for item in node.shape.items]
    _conditions(walk, node)
    if not sizes:
        walk.sink.report(codes.WRONG_VALUE, node.shape.span, what="an input", value="empty", wants="at least one size")
    elif len(sizes) > 4:
        wants = "[features], [channels, length], [channels, height, width] or [channels, depth, height, width]"
        value = f"of {len(sizes)} dimensions"
        walk.sink.report(codes.WRONG_VALUE, node.shape.span, what="an input", value=value, wants=wants)
    elif any(size is None for size in sizes):
        walk.flow = Flow(None, sizes[0])
    elif prod(size or 0 for size in sizes) > LIMITS.integer:
        walk.sink.report(codes.TENSOR_TOO_LARGE, node.shape.span, what="the input", limit=LIMITS.integer)
    else:
        walk.flow = LOST.become(tuple(size or 0 for size in sizes), node.span, verb="is")
    if node.tail.label is not None:
        walk.stack.input_name = walk.label(node.tail)
    walk.start = walk.flow
    walk.finish(node.tail)


def _conditions(walk: Elaborator, node: tree.Input) -> None:
    """Check what `where` says of sizes that are numbers. Where it fails, what follows is not meant for this size."""
    free = _free(node.shape, walk.scope)
    for condition in node.conditions:
        if not any(_mentions(condition, name) for name in free) and walk.value(condition) is False:
            walk.sink.report(codes.CONDITION_FAILS, condition.span, condition=condition.span.text)
            raise Stop


def _input_size(walk: Elaborator, item: tree.Expression) -> int | None:
    if isinstance(item, tree.Name) and walk.scope.find(item.id) is None and not item.id.startswith("in_"):
        walk.sink.report(codes.SYMBOLIC_SIZE, item.span, name=item.id)
        return None
    return _size(walk, item, "a size of an input")


def _size(walk: Elaborator, item: tree.Expression, what: str) -> int | None:
    value = walk.value(item)
    if has_unknown(value):
        return None
    if value.__class__ is not int or value < 1:
        wants = "a whole number of at least 1"
        walk.sink.report(codes.WRONG_VALUE, item.span, what=what, value=spell(value), wants=wants)
        return None
    return int(value)


def annotation(walk: Elaborator, node: tree.Sequence) -> None:
    """Compare the shape with the declared one; go on with what is declared."""
    found = walk.flow.shape
    declared: list[int | None] = []
    wild: list[bool] = []
    for item in node.items:
        wild.append(isinstance(item, tree.Name) and item.id == "_")
        declared.append(None if wild[-1] else _size(walk, item, "a size"))
    if any(size is None and not any_size for size, any_size in zip(declared, wild)):
        return
    if found is None:
        _resume(walk, declared, node)
    elif len(found) != len(declared) or any(d not in (None, f) for d, f in zip(declared, found)):
        if not walk.flow.doubted:
            facts: dict[str, object] = {"found": found, "declared": tuple(declared)}
            helps = (note("shapes leave out the batch"),) if _has_batch(found, declared) else ()
            walk.sink.add(Diagnostic(codes.WRONG_ANNOTATION, facts, node.span, tuple(walk.flow.labels()), helps))
        _resume(walk, declared, node)
        if walk.flow.shape is not None:
            walk.flow = walk.flow.doubt(channels=walk.flow.shape[0] != found[0], sizes=walk.flow.shape[1:] != found[1:])
    else:
        walk.flow = walk.flow.doubt(channels=False, sizes=False)


def _has_batch(found: tuple[int, ...], declared: list[int | None]) -> bool:
    return len(declared) == len(found) + 1 and all(d in (None, f) for d, f in zip(declared[1:], found))


def _resume(walk: Elaborator, declared: list[int | None], node: tree.Sequence) -> None:
    """Go on with a declared shape; `_` stands for the size that was found, where there is one."""
    found = walk.flow.shape
    if found is not None and len(found) == len(declared):
        declared = [f if d is None else d for d, f in zip(declared, found)]
    if declared and all(size is not None for size in declared):
        walk.flow = LOST.become(tuple(size or 0 for size in declared), node.span, verb="declares")
    else:
        walk.flow = Flow(None, declared[0] if declared else None)


def _free(shape: tree.Sequence, scope: Scope) -> list[str]:
    """Names of sizes that stand for any number."""
    return [item.id for item in shape.items if isinstance(item, tree.Name) and scope.find(item.id) is None]


def _mentions(node: tree.Expression, name: str) -> bool:
    return any(isinstance(part, tree.Name) and part.id == name for part in tree.walk(node))
