"""A run of a module as a body: every operation of its forward becomes a step, every module below it a child."""

from __future__ import annotations

import ast

from cnnspec.declare import Reject
from cnnspec.graph.nodes import StackNode
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.lower import modules
from cnnspec.torch_source.lower.body import Body
from cnnspec.torch_source.lower.operations import IN_PLACE, LOWERED, VIEWS, bound
from cnnspec.torch_source.lower.saying import Unsaid
from cnnspec.torch_source.lower.shapes import tensors_in
from cnnspec.torch_source.trace import Run, Step
from cnnspec.torch_source.values import Instance, Tensor
from cnnspec.torch_source.weights import count_parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Feed
    from cnnspec.source import Span
    from cnnspec.torch_source.lower.keys import Keys


def lower(run: Run, span: Span, keys: Keys) -> tuple[StackNode, Body]:
    """The graph of a run, whose label is still to be given, and the body that it was made in."""
    body = Body(run, span, keys)
    _steps(body, run)
    return body.node(None, run.output, span), body


def _steps(body: Body, run: Run) -> None:
    waiting = list(reversed(run.steps))
    while waiting:
        part = waiting.pop()
        if isinstance(part, Run):
            waiting += _module_run(body, part, waiting)
        elif part.module is not None:
            _module_step(body, part, part.module)
        else:
            _operation(body, part)


def _span(module: Instance, fallback: Span) -> Span:
    return module.made.span if module.made is not None else fallback


def _module_run(body: Body, run: Run, behind: list[Run | Step]) -> list[Run | Step]:
    """A module of the source as a child. Where it writes over what others look at later, its steps, the last first."""
    span = _span(run.module, body.span)
    node, inner = lower(run, span, body.keys)
    later = {id(tensor) for part in behind for tensor in tensors_in(part.inputs)}
    later |= {id(tensor) for tensor in tensors_in(body.run.output)}
    given = [body.feed(run.inputs[number]) for number in inner.arriving]
    feeds: list[Feed] = [feed for feed in given if feed is not None]
    if inner.changed & later or len(feeds) != len(given):
        return list(reversed(run.steps))
    body.problems += inner.problems
    if not node.steps and not node.children:
        # It gives what it gets.
        return []
    wire = body.run_module(run.module, node, feeds[0], tuple(feeds[1:]))
    arrived = {id(tensor) for tensor in tensors_in(run.inputs)}
    if {id(tensor) for tensor in tensors_in(run.output)} - arrived:
        body.gives(run.output, wire)
    return []


def _module_step(body: Body, step: Step, module: Instance) -> None:
    """A module of torch.nn."""
    span = _span(module, step.place.span)
    try:
        wire, output = modules.lower_module(body, step, module, span)
    except (Unsaid, Reject) as problem:
        reason = str(problem) if isinstance(problem, Unsaid) else "what this gets is no batch of samples for the layer"
        count = count_parameters(module) or 0
        found = body.foreign(step.name, reason, step.inputs, step.output, span, module, count)
        if found is None:
            return
        wire, output = found, step.output
    body.gives(output, wire)
    first = next(tensors_in(step.inputs), None)
    if first is not None and isinstance(module.layer, Made) and getattr(module.layer.layer, "inplace", False):
        body.written_over(first, wire)


def _operation(body: Body, step: Step) -> None:
    """A function of torch, or a method of a tensor."""
    marks = len(body.steps), len(body.children), len(body.weights)
    known = dict(body.wires)
    try:
        lowered = LOWERED.get(step.name)
        if lowered is None:
            raise Unsaid(f"there is no layer for `{step.name}`")
        lowered(body, step, bound(step))
    except (Unsaid, Reject) as problem:
        del body.steps[marks[0] :], body.children[marks[1] :], body.weights[marks[2] :]
        body.wires = known
        reason = str(problem) if isinstance(problem, Unsaid) else "its arguments are none that a layer takes"
        wire = body.foreign(step.name, reason, step.inputs, step.output, step.place.span, None, 0)
        if wire is not None:
            body.gives(step.output, wire)
    _note_memory(body, step)


def _note_memory(body: Body, step: Step) -> None:
    first = next(tensors_in(step.inputs), None)
    output = step.output
    if first is None or not isinstance(output, Tensor):
        return
    if in_place(step):
        wire = body.wires.get(id(output))
        if wire is not None:
            body.written_over(first, wire)
    elif step.name in VIEWS:
        body.in_memory_of(output, first)


def in_place(step: Step) -> bool:
    """Whether an operation writes over what it gets."""
    if step.keywords.get("inplace") is True or step.name in IN_PLACE or isinstance(step.place.node, ast.AugAssign):
        return True
    return step.name.endswith("_") and not step.name.endswith("__")
