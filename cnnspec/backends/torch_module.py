"""From the graph to torch: an `nn.Sequential` whose children and keys are those of one written by hand."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

import cnnspec.nn
from cnnspec import layers
from cnnspec.declare import AnySize
from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    TAKEN,
    Feed,
    Given,
    Graph,
    LayerNode,
    Link,
    MergeNode,
    Node,
    ResidualNode,
    StackNode,
    Weight,
    Wire,
)
from cnnspec.graph.walk import children_of, steps_of
from cnnspec.layers import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Classes = dict[str, Callable[..., nn.Module]]

_MERGES = {
    "add": cnnspec.nn.Add, "multiply": cnnspec.nn.Multiply, "concat": cnnspec.nn.Concat,
    "matmul": cnnspec.nn.Matmul, "tuple": cnnspec.nn.Tuple,
}  # fmt: skip


def build(graph: Graph, *, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> nn.Sequential:
    """The module of a graph, on `device` and in `dtype` (torch's current defaults where they are None)."""
    classes = _classes()
    if graph.sizes is not None:
        classes = _Following(classes, graph)
    with torch.device(device if device is not None else torch.get_default_device()):
        net = _stack(graph.root, classes, ())
    if isinstance(classes, _Following):
        net.register_forward_pre_hook(classes.sizes)
    return net if dtype is None else net.to(dtype)


def _classes() -> Classes:
    """The torch class of every registered layer, by the name under which `Layer.call` gives it."""
    found: Classes = {}
    for name in layers.names():
        layer = layers.find(name)
        assert layer is not None
        home = cnnspec.nn if layer.own else nn
        found[layer.target()] = layer.module or getattr(home, layer.__name__)
    return found


def _called(call: Call, classes: Classes) -> nn.Module:
    """The module that a call stands for; a call among its arguments is a module, too."""
    args = [_called(value, classes) if isinstance(value, Call) else value for value in call.args]
    if isinstance(classes, _Following) and any(map(_varies, (*call.args, *call.kwargs.values()))):
        return classes.module(call)
    return classes[call.target](*args, **call.kwargs)


def _varies(value: object) -> bool:
    return isinstance(value, AnySize) or (isinstance(value, tuple) and any(map(_varies, value)))


class _Following(dict[str, "Callable[..., nn.Module]"]):
    """The classes of a network whose input has sizes by name, and what makes modules that follow them."""

    def __init__(self, classes: Classes, graph: Graph) -> None:
        super().__init__(classes)
        assert graph.sizes is not None
        names: dict[str, tuple[int, int]] = {}
        for number, entry in enumerate(graph.inputs):
            for axis, size in enumerate(entry.shape or ()):
                if isinstance(size, AnySize):
                    names.setdefault(str(size), (number, axis + 1))
        self.sizes = cnnspec.nn.InputSizes([names[name] for name in graph.sizes.names])

    def module(self, call: Call) -> nn.Module:
        kwargs = {name: self._term(value) for name, value in call.kwargs.items()}
        kind: Any = self[call.target]
        return cnnspec.nn.Following(kind, tuple(map(self._term, call.args)), kwargs, self.sizes)

    def _term(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._term, value))
        return cnnspec.nn.Term(*value.term()) if isinstance(value, AnySize) else value  # type: ignore[attr-defined]


def _module(node: Node, classes: Classes, shared: Sequence[nn.Module]) -> nn.Module:
    """`shared` are the modules of other bodies that this one runs again."""
    match node:
        case LayerNode():
            if node.layer is None or node.input is None:
                raise ValueError("a graph with mistakes can't be compiled")
            return _called(node.layer.call(node.input), classes)
        case StackNode():
            return _stack(node, classes, shared)
        case ResidualNode():
            parts = [node.body] if node.shortcut is None else [node.body, node.shortcut]
            body, *rest = _branches(parts, node.given, classes, shared)
            values = [given.values for given in node.given]
            taps = [(tap.branch, tap.tap) for tap in node.taps]
            return cnnspec.nn.Residual(body, rest[0] if rest else None, given=values, taps=taps)
        case MergeNode():
            options: dict[str, Any] = {"dim": node.dim} if node.kind == "concat" else {}
            if not node.branches:
                return _MERGES[node.kind](operands=node.operands, **options)
            branches = _branches(node.branches, node.given, classes, shared)
            return _MERGES[node.kind](
                *branches,
                given=[given.values for given in node.given],
                names=[key for key, _ in children_of(node)],
                taps=[(tap.branch, tap.tap) for tap in node.taps],
                **options,
            )
    raise TypeError(f"no rule for {type(node).__name__}")


