"""The forward of a body whose values go elsewhere than to the next module, and of merges that need more than their input."""

from __future__ import annotations

from cnnspec.backends.python_source.terms import Forward, Line
from cnnspec.backends.python_source.words import fresh, identifier, shape_text, type_of
from cnnspec.graph.nodes import ARRIVING, STEP, TAKEN, Feed, Link, MergeNode, Node, ResidualNode, StackNode, Step, Wire
from cnnspec.graph.walk import children_of, node_of, steps_of, wires_of
from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNS = {"add": " + ", "multiply": " * "}


def is_routing(node: Node) -> bool:
    """Whether a merge runs no module, so that a forward writes it out."""
    if not isinstance(node, MergeNode) or node.taps or node.modules:
        return False
    return all(map(passes_on, node.branches))


def passes_on(branch: StackNode) -> bool:
    """Whether a branch runs nothing: what it gives has arrived, or is taken from outside."""
    return not (branch.children or branch.weights or branch.steps)


def merged(kind: str, parts: Sequence[str], dim: int) -> str:
    """What a merge makes of its parts."""
    if kind in SIGNS:
        return SIGNS[kind].join(parts)
    if kind == "concat":
        return f"torch.cat([{', '.join(parts)}], dim={dim})"
    if kind == "matmul":
        return f"torch.matmul({', '.join(parts)})"
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def forward_of(node: StackNode, attributes: Sequence[str | None]) -> Forward:
    """The forward of a body; `attributes` are those of its children, "" for one that has a number."""
    return _Forward(node, attributes).write()


