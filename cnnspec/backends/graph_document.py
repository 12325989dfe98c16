"""A graph as a JSON document, and back: every module with its shapes, and which value goes where.

The models below are the form; `cnnspec/schemas/graph.schema.json` is made of them. A document is read as strictly as it is
written: what does not fit, or whose layers give other shapes than it says, is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag, ValidationError

from cnnspec._version import __version__
from cnnspec.errors import GraphFileError
from cnnspec.graph.digest import digest_of
from cnnspec.graph.nodes import (
    Entry,
    Feed,
    Given,
    Graph,
    LayerNode,
    Link,
    MergeNode,
    Named,
    Node,
    ResidualNode,
    StackNode,
    Step,
    Tap,
    Weight,
    Wire,
)
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts
from cnnspec.source import Source, Span

FORMAT: Literal["cnnspec graph"] = "cnnspec graph"
VERSION: Literal[1] = 1


class Form(BaseModel):
    """A part of a document: without a field that the form does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Sizes = Annotated[list[JsonValue], Field(description="A shape without the batch; of a tuple of values, their shapes.")]
Count = Annotated[int, Field(ge=0)]


class WireForm(Form):
    """A value inside of a body."""

    of: Literal["arriving", "taken", "step", "weight"] = Field(
        description="What arrives, a value from outside, what a step gives, or a learned value."
    )
    index: Count = 0
    path: list[Count] = []


class LinkForm(Form):
    """A module that a step runs: a child, or one from outside."""

    index: Count
    taken: bool = False


class StepForm(Form):
    """One run of a module: what it takes as its running value, and further values and modules."""

    module: LinkForm
    feed: Any
    values: list[Any] = []
    modules: list[LinkForm] = []
    again: NodeForm | None = None


class WeightForm(Form):
    """A learned value: its shape, and how it starts: a number, or a function of torch.nn.init and its arguments."""

    label: str
    shape: list[Count]
    start: float | int | tuple[str, dict[str, JsonValue]]


class NameForm(Form):
    """A value that has a name."""

    name: str
    feed: Any


class LayerForm(Form):
    """A layer with the arguments that were given."""

    kind: Literal["layer"]
    label: str | None = None
    layer: str
    arguments: dict[str, JsonValue] = {}
    input: Sizes
    output: Sizes
    parameters: Count


class StackForm(Form):
    """A body. Without steps each child takes what the one before it gives."""

    kind: Literal["stack"]
    label: str | None = None
    title: str
    children: list[NodeForm]
    steps: list[StepForm] = []
    result: Any = None
    takes: list[str] = []
    modules: Count = 0
    taps: list[Any] = []
    weights: list[WeightForm] = []
    names: list[NameForm] = []
    inputs: Annotated[int, Field(ge=1)] = 1
    input: Sizes
    output: Sizes
    parameters: Count


class BranchForm(Form):
    """Which of the values and modules that a merge takes go to one of its branches."""

    values: list[Count] = []
    modules: list[Count] = []


class TapForm(Form):
    """A value that a merge gives besides its own."""

    branch: Count
    tap: Count | None = None


class ResidualForm(Form):
    """body(x) + shortcut(x); without a shortcut it is the value itself."""

    kind: Literal["residual"]
    label: str | None = None
    body: StackForm
    shortcut: StackForm | None = None
    given: list[BranchForm] = []
    takes: Count = 0
    modules: Count = 0
    taps: list[TapForm] = []
    input: Sizes
    output: Sizes
    parameters: Count


class MergeForm(Form):
    """A merge of branches, or of the running value with operands: numbers, and null for a value."""

    kind: Literal["merge"]
    label: str | None = None
    merge: Literal["add", "multiply", "concat", "matmul", "tuple"]
    branches: list[StackForm] = []
    operands: list[float | int | None] = []
    sources: list[str] = []
    merged: list[Sizes] = []
    dim: int = 1
    given: list[BranchForm] = []
    takes: Count = 0
    modules: Count = 0
    taps: list[TapForm] = []
    input: Sizes
    output: Sizes
    parameters: Count


def _kind(value: Any) -> str | None:
    return value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)


NodeForm = Annotated[
    Annotated[LayerForm, Tag("layer")]
    | Annotated[StackForm, Tag("stack")]
    | Annotated[ResidualForm, Tag("residual")]
    | Annotated[MergeForm, Tag("merge")],
    Discriminator(_kind),
]


class InputForm(Form):
    """An input of the network."""

    name: str | None = None
    shape: list[Count]
    integers: bool = False


