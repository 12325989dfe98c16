"""From the graph to terms: which module is made how, and which are classes of their own."""

from __future__ import annotations

from cnnspec.backends.python_source.forward import forward_of, forward_of_merge, is_routing, passes_on
from cnnspec.backends.python_source.terms import (
    Argument,
    Attribute,
    Body,
    Call,
    Chain,
    Child,
    Literal,
    Term,
    Use,
    Weight,
    parts_of,
)
from cnnspec.backends.python_source.words import attribute_name, shape_text
from cnnspec.graph.nodes import LayerNode, MergeNode, Node, ResidualNode, StackNode
from cnnspec.graph.walk import children_of
from cnnspec.layers import Call as LayerCall
from cnnspec.layers import Layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IDENTITY = Call("nn.Identity", ())


class Terms:
    """Makes the terms of nodes; equal uses of one block share their node, and so their term."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Node, Term]] = {}
        self._stateless: dict[int, bool] = {}
        self._blocks: list[object] = []

    def root(self, node: StackNode) -> Use:
        """The term of a whole network, which is a class in any case."""
        term = self.of(node)
        if isinstance(term, Use):
            return term
        assert isinstance(term, Chain)
        return Use(("", node.title, 0, _nested(term)), node.title, (), term)

    def of(self, node: Node) -> Term:
        """The term that makes the module of a node."""
        if id(node) not in self._made:
            self._made[id(node)] = (node, self._make(node))
        return self._made[id(node)][1]

    def _make(self, node: Node) -> Term:
        match node:
            case LayerNode():
                assert node.layer is not None
                assert node.input is not None
                return layer_term(node.layer, node.layer.call(node.input), node.input)
            case StackNode():
                return self._stack(node)
            case ResidualNode():
                return self._residual(node)
            case MergeNode():
                return self._merge(node)

    # --- bodies ---

    def _stack(self, node: StackNode) -> Term:
        plain = not (node.steps or node.result is not None or node.weights or node.taps) and node.inputs == 1
        if node.block is None:
            return self.chain(node) if plain else self._nameless(node, self.body(node))
        self._blocks.append(node.block.definition)
        term = self._of_block(node, plain=plain)
        self._blocks.pop()
        return Use(node.block.definition, node.title, node.block.values, term)

    def _of_block(self, node: StackNode, *, plain: bool) -> Chain | Body:
        labelled = [child.label is not None for child in node.children if not self.is_stateless(child)]
        as_chain = plain and (not any(child.label for child in node.children) or not all(labelled))
        return self.chain(node) if as_chain else self.body(node)

    def chain(self, node: StackNode) -> Chain:
        """`nn.Sequential` of the children."""
        return Chain(tuple(Child(child.label, self.of(child), _new_shape(child)) for child in node.children))

    def body(self, node: StackNode) -> Body:
        """A class with attributes and a forward."""
        names = self._names(node)
        attributes: dict[str, Attribute] = {}
        for (key, child), name in zip(children_of(node), names):
            if name is not None and (name not in attributes or not name):
                attributes[name or key] = Attribute(key, name, self.of(child))
        weights = tuple(Weight(weight.label, weight.shape, weight.start) for weight in node.weights)
        return Body(tuple(attributes.values()), weights, forward_of(node, names))

    def _names(self, node: StackNode) -> list[str | None]:
        """The attribute of each child: its label, one that is shared by equal ones without weights, or "" for its number.

        None for what forward writes out itself.
        """
        taken = {child.label for child in node.children} | {weight.label for weight in node.weights}
        shared: list[tuple[Term, str]] = []
        names: list[str | None] = []
        for child in node.children:
            if is_routing(child):
                names.append(None)
            elif child.label is not None:
                names.append(child.label)
            elif not self.is_stateless(child):
                names.append("")
            else:
                term = self.of(child)
                name = next((name for known, name in shared if known == term), None)
                if name is None:
                    name = attribute_name(child.title, taken)
                    taken.add(name)
                    shared.append((term, name))
                names.append(name)
        return names

    # --- merges ---

    def _residual(self, node: ResidualNode) -> Term:
        if node.takes or node.modules or node.taps:
            return self._dedicated(node, ["body", "shortcut"][: 1 + (node.shortcut is not None)])
        shortcut = Literal(None, "shortcut") if node.shortcut is None else self.of(node.shortcut)
        return Call(
            "Residual", (Argument(None, self.of(node.body)), Argument("shortcut", shortcut)), (("shortcut", None),)
        )

    def _merge(self, node: MergeNode) -> Term:
        if not node.branches:
            # Only where a chain holds it, or a label: a forward writes it out.
            return self._dedicated(node, [])
        if node.takes or node.modules or node.taps or any(branch.label for branch in node.branches):
            return self._dedicated(node, [branch.label or "" for branch in node.branches])
        branches = [Argument(None, self.of(branch) if branch.children else IDENTITY) for branch in node.branches]
        if any(branch.result is not None and not branch.children for branch in node.branches):
            return self._dedicated(node, [""] * len(node.branches))
        if node.kind != "concat":
            return Call(node.kind.capitalize(), tuple(branches))
        return Call("Concat", (*branches, Argument("dim", Literal(node.dim, "dim"))), (("dim", 1),))

    def _dedicated(self, node: ResidualNode | MergeNode, names: list[str]) -> Use:
        """A merge that needs more than its input, or whose branches have names: a class of its own."""
        attributes = [
            Attribute(key, name, self.of(branch))
            for (key, branch), name in zip(children_of(node), names)
            if isinstance(branch, StackNode) and not passes_on(branch)
        ]
        body = Body(tuple(attributes), (), forward_of_merge(node, names))
        return self._nameless(node, body)

    def _nameless(self, node: Node, body: Body) -> Use:
        """A class for what is no block: one for those that are alike in one block."""
        origin = (type(node).__name__, node.title, id(self._blocks[-1] if self._blocks else None), _nested(body))
        return Use(origin, node.label or node.title, (), body)

    # --- what has weights ---

    def is_stateless(self, node: Node) -> bool:
        """Whether a module has no keys in the state dict."""
        if id(node) not in self._stateless:
            if isinstance(node, LayerNode):
                answer = not node.parameters and node.layer is not None and not node.layer.normalizes
            else:
                answer = not node.parameters and all(self.is_stateless(child) for _, child in children_of(node))
            self._stateless[id(node)] = answer
            self._made.setdefault(id(node), (node, self.of(node)))
        return self._stateless[id(node)]


def _nested(term: Any) -> int:
    """How many classes that are no blocks stand inside of each other in a term."""
    if isinstance(term, Use):
        return int(term.origin[-1]) + 1 if isinstance(term.origin, tuple) else 0
    return max(map(_nested, parts_of(term)), default=0)


def _new_shape(node: Node) -> str:
    """The shape of a value where it is another than that of what came in."""
    return shape_text(node.output) if node.output != node.input else ""


def layer_term(layer: Layer, call: LayerCall, x: Any) -> Call:
    """The call that makes a layer."""
    roles = [layer.inferred] if layer.inferred and layer.inferred not in layer.fields else []
    roles += [field.name for field in layer.fields.values() if field.required or field.name == layer.inferred]
    roles += [""] * len(call.args)
    arguments = [Argument(None, _value(layer, value, role, x)) for value, role in zip(call.args, roles)]
    arguments += [Argument(name, Literal(value, name)) for name, value in call.kwargs.items()]
    defaults = tuple(
        (field.name, field.default) for field in layer.fields.values() if not field.required and field.name not in roles
    )
    plain = not call.args and not layer.own and not layer.wraps and not layer.parameters(x) and not layer.normalizes
    return Call(call.target.removeprefix("cnnspec.nn."), tuple(arguments), defaults, plain)


def _value(layer: Layer, value: object, role: str, x: Any) -> Term:
    """An argument; of a layer around a layer, that one."""
    if isinstance(value, LayerCall):
        inner = layer.given["layer"]
        assert isinstance(inner, Layer)
        return layer_term(inner, value, x)
    return Literal(value, role)