class _Forward:
    def __init__(self, node: StackNode, attributes: Sequence[str | None]) -> None:
        self.node = node
        self.steps = list(steps_of(node))
        self.keys = [key for key, _ in children_of(node)]
        self.attributes = attributes
        self.lines: list[Line] = []
        last = Wire(STEP, len(self.steps) - 1) if self.steps else Wire(ARRIVING)
        self.result: Feed = node.result if node.result is not None else last
        self.uses = self._all_uses()
        self.names: dict[tuple[str, int], str] = {}
        self.inputs: list[str] = []
        self.held: dict[str, tuple[str, int]] = {}
        self.types: dict[str, str] = {}

    def _all_uses(self) -> dict[tuple[str, int], list[int]]:
        """Where each value is needed: the numbers of the steps, and for the result the number of all."""
        found: dict[tuple[str, int], list[int]] = {}
        for number, step in enumerate(self.steps):
            for wire in wires_of((step.feed, *step.values)):
                found.setdefault((wire.kind, wire.index), []).append(number)
        for wire in wires_of((self.result, *self.node.taps)):
            found.setdefault((wire.kind, wire.index), []).append(len(self.steps))
        return found

    def write(self) -> Forward:
        parameters = self._parameters()
        for number, step in enumerate(self.steps):
            self._line(number, step)
        result = self._text(self.result)
        returns = type_of(self.node.output)
        if self.node.taps:
            result = ", ".join([result, *map(self._text, self.node.taps)])
            returns = f"tuple[{', '.join([returns, *['Tensor'] * len(self.node.taps)])}]"
        elif result.startswith("(") and result.endswith(")"):
            result = result[1:-1]
        self._declare(returns)
        return Forward(parameters, tuple(self.lines), result, returns)

    def _declare(self, returns: str) -> None:
        """Give the variable that is returned its type, where it is bound to what a module gives."""
        if self.node.taps or not isinstance(self.result, Wire) or self.result.kind != STEP:
            return
        name = self.names[STEP, self.result.index]
        if any(name == parameter for parameter in self.inputs):
            return
        first = next(number for number, line in enumerate(self.lines) if line.target == name)
        line = self.lines[first]
        if "," not in name:
            self.lines[first] = Line(line.target, line.expression, line.shape, type_of(self.node.output))

    # --- names ---

    def _parameters(self) -> tuple[tuple[str, str], ...]:
        node = self.node
        found: list[tuple[str, str]] = []
        named = {named.feed: named.name for named in reversed(node.names) if isinstance(named.feed, Wire)}
        if node.inputs > 1:
            assert isinstance(node.input, Parts)
            for index, shape in enumerate(node.input):
                name = self._claim(identifier(named.get(Wire(ARRIVING, 0, (index,)), f"input{index}")), (ARRIVING, 0))
                self.inputs.append(name)
                found.append((name, type_of(shape)))
        else:
            name = self._claim(identifier(named.get(Wire(ARRIVING), "x")), (ARRIVING, 0))
            self.inputs.append(name)
            found.append((name, type_of(node.input)))
        for index, text in enumerate(node.takes):
            name = fresh(identifier(text), self.held)
            self.names[TAKEN, index] = self._claim(name, (TAKEN, index))
            found.append((name, "Tensor"))
        for index in range(node.modules):
            name = fresh("module" if node.modules == 1 else f"module{index + 1}", self.held)
            self._claim(name, ("module", index))
            found.append((name, "nn.Module"))
        self.types = dict(found)
        return tuple(found)

    def _claim(self, name: str, value: tuple[str, int]) -> str:
        self.held[name] = value
        return name

    def _is_free(self, name: str, number: int) -> bool:
        """Whether a variable may be bound anew by a step: what it holds is needed by no later one."""
        held = self.held.get(name)
        if held is None:
            return True
        return all(use <= number for use in self.uses.get(held, ()))

    def _target(self, number: int, output: object) -> str:
        """The variable that a step binds."""
        value = (STEP, number)
        uses = self.uses.get(value, [])
        given = [named for named in self.node.names if isinstance(named.feed, Wire) and named.feed.kind == STEP]
        whole = next((named.name for named in given if named.feed == Wire(STEP, number)), None)
        brief = len(uses) <= 1 and all(use == number + 1 for use in uses)
        if whole is not None and not brief:
            wished = identifier(whole)
        elif isinstance(output, Parts):
            wished = "parts"
        else:
            wished = "x"
        name, count = wished, 2
        kind = type_of(output)
        while not self._is_free(name, number) or self.types.get(name, kind) != kind:
            name, count = f"{wished}{count}", count + 1
        self.types[name] = kind
        return self._claim(name, value)

    # --- expressions ---

    def _text(self, feed: Feed) -> str:
        if isinstance(feed, tuple):
            parts = list(map(self._text, feed))
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        path = feed.path
        if feed.kind == ARRIVING:
            base = self.inputs[0] if len(self.inputs) == 1 else f"({', '.join(self.inputs)})"
            if len(self.inputs) > 1 and path:
                base, path = self.inputs[path[0]], path[1:]
        elif feed.kind in (TAKEN, STEP):
            base = self.names[feed.kind, feed.index]
        else:
            weight = self.node.weights[feed.index]
            base = f"self.{weight.label}.expand({self._batch()}, {', '.join(['-1'] * len(weight.shape))})"
        return base + "".join(f"[{index}]" for index in path)

    def _batch(self) -> str:
        shape, name = self.node.input, self.inputs[0]
        if self.node.inputs > 1:
            return f"len({name})"
        while isinstance(shape, Parts):
            shape, name = shape[0], f"{name}[0]"
        return f"len({name})"

    def _module(self, link: Link) -> str:
        if link.taken:
            return "module" if self.node.modules == 1 else f"module{link.index + 1}"
        name = self.attributes[link.index]
        return f"self.{name}" if name else f'self.get_submodule("{self.keys[link.index]}")'

    def _line(self, number: int, step: Step) -> None:
        run = node_of(self.node, step)
        assert run is not None
        expression = self._expression(step, run)
        output = run.output
        taps = getattr(run, "taps", ())
        target = self._target(number, Parts((output,)) if taps else output)
        self.names[STEP, number] = target
        shape = shape_text(output) if output != run.input or isinstance(run, MergeNode) else ""
        self.lines.append(Line(target, expression, "" if taps else shape))

    def _expression(self, step: Step, run: Node) -> str:
        given = [self._text(step.feed), *map(self._text, step.values)]
        if isinstance(run, MergeNode) and is_routing(run):
            if not run.branches:
                waiting = iter(given[1:])
                parts = [given[0], *[next(waiting) if part is None else repr(part) for part in run.operands]]
                return merged(run.kind, parts, run.dim)
            parts = [_routed(run, index, given[0], given[1:], self.node) for index in range(len(run.branches))]
            return merged(run.kind, parts, run.dim)
        call = f"{self._module(step.module)}({', '.join([*given, *map(self._module, step.modules)])})"
        return f"{call}[0]" if step.module.taken and getattr(run, "taps", None) else call


