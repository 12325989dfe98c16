"""PyTorch source as a spec, without running it."""

from __future__ import annotations

import ast

from cnnspec.backends.cnn_source.origins import Origin
from cnnspec.diagnostics import Sink, codes
from cnnspec.graph.meaning import Meanings
from cnnspec.graph.nodes import LayerNode, StackNode
from cnnspec.graph.walk import runs
from cnnspec.graph.walk import walk as graph_walk
from cnnspec.importers.reached import reached
from cnnspec.importers.spec_text import Imported, as_spec
from cnnspec.record import replace
from cnnspec.torch_source.lower.foreign import Foreign
from cnnspec.torch_source.lower.graphs import Lowered, lowered, place_of
from cnnspec.torch_source.lower.shapes import batch_axis, tensors_in
from cnnspec.torch_source.module_methods import walk
from cnnspec.torch_source.outcome import Outcome
from cnnspec.torch_source.values import Class, Function, Instance, lineage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cnnspec.graph.nodes import Graph, Node
    from cnnspec.source import Span

_COMMENT = 12
"""Lines of a comment that are kept."""


def exact_graph(outcome: Outcome, sink: Sink) -> Graph | None:
    """The graph of a module that was followed to its end, where it tells all that the module does.

    What it does not tell goes to `sink`, each with its place, and None is given then.
    """
    found = _exact(outcome, sink)
    return None if found is None else found.graph


def _exact(outcome: Outcome, sink: Sink, *, only_reached: bool = False) -> Lowered | None:
    """The lowered module, where nothing of it is untold, or nothing that reaches an output."""
    found = lowered(outcome)
    graph, problems = found.graph, found.problems
    if only_reached:
        graph = replace(graph, root=reached(graph.root))
    places = {(span.source.path, span.start, reason): (reason, span) for reason, span in problems}
    for _, node in runs(graph.root):
        if isinstance(node, LayerNode) and isinstance(node.layer, Foreign):
            span = node.span
            places.setdefault((span.source.path, span.start, node.layer.reason), (node.layer.reason, span))
    if any(batch_axis(tensor.shape) != 0 for tensor in tensors_in(outcome.output)):
        places[("", 0, "")] = "an output whose first dimension is no batch", graph.root.span
    for reason, span in places.values():
        _refuse(sink, reason, span)
    return None if places else found


def with_attributes(node: StackNode) -> StackNode:
    """A body whose children have names that attributes can have: members of a ModuleList, `units.0`, become `units_0`."""
    taken = {child.label for child in node.children}
    children: list[Node] = []
    for child in node.children:
        if isinstance(child, StackNode):
            child = with_attributes(child)
        label = child.label
        if label is not None and "." in label:
            label = label.replace(".", "_")
            while label in taken:
                label += "_"
            taken.add(label)
            child = replace(child, label=label)
        children.append(child)
    return replace(node, children=tuple(children))


def import_module(outcome: Outcome, sink: Sink) -> Imported | None:
    """The spec of a module that was followed to its end; what specs can't say goes to `sink`, each with its place."""
    if outcome.module is None:
        return None
    source = place_of(outcome).script.source.path.replace("\\", "/").rpartition("/")[2]
    return import_outcome(outcome, sink, _origins(outcome.module), {}, f"Imported from {source}, {outcome.name}.")


def import_outcome(
    outcome: Outcome, sink: Sink, origins: Mapping[str, Origin], titles: Mapping[str, str], comment: str
) -> Imported | None:
    """As `import_module`, for source that stands for something else: `origins` tells by keys what made its modules, `titles`
    what classes of the source are called there."""
    exact = _exact(outcome, sink, only_reached=True)
    if exact is None:
        return None
    graph = replace(exact.graph, root=reached(_titled(exact.graph.root, titles)))
    found = as_spec(graph, origins, comment, exact.loose)
    if found is None:
        _refuse(sink, "the way in which its values go", graph.root.span)
        return None
    taken = set(found.keys.values())
    learnt = [key for key, node in graph_walk(exact.graph.root) if isinstance(node, LayerNode) and node.parameters]
    return replace(found, idle=tuple(key for key in learnt if key not in taken and key not in exact.loose))


def _titled(node: StackNode, titles: Mapping[str, str]) -> StackNode:
    children = tuple(_titled(child, titles) if isinstance(child, StackNode) else child for child in node.children)
    return replace(node, children=children, title=titles.get(node.title, node.title))


def same_in_training(outcome: Outcome, others: list[Outcome]) -> bool:
    """Whether a module does the same in training as in evaluation: what it did in training is given."""
    if len(others) != 1 or others[0].stop:
        return False
    meanings = Meanings()
    return meanings.of(lowered(outcome).graph, {}) == meanings.of(lowered(others[0]).graph, {})


def _refuse(sink: Sink, reason: str, span: Span) -> None:
    sink.report(codes.NOT_IMPORTED, span, reason=reason)


def unused(outcome: Outcome, taken: Collection[str]) -> list[str]:
    """Modules with weights that forward never runs, and whose keys are not among those of the graph."""
    assert outcome.module is not None
    return [
        name
        for name, module in walk(outcome.module)
        if module.layer is not None and not module.uses and name not in taken
    ]


def _origins(module: Instance) -> dict[str, Origin]:
    """What made the modules, by their keys."""
    return {name: _origin(part) for name, part in walk(module) if isinstance(part.cls, Class)}


def _origin(module: Instance) -> Origin:
    cls = module.cls
    assert isinstance(cls, Class)
    defaults: dict[str, object] = {}
    for part in lineage(cls):
        init = part.members.get("__init__") if isinstance(part, Class) else None
        if isinstance(init, Function):
            names = [one.arg for one in (*init.node.args.posonlyargs, *init.node.args.args)]
            defaults = dict(zip(reversed(names), reversed(init.defaults)))
            break
    arguments = dict(list((module.arguments or {}).items())[1:])
    return Origin(cls.name, arguments, defaults, _comment(cls))


def _comment(cls: Class) -> str:
    """The documentation of a class, or else the comment above it."""
    told = ast.get_docstring(cls.node) or ""
    if not told:
        lines: list[str] = []
        number = min([cls.node.lineno, *(one.lineno for one in cls.node.decorator_list)]) - 1
        while number > 0 and cls.script.source.line(number).lstrip().startswith("#"):
            lines.insert(0, cls.script.source.line(number).lstrip("# ").rstrip())
            number -= 1
        told = "\n".join(lines)
    return "\n".join("".join(sign for sign in line if sign.isprintable()) for line in told.splitlines()[:_COMMENT])
