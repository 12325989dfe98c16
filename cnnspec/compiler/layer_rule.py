"""A layer in a network: its arguments are bound, its shape rule is asked, and what it refuses is reported."""

from __future__ import annotations

from cnnspec.compiler.expressions import arguments
from cnnspec.compiler.flow import LOST, Flow, Known, Several, shape_fact
from cnnspec.compiler.names import Partial, chosen_at
from cnnspec.compiler.place import LAYER
from cnnspec.compiler.values import has_unknown, is_network_value
from cnnspec.compiler.walk import Walk, known_of
from cnnspec.declare import UNKNOWN, Argument, Bound, Reject, bind
from cnnspec.diagnostics import Diagnostic, Label, Sink, codes
from cnnspec.graph.nodes import LayerNode
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts
from cnnspec.record import replace
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.source import Span

Shape = tuple[int, ...]
Sizes = tuple[int | None, ...]
# torch counts the bytes of a tensor in 64 bits; values of its default type take 4.
_LARGEST = (2**63 - 1) // 4


def torch_layer(walk: Walk, declared: type[Layer], earlier: tuple[Argument, ...], node: tree.Layer) -> None:
    """Append a layer. `earlier` are arguments that a `let` has given already."""
    written: list[Argument] = []
    if earlier or node.arguments:
        walk.meter.step(node.span, walk.sink, LAYER)
        written = [_plain(walk, declared, one) for one in (*earlier, *arguments(declared, node.arguments, walk))]
    # In a block an argument may have been chosen further out.
    sink = _AtUse(walk.sink, chosen_at(node.arguments, walk.scope)) if walk.uses else walk.sink
    if written or _needs_something(declared):
        bound = bind(declared.signature, written, declared.__name__, node.name.span, sink, _arriving(walk, declared))
    else:
        bound = Bound({}, {}, True)
    bound = walk.check_arguments(declared, bound)
    layer = declared.build(bound.values)
    assert isinstance(layer, Layer)
    walk.reads_integers = walk.reads_integers or layer.integers
    start = walk.flow
    end, accepted = _behind(walk, layer, bound, node)
    shape = start.shape
    parameters = int(layer.parameters(shape)) if accepted and shape is not None else 0
    if parameters > _LARGEST:
        walk.sink.report(
            codes.TENSOR_TOO_LARGE, node.head, what=f"the parameters of {declared.__name__}", limit=_LARGEST
        )
    label = walk.label(node.tail)
    made = LayerNode(
        label, declared.__name__, layer if bound.complete else None, shape, end.shape, parameters, node.head
    )
    walk.add(made, end, node.tail, statement=node)


class _AtUse(Sink):
    """Reports a value that an argument can't have where it was chosen, which may be the use of the block around."""

    def __init__(self, inner: Sink, chosen: dict[Span, Span]) -> None:
        super().__init__()
        self.inner, self.chosen = inner, chosen

    def add(self, diagnostic: Diagnostic) -> None:
        place = self.chosen.get(diagnostic.span, diagnostic.span)
        if diagnostic.code in (codes.WRONG_TYPE, codes.OUT_OF_RANGE) and place != diagnostic.span:
            labels = (Label(diagnostic.span, "handed on here"), *diagnostic.labels)
            diagnostic = replace(diagnostic, span=place, labels=labels)
        self.inner.add(diagnostic)


def _needs_something(declared: type[Layer]) -> bool:
    return any(field.required for field in declared.fields.values())


def _arriving(walk: Walk, declared: type[Layer]) -> int | None:
    """The width that arrives, where the layer infers one."""
    return walk.flow.width(declared.inferred_axis) if declared.inferred and isinstance(walk.flow, Flow) else None


def _plain(walk: Walk, declared: type[Layer], argument: Argument) -> Argument:
    """An argument of a layer, which is no value of the network; a layer in it is built."""
    value = argument.value
    if is_network_value(value):
        from cnnspec.compiler import advice

        helps = advice.sizes_of_value(value.name)  # type: ignore[attr-defined]
        use = f"be an argument of {declared.__name__}"
        walk.sink.report(codes.VALUE_IN_EXPRESSION, argument.span, helps=helps, use=use)
        value = UNKNOWN
    elif declared.wraps and (isinstance(value, Partial) or (isinstance(value, type) and issubclass(value, Layer))):
        value = _built(walk, value, argument.span)
    if value is argument.value:
        return argument
    return Argument(argument.name, value, argument.span, argument.name_span)