def _routed(node: MergeNode | ResidualNode, index: int, x: str, values: Sequence[str], around: object = None) -> str:
    """What a branch without modules gives: what arrives, or values from outside."""
    branch = [child for _, child in children_of(node)][index]
    assert isinstance(branch, StackNode)
    numbers = node.given[index].values if node.given else ()

    def text(feed: Feed) -> str:
        if isinstance(feed, tuple):
            parts = list(map(text, feed))
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        base = x if feed.kind == ARRIVING else values[numbers[feed.index]]
        return base + "".join(f"[{part}]" for part in feed.path)

    return x if branch.result is None else text(branch.result)


def forward_of_merge(node: ResidualNode | MergeNode, names: Sequence[str]) -> Forward:
    """The forward of a merge that is a class of its own; `names` are the attributes of its branches, "" for a number."""
    takes = _taken_names(node)
    modules = [f"module{index + 1}" if node.modules > 1 else "module" for index in range(node.modules)]
    parameters = [("x", type_of(node.input)), *[(name, "Tensor") for name in takes]]
    parameters += [(name, "nn.Module") for name in modules]
    if isinstance(node, MergeNode) and not node.branches:
        waiting = iter(takes)
        parts = ["x", *[next(waiting) if part is None else repr(part) for part in node.operands]]
        return _returning(tuple(parameters), [], merged(node.kind, parts, node.dim), type_of(node.output))
    lines: list[Line] = []
    own: list[str] = []
    branches = list(children_of(node))
    for index, (key, branch) in enumerate(branches):
        assert isinstance(branch, StackNode)
        if passes_on(branch):
            own.append(_routed(node, index, "x", takes))
            continue
        given = node.given[index] if node.given else None
        arguments = ["x", *[takes[value] for value in given.values]] if given else ["x"]
        arguments += [modules[module] for module in given.modules] if given else []
        callee = f"self.{names[index]}" if names[index] else f'self.get_submodule("{key}")'
        call = f"{callee}({', '.join(arguments)})"
        if not node.taps:
            own.append(call)
            continue
        name = fresh(identifier(names[index] or f"branch{key}"), {"x", *takes, *modules})
        lines.append(Line(name, call, ""))
        own.append(f"{name}[0]" if branch.taps else name)
    if isinstance(node, ResidualNode):
        own += ["x"] if node.shortcut is None else []
        result = " + ".join(own)
    else:
        result = merged(node.kind, own, node.dim)
    returns = type_of(node.output)
    if node.taps:
        taps = [
            own[tap.branch] if tap.tap is None else f"{own[tap.branch].removesuffix('[0]')}[{tap.tap + 1}]"
            for tap in node.taps
        ]
        return Forward(
            tuple(parameters), tuple(lines), ", ".join([result, *taps]),
            f"tuple[{', '.join([returns, *['Tensor'] * len(taps)])}]",
        )  # fmt: skip
    return _returning(tuple(parameters), lines, result, returns)


def _returning(parameters: tuple[tuple[str, str], ...], lines: list[Line], result: str, returns: str) -> Forward:
    """A forward whose result is declared before it is returned: what a module gives has no type."""
    if returns != "Tensor":
        return Forward(parameters, tuple(lines), result[1:-1] if result.startswith("(") else result, returns)
    if dict(parameters)["x"] == "Tensor":
        return Forward(parameters, (*lines, Line("x", result, "")), "x", returns)
    return Forward(parameters, (*lines, Line("result", result, "", "Tensor")), "result", returns)


def _taken_names(node: ResidualNode | MergeNode) -> list[str]:
    """Names for the values that a merge takes from outside, as its branches call them."""
    names: dict[int, str] = {}
    if isinstance(node, MergeNode) and not node.branches:
        sources = [name for name, number in zip(node.sources, node.operands) if number is None]
        names = dict(enumerate(sources))
    for (_, branch), given in zip(children_of(node), node.given):
        assert isinstance(branch, StackNode)
        for place, number in enumerate(given.values):
            names.setdefault(number, branch.takes[place])
    taken: list[str] = ["x", "module"]
    for number in range(node.takes):
        taken.append(fresh(identifier(names.get(number, "value")), taken))
    return taken[2:]
