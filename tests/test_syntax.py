"""The parser: its tables come from the grammar, and it gives what lark itself gives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cnnspec.diagnostics import Sink
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression
from tests.mutation import mutate
from tests.reference_parser import parse_with_lark
from tests.sampling import amount
from tools import make_tables as tables

SPECS = sorted(Path(__file__).parent.parent.joinpath("specs").rglob("*.cnn"))


def parsed(source: Source) -> tree.Tree | None:
    """Our parser's tree, or None where it reports a syntax error."""
    sink = Sink()
    result = parse(source, sink)
    return (
        None if any(found.code.id in ("E101", "E102", "E103", "E104", "E004") for found in sink.diagnostics) else result
    )


def test_tables_are_those_of_the_grammar():
    assert tables.TARGET.read_text(encoding="utf-8") == tables.make_tables(), "run python -m tools.make_tables"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs_parse_as_with_lark(path: Path):
    source = Source(str(path), path.read_text(encoding="utf-8"))
    assert parsed(source) is not None
    assert parsed(source) == parse_with_lark(source)


def test_mutated_specs_parse_as_with_lark():
    rng = random.Random(1)
    texts = [path.read_text(encoding="utf-8") for path in SPECS]
    texts = [text for text in texts if len(text) < 3000]
    accepted = 0
    for number in range(cases := amount(400, 1500)):
        source = Source("fuzz.cnn", mutate(rng.choice(texts), rng, rng.randint(1, 3)))
        ours, theirs = parsed(source), parse_with_lark(source)
        assert ours == theirs, f"case {number}:\n{source.text}"
        accepted += ours is not None
    assert cases * 0.13 < accepted < cases * 0.87, accepted


EXPRESSIONS = """
1 + 2 * 3             Chain + (1, Chain * (2, 3))
2 ** 3 ** 2           Chain ** (2, Chain ** (3, 2))
-2 ** 2               Unary - (Chain ** (2, 2))
not a == b            Unary not (Chain == (a, b))
a if b else c         Conditional (a, b, c)
a or b and c          Chain or (a, Chain and (b, c))
1 < x <= 3            Chain < <= (1, x, 3)
x[0][1]               Access (x, 0, 1)
x[1:]                 Access (x, 1:)
x[:n].y               Access (x, :n, .y)
[i for i in a if b]   Comprehension (i, i, a, b)
[a for a, b in zip(c, d)]   Comprehension (a, a b, Call zip (c, d))
(1)                   Group (1)
(1,)                  tuple (1)
[1, 2,]               list (1, 2)
()                    tuple ()
max(a, 1_000)         Call max (a, 1000)
"a\\"b"               'a"b'
.5e1                  5.0
"""


def shown(node: object) -> str:
    match node:
        case tree.Literal():
            return repr(node.value)
        case tree.Name():
            return node.id
        case tree.Chain():
            return f"Chain {' '.join(node.operators)} ({', '.join(map(shown, node.operands))})"
        case tree.Unary():
            return f"Unary {node.operator} ({shown(node.operand)})"
        case tree.Conditional():
            return f"Conditional ({shown(node.then)}, {shown(node.test)}, {shown(node.otherwise)})"
        case tree.Access():
            return f"Access ({', '.join(map(shown, (node.value, *node.steps)))})"
        case tree.Item():
            return shown(node.index)
        case tree.Slice():
            return f"{shown(node.start) if node.start else ''}:{shown(node.stop) if node.stop else ''}"
        case tree.Member():
            return f".{node.name.id}"
        case tree.Comprehension():
            parts = [shown(node.item), " ".join(map(shown, node.targets)), shown(node.values)]
            return f"Comprehension ({', '.join([*parts, shown(node.condition)] if node.condition else parts)})"
        case tree.Group():
            return f"Group ({shown(node.value)})"
        case tree.Sequence():
            return f"{'list' if node.is_list else 'tuple'} ({', '.join(map(shown, node.items))})"
        case tree.Call():
            return f"Call {node.name.id} ({', '.join(shown(argument.value) for argument in node.arguments)})"
    raise AssertionError(node)


@pytest.mark.parametrize("case", EXPRESSIONS.strip().splitlines())
def test_precedence(case: str):
    text, _, expected = case.partition("  ")
    sink = Sink()
    assert shown(parse_expression(Source("x", text), sink)) == expected.strip()
    assert not sink.diagnostics


def test_spans_cover_the_text():
    source = Source("x", "model M {\n    input [1]\n    Conv2d(6, 5) as c -> [6, _]  # why\n}\n")
    (model,) = parse(source, Sink()).items
    assert isinstance(model, tree.Model)
    start, layer = model.body.statements
    assert start.span.text == "input [1]"
    assert isinstance(layer, tree.Layer)
    assert layer.span.text == "Conv2d(6, 5) as c -> [6, _]"
    assert layer.head.text == "Conv2d(6, 5)"
    assert layer.arguments[1].span.position == (3, 15)


def test_documentation_is_the_comment_right_above():
    source = Source("x", "# not this\n\n# One.\n# Two.\nblock B { }\n")
    (block,) = parse(source, Sink()).items
    assert isinstance(block, tree.Block)
    assert tree.documentation(block) == "One.\nTwo."


def test_a_mistake_costs_one_statement():
    text = "model M {\n  input [4\n  Linear(3 4)\n  let = 3\n  ReLU\n  Linear(2, )\n}\nblock B { ReLU ) }\n"
    sink = Sink()
    model, block = parse(Source("x", text), sink).items
    assert [found.span.line for found in sink.diagnostics] == [2, 3, 4, 8]
    assert isinstance(model, tree.Model)
    kinds = [type(statement).__name__ for statement in model.body.statements]
    assert kinds == ["Invalid", "Invalid", "Invalid", "Layer", "Layer"]
    assert isinstance(block, tree.Block)
