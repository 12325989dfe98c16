"""What a spec says about shapes: inputs, what arrives in a body, and annotations behind statements."""

from __future__ import annotations

from cnnspec.compiler.expressions import truth
from cnnspec.compiler.flow import LOST, Flow, Known, Several, shape_fact
from cnnspec.compiler.stack import part_of
from cnnspec.compiler.values import has_unknown
from cnnspec.compiler.walk import Walk
from cnnspec.declare import UNKNOWN, AnySize, spell
from cnnspec.diagnostics import Diagnostic, Stop, codes, note
from cnnspec.graph.nodes import ARRIVING, Entry, Feed, Wire
from cnnspec.layers.base import prod
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

Sizes = tuple[int | None, ...]


# --- inputs ---


def start(walk: Walk, node: tree.Input) -> None:
    """Begin a model with an input; in a model that is used as a block it checks what arrives."""
    model = walk.uses[-1].block.definition if walk.uses else walk.model
    walk.leading = walk.leading or Leading()
    count, number, nameless = walk.leading.of(model, node)
    if number is None:
        _misplaced(walk, model, node)
        return
    walk.meter.input(number + 1, node.span, walk.sink)
    walk.awaits_input = number < count - 1
    if count > 1 and node is nameless:
        walk.stack.has_nameless_input = True
        walk.sink.report(codes.UNNAMED, node.span, what="one of several inputs", fix="`input [...] as name`")
    part = walk.flow
    if walk.uses and count > 1:
        part = part.parts[number] if isinstance(part, Several) and number < len(part.parts) else LOST
    flow = _of_input(walk, node, part)
    feed: Feed = Wire(ARRIVING, 0, (number,) if count > 1 else ())
    if not walk.uses:
        walk.entries.append(_entry(node, flow))
        walk.stack.inputs = count
        if not walk.awaits_input:
            walk.end_inputs()
    _go_on(walk, node, flow, feed, last=walk.awaits_input is False, several=count > 1)


def _misplaced(walk: Walk, model: object, node: tree.Input) -> None:
    top = isinstance(model, (tree.Model, tree.Block)) and any(one is node for one in model.body.statements)
    if top and isinstance(model, tree.Model):
        problem, label = "has to be the first statement of a model", "not the first statement"
    elif top:
        problem, label = (
            "belongs to a model",
            f"a block takes what arrives: `input -> {node.shape.span.text}` checks it",
        )
    else:
        problem, label = "belongs to the top of a model", "not here"
    walk.broken_input |= not (top and isinstance(model, tree.Model))
    walk.sink.report(codes.INPUT_MISPLACED, node.span, problem=problem, label=label)


class Leading:
    """The inputs of a model, which stand in front of all that runs; looked for once."""

    def __init__(self) -> None:
        self._model: object = None
        self._numbers: dict[int, int] = {}
        self._nameless: tree.Input | None = None

    def of(self, model: object, node: tree.Input) -> tuple[int, int | None, tree.Input | None]:
        """How many a model has, which of them `node` is, and the last one without a name."""
        if not isinstance(model, tree.Model):
            return 0, None, None
        if model is not self._model:
            self._model, self._numbers, self._nameless = model, {}, None
            for statement in model.body.statements:
                if isinstance(statement, tree.Input):
                    self._numbers[id(statement)] = len(self._numbers)
                    if not isinstance(statement.tail.label, tree.Name):
                        self._nameless = statement
                elif not isinstance(statement, (tree.Let, tree.Function, tree.Assert, tree.Invalid)):
                    break
        return len(self._numbers), self._numbers.get(id(node)), self._nameless


def _entry(node: tree.Input, flow: Flow) -> Entry:
    label = node.tail.label
    return Entry(label.id if isinstance(label, tree.Name) else None, flow.shape, node.span)


def _go_on(walk: Walk, node: tree.Input, flow: Flow, feed: Feed, *, last: bool, several: bool) -> None:
    """The running value behind an input: it, or behind the last of several the tuple of all."""
    arrived = walk.flow
    walk.flow, walk.feed = flow, feed
    if not walk.uses and not several:
        walk.start = flow
    if node.tail.annotation is not None:
        annotation(walk, node.tail)
    if isinstance(node.tail.label, tree.Name):
        walk.bind_values(node.tail.label)
    elif several:
        walk.stack.give_name("_", feed, node.span)
    if not several:
        return
    if walk.uses:
        walk.flow, walk.feed = arrived, Wire(ARRIVING)
        return
    parts = (*(walk.start.parts if isinstance(walk.start, Several) else ()), walk.flow)
    walk.start = Several(parts) if not walk.stack.has_nameless_input else LOST
    walk.flow, walk.feed = walk.start, Wire(ARRIVING)