class GraphForm(Form):
    """A network that has been checked."""

    format: Literal["cnnspec graph"]
    version: Literal[1]
    cnnspec: str = Field(description="The version that wrote it.")
    name: str
    digest: str
    inputs: list[InputForm]
    output: Sizes
    parameters: Count
    root: StackForm


for _form in (StepForm, StackForm, ResidualForm, MergeForm, GraphForm):
    _form.model_rebuild()


# --- out ---


def document_of(graph: Graph) -> str:
    """The document of a graph without mistakes."""
    graph = graph.numbers
    root = _node(graph.root)
    assert isinstance(root, StackForm)
    form = GraphForm(
        format=FORMAT, version=VERSION, cnnspec=__version__, name=graph.name, digest=digest_of(graph),
        inputs=[InputForm(name=e.name, shape=list(e.shape or ()), integers=e.integers) for e in graph.inputs],
        output=_sizes(graph.output), parameters=graph.parameters, root=root,
    )  # fmt: skip
    return form.model_dump_json(indent=1, exclude_defaults=True, round_trip=True) + "\n"


def _sizes(shape: Any) -> list[Any]:
    return [_sizes(part) if isinstance(part, tuple) else part for part in shape or ()]


def _feed(feed: Feed) -> Any:
    if isinstance(feed, tuple):
        return [_feed(part) for part in feed]
    return WireForm(of=feed.kind, index=feed.index, path=list(feed.path)).model_dump(exclude_defaults=True)  # type: ignore[arg-type]


def _link(link: Link) -> LinkForm:
    return LinkForm(index=link.index, taken=link.taken)


def _node(node: Node) -> Any:
    match node:
        case LayerNode():
            assert node.layer is not None
            return LayerForm(
                kind="layer", label=node.label, layer=type(node.layer).__name__, arguments=_arguments(node.layer),
                input=_sizes(node.input), output=_sizes(node.output), parameters=node.parameters,
            )  # fmt: skip
        case StackNode():
            return _stack(node)
        case ResidualNode():
            return ResidualForm(
                kind="residual", label=node.label, body=_stack(node.body),
                shortcut=_stack(node.shortcut) if node.shortcut else None, **_merge_fields(node),
            )  # fmt: skip
        case MergeNode():
            return MergeForm(
                kind="merge", label=node.label, merge=node.kind,  # type: ignore[arg-type]
                branches=list(map(_stack, node.branches)), operands=list(node.operands), sources=list(node.sources),
                merged=list(map(_sizes, node.merged)), dim=node.dim, **_merge_fields(node),
            )  # fmt: skip


def _merge_fields(node: ResidualNode | MergeNode) -> dict[str, Any]:
    return {
        "given": [BranchForm(values=list(one.values), modules=list(one.modules)) for one in node.given],
        "takes": node.takes, "modules": node.modules,
        "taps": [TapForm(branch=tap.branch, tap=tap.tap) for tap in node.taps],
        "input": _sizes(node.input), "output": _sizes(node.output), "parameters": node.parameters,
    }  # fmt: skip


def _stack(node: StackNode) -> StackForm:
    steps = [
        StepForm(
            module=_link(step.module), feed=_feed(step.feed), values=list(map(_feed, step.values)),
            modules=list(map(_link, step.modules)), again=None if step.again is None else _node(step.again),
        )
        for step in node.steps
    ]  # fmt: skip
    return StackForm(
        kind="stack", label=node.label, title=node.title, children=list(map(_node, node.children)), steps=steps,
        result=None if node.result is None else _feed(node.result), takes=list(node.takes), modules=node.modules,
        taps=list(map(_feed, node.taps)), names=[NameForm(name=n.name, feed=_feed(n.feed)) for n in node.names],
        weights=[WeightForm(label=w.label, shape=list(w.shape), start=w.start) for w in node.weights],
        inputs=node.inputs, input=_sizes(node.input), output=_sizes(node.output), parameters=node.parameters,
    )  # fmt: skip


def _arguments(layer: Layer) -> dict[str, Any]:
    return {name: _argument(value) for name, value in layer.given.items()}


def _argument(value: Any) -> Any:
    if isinstance(value, Layer):
        return {"layer": type(value).__name__, "arguments": _arguments(value)}
    if isinstance(value, (tuple, list)):
        return list(map(_argument, value))
    return value


# --- in ---