def _built(walk: Walk, value: Partial | type[Layer], span: Span) -> object:
    """The layer that is an argument of another one, with all that it needs; UNKNOWN where it is wrong."""
    target, given = (value.target, value.arguments) if isinstance(value, Partial) else (value, ())
    if not isinstance(target, type):
        walk.sink.report(codes.NOT_CALLABLE, span, name=target.name, found="a block")
        return UNKNOWN
    bound = bind(target.signature, given, target.__name__, span, walk.sink)
    return target.build(bound.values) if bound.complete else UNKNOWN


def _stood_in(layer: Layer, bound: Bound, flow: Known) -> Known:
    """What is sure behind a layer some of whose arguments are not."""
    from cnnspec.compiler.standins import outcome, variants

    return outcome(variants(layer, _unsure(layer, bound)), flow)[0]


def _behind(walk: Walk, layer: Layer, bound: Bound, node: tree.Layer) -> tuple[Known, bool]:
    """What is sure of the value behind a layer, and whether it accepts what arrives, known in full. Reports what torch
    would refuse."""
    flow, name = walk.flow, type(layer).__name__
    if not _fits(walk, layer, node):
        return _stood_in(layer, bound, LOST), False
    if not bound.complete:
        walk.refused = True
        known = _stood_in(layer, bound, walk.plain(_stated(layer, flow)))
        return _origin(known, flow, node, layer), False
    try:
        layer.validate()
    except Reject as reject:
        from cnnspec.compiler.standins import behind_refusal

        _refused(walk, reject, layer, bound, node, [])
        return _origin(behind_refusal(layer, reject.field, walk.plain(flow)), flow, node, layer), False
    shape = flow.shape
    if shape is None or isinstance(flow, Several):
        return _partly(walk, layer, bound, node)
    return _wholly(walk, layer, bound, node, flow, shape, name)


def _wholly(
    walk: Walk, layer: Layer, bound: Bound, node: tree.Layer, flow: Flow, shape: Shape | Parts, name: str
) -> tuple[Known, bool]:
    """Behind a layer to which a value comes of which all is sure; and whether it accepts it."""
    stated = layer.stated
    differs = isinstance(stated, int) and not walk.fits(stated, flow.width(layer.inferred_axis))
    try:
        given = walk.infer(layer, shape)
    except Reject as reject:
        if not differs or reject.code.id == codes.WRONG_RANK.id:
            from cnnspec.compiler.standins import behind_refusal

            _refused(walk, reject, layer, bound, node, flow.labels())
            return _origin(behind_refusal(layer, reject.field, walk.plain(flow)), flow, node, layer), False
        given = shape
    if differs:
        return _wrong_width(walk, layer, bound, node, flow), False
    if isinstance(given, Parts):
        return known_of(given), True
    if _count(given) > _LARGEST:
        walk.sink.report(codes.TENSOR_TOO_LARGE, node.head, what=f"the output of {name}", limit=_LARGEST)
        return LOST, False
    return flow.become(given, node.head, name=name, reshapes=layer.reshapes), True


def _partly(walk: Walk, layer: Layer, bound: Bound, node: tree.Layer) -> tuple[Known, bool]:
    """Behind a layer to which a tuple comes, or a value that is not known in full; and whether it accepts what is known."""
    from cnnspec.compiler.standins import behind_refusal

    flow = walk.flow
    stated = layer.stated
    if isinstance(stated, int) and isinstance(flow, Flow):
        found = [_width(reading, layer.inferred_axis) for reading in flow.readings] or [flow.width(layer.inferred_axis)]
        if all(width is not None and width != stated for width in found):
            refused = walk.outcome([layer], flow)[1]
            if refused is None or refused.code.id != codes.WRONG_RANK.id:
                return _wrong_width(walk, layer, bound, node, flow), False
    known = _stated(layer, flow)
    found_flow, refused = walk.outcome([layer], known)
    if refused is not None:
        labels = flow.labels() if isinstance(flow, Flow) else []
        _refused(walk, refused, layer, bound, node, labels)
        found_flow = behind_refusal(layer, refused.field, walk.plain(known))
    return _origin(found_flow, flow, node, layer), refused is None and flow.shape is not None


def _stated(layer: Layer, flow: Known) -> Known:
    """What arrives, with the width that the layer states where it is not known."""
    stated = layer.stated
    axis = layer.inferred_axis
    if not isinstance(stated, int) or not isinstance(flow, Flow) or flow.width(axis) is not None:
        return flow
    if flow.doubted:
        return flow
    if flow.sizes is None:
        first, last = (stated, flow.last) if axis == 0 else (flow.first, stated)
        return Flow(None, flow.origin, flow.channels_origin, first, last)
    return Flow(_with_width(flow.sizes, axis, stated), flow.origin, flow.channels_origin)


