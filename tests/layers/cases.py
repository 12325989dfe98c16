"""Reads the case modules beside this file and answers for a layer as a spec would: its output, or what is wrong."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from cnnspec import layers
from cnnspec.declare import Argument, bind, spell
from cnnspec.diagnostics import Code, Sink, codes
from cnnspec.diagnostics.suggestions import shown
from cnnspec.layers import Layer, Reject, Shape
from cnnspec.layers.base import Parts
from cnnspec.source import Source, Span

CONSTANTS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Case:
    """One line: a layer, its arguments, an input, and the output or else the code and the field to blame."""

    line: str
    name: str
    arguments: list[Argument]
    x: Shape
    y: Shape | None
    code: str = ""
    field: str = ""

    def __str__(self) -> str:
        return self.line

    def answer(self) -> Answer:
        return answer(self.name, self.arguments, self.x)


@dataclass(frozen=True)
class Answer:
    """What is said about a layer: its output, or the code, the field to blame ("-" for none) and the sentences.

    With several mistakes those of the first.
    """

    layer: Layer | None
    y: Shape | None
    code: str = ""
    field: str = ""
    sentences: tuple[str, ...] = ()
    findings: int = 0


def case_modules() -> dict[str, ModuleType]:
    """The modules with cases, by the name of the layer file they belong to."""
    here = Path(__file__)
    names = [found.name for found in pkgutil.iter_modules([str(here.parent)])]
    others = (here.stem, "_", "test_")
    return {name: importlib.import_module(f"{__package__}.{name}") for name in names if not name.startswith(others)}


def accepted() -> list[Case]:
    return [read(line) for module in case_modules().values() for line in module.ACCEPTED.strip().splitlines()]


def rejected() -> list[Case]:
    return [read(line) for module in case_modules().values() for line in module.REJECTED.strip().splitlines()]


def generators() -> dict[str, object]:
    """The generator of every layer, by its name."""
    return {name: made for module in case_modules().values() for name, made in module.GENERATORS.items()}


def read(line: str) -> Case:
    """The case that a line describes."""
    call, rest = line.split("  [", 1)
    name, arguments = read_call(call)
    if "->" in rest:
        x, y = rest.split("] -> ")
        return Case(line, name, arguments, shape(ast.literal_eval(f"[{x}]")), shape(ast.literal_eval(y)))
    x, rejected = rest.split("]  ")
    code, field = rejected.split()
    return Case(line, name, arguments, shape(ast.literal_eval(f"[{x}]")), None, code, field)


def shape(written: list) -> Shape:
    """A shape, or those of several values where lists are written in a list."""
    return Parts(map(shape, written)) if any(isinstance(item, list) for item in written) else tuple(written)


def read_call(text: str) -> tuple[str, list[Argument]]:
    """Name and arguments of `Layer` or `Layer(arguments)`, written as in a spec."""
    source = Source("case", text)
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, ast.Name):
        return tree.id, []
    assert isinstance(tree, ast.Call)
    assert isinstance(tree.func, ast.Name)
    written = [(None, value) for value in tree.args] + [(keyword.arg, keyword.value) for keyword in tree.keywords]
    return tree.func.id, [
        Argument(name, read_value(value), Span(source, value.col_offset, value.end_col_offset or 0))
        for name, value in written
    ]


def read_value(tree: ast.expr) -> object:
    inner = layers.find(ast.unparse(tree).partition("(")[0])
    if inner is not None:
        name, arguments = read_call(ast.unparse(tree).replace("True", "true").replace("False", "false"))
        return inner.build(bind(inner.signature, arguments, name, Span(Source("case", ""), 0, 0), Sink()).values)
    for node in ast.walk(tree):
        for field, child in ast.iter_fields(node):
            if isinstance(child, list):
                setattr(node, field, [_constant(item) for item in child])
    return ast.literal_eval(_constant(tree))


def _constant(tree: ast.AST) -> ast.AST:
    return ast.Constant(CONSTANTS[tree.id]) if isinstance(tree, ast.Name) and tree.id in CONSTANTS else tree


def by_name(arguments: dict[str, object]) -> list[Argument]:
    """Arguments by keyword, each at a place of its own."""
    source = Source("generated", " " * len(arguments))
    return [Argument(name, value, Span(source, at, at + 1)) for at, (name, value) in enumerate(arguments.items())]


def written(name: str, arguments: dict[str, object], x: Shape) -> str:
    """The call as a spec spells it, and the input."""
    return f"{name}({', '.join(f'{key}={spell(value)}' for key, value in arguments.items())})  {list(x)}"


def answer(name: str, arguments: list[Argument], x: Shape) -> Answer:
    """What is said about a layer with these arguments and this input."""
    declared = layers.find(name)
    assert declared is not None, f"there is no layer {name}"
    sink = Sink()
    here = Span(Source("case", ""), 0, 0)
    arriving = x[declared.inferred_axis] if declared.inferred and declared.takes == 1 else None
    bound = bind(declared.signature, arguments, name, here, sink, arriving)
    if sink.diagnostics:
        found = sink.diagnostics[0]
        missing = found.facts.get("missing", ["-"])
        assert isinstance(missing, list)
        field = str(found.facts.get("name", missing[0]))
        return Answer(None, None, found.code.id, field, _sentences(found.code, found.facts), len(sink))
    layer = declared.build(bound.values)
    assert isinstance(layer, Layer)
    try:
        layer.validate()
        return _through(layer, x)
    except Reject as reject:
        facts = {"layer": name, **reject.facts}
        return Answer(layer, None, reject.code.id, reject.field or "-", _sentences(reject.code, facts), 1)


def _through(layer: Layer, x: Shape) -> Answer:
    """The output for an input that fits the width which the arguments state."""
    stated = layer.stated
    if stated is not None and layer.takes == 1 and stated != x[layer.inferred_axis]:
        try:
            layer.infer(x)
        except Reject as reject:
            if reject.code is codes.WRONG_RANK:
                raise
        facts = {"declared": stated, "counts": layer.counts, "found": x[layer.inferred_axis]}
        raise Reject(layer.inferred, codes.WRONG_WIDTH, **facts)
    return Answer(layer, layer.infer(x))


def _sentences(code: Code, facts: dict[str, object]) -> tuple[str, ...]:
    return tuple(text.format_map(shown(facts)) for text in (code.message, code.label, code.note, code.help))
