"""A live `nn.Module` as PyTorch source, by torch.fx: a class for each of its modules, with what their forward did.

The text is followed as any other source, so that what specs can say of it is decided in one place. Every module is traced by
itself, in training and in evaluation: where the two differ, the text asks for `self.training`. Code of the module runs.
"""

from __future__ import annotations

import inspect
import math
import operator

import torch
import torch.nn.functional as F
from torch import fx, nn

from cnnspec.backends.cnn_source.origins import Origin
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


HEAD = """import math
from collections import OrderedDict

import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
"""
_SIGNS = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.floordiv: "//",
    operator.mod: "%", operator.pow: "**", operator.matmul: "@", operator.eq: "==", operator.ne: "!=", operator.lt: "<",
    operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.iadd: "+", operator.isub: "-", operator.imul: "*",
    operator.itruediv: "/",
}  # fmt: skip
_HOMES = (("F", vars(F)), ("torch", vars(torch)), ("math", vars(math)))
_NAMES: dict[int, str] = {}
for _home, _members in reversed(_HOMES):
    _NAMES |= {id(member): f"{_home}.{name}" for name, member in _members.items() if callable(member)}
_MODE = "self.training"
_DROPPED = {"StochasticDepth": ("torchvision.ops", "p", "mode"), "DropPath": ("timm.layers", "drop_prob")}


@record
class Traced:
    """The source of a live module and its class there, what made its parts, by their keys, the live classes by those of the
    text, and what can't be traced: keys, classes of the text, and reasons."""

    text: str
    name: str
    origins: Mapping[str, Origin]
    titles: Mapping[str, str]
    problems: tuple[tuple[str, str, str], ...]
    idle: tuple[str, ...]
    """Keys of modules with weights that never run."""


def source_of_module(net: nn.Module, inputs: int) -> Traced:
    """The source of a module that is called with so many tensors."""
    modes = [(module, module.training) for module in net.modules()]
    writer = _Writer(net)
    try:
        name = writer.write(net, "", ("tensor",) * inputs).removesuffix("()")
    finally:
        for module, training in modes:
            module.training = training
    text = "\n\n".join([HEAD, *writer.classes]) + "\n"
    return Traced(text, name, writer.origins, writer.titles, tuple(writer.problems), tuple(writer.idle))


class Untraced(Exception):
    """What torch.fx does not see."""


class _Tracer(fx.Tracer):
    """Traces the forward of one module, with its children as they are. `given` has constants for its arguments, and None
    for those that are values."""

    def __init__(self, given: Mapping[str, Any], values: tuple[str, ...]) -> None:
        super().__init__(autowrap_modules=(math,))
        self.given, self.values = given, values

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        made = {name: self.create_proxy("placeholder", name, (), {}) for name in self.values}

        def run(root: nn.Module) -> Any:
            return root_fn(root, **{**self.given, **made})

        return run, [self.root]


