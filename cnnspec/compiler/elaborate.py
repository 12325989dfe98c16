"""From the tree to the graph: expand blocks, loops and conditions and infer every shape, in one walk.

A mistake is reported where it stands; the walk then goes on with what the user declared, or with an unknown shape that
every rule accepts, so that one mistake gives one diagnostic and ten give ten.
"""

from __future__ import annotations

import re

from cnnspec import layers
from cnnspec.compiler import advice, loops, merges
from cnnspec.compiler import inputs as declared
from cnnspec.compiler.expressions import Meter, Stop, evaluate
from cnnspec.compiler.flow import LOST, Flow
from cnnspec.compiler.module_names import problem_of
from cnnspec.compiler.names import Block, Scope, check_names
from cnnspec.compiler.values import describe, has_unknown
from cnnspec.declare import UNKNOWN, Argument, bind, spell
from cnnspec.diagnostics import Diagnostic, Label, Sink, Suggestion, codes, note
from cnnspec.diagnostics.suggest import closest, did_you_mean
from cnnspec.diagnostics.suggestions import FLATTEN
from cnnspec.graph.nodes import LayerNode, Node, StackNode, labelled
from cnnspec.layers import Layer, Reject
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from cnnspec.source import Span

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

    def __init__(self, sink: Sink, known: dict[Any, tuple[StackNode, Flow]] | None = None) -> None:
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
        self.has_input = False
        """Whether an input was met, in the right place or not."""
        self.awaits_input = False
        """True in front of the input of a model that has one."""
        self.hints: tuple[Suggestion, ...] = ()
        """Helps for mistakes of the layer at hand that come from another order of arguments."""
        self._expanded = {} if known is None else known

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
        known = advice.known(self, node)
        match known:
            case tree.Layer():
                self._layer(known)
            case tree.Let():
                self._let(known)
            case tree.For() | tree.Repeat():
                loops.loop(self, known)
            case tree.If():
                loops.condition(self, known)
            case tree.Residual():
                merges.residual(self, known)
            case tree.Merge():
                merges.merge(self, known)
            case tree.Input():
                declared.start(self, known)
            case tree.Invalid():
                self._invalid(known)

    def _invalid(self, node: tree.Invalid) -> None:
        """Go on behind text that is no statement. What it would have named is unknown then, not missing."""
        text = node.span.text
        self.has_input = self.has_input or closest(text.split(maxsplit=1)[0] if text else "", ["input"]) is not None
        for name in re.findall(r"\blet\s+([A-Za-z_]\w*)", text):
            self.scope.bind(name, UNKNOWN, node.span)
        self.gap("", node.span)
        for name in re.findall(r"\bas\s+([A-Za-z_]\w*)", text):
            self.scope.values[name] = (self.flow, self.stack, node.span)

    def gap(self, title: str, span: Span, channels: int | None = None) -> None:
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
            declared.annotation(self, tail.annotation)
        if isinstance(tail.label, tree.Name):
            self.scope.values[tail.label.id] = (self.flow, self.stack, tail.label.span)

    def label(self, tail: tree.Tail) -> str | None:
        """The name of the module that a statement makes, if it is a name that can be had."""
        if not isinstance(tail.label, tree.Name):
            return None
        name = tail.label.id
        earlier = self.stack.labels.get(name)
        self.stack.labels[name] = tail.label.span
        why = problem_of(name)
        if why:
            self.sink.report(codes.BAD_MODULE_NAME, tail.label.span, name=name, why=why)
        elif earlier is not None:
            in_loop = earlier == tail.label.span
            helps = ("a loop comes here again: put its body into a block",) if in_loop else ()
            labels = [] if in_loop else [Label(earlier, "first use")]
            self.sink.report(codes.MODULE_NAME_TAKEN, tail.label.span, labels=labels, helps=helps, name=name)
        return name

    # --- names -------------------------------------------------------------------------------------

    def _let(self, node: tree.Let) -> None:
        value = self.value(node.value)
        self._bind(node.name, value)

    def _bind(self, name: tree.Name, value: Any) -> None:
        check_names([name], self.sink)
        earlier = self.scope.bindings.get(name.id)
        if earlier is not None and earlier.span is not None:
            labels = [Label(earlier.span, "bound here")]
            self.sink.report(codes.BOUND_TWICE, name.span, labels=labels, name=name.id)
            value = UNKNOWN
        self.scope.bind(name.id, value, name.span)

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
                labels = [Label(found.span, "bound here")] if found.span else []
                self.sink.report(codes.NOT_CALLABLE, node.name.span, labels=labels, name=name, found=what)
            self._wrong(node)

    def _unknown_layer(self, node: tree.Layer) -> None:
        known = {*self.scope.names(), *layers.names()}
        name = node.name.id
        helps = advice.of_rank(did_you_mean(name, known), self.start if self.flow.shape is None else self.flow)
        if closest(name, ["Sequential"]):
            helps = (note("statements run one after another already: write the layers without it"),)
        self.sink.report(codes.UNKNOWN_LAYER, node.name.span, helps=helps, name=name)
        self._wrong(node)

    def _wrong(self, node: tree.Layer) -> None:
        """Go on behind a statement that names no layer; its arguments may hold mistakes of their own."""
        for argument in node.arguments:
            layer = isinstance(argument.value, tree.Call) and self.scope.find(argument.value.name.id) is not None
            if not layer:
                self.value(argument.value)
        self.label(node.tail)
        self.gap(node.name.id, node.span)
        self.finish(node.tail)

    def arguments(
        self, arguments: tuple[tree.Argument, ...], name: str, inferred: str, order: Iterable[str] = ()
    ) -> list[Argument]:
        """The values of written arguments; `in -> out` gives two. `order` lists the parameters."""
        found: list[Argument] = []
        named = False
        for position, written in enumerate(arguments):
            value = self.value(written.value)
            value = UNKNOWN if has_unknown(value) else value
            if written.name is not None:
                named = True
                found.append(Argument(written.name.id, value, written.value.span, written.name.span))
                continue
            if named:
                self.sink.report(codes.POSITIONAL_AFTER_KEYWORD, written.span)
                meant = list(order)[position : position + 1]
                if not any(given.name is not None and given.name.id in meant for given in arguments):
                    found += [Argument(parameter, UNKNOWN, written.span) for parameter in meant]
                continue
            if written.stated is not None:
                stated = self.value(written.stated)
                if inferred and position == 0:
                    found.append(Argument(inferred, stated, written.stated.span))
                else:
                    self.sink.report(codes.NO_INFERRED, written.span, layer=name)
                    value = UNKNOWN
            found.append(Argument(None, value, written.value.span))
        return found

    def _torch_layer(self, declared: type[Layer], node: tree.Layer) -> None:
        inferred = "" if declared.inferred in declared.fields else declared.inferred
        written = self.arguments(node.arguments, declared.__name__, inferred, declared.fields)
        hints = self.hints = advice.torch_order(self.flow, declared, written) if len(written) > 1 else ()
        bound = bind(declared.signature, written, declared.__name__, node.name.span, self.sink, hints)
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
        except Reject as reject:
            self._rejected(reject, layer, spans, node, [])
            return Flow(None, _channels(layer, flow.width(0)))
        try:
            declared = self._declared_width(layer, spans, node.name.span)
            if flow.shape is None:
                return Flow(None, _channels(layer, declared if layer.inferred_axis == 0 else flow.channels))
            shape = layer.infer(flow.shape if declared is None else _patched(flow.shape, layer.inferred_axis, declared))
        except Reject as reject:
            self._rejected(reject, layer, spans, node, flow.labels())
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
                helps=self._flatten(layer, declared),
                layer=type(layer).__name__,
                declared=declared,
                counts=layer.counts.removesuffix("s") if declared == 1 else layer.counts,
                found=found,
            )
        return declared

    def _flatten(self, layer: Layer, declared: int) -> tuple[Suggestion, ...]:
        """The help for a width that Flatten would give."""
        shape = self.flow.shape
        forgotten = layer.inferred_axis == -1 and shape is not None and len(shape) > 1 and _count(shape) == declared
        return (Suggestion(FLATTEN, {"count": declared}),) if forgotten else ()

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

    def _rejected(
        self, reject: Reject, layer: Layer, spans: dict[str, Span], node: tree.Layer, labels: list[Label]
    ) -> None:
        """Report what a rule of a layer refuses; `labels` explain the input where that is to blame."""
        span = spans.get(reject.field, node.name.span)
        if self.flow.doubted and labels:
            return
        facts = {"layer": type(layer).__name__, **reject.facts}
        helps = self.hints if reject.code is codes.WINDOW_TOO_LARGE else advice.batch(self, reject, layer)
        self.sink.add(Diagnostic(reject.code, facts, span, tuple(labels), helps))

    def _block(self, block: Block, node: tree.Layer) -> None:
        name = block.name
        block.used = True
        if block in self.active:
            chain = [active.name for active in self.active[self.active.index(block) :]]
            self.sink.report(codes.RECURSION, node.name.span, name=name, chain=" uses ".join([*chain, name]))
            self._wrong(node)
            return
        written = self.arguments(node.arguments, name, "", block.signature.fields)
        bound = bind(block.signature, written, name, node.name.span, self.sink)
        label = self.label(node.tail)
        made, end = self._expand(block, bound.values, node)
        self.add_expanded(labelled(made, label, node.head), self.flow.through(end, node.head), node.tail)

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
    except (AttributeError, TypeError):
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
