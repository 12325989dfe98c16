"""From the tree to the graph: expand blocks, loops and conditions and infer every shape, in one walk.

A mistake is reported where it stands; the walk then goes on with what the user declared, or with an unknown shape that
every rule accepts, so that one mistake gives one diagnostic and ten give ten.
"""

from __future__ import annotations

from cnnspec import layers
from cnnspec.compiler import merges
from cnnspec.compiler.evaluate import Meter, Stop, describe, evaluate, has_unknown, show_shape
from cnnspec.compiler.flow import LOST, Flow
from cnnspec.compiler.graph import LayerNode, Node, StackNode, labelled
from cnnspec.compiler.module_names import problem_of
from cnnspec.compiler.names import Block, Scope
from cnnspec.diagnostics import Diagnostic, Label, Sink, codes
from cnnspec.diagnostics.suggest import did_you_mean
from cnnspec.fields import UNKNOWN, Argument, as_tuple, bind, spell
from cnnspec.layers import Layer, Reject
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.syntax.source import Span

Shape = tuple[int, ...]
_LARGEST = 2**63 - 1


class Stack:
    """The modules of one body while they are collected."""

    def __init__(self) -> None:
        self.children: list[Node] = []
        self.labels: dict[str, Span] = {}
        self.kept: list[str] = []
        self.input_name: str | None = None

    def node(self, label: str | None, title: str, start: Flow, end: Flow, span: Span) -> StackNode:
        parameters = sum(child.parameters for child in self.children)
        count = sum(child.layers for child in self.children)
        kept = tuple(name for name in dict.fromkeys(self.kept) if name != self.input_name)
        input_name = self.input_name if self.input_name in self.kept else None
        children = tuple(self.children)
        return StackNode(label, title, children, start.shape, end.shape, parameters, span, count, kept, input_name)