def _branches(
    branches: Sequence[StackNode], given: Sequence[Given], classes: Classes, shared: Sequence[nn.Module]
) -> list[nn.Module]:
    each = [tuple(shared[index] for index in one.modules) for one in given] or [()] * len(branches)
    return [_stack(branch, classes, own) for branch, own in zip(branches, each)]


def _stack(node: StackNode, classes: Classes, shared: Sequence[nn.Module]) -> nn.Sequential:
    children: OrderedDict[str, nn.Module] = OrderedDict()
    keys = [key for key, _ in children_of(node)]
    if not node.steps and node.result is None and not node.weights and node.inputs == 1:
        for key, child in children_of(node):
            children[key] = _module(child, classes, ())
        return nn.Sequential(children)
    plan = _Plan(node, keys)
    for number, step in enumerate(steps_of(node)):
        if step.again is None and not step.module.taken:
            key = keys[step.module.index]
            own = [_linked(link, children, keys, shared) for link in step.modules]
            children[key] = _module(node.children[step.module.index], classes, own)
        plan.add(number, step.module, step.feed, step.values)
    return cnnspec.nn.Stack(
        children,
        plan.steps(),
        plan.result,
        takes=len(node.takes),
        taps=plan.taps,
        shared=shared,
        weights={weight.label: _parameter(weight) for weight in node.weights},
        inputs=node.inputs,
    )


def _linked(link: Link, children: dict[str, nn.Module], keys: list[str], shared: Sequence[nn.Module]) -> nn.Module:
    return shared[link.index] if link.taken else children[keys[link.index]]


def _parameter(weight: Weight) -> nn.Parameter:
    """A weight as it starts, of shape [1, ...]."""
    values = torch.empty(1, *weight.shape)
    if isinstance(weight.start, tuple):
        name, arguments = weight.start
        _INITS[name](values, **arguments)
    else:
        nn.init.constant_(values, weight.start)
    return nn.Parameter(values)


_INITS: dict[str, Callable[..., Any]] = {
    "normal": nn.init.normal_, "uniform": nn.init.uniform_, "constant": nn.init.constant_, "ones": nn.init.ones_,
    "zeros": nn.init.zeros_, "trunc_normal": nn.init.trunc_normal_, "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_, "kaiming_uniform": nn.init.kaiming_uniform_,
    "kaiming_normal": nn.init.kaiming_normal_,
}  # fmt: skip


class _Plan:
    """The steps of a body with their registers, and when each of these is needed last."""

    def __init__(self, node: StackNode, keys: list[str]) -> None:
        self.node, self.keys = node, keys
        self.found: list[tuple[str | int, Any, tuple[Any, ...]]] = []
        count = len(list(steps_of(node)))
        last = Wire(STEP, count - 1) if count else Wire(ARRIVING)
        self.result = self._feed(node.result if node.result is not None else last)
        self.taps = tuple(map(self._feed, node.taps))

    def add(self, number: int, link: Link, feed: Feed, values: tuple[Feed, ...]) -> None:
        module: str | int = link.index if link.taken else self.keys[link.index]
        self.found.append((module, self._feed(feed), tuple(map(self._feed, values))))

    def steps(self) -> list[cnnspec.nn.Step]:
        needed_last: dict[int, int] = {}
        for number, (_, feed, values) in enumerate(self.found):
            for register in _registers((feed, values)):
                needed_last[register] = number
        kept = set(_registers((self.result, self.taps)))
        first = 1 + len(self.node.takes)
        steps = []
        for number, (module, feed, values) in enumerate(self.found):
            drop = [r for r, last in needed_last.items() if last == number and r not in kept]
            unused = first + number
            if unused not in needed_last and unused not in kept:
                drop.append(unused)
            steps.append(cnnspec.nn.Step(module, feed, values, tuple(sorted(drop))))
        return steps

    def _feed(self, feed: Feed) -> Any:
        if isinstance(feed, tuple):
            return tuple(map(self._feed, feed))
        if feed.kind == ARRIVING:
            register = 0
        elif feed.kind == TAKEN:
            register = 1 + feed.index
        elif feed.kind == STEP:
            register = 1 + len(self.node.takes) + feed.index
        else:
            return self.node.weights[feed.index].label
        return cnnspec.nn.Part(register, feed.path) if feed.path else register


def _registers(feed: Any) -> list[int]:
    if isinstance(feed, cnnspec.nn.Part):
        return [feed.register]
    if isinstance(feed, tuple):
        return [register for part in feed for register in _registers(part)]
    return [feed] if isinstance(feed, int) else []
