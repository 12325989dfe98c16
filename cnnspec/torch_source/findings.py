"""Refusals as findings: the place to blame, and up to four labels that say how it came to that."""

from __future__ import annotations

import ast
import math

from cnnspec.diagnostics import Diagnostic, Label
from cnnspec.layers import Layer
from cnnspec.torch_source.layers import Made, torch_order
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.origins import argument_node, trace_back
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.special_modules import SpecialModule
from cnnspec.torch_source.stops import Refusal
from cnnspec.torch_source.values import Instance, Shape, Tensor, show_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.source import Span


class Cause:
    """Where a refused operation stands: the written argument, the calls in between, the layer, the call, the input."""

    __slots__ = ("argument", "call", "field", "flattened", "in_sequential", "instance", "made", "passed", "tensors")

    def __init__(self, call: Place, instance: Instance | None, field: str, inputs: Sequence[object]) -> None:
        self.call, self.instance, self.field = call, instance, field
        self.tensors = [value for part in inputs for value in _flat(part) if isinstance(value, Tensor)]
        self.made = instance.made if instance is not None else None
        self.flattened: Shape = ()
        """The sizes of which the width that arrives is the product, where a flatten or a view has put them together."""
        self.argument: Place | None = None
        self.passed: list[Place] = []
        self.in_sequential = False
        """Whether the layer was run by an nn.Sequential, so that its call is written nowhere."""
        node = written_argument(instance, field)
        if node is not None and instance is not None and self.made is not None:
            self.argument, self.passed = trace_back(self.made, node, instance.frame)


def _flat(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else [value]


def written_argument(instance: Instance | None, field: str) -> ast.expr | None:
    """The argument of a layer's call that a field was given by."""
    if instance is None or instance.made is None or not field:
        return None
    made = instance.layer
    if isinstance(made, Made):
        declared = Layer.find(type(made.layer).__name__)
        order = torch_order(declared) if declared is not None else []
    elif isinstance(made, SpecialModule):
        order = [one.partition("=")[0] for one in made.order.split()]
    else:
        return None
    return argument_node(instance.made, order.index(field) if field in order else None, field)


def report(m: Machine, refusal: Refusal, place: Place, instance: Instance | None, inputs: Sequence[object]) -> None:
    """Put a refusal into the sink."""
    cause = Cause(place, instance, refusal.field, inputs)
    if (
        m.wanted is None
        and instance is not None
        and any(one.made is None and not one.parameter for one in cause.tensors)
    ):
        m.wanted = wanted_by(instance)
    span = refusal.span or (cause.argument or cause.made or place).span
    labels = _labels(cause, span)
    cause.in_sequential = bool(m.running) and m.running[-1].torch_name == "Sequential" and instance is not None
    cause.flattened = _flattened(m, cause)
    m.causes.setdefault((refusal.code.id, span.start), cause)
    m.sink.add(Diagnostic(refusal.code, refusal.facts, span, tuple(labels)))


_BETWEEN = 6
"""The most steps between a flatten and the layer that gets it, such as a dropout."""


def _flattened(m: Machine, cause: Cause) -> Shape:
    x = cause.tensors[0] if cause.tensors else None
    for _ in range(_BETWEEN):
        if x is None or len(x.shape) != 2:
            break
        step = m.trace.gave(x)
        before = next((one for one in step.inputs if isinstance(one, Tensor)), None) if step is not None else None
        if before is not None and before.shape != x.shape:
            return before.shape[1:] if math.prod(before.shape) == math.prod(x.shape) else ()
        x = before
    return ()


def width_origin(tensor: Tensor) -> Place | None:
    """Where the width of a tensor is written: the argument of the layer that gave it, traced back."""
    maker = tensor.maker
    if maker is None or maker.made is None or not isinstance(maker.layer, Made):
        return None
    field = "out_features" if "out_features" in maker.layer.layer.fields else "out_channels"
    node = written_argument(maker, field)
    return maker.made if node is None else trace_back(maker.made, node, maker.frame)[0]


def wanted_by(instance: Instance) -> Shape | None:
    """What a layer declares of its input: (rank, channels) of a map, or (features,)."""
    made = instance.layer
    if isinstance(made, SpecialModule):
        width = made.values.get("input_size", made.values.get("embed_dim", made.values.get("d_model")))
        return (width,) if isinstance(width, int) else None
    if not isinstance(made, Made) or made.width is None:
        return None
    if made.layer.inferred_axis == -1:
        return (made.width,)
    return (made.layer.rank, made.width) if made.layer.rank else None


def _labels(cause: Cause, span: Span) -> list[Label]:
    labels: list[Label] = []
    taken = {(span.source.path, span.start)}

    def add(place: Place, text: str) -> None:
        at = place.span
        if (at.source.path, at.start) not in taken and len(labels) < 4:
            taken.add((at.source.path, at.start))
            labels.append(Label(at, text))

    shapes = " and ".join(show_shape(one.shape) for one in cause.tensors[:2])
    if cause.passed:
        add(cause.passed[-1], "passed on from here")
    if cause.made is not None and not _inside(span, cause.made.span):
        add(cause.made, "the layer is made here")
    add(cause.call, f"called here with {shapes}" if shapes else "called here")
    for tensor in cause.tensors[:2]:
        origin = width_origin(tensor)
        if origin is not None:
            add(origin, "its width is written here")
    for tensor in cause.tensors[:2]:
        if tensor.made is not None:
            add(tensor.made, f"gives {show_shape(tensor.shape)}")
    return labels


def _inside(span: Span, outer: Span) -> bool:
    return span.source is outer.source and outer.start <= span.start and span.end <= outer.end