class _Writer:
    def __init__(self, net: nn.Module) -> None:
        self.classes: list[str] = []
        self.origins: dict[str, Origin] = {}
        self.problems: list[tuple[str, str, str]] = []
        self.titles: dict[str, str] = {}
        self.idle: list[str] = []
        self._names: set[str] = set()
        self._shared = _shared(net)

    # --- modules ---

    def write(self, module: nn.Module, key: str, arguments: tuple[Any, ...]) -> str:
        """Write the class of a module that is called with values, `"tensor"`, and constants; what makes one."""
        name = type(module).__name__
        while name in self._names or not name.isidentifier():
            name = f"{name}_" if name.isidentifier() else "Module"
        self._names.add(name)
        self.titles[name] = type(module).__name__
        if key:
            self.origins[key] = _origin(module)
        try:
            given, values = _bound(module, arguments)
            graphs = [self._traced(module, given, values, training=training) for training in (False, True)]
            names = [node.name for node in graphs[0].nodes if node.op == "placeholder"]
            body = _body(*graphs)
            self.problems += [(key, name, reason) for reason in _unseen(graphs)]
        except Untraced as problem:
            self.problems.append((key, name, str(problem)))
            graphs, names, body = [], ["*values"], ["return values[0]"]
        calls = _calls(graphs)
        lines = [f"class {name}(nn.Module):", "    def __init__(self):", "        super().__init__()"]
        lines += [f"        {line}" for line in self._members(module, key, name, calls)]
        lines += [f"    def forward(self, {', '.join(names)}):", *(f"        {line}" for line in body)]
        self.classes.append("\n".join(lines))
        return f"{name}()"

    def _traced(
        self, module: nn.Module, given: Mapping[str, Any], values: tuple[str, ...], *, training: bool
    ) -> fx.Graph:
        module.train(training)
        try:
            return _Tracer(given, values).trace(module)
        except (
            fx.proxy.TraceError,
            TypeError,
            ValueError,
            RuntimeError,
            AttributeError,
            NameError,
            IndexError,
        ) as error:
            raise Untraced(f"torch.fx can't trace its forward: {str(error).splitlines()[0][:120]}") from None

    def _members(self, module: nn.Module, key: str, cls: str, calls: Mapping[str, tuple[Any, ...]]) -> list[str]:
        """Statements that register the parameters and children of a module."""
        lines = []
        for name, parameter in module.named_parameters(recurse=False):
            lines.append(f"self.{name} = nn.Parameter(torch.zeros({tuple(parameter.shape)}))")
        for name, buffer in module.named_buffers(recurse=False):
            lines.append(f"self.register_buffer({name!r}, torch.zeros({tuple(buffer.shape)}))")
        for name, child in module.named_children():
            lines.append(f"self.add_module({name!r}, {self._child(child, _below(key, name), name, cls, calls)})")
        return lines

    def _child(self, module: nn.Module, key: str, path: str, around: str, calls: Mapping[str, tuple[Any, ...]]) -> str:
        """What makes a child; `calls` has the arguments of those that run, by their paths."""
        if module._forward_hooks or module._forward_pre_hooks:
            self.problems.append((key, around, "a hook that runs with its forward"))
        if key in self._shared:
            self.problems.append(
                (key, around, f"weights that it shares with {self._shared[key] or 'the network itself'}")
            )
        made = _made(module)
        if made is not None:
            return made
        if type(module).forward is nn.Sequential.forward and isinstance(module, nn.Sequential):
            if type(module) is not nn.Sequential:
                self.origins[key] = _origin(module)
            runs = {name: ("tensor",) for name, _ in module.named_children()}
            parts = [
                (name, self._child(child, _below(key, name), name, around, runs))
                for name, child in module.named_children()
            ]
            return f"nn.Sequential(OrderedDict([{', '.join(f'({name!r}, {part})' for name, part in parts)}]))"
        if path in calls:
            return self.write(module, key, calls[path])
        inner = {name: f"{path}.{name}" for name, _ in module.named_children()}
        if any(call.startswith(f"{path}.") for call in calls):
            parts = [
                (n, self._child(child, _below(key, n), inner[n], around, calls)) for n, child in module.named_children()
            ]
            return f"nn.ModuleDict(OrderedDict([{', '.join(f'({name!r}, {part})' for name, part in parts)}]))"
        if next(module.parameters(), None) is not None:
            self.idle.append(key)
        return "nn.Identity()"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _origin(module: nn.Module) -> Origin:
    """What made a module: of the arguments of its class those that it keeps under their names."""
    parameters = inspect.signature(type(module)).parameters
    kept = {name: vars(module)[name] for name in parameters if _is_plain(vars(module).get(name, _is_plain))}
    defaults = {name: one.default for name, one in parameters.items() if _is_plain(one.default)}
    return Origin(type(module).__name__, kept, defaults, _documentation(type(module)))


def _documentation(cls: type) -> str:
    """The first paragraph of a class's own documentation."""
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    return text.partition("\n\n")[0]


def _shared(net: nn.Module) -> dict[str, str]:
    """Modules whose weights another one has as well, with that one."""
    owners: dict[int, tuple[str, int]] = {}
    found = {}
    for path, module in net.named_modules():
        for parameter in module.parameters(recurse=False):
            owner, of = owners.setdefault(id(parameter), (path, id(module)))
            if of != id(module):
                found[path] = owner
    return found


# --- modules of torch ---