def _width(sizes: Sizes, axis: int) -> int | None:
    return sizes[axis] if -len(sizes) <= axis < len(sizes) else None


def _with_width(sizes: Sizes, axis: int, width: int) -> Sizes:
    changed = list(sizes)
    if -len(sizes) <= axis < len(sizes):
        changed[axis] = width
    return tuple(changed)


def _wrong_width(walk: Walk, layer: Layer, bound: Bound, node: tree.Layer, flow: Flow) -> Known:
    """Report a stated width that is not the one that arrives; go on with what does not depend on it."""
    from cnnspec.compiler import advice
    from cnnspec.compiler.standins import behind_refusal, outcome

    stated = layer.given[layer.inferred]
    axis = layer.inferred_axis
    found = _width(flow.readings[0], axis) if flow.readings else flow.width(axis)
    assert isinstance(stated, int)
    walk.sink.report(
        codes.WRONG_WIDTH,
        bound.spans[layer.inferred],
        labels=flow.labels(layer.inferred_axis),
        helps=advice.flatten(layer, stated, flow),
        layer=type(layer).__name__,
        declared=stated,
        counts=layer.counts.removesuffix("s") if stated == 1 else layer.counts,
        found=found,
    )
    if flow.readings:
        unsure = flow.or_else(_with_width(flow.readings[0], axis, stated))
    else:
        unsure = LOST
    plain = walk.plain(unsure)
    end, refused = outcome([_unstated(layer)], plain)
    if refused is not None:
        _refused(walk, refused, layer, bound, node, flow.labels())
        end = behind_refusal(layer, refused.field, plain)
    return _origin(end, flow, node, layer)


def _unstated(layer: Layer) -> Layer:
    """The same layer for whatever width arrives."""
    made = layer.build({name: value for name, value in layer.given.items() if name != layer.inferred})
    assert isinstance(made, Layer)
    return made


def _unsure(layer: Layer, bound: Bound) -> list[str]:
    """The arguments that are wrong or missing; where one has a wrong name, it may be any of those not given."""
    wrong = [name for name, value in layer.given.items() if has_unknown(value)]
    wrong += [field.name for field in layer.fields.values() if field.required and field.name not in layer.given]
    return wrong or [name for name in layer.fields if name not in layer.given]


def _origin(end: Known, start: Known, node: tree.Layer, layer: Layer) -> Known:
    """A value that is known in part, with the places that explain what is known of it."""
    if not isinstance(end, Flow) or end.sizes is None:
        return end
    if isinstance(start, Flow) and start.sizes is not None:
        made = start.become(end.sizes, node.head, name=type(layer).__name__, reshapes=layer.reshapes)
        return Flow(made.sizes, made.origin, made.channels_origin, None, None, end.options)
    made = LOST.become(end.sizes, node.head)
    return Flow(made.sizes, made.origin, made.channels_origin, None, None, end.options)


def _fits(walk: Walk, layer: Layer, node: tree.Layer) -> bool:
    """Whether as many values arrive as the layer takes; reports where not."""
    flow, name = walk.flow, node.name.id
    if isinstance(flow, Flow):
        if layer.takes == 1 or flow == LOST:
            return True
        parts = ", ".join("xyzuvw"[: layer.takes])
        fix = (f"name the values, and go on from a tuple of them in front of it: `use ({parts})`",)
        walk.sink.report(
            codes.TAKES_TUPLE, node.name.span, labels=flow.labels(), helps=fix, layer=name, count=layer.takes
        )
        return False
    if len(flow.parts) == layer.takes > 1:
        return True
    from cnnspec.compiler.advice import one_of_tuple

    helps = one_of_tuple(walk, len(flow.parts)) if layer.takes == 1 else ()
    labels = [flow.origin.label()] if flow.origin else []
    wants = "one value" if layer.takes == 1 else f"a tuple of {layer.takes}"
    walk.sink.report(
        codes.TAKES_ONE, node.name.span, labels=labels, helps=helps, layer=name, wants=wants, found=shape_fact(flow)
    )
    return False


def _refused(walk: Walk, reject: Reject, layer: Layer, bound: Bound, node: tree.Layer, labels: list[Label]) -> None:
    """Report what a rule of a layer refuses; `labels` explain the input where that is to blame."""
    from cnnspec.compiler import advice

    walk.refused = True
    span = bound.spans.get(reject.field, node.name.span)
    facts = {"layer": type(layer).__name__, **reject.facts}
    helps = advice.batch(walk, reject, layer)
    walk.sink.add(Diagnostic(reject.code, facts, span, tuple(labels), helps))


def _count(shape: Shape) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