def read_document(data: bytes | str, name: str) -> Graph:
    """The graph of a document; `name` is what the file is called. Raises GraphFileError where it is none, or not right."""
    try:
        form = GraphForm.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise GraphFileError(f"{name} is no graph of cnnspec: {place or 'the document'}: {first['msg']}") from None
    except RecursionError:
        raise GraphFileError(f"{name} is nested too deeply") from None
    graph = _Reader(name).graph(form)
    if digest_of(graph) != form.digest:
        raise GraphFileError(f"{name} has been changed: its digest is another")
    return graph


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.span = Span(Source(name, ""), 0, 0)

    def graph(self, form: GraphForm) -> Graph:
        inputs = tuple(Entry(e.name, tuple(e.shape), self.span, e.integers) for e in form.inputs)
        root = self.stack(form.root)
        source = self.span.source
        return Graph(form.name, {}, root, True, None, source, inputs)

    def node(self, form: Any) -> Node:
        match form:
            case LayerForm():
                return self.layer(form)
            case StackForm():
                return self.stack(form)
            case ResidualForm():
                body, shortcut = self.stack(form.body), self.stack(form.shortcut) if form.shortcut else None
                parts = [body] if shortcut is None else [body, shortcut]
                return ResidualNode(
                    form.label, "Residual", body, shortcut, _shape(form.input), _shape(form.output), form.parameters,
                    self.span, max(1, sum(part.layers for part in parts)), *self.merge_fields(form),
                )  # fmt: skip
        branches = tuple(map(self.stack, form.branches))
        return MergeNode(
            form.label, form.merge.capitalize(), form.merge, branches, tuple(form.operands), tuple(form.sources),
            tuple(map(_shape, form.merged)), form.dim, _shape(form.input), _shape(form.output), form.parameters, self.span,
            max(1, sum(branch.layers for branch in branches)), *self.merge_fields(form),
        )  # fmt: skip

    def merge_fields(self, form: ResidualForm | MergeForm) -> tuple[Any, ...]:
        given = tuple(Given(tuple(one.values), tuple(one.modules)) for one in form.given)
        return given, form.takes, form.modules, tuple(Tap(tap.branch, tap.tap) for tap in form.taps)

    def layer(self, form: LayerForm) -> LayerNode:
        x, y = _shape(form.input), _shape(form.output)
        try:
            made = _layer(form.layer, form.arguments)
            made.validate()
            if made.infer(x) != y or made.parameters(x) != form.parameters:
                raise ValueError("gives another shape, or has another number of parameters")
        except Exception as error:
            raise GraphFileError(f"{self.name}: {form.layer} of {form.input}: {str(error) or 'is refused'}") from None
        return LayerNode(form.label, form.layer, made, x, y, form.parameters, self.span)

    def stack(self, form: StackForm) -> StackNode:
        children = tuple(map(self.node, form.children))
        steps = tuple(
            Step(
                Link(step.module.index, step.module.taken), self.feed(step.feed), tuple(map(self.feed, step.values)),
                tuple(Link(link.index, link.taken) for link in step.modules),
                None if step.again is None else self.node(step.again),
            )
            for step in form.steps
        )  # fmt: skip
        weights = tuple(Weight(w.label, tuple(w.shape), w.start, self.span) for w in form.weights)
        return StackNode(
            form.label, form.title, children, _shape(form.input), _shape(form.output), form.parameters, self.span,
            sum(child.layers for child in children), steps, None if form.result is None else self.feed(form.result),
            tuple(form.takes), form.modules, tuple(map(self.feed, form.taps)), weights,
            tuple(Named(n.name, self.feed(n.feed), self.span) for n in form.names), form.inputs,
        )  # fmt: skip

    def feed(self, value: Any) -> Feed:
        if isinstance(value, list):
            return tuple(map(self.feed, value))
        try:
            wire = WireForm.model_validate(value)
        except ValidationError:
            raise GraphFileError(f"{self.name}: {str(value)[:40]} is no value of a body") from None
        return Wire(wire.of, wire.index, tuple(wire.path))


def _shape(sizes: list[Any]) -> Any:
    """A shape; of a tuple of values, Parts."""
    if sizes and isinstance(sizes[0], list):
        return Parts(map(_shape, sizes))
    return tuple(sizes)


def _layer(name: str, arguments: dict[str, Any]) -> Layer:
    cls = Layer.find(name)
    if cls is None or not issubclass(cls, Layer):
        raise ValueError("there is no such layer")
    return cls(**{key: _value(value) for key, value in arguments.items()})


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return _layer(value["layer"], value["arguments"])
    return tuple(map(_value, value)) if isinstance(value, list) else value