def _made(module: nn.Module) -> str | None:
    """What makes a module of torch.nn with the arguments that it has; None for another one, whose forward is looked at."""
    base = next((cls for cls in type(module).__mro__ if vars(nn).get(cls.__name__) is cls), nn.Module)
    if type(module).__name__ in _DROPPED and type(module).__module__.startswith(("torchvision.", "timm.")):
        home, *names = _DROPPED[type(module).__name__]
        return f"{home}.{type(module).__name__}({', '.join(repr(vars(module)[name]) for name in names)})"
    if base in (nn.Module, nn.Sequential, nn.ModuleList, nn.ModuleDict) or type(module).forward is not base.forward:
        return None
    if isinstance(module, nn.RNNBase):
        given = {name: vars(module)[name] for name in _RECURRENT if name in vars(module)}
        given = {name: value for name, value in given.items() if value != 0 or name == "bias"}
    elif isinstance(module, nn.MultiheadAttention):
        given = {
            name: vars(module)[name]
            for name in ("embed_dim", "num_heads", "dropout", "kdim", "vdim", "add_zero_attn", "batch_first")
        }
        given |= {"bias": module.in_proj_bias is not None, "add_bias_kv": module.bias_k is not None}
    else:
        given = _arguments(module, base)
    text = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"nn.{base.__name__}({text})"


_RECURRENT = (
    "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size", "nonlinearity",
)  # fmt: skip


def _arguments(module: nn.Module, base: type[nn.Module]) -> dict[str, Any]:
    """The arguments of a module, from its attributes of the same names."""
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(base).parameters.items():
        if name in ("device", "dtype") or name.startswith("_"):
            continue
        if name in module._parameters:
            found[name] = module._parameters[name] is not None
        elif name in vars(module) and _is_plain(vars(module)[name]):
            value = vars(module)[name]
            if parameter.default is inspect.Parameter.empty or value != parameter.default:
                found[name] = _plainer(name, tuple(value) if isinstance(value, list) else value)
                if found[name] == parameter.default:
                    del found[name]
    return {
        name: value for name, value in found.items() if name != "bias" or value is False or value.__class__ is not bool
    }


_PER_AXIS = ("kernel_size", "stride", "padding", "dilation", "output_padding", "output_size", "scale_factor")


def _plainer(name: str, value: Any) -> Any:
    """One number where an argument has the same for every axis."""
    alike = isinstance(value, tuple) and len(value) > 1 and len(set(value)) == 1
    return value[0] if alike and name in _PER_AXIS else value


def _is_plain(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (int, float, str))


# --- forward ---