class Elaborator:
    """Expands one model. `stack`, `scope` and `flow` are those of the statement at hand."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.meter = Meter()
        self.start: Flow = LOST
        """The value of the model's input."""
        self.flow: Flow = LOST
        self.scope = Scope()
        self.stack = Stack()
        self.active: list[Block] = []
        self.depth = 0
        self.in_model = False
        self._expanded: dict[Any, tuple[StackNode, Flow]] = {}

    # --- bodies ---

    def value(self, node: tree.Expression) -> Any:
        return evaluate(node, self)

    @property
    def shape(self) -> Shape | None:
        """The shape at the statement at hand."""
        return self.flow.shape

    def run(self, body: tree.Body, scope: Scope) -> None:
        """Run the statements of a body with names of its own."""
        outer, self.scope = self.scope, scope
        self.depth += 1
        if self.depth > LIMITS.nesting:
            self.sink.report(codes.NESTED_TOO_DEEPLY, body.span, limit=LIMITS.nesting)
            raise Stop
        for statement in body.statements:
            self.meter.step(statement.span, self.sink)
            self._statement(statement)
        self.depth -= 1
        self.scope = outer

    def branch(self, body: tree.Body, start: Flow, title: str, scope: Scope) -> tuple[StackNode, Flow]:
        """Run a body as a module of its own, from the value `start`."""
        outer = self.stack, self.flow
        self.stack, self.flow = Stack(), start
        self.run(body, scope)
        node, end = self.stack.node(None, title, start, self.flow, body.span), self.flow
        self.stack, self.flow = outer
        return node, end

    def _statement(self, node: tree.Statement) -> None:
        match node:
            case tree.Layer():
                self._layer(node)
            case tree.Let():
                self._let(node)
            case tree.For() | tree.Repeat():
                self._loop(node)
            case tree.If():
                self._if(node)
            case tree.Residual():
                merges.residual(self, node)
            case tree.Merge():
                merges.merge(self, node)
            case tree.Input():
                self._input(node)
            case tree.Invalid():
                self._gap("", node.span)

    def _gap(self, title: str, span: Span, channels: int | None = None) -> None:
        """Stand in for a statement that is wrong."""
        self.add(LayerNode(None, title, None, self.flow.shape, None, 0, span), Flow(None, channels), None)

    def add(self, node: Node, flow: Flow, tail: tree.Tail | None) -> None:
        """Append a module, go on with the value `flow` that it gives, and do what the tail of its statement says."""
        self.meter.add_layers(node.layers, node.span, self.sink)
        self.stack.children.append(node)
        self.flow = flow
        if tail is not None:
            self.finish(tail)

    def finish(self, tail: tree.Tail) -> None:
        """Check the shape annotation of a statement, and bind its name."""
        if tail.annotation is not None:
            self._annotation(tail.annotation)
        if tail.label is not None:
            self.scope.values[tail.label.id] = (self.flow, self.stack, tail.label.span)

    def label(self, tail: tree.Tail) -> str | None:
        """The name of the module that a statement makes, if it is a name that can be had."""
        if tail.label is None:
            return None
        name = tail.label.id
        earlier = self.stack.labels.setdefault(name, tail.label.span)
        why = problem_of(name)
        if why:
            self.sink.report(codes.BAD_MODULE_NAME, tail.label.span, name=name, why=why)
        elif earlier is not tail.label.span:
            in_loop = earlier == tail.label.span
            helps = ("a loop comes here again: put its body into a block",) if in_loop else ()
            labels = [] if in_loop else [Label(earlier, "first use")]
            self.sink.report(codes.MODULE_NAME_TAKEN, tail.label.span, labels=labels, helps=helps, name=name)
        return name

    # --- input and annotations ---

    def _input(self, node: tree.Input) -> None:
        if not self.in_model or self.depth > 1:
            self.sink.report(
                codes.INPUT_MISPLACED, node.span, problem="belongs to the top of a model", label="not here"
            )
            return
        if self.stack.children or self.flow is not LOST:
            problem, label = "has to be the first statement of a model, once", "not the first"
            self.sink.report(codes.INPUT_MISPLACED, node.span, problem=problem, label=label)
            return
        sizes = [self._input_size(item) for item in node.shape.items]
        self._conditions(node)
        if not sizes:
            self.sink.report(
                codes.WRONG_VALUE, node.shape.span, what="an input", value="empty", wants="at least one size"
            )
        elif len(sizes) > 4:
            wants = "[features], [channels, length], [channels, height, width] or [channels, depth, height, width]"
            self.sink.report(codes.WRONG_VALUE, node.shape.span, what="an input", value="of that form", wants=wants)
        elif any(size is None for size in sizes):
            self.flow = Flow(None, sizes[0])
        else:
            self.flow = LOST.become(tuple(size or 0 for size in sizes), node.span, verb="is")
        if node.tail.label is not None:
            self.stack.input_name = self.label(node.tail)
        self.start = self.flow
        self.finish(node.tail)

    def _conditions(self, node: tree.Input) -> None:
        """Check what `where` says of sizes that are numbers."""
        free = _free(node.shape, self.scope)
        for condition in node.conditions:
            if not any(_mentions(condition, name) for name in free) and self.value(condition) is False:
                self.sink.report(codes.CONDITION_FAILS, condition.span, condition=condition.span.text)

    def _input_size(self, item: tree.Expression) -> int | None:
        if isinstance(item, tree.Name) and self.scope.find(item.id) is None and not item.id.startswith("in_"):
            self.sink.report(codes.SYMBOLIC_SIZE, item.span, name=item.id)
            return None
        return self._size(item, "a size of an input")

    def _size(self, item: tree.Expression, what: str) -> int | None:
        value = self.value(item)
        if value is UNKNOWN:
            return None
        if value.__class__ is not int or value < 1:
            wants = "a whole number of at least 1"
            self.sink.report(codes.WRONG_VALUE, item.span, what=what, value=spell(value), wants=wants)
            return None
        return int(value)

    def _annotation(self, node: tree.Sequence) -> None:
        """Compare the shape with the declared one; go on with what is declared."""
        found = self.flow.shape
        declared: list[int | None] = []
        wild: list[bool] = []
        for item in node.items:
            wild.append(isinstance(item, tree.Name) and item.id == "_")
            declared.append(None if wild[-1] else self._size(item, "a size"))
        if any(size is None and not any_size for size, any_size in zip(declared, wild)):
            return
        if found is None:
            self._resume(declared, node)
        elif len(found) != len(declared) or any(d not in (None, f) for d, f in zip(declared, found)):
            if not self.flow.doubted:
                shown = " x ".join("_" if size is None else str(size) for size in declared) or "empty"
                facts = {"found": show_shape(found), "declared": shown}
                self.sink.report(codes.WRONG_ANNOTATION, node.span, labels=self.flow.labels(), **facts)
            self._resume(declared, node)
            if self.flow.shape is not None:
                self.flow = self.flow.doubt(
                    channels=self.flow.shape[0] != found[0], sizes=self.flow.shape[1:] != found[1:]
                )
        else:
            self.flow = self.flow.doubt(channels=False, sizes=False)

    def _resume(self, declared: list[int | None], node: tree.Sequence) -> None:
        """Go on with a declared shape; `_` stands for the size that was found, where there is one."""
        found = self.flow.shape
        if found is not None and len(found) == len(declared):
            declared = [f if d is None else d for d, f in zip(declared, found)]
        if declared and all(size is not None for size in declared):
            self.flow = LOST.become(tuple(size or 0 for size in declared), node.span, verb="declares")
        else:
            self.flow = Flow(None, declared[0] if declared else None)

    # --- names, loops, conditions -------------------------------------------------------------------------------------

    def _let(self, node: tree.Let) -> None:
        value = self.value(node.value)
        self._bind(node.name, value)

    def _bind(self, name: tree.Name, value: Any) -> None:
        earlier = self.scope.bindings.get(name.id)
        if earlier is not None and earlier.span is not None:
            labels = [Label(earlier.span, "bound here")]
            self.sink.report(codes.BOUND_TWICE, name.span, labels=labels, name=name.id)
            return
        self.scope.bind(name.id, value, name.span)

    def _loop(self, node: tree.For | tree.Repeat) -> None:
        passes = self._passes(node)
        if passes is None:
            self._blur([node.body], node.span, node)
            return
        if len(passes) > LIMITS.steps or len(passes) * max(1, len(node.body.statements)) > 2 * LIMITS.steps:
            self.sink.report(codes.TOO_MANY_STEPS, node.span, limit=LIMITS.steps, what="passes of a loop")
            raise Stop
        for number, value in enumerate(passes):
            before, count = self.flow, len(self.stack.children)
            scope = Scope(self.scope)
            if isinstance(node, tree.For):
                self._spread(node, value, scope)
            self.run(node.body, scope)
            if number and isinstance(node, tree.Repeat) and self.flow.shape == before.shape is not None:
                self._replicate(self.stack.children[count:], len(passes) - number - 1, node.span)
                return

    def _passes(self, node: tree.For | tree.Repeat) -> Any:
        """What a loop runs over, or None where that is unknown."""
        if isinstance(node, tree.Repeat):
            count = self.value(node.count)
            if count is UNKNOWN:
                return None
            if count.__class__ is not int or count < 0:
                wants = "a whole number of at least 0"
                self.sink.report(codes.WRONG_VALUE, node.count.span, what="`repeat`", value=spell(count), wants=wants)
                return None
            if count > LIMITS.layers and node.body.statements:
                found = f"{count:,} times {len(node.body.statements)}"
                self.sink.report(codes.TOO_MANY_LAYERS, node.count.span, limit=LIMITS.layers, found=found)
                raise Stop
            return range(count if node.body.statements else 0)
        values = self.value(node.values)
        if values is UNKNOWN:
            return None
        if not isinstance(values, (list, tuple)):
            wants = "a list, such as `range(3)`"
            self.sink.report(
                codes.WRONG_VALUE, node.values.span, what="`for ... in`", value=describe(values), wants=wants
            )
            return None
        return values

    def _replicate(self, nodes: list[Node], times: int, span: Span) -> None:
        """Append more passes of a loop that has come to rest: each would give the nodes of the last one again."""
        self.meter.add_layers(times * sum(node.layers for node in nodes), span, self.sink)
        self.stack.children.extend(nodes * times)

    def _spread(self, node: tree.For, value: Any, scope: Scope) -> None:
        names = node.targets
        if not node.unpacks or value is UNKNOWN:
            for name in names:
                scope.bind(name.id, value, name.span)
            return
        if isinstance(value, (list, tuple)) and len(value) == len(names):
            for name, item in zip(names, value):
                scope.bind(name.id, item, name.span)
            return
        where = names[0].span.to(names[-1].span)
        self.sink.report(codes.WRONG_UNPACKING, where, value=spell(as_tuple(value)), count=len(names))
        for name in names:
            scope.bind(name.id, UNKNOWN, name.span)

    def _if(self, node: tree.If) -> None:
        for index, (test, body) in enumerate(node.arms):
            value = self.value(test)
            if has_unknown(value):
                rest = [arm for _, arm in node.arms[index:]]
                self._blur([*rest, node.otherwise] if node.otherwise else rest, node.span)
                return
            if value:
                self.run(body, Scope(self.scope))
                return
        if node.otherwise is not None:
            self.run(node.otherwise, Scope(self.scope))

    def _blur(self, bodies: list[tree.Body], span: Span, loop: tree.For | tree.Repeat | None = None) -> None:
        """Look for mistakes in bodies of which it is unknown whether and how often they run."""
        start = self.flow
        for body in bodies:
            scope = Scope(self.scope)
            for name in loop.targets if isinstance(loop, tree.For) else ():
                scope.bind(name.id, UNKNOWN, name.span)
            self.branch(body, Flow(None) if loop else start, "", scope)
        self._gap("", span)

    # --- layers and blocks ---

    def _layer(self, node: tree.Layer) -> None:
        found = self.scope.find(node.name.id)
        if found is None:
            self._unknown_layer(node)
        elif isinstance(found.value, Block):
            self._block(found.value, node)
        elif isinstance(found.value, type) and issubclass(found.value, Layer):
            self._torch_layer(found.value, node)
        else:
            if found.value is not UNKNOWN:
                name, what = node.name.id, describe(found.value)
                self.sink.report(codes.NOT_CALLABLE, node.name.span, name=name, found=what)
            self._wrong(node)

    def _unknown_layer(self, node: tree.Layer) -> None:
        known = {*self.scope.names(), *layers.names()}
        name = node.name.id
        helps = did_you_mean(name, known)
        self.sink.report(codes.UNKNOWN_LAYER, node.name.span, helps=helps, name=name)
        self._wrong(node)

    def _wrong(self, node: tree.Layer) -> None:
        """Go on behind a statement that names no layer; its arguments may hold mistakes of their own."""
        for argument in node.arguments:
            self.value(argument.value)
        self.label(node.tail)
        self._gap(node.name.id, node.span)
        self.finish(node.tail)

    def arguments(self, arguments: tuple[tree.Argument, ...], name: str, inferred: str) -> list[Argument]:
        """The values of written arguments; `in -> out` gives two."""
        found: list[Argument] = []
        named = False
        for position, written in enumerate(arguments):
            value = self.value(written.value)
            if written.name is not None:
                named = True
                found.append(Argument(written.name.id, value, written.value.span, written.name.span))
                continue
            if named:
                self.sink.report(codes.POSITIONAL_AFTER_KEYWORD, written.span)
                continue
            found.append(Argument(None, value, written.value.span))
            if written.stated is None:
                continue
            stated = self.value(written.stated)
            if inferred and position == 0:
                found.append(Argument(inferred, stated, written.stated.span))
            else:
                self.sink.report(codes.NO_INFERRED, written.span, layer=name)
        return found

    def _torch_layer(self, declared: type[Layer], node: tree.Layer) -> None:
        inferred = "" if declared.inferred in declared.fields else declared.inferred
        written = self.arguments(node.arguments, declared.__name__, inferred)
        bound = bind(declared, written, declared.__name__, node.name.span, self.sink)
        layer = declared.build(bound.values)
        assert isinstance(layer, Layer)
        start, end = self.flow, self._through(layer, bound.complete, bound.spans, node)
        known = bound.complete and start.shape is not None and end.shape is not None
        parameters = layer.parameters(start.shape) if known and start.shape is not None else 0
        if parameters > _LARGEST:
            what = f"the parameters of {declared.__name__}"
            self.sink.report(codes.TENSOR_TOO_LARGE, node.head, what=what, limit=_LARGEST)
        label = self.label(node.tail)
        made = LayerNode(
            label, declared.__name__, layer if bound.complete else None, start.shape, end.shape, parameters, node.head
        )
        self.add(made, end, node.tail)

    def _through(self, layer: Layer, complete: bool, spans: dict[str, Span], node: tree.Layer) -> Flow:
        """The value behind a layer. Reports what torch would refuse."""
        flow, name = self.flow, node.name.id
        if not complete:
            return Flow(None, _channels(layer, flow.width(0)))
        try:
            layer.validate()
            declared = self._declared_width(layer, spans, node.name.span)
            if flow.shape is None:
                return Flow(None, _channels(layer, declared if layer.inferred_axis == 0 else flow.channels))
            shape = layer.infer(flow.shape if declared is None else _patched(flow.shape, layer.inferred_axis, declared))
        except Reject as reject:
            self._rejected(reject, layer, spans, node)
            return Flow(None, _channels(layer, flow.width(0)))
        if _count(shape) > _LARGEST:
            self.sink.report(codes.TENSOR_TOO_LARGE, node.head, what=f"the output of {name}", limit=_LARGEST)
            return LOST
        end = flow.become(shape, node.head, name=name, reshapes=layer.reshapes)
        given = layer.given.get(layer.inferred)
        if layer.inferred and layer.inferred not in layer.fields:
            return end.doubt(channels=False, sizes=end.sizes_doubted)
        if isinstance(given, int) and given != flow.width(layer.inferred_axis):
            return end.doubt(channels=True, sizes=end.sizes_doubted)
        return end

    def _declared_width(self, layer: Layer, spans: dict[str, Span], name: Span) -> int | None:
        """The width that the user states for the input; reports one that differs from what arrives."""
        declared = layer.given.get(layer.inferred) if layer.inferred else None
        found = self.flow.width(layer.inferred_axis)
        if not isinstance(declared, int):
            return found if layer.inferred and layer.inferred_axis == 0 else None
        doubted = self.flow.channels_doubted if layer.inferred_axis == 0 else self.flow.doubted
        if found is not None and found != declared and not doubted and self._has_rank(layer):
            self.sink.report(
                codes.WRONG_WIDTH,
                spans[layer.inferred],
                labels=self.flow.labels(layer.inferred_axis),
                layer=type(layer).__name__,
                declared=declared,
                counts=layer.counts.removesuffix("s") if declared == 1 else layer.counts,
                found=found,
            )
        return declared

    def _has_rank(self, layer: Layer) -> bool:
        """False where the number of dimensions is wrong as well: then that is what has to be said."""
        shape = self.flow.shape
        declared = layer.given.get(layer.inferred)
        if shape is None or not isinstance(declared, int):
            return True
        try:
            layer.infer(_patched(shape, layer.inferred_axis, declared))
        except Reject as reject:
            return reject.code is not codes.WRONG_RANK
        return True

    def _rejected(self, reject: Reject, layer: Layer, spans: dict[str, Span], node: tree.Layer) -> None:
        span = spans.get(reject.field, node.name.span)
        if self.flow.doubted:
            return
        facts = {"layer": type(layer).__name__, **reject.facts}
        self.sink.add(Diagnostic(reject.code, facts, span, tuple(self.flow.labels())))

    def _block(self, block: Block, node: tree.Layer) -> None:
        name = block.name
        block.used = True
        if block in self.active:
            chain = [active.name for active in self.active[self.active.index(block) :]]
            self.sink.report(codes.RECURSION, node.name.span, name=name, chain=" uses ".join([*chain, name]))
            self._wrong(node)
            return
        written = self.arguments(node.arguments, name, "")
        bound = bind(block.signature, written, name, node.name.span, self.sink)
        label = self.label(node.tail)
        made, end = self._expand(block, bound.values, node)
        self.add_expanded(labelled(made, label, node.head), end, node.tail)

    def add_expanded(self, node: Node, flow: Flow, tail: tree.Tail) -> None:
        """Append a module whose layers are counted already."""
        self.stack.children.append(node)
        self.flow = flow
        self.finish(tail)

    def _expand(self, block: Block, values: dict[str, Any], node: tree.Layer) -> tuple[StackNode, Flow]:
        """The module of a block. Equal uses are expanded once."""
        key = (
            block,
            spell(tuple(values.items())),
            tuple(map(_identity, values.values())),
            self.flow.shape,
            self.flow.channels,
            self.flow.doubted,
        )
        known = self._expanded.get(key)
        if known is not None:
            self.meter.add_layers(known[0].layers, node.span, self.sink)
            return known
        self.meter.expansion(node.span, self.sink)
        outer_scope, outer_depth = self.scope, self.depth
        self.active.append(block)
        scope = Scope(block.scope)
        self.scope = scope
        for parameter in block.definition.parameters:
            name = parameter.name.id
            missing = UNKNOWN if parameter.default is None else None
            value = values[name] if name in values else missing or self.value(parameter.default)  # type: ignore[arg-type]
            scope.bind(name, value, parameter.name.span)
        made, end = self.branch(block.definition.body, self.flow, block.name, scope)
        self.active.pop()
        self.scope, self.depth = outer_scope, outer_depth
        if end.shape is not None:
            self._expanded[key] = made, end
        return made, end