def _of_input(walk: Walk, node: tree.Input, arriving: Known) -> Flow:
    """What is known of an input: what it declares, or in a model that is used as a block what arrives."""
    if walk.uses:
        _bind_sizes(walk, node, arriving)
    else:
        _give_sizes(walk, node)
    sizes = [_input_size(walk, item) for item in node.shape.items]
    if not walk.uses:
        sizes = walk.input_sizes(node, sizes)
    if any(isinstance(item, tree.Literal) and item.value is None for item in node.shape.items):
        return LOST
    if not sizes:
        walk.sink.report(codes.WRONG_VALUE, node.shape.span, what="an input", value="empty", wants="at least one size")
        return LOST
    if len(sizes) > 4:
        wants = "[features], [channels, length], [channels, height, width] or [channels, depth, height, width]"
        value = f"of {len(sizes)} dimensions"
        walk.sink.report(codes.WRONG_VALUE, node.shape.span, what="an input", value=value, wants=wants)
        return LOST
    _conditions(walk, node)
    if not walk.uses:
        if all(size is not None for size in sizes) and prod(size or 0 for size in sizes) > LIMITS.integer // 4:
            walk.sink.report(codes.TENSOR_TOO_LARGE, node.shape.span, what="the input", limit=LIMITS.integer // 4)
            return LOST
        return LOST.become(tuple(sizes), node.span, verb="is")
    if not isinstance(arriving, Flow):
        walk.sink.report(
            codes.INPUT_DIFFERS, walk.uses[-1].span, model=walk.uses[-1].block.name, found=shape_fact(arriving),
            declared=tuple(sizes),
        )  # fmt: skip
        return LOST
    found = arriving.sizes
    if walk.checks_claims and found is not None and not walk.holds(lambda: not _differ(found, tuple(sizes))):
        walk.sink.report(
            codes.INPUT_DIFFERS, walk.uses[-1].span, labels=arriving.labels(), model=walk.uses[-1].block.name,
            found=found, declared=tuple(sizes),
        )  # fmt: skip
        return LOST.become(tuple(sizes), node.span, verb="is")
    return arriving if found is not None else LOST.become(tuple(sizes), node.span, verb="is")


def _clash(a: int | None, b: int | None) -> bool:
    return a is not None and b is not None and a != b


def _free(walk: Walk, node: tree.Input) -> list[tuple[int, tree.Name]]:
    """The sizes of an input that are names which stand for any number: bound nowhere, and with a capital."""
    found = []
    for axis, item in enumerate(node.shape.items):
        if isinstance(item, tree.Name) and item.id[0].isupper() and walk.find(item.id) is None:
            found.append((axis, item))
    return found


def _give_sizes(walk: Walk, node: tree.Input) -> None:
    """Bind the names of sizes for which numbers are given."""
    for _, name in _free(walk, node):
        if name.id in walk.sizes:
            walk.scope.bind(name.id, walk.sizes[name.id], name.span)


def _bind_sizes(walk: Walk, node: tree.Input, arriving: Known) -> None:
    """Bind the names of sizes to those of what arrives."""
    sizes = arriving.sizes if isinstance(arriving, Flow) else None
    for axis, name in _free(walk, node):
        size = sizes[axis] if sizes is not None and len(sizes) == len(node.shape.items) else None
        if name.id not in walk.scope.bindings:
            walk.scope.bind(name.id, UNKNOWN if size is None else size, name.span)


def _conditions(walk: Walk, node: tree.Input) -> None:
    """Check what `where` says of sizes that are numbers. Where it fails, what follows is not meant for this size."""
    if not walk.checks_claims:
        return
    free = {name.id for _, name in _free(walk, node)}
    for condition in node.conditions:
        names = {found.id for found in tree.walk(condition) if isinstance(found, tree.Name)}
        if not names & free and _allowed(walk, condition) is False:
            walk.sink.report(codes.CONDITION_FAILS, condition.span, condition=condition.span.text)
            raise Stop


def _allowed(walk: Walk, condition: tree.Expression) -> bool | None:
    """Whether sizes are as `where` wants them; in a model that is used as a block those of what arrives."""

    def answer() -> bool | None:
        return truth(walk.value(condition), condition.span, walk)

    return walk.holds(answer) if walk.uses else walk.admits(answer)


def _input_size(walk: Walk, item: tree.Expression) -> int | None:
    if isinstance(item, tree.Name) and item.id[0].isupper() and walk.find(item.id) is None:
        walk.scope.bind(item.id, UNKNOWN, item.span)
        return None
    return _size(walk, item, "a size of an input")


def _size(walk: Walk, item: tree.Expression, what: str) -> int | None:
    value = walk.value(item)
    if has_unknown(value):
        return None
    if isinstance(value, AnySize):
        return value
    if value.__class__ is not int or value < 1:
        wants = "a whole number of at least 1"
        walk.sink.report(codes.WRONG_VALUE, item.span, what=what, value=spell(value), wants=wants)
        return None
    return int(value)


def arriving(walk: Walk, node: tree.Arriving) -> None:
    """`input as x`: names, and checks, what arrives in a body."""
    assert walk.body is not None
    before = walk.body.statements[: walk.body.statements.index(node)]
    if not all(isinstance(statement, (tree.Let, tree.Function, tree.Assert)) for statement in before):
        problem, label = "stands in front of all other statements of a body", "not the first statement"
        walk.sink.report(codes.INPUT_MISPLACED, node.span, problem=problem, label=label)
    elif walk.model is not None and walk.body is walk.model.body:
        problem, label = "has a shape in a model", "write `input [channels, height, width]`"
        walk.sink.report(codes.INPUT_MISPLACED, node.span, problem=problem, label=label)
    else:
        walk.finish(node.tail)


def invalid(walk: Walk, node: tree.Invalid) -> None:
    """Text that was to be an input makes its absence no news."""
    if node.word == "input":
        walk.awaits_input = False
        walk.broken_input = True


# --- annotations ---


def annotation(walk: Walk, tail: tree.Tail) -> None:
    """Compare the shape with the declared one; go on with what is not in question."""
    assert tail.annotation is not None
    if walk.checks_claims:
        walk.flow = _compared(walk, walk.flow, tail.annotation, walk.stack.resolve(walk.feed))


def _compared(walk: Walk, flow: Known, node: tree.Expression, feed: Feed) -> Known:
    if isinstance(node, tree.Name):
        return flow
    assert isinstance(node, tree.Sequence)
    if node.is_list:
        if isinstance(flow, Several):
            _report(walk, flow, node, _shown(walk, node))
            return flow
        return _compared_shape(walk, flow, node)
    if isinstance(flow, Flow):
        if flow != LOST:
            _report(walk, flow, node, f"a tuple of {len(node.items)}")
            return flow
        parts: tuple[Known, ...] = (LOST,) * len(node.items)
    else:
        parts = flow.parts
    if len(parts) != len(node.items):
        _report(walk, flow, node, f"a tuple of {len(node.items)}")
        return flow
    found = tuple(
        _compared(walk, part, item, part_of(feed, i)) for i, (part, item) in enumerate(zip(parts, node.items))
    )
    return Several(found, flow.origin if isinstance(flow, Several) else None)


def _shown(walk: Walk, node: tree.Sequence) -> str:
    return node.span.text if len(node.span.text) < 40 else "one shape"


def _compared_shape(walk: Walk, flow: Flow, node: tree.Sequence) -> Flow:
    declared: list[int | None] = []
    wild: list[bool] = []
    for item in node.items:
        wild.append(isinstance(item, tree.Name) and item.id == "_")
        declared.append(None if wild[-1] else _size(walk, item, "a size"))
    sizes = tuple(declared)
    if walk.refused:
        found = flow.sizes if flow.rank == len(sizes) and flow.sizes is not None else sizes
        return _declared(flow, tuple(b if a is None else a for a, b in zip(sizes, found)), node) if sizes else flow
    if not flow.readings:
        return flow if flow.doubted or not sizes else _declared(flow, sizes, node)
    if not any(_agrees(walk, reading, sizes) for reading in flow.readings):
        first = flow.readings[0]
        _report(walk, flow, node, sizes, helps=_batch_helps(first, declared), found=first)
        meant = tuple(b if a is None else a for a, b in zip(sizes, first)) if len(first) == len(sizes) else sizes
        return flow.or_else(meant) if sizes else flow
    if flow.doubted:
        return flow
    merged = tuple(b if a is None else a for a, b in zip(flow.readings[0], sizes))
    return flow if merged == flow.sizes else _declared(flow, merged, node)


def _agrees(walk: Walk, reading: Sizes, sizes: Sizes) -> bool:
    return bool(walk.holds(lambda: not _differ(reading, sizes)))


def _differ(found: Sizes, declared: Sizes) -> bool:
    return len(found) != len(declared) or any(map(_clash, found, declared))


def _declared(flow: Flow, sizes: Sizes, node: tree.Sequence) -> Flow:
    return LOST.become(sizes, node.span, verb="declares")


def _report(
    walk: Walk,
    flow: Known,
    node: tree.Sequence,
    declared: object,
    helps: tuple[str, ...] = (),
    found: Sizes | None = None,
) -> None:
    labels = flow.labels() if isinstance(flow, Flow) else []
    facts: dict[str, object] = {"found": shape_fact(flow) if found is None else found, "declared": declared}
    walk.sink.add(Diagnostic(codes.WRONG_ANNOTATION, facts, node.span, tuple(labels), tuple(map(note, helps))))


def _batch_helps(found: Sizes, declared: list[int | None]) -> tuple[str, ...]:
    batch = len(declared) == len(found) + 1 and all(d in (None, f) for d, f in zip(declared[1:], found))
    return ("shapes leave out the batch",) if batch else ()