def _bound(module: nn.Module, arguments: tuple[Any, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The arguments of a forward that are constants, and the names of those that are values."""
    args, kwargs = (arguments[0], arguments[1]) if arguments and isinstance(arguments[0], tuple) else (arguments, {})
    try:
        bound = inspect.signature(module.forward).bind(*args, **kwargs)
    except TypeError as error:
        raise Untraced(f"its forward takes other arguments: {error}") from None
    bound.apply_defaults()
    kinds = inspect.signature(module.forward).parameters
    if any(
        kinds[name].kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        for name in bound.arguments
    ):
        raise Untraced("its forward takes any number of arguments")
    values = tuple(name for name, value in bound.arguments.items() if value == "tensor")
    return {name: value for name, value in bound.arguments.items() if name not in values}, values


def _calls(graphs: list[fx.Graph]) -> dict[str, tuple[Any, ...]]:
    """The children that run, by their paths, with the arguments that they get: values as `"tensor"`."""
    found: dict[str, tuple[Any, ...]] = {}
    for graph in graphs:
        for node in graph.nodes:
            if node.op == "call_module":
                args = tuple(_marked(value) for value in node.args)
                found.setdefault(node.target, (args, {name: _marked(value) for name, value in node.kwargs.items()}))
    return found


def _unseen(graphs: list[fx.Graph]) -> dict[str, None]:
    """Functions of elsewhere, and tensors that a forward makes: a trace does not say what is in them."""
    found: dict[str, None] = {}
    for node in (node for graph in graphs for node in graph.nodes):
        if node.op == "get_attr" and "_tensor_constant" in node.target:
            found["a tensor that its forward makes"] = None
        elif (
            node.op == "call_function"
            and node.target is not torch._assert
            and not _is_named_tuple(node.target)
            and not _name_of(node.target)
        ):
            found[f"`{getattr(node.target, '__module__', '')}.{getattr(node.target, '__name__', '')}`"] = None
    return found


def _is_named_tuple(target: Any) -> bool:
    """Whether what is called makes a tuple with names, as networks with several outputs do."""
    return isinstance(target, type) and issubclass(target, tuple) and hasattr(target, "_fields")


def _name_of(target: Any) -> str:
    """How source calls a function of torch, math or Python; "" for another one."""
    if id(target) in _NAMES:
        return _NAMES[id(target)]
    name = getattr(target, "__name__", "")
    if name in vars(F) or name in vars(torch):
        return f"{'F' if name in vars(F) else 'torch'}.{name}"
    return name if getattr(target, "__module__", "") in ("builtins", "_operator") else ""


def _marked(value: object) -> object:
    return "tensor" if _holds_values(value) else value


def _holds_values(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_holds_values, value))
    if isinstance(value, dict):
        return any(map(_holds_values, value.values()))
    return isinstance(value, fx.Node)


def _body(evaluation: fx.Graph, training: fx.Graph) -> list[str]:
    """The statements of a forward, from what it did in evaluation and in training."""
    one, other = _lines(evaluation, evaluation), _lines(training, training)
    if one == other:
        return one
    if [node.op for node in evaluation.nodes] == [node.op for node in training.nodes]:
        both = _lines(evaluation, training)
        if all([line.replace(_MODE, value) for line in both] == of for value, of in (("False", one), ("True", other))):
            return both
    one, other = (_switched(lines, value) for value, lines in (("False", one), ("True", other)))
    return [f"if {_MODE}:", *(f"    {line}" for line in other), *one]


def _switched(lines: list[str], mode: str) -> list[str]:
    """Statements of one mode, whose dropouts ask for it by its name."""
    return [line.replace(f"training={mode}", f"training={_MODE}") if " = F." in line else line for line in lines]


def _lines(graph: fx.Graph, other: fx.Graph) -> list[str]:
    """Statements that do what a graph does. Where `other` has True for its False, it asks for `self.training`."""
    found = []
    for node, twin in zip(graph.nodes, other.nodes):
        if node.op == "placeholder":
            continue
        if node.op == "output":
            found.append(f"return {_said(node.args[0], twin.args[0])}")
        elif node.users or node.op != "call_function" or node.target not in (torch._assert,):
            found.append(f"{node.name} = {_expression(node, twin)}")
    return found


def _expression(node: fx.Node, twin: fx.Node) -> str:
    if node.op == "get_attr":
        return f"self.{node.target}"
    arguments = [_said(value, same) for value, same in zip(node.args, twin.args)]
    arguments += [f"{name}={_said(value, twin.kwargs.get(name))}" for name, value in node.kwargs.items()]
    if node.op == "call_module":
        given = [_said(value, value) for value in (*node.args, *node.kwargs.values()) if _holds_values(value)]
        return f"self.get_submodule({node.target!r})({', '.join(given)})"
    if node.op == "call_method":
        return f"{arguments[0]}.{node.target}({', '.join(arguments[1:])})"
    target: Any = node.target
    if target in _SIGNS and len(arguments) == 2:
        return f"{arguments[0]} {_SIGNS[target]} {arguments[1]}"
    if target is operator.getitem:
        return f"{arguments[0]}[{_index(node.args[1], twin.args[1])}]"
    if target is getattr:
        return f"{arguments[0]}.{node.args[1]}"
    if target is operator.neg:
        return f"-{arguments[0]}"
    if _is_named_tuple(target):
        return f"({', '.join(argument.rpartition('=')[2] for argument in arguments)},)"
    return f"{_name_of(target)}({', '.join(arguments)})"


def _index(value: Any, twin: Any) -> str:
    if isinstance(value, tuple) and value:
        return ", ".join(_index(part, same) for part, same in zip(value, twin))
    if isinstance(value, slice):
        ends = [value.start, value.stop, *([value.step] if value.step is not None else [])]
        return ":".join("" if end is None else _said(end, end) for end in ends)
    return "..." if value is Ellipsis else _said(value, twin)


def _said(value: Any, twin: Any) -> str:
    if isinstance(value, fx.Node):
        return str(value.name)
    if value is False and twin is True:
        return _MODE
    if isinstance(value, (tuple, list)):
        parts = [_said(part, same) for part, same in zip(value, twin if isinstance(twin, (tuple, list)) else value)]
        return f"[{', '.join(parts)}]" if isinstance(value, list) else f"({', '.join(parts)}{',' * (len(parts) == 1)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_said(part, part)}" for name, part in value.items()) + "}"
    if isinstance(value, slice):
        return f"slice({value.start!r}, {value.stop!r}, {value.step!r})"
    if isinstance(value, torch.device):
        return repr(str(value))
    return repr(value)