def _identity(value: object) -> int:
    """Tells values apart that are spelled alike, such as two blocks of one name."""
    return id(value) if isinstance(value, (Block, type)) else 0


def _channels(layer: Layer, arriving: int | None) -> int | None:
    """Channels behind a layer of which not everything is known."""
    try:
        found = layer.channels(arriving)
    except AttributeError:
        return None
    return found if found.__class__ is int else None


def _patched(shape: Shape, axis: int, size: int) -> Shape:
    sizes = list(shape)
    sizes[axis] = size
    return tuple(sizes)


def _count(shape: Shape) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _free(shape: tree.Sequence, scope: Scope) -> list[str]:
    """Names of sizes that stand for any number."""
    return [item.id for item in shape.items if isinstance(item, tree.Name) and scope.find(item.id) is None]


def _mentions(node: tree.Expression, name: str) -> bool:
    match node:
        case tree.Name():
            return node.id == name
        case tree.Chain():
            return any(_mentions(operand, name) for operand in node.operands)
        case tree.Unary():
            return _mentions(node.operand, name)
        case tree.Group():
            return _mentions(node.value, name)
        case tree.Call():
            return any(_mentions(argument.value, name) for argument in node.arguments)
        case tree.Conditional():
            return any(_mentions(part, name) for part in (node.then, node.test, node.otherwise))
        case tree.Index():
            return any(_mentions(part, name) for part in (node.value, *node.indices))
        case tree.Sequence():
            return any(_mentions(part, name) for part in node.items)
    return False
