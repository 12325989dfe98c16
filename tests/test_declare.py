"""Declared arguments: kinds, fields, families, and written arguments matched with them."""

import pytest

from cnnspec import layers
from cnnspec.declare import (
    OK,
    UNKNOWN,
    WRONG_RANGE,
    WRONG_TYPE,
    Argument,
    Bool,
    Bound,
    Choice,
    Count,
    Declared,
    Integer,
    Kind,
    Named,
    Null,
    Positive,
    Real,
    Sizes,
    Text,
    Tuple,
    Unit,
    bind,
    kind_of,
    spell,
)
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.pipeline import check
from cnnspec.source import Source, Span

# A kind, what it takes, what is out of its range, what is of another type.
KINDS: list[tuple[Kind, list[object], list[object], list[object]]] = [
    (Count, [1, 2**62], [0, -1], [1.0, True, "1", None, (1,)]),
    (Integer, [0, -5], [], [0.5, False, None]),
    (Real, [0, -0.5, 1e300], [], [True, "0.5", None, (0.5,)]),
    (Unit, [0, 1, 0.5], [-0.1, 1.1], ["half"]),
    (Positive, [1e-300, 2], [0, 0.0, -1], [None]),
    (Bool(), [True, False], [], [0, 1, None, "true"]),
    (Null(), [None], [], [0, False]),
    (Choice("a", "b"), ["a", "b"], ["c", ""], [1, None]),
    (Text(), ["", "any"], [], [1]),
    (Tuple(Count), [(1, 2)], [(1,), (1, 2, 3), (), (0, 1)], [1, (1, 0.5), (1, None)]),
    (Tuple(Count, "sides"), [(1, 2, 3, 4)], [(1, 2)], [1]),
    (Tuple(Count, None), [(1,), (1, 2, 3)], [()], ["12"]),
    (Sizes, [3, (3, 5)], [0, (3,), (0, 1)], [0.5, "3"]),
    (Count | None, [1, None], [0], ["none"]),
]


@pytest.mark.parametrize(
    ("kind", "right", "out_of_range", "of_other_type"), KINDS, ids=lambda value: type(value).__name__
)
def test_what_a_kind_takes(kind: Kind, right: list, out_of_range: list, of_other_type: list):
    assert {spell(value): kind.accepts(value, 2) for value in right} == {spell(value): OK for value in right}
    assert [kind.accepts(value, 2) for value in out_of_range] == [WRONG_RANGE] * len(out_of_range)
    assert [kind.accepts(value, 2) for value in of_other_type] == [WRONG_TYPE] * len(of_other_type)


def test_descriptions():
    assert Sizes.describe(2) == "a whole number of at least 1 or a tuple of 2 whole numbers of at least 1"
    assert Tuple(Real).describe(1) == "a tuple of one number"
    assert (Choice("a", "b") | None).describe(1) == '"a" or "b" or `none`'
    assert Positive.describe(1) == "a number above 0"
    assert Unit.describe(1) == "a number from 0 to 1"


def test_samples_are_right_and_different():
    assert Bool().samples(2) == (False, True)
    assert Choice("zeros", "reflect").samples(2) == ("zeros", "reflect")
    assert Count.samples(2)[:4] == (1, 2, 3, 5)
    assert Tuple(Count).samples(3)[0] == (1, 1, 1)
    fields = [
        (layer, field) for name in layers.names() if (layer := layers.find(name)) for field in layer.fields.values()
    ]
    assert len(fields) > 200
    for layer, field in fields:
        samples = field.kind.samples(layer.rank)
        assert samples, f"{field.name} of {layer.__name__}"
        assert not any(field.kind.accepts(value, layer.rank) for value in samples)
        assert len(set(map(repr, samples))) == len(samples)


def test_kinds_of_annotations():
    assert isinstance(kind_of(bool), Bool)
    assert isinstance(kind_of(None), Null)
    with pytest.raises(TypeError, match="use the kinds"):
        kind_of(int)


class Window(Declared):
    """Takes a size, and may take a step and a mode."""

    rank = 2
    size: Sizes
    step: Count | None = None
    mode: Choice("same", "valid") = "same"
    flat: bool = False


def read(text: str) -> tuple[Bound, list[Diagnostic]]:
    """What `bind` makes of `name=value, value`, each written as Python has it."""
    source, sink, arguments, at = Source("spec", text), Sink(), [], 0
    for part in filter(None, text.split("; ")):
        name, equals, value = part.rpartition("=")
        start = at + len(name) + len(equals)
        span = Span(source, start, at + len(part))
        read_value = UNKNOWN if value == "?" else _value(value)
        arguments.append(Argument(name or None, read_value, span, Span(source, at, at + len(name)) if name else None))
        at += len(part) + 2
    return bind(Window.signature, arguments, "Window", Span(source, 0, 0), sink), sink.diagnostics


def _value(text: str) -> object:
    return (
        text.strip('"')
        if text.startswith('"')
        else [int(part) for part in text.split(",")]
        if "," in text
        else int(text)
    )


def test_bound_by_position_and_by_name():
    bound, found = read('3; mode="valid"; step=2')
    assert (bound.values, bound.complete, found) == ({"size": 3, "mode": "valid", "step": 2}, True, [])
    assert {name: span.text for name, span in bound.spans.items()} == {"size": "3", "mode": '"valid"', "step": "2"}


def test_lists_become_tuples():
    assert read("3,5")[0].values == {"size": (3, 5)}


@pytest.mark.parametrize(
    ("text", "code", "at", "facts"),
    [
        ("", "E112", "", {"missing": ["size"], "signature": 'Window(size, step=none, mode="same", flat=false)'}),
        ("3; 2; 1; 1; 9", "E113", "9", {}),
        ("3; size=4", "E114", "4", {"name": "size"}),
        ("3; 2; mode=5", "E115", "5", {"name": "mode", "value": "5"}),
        ("0", "E116", "0", {"wants": Sizes.describe(2)}),
        ("1,2,3", "E116", "1,2,3", {"wants": Sizes.describe(2) + "; this has 3 items"}),
        ("3; stp=4", "E111", "stp", {"name": "stp"}),
    ],
)
def test_mistakes(text: str, code: str, at: str, facts: dict[str, object]):
    bound, found = read(text)
    assert not bound.complete
    first = next(finding for finding in found if finding.code.id == code)
    assert first.span.text == at
    assert {name: first.facts[name] for name in facts} == facts


def test_an_unknown_value_is_no_mistake_of_its_own():
    bound, found = read("?; step=2")
    assert (bound.complete, found) == (False, [])
    assert bound.values == {"size": UNKNOWN, "step": 2}


def test_built_in_python():
    assert Window(3, step=2).given == {"size": 3, "step": 2}
    assert Window([3, 5]).size == (3, 5)
    with pytest.raises(TypeError, match="Window takes 4 arguments, 5 given"):
        Window(1, 2, "same", False, 5)
    with pytest.raises(TypeError, match="Window needs `size`"):
        Window()
    with pytest.raises(TypeError, match="no parameter 'stride'"):
        Window(3, stride=2)
    with pytest.raises(ValueError, match=r"size of Window has to be a whole number of at least 1 or .*, not 0"):
        Window(0)


def test_fields_declared_as_text_are_refused():
    with pytest.raises(TypeError, match="is declared as text"):
        type("Late", (Declared,), {"__annotations__": {"size": "Count"}})


def test_a_family_finds_its_classes_by_name():
    class Shape(Named, family=True):
        """A family."""

    class _Round(Shape):
        """A base, not for users."""

    class Circle(_Round):
        """A member."""

    class Colour(Named, family=True):
        """Another family."""

    assert (Shape.names(), Colour.names()) == (["Circle"], [])
    assert Shape.find("Circle") is Circle
    assert Shape.find("_Round") is Shape.find("Square") is Colour.find("Circle") is None
    assert _Round.names() == ["Circle"]
    with pytest.raises(TypeError, match="there is a 'Circle' already"):
        type("Circle", (Shape,), {"__annotations__": {}})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (1, "1"),
        (0.5, "0.5"),
        ('a "b"\n', '"a \\"b\\"\\n"'),
        ((1,), "(1,)"),
        ([1, (2, "a")], '[1, (2, "a")]'),
        (Window, "Window"),
    ],
)
def test_values_as_written(value: object, text: str):
    assert spell(value) == text


@pytest.mark.parametrize(
    ("arriving", "statement", "readings"),
    [
        ([3, 8, 8], "Conv2d(3, 16, 3)", ["Conv2d(3 -> 16, 3)", "Conv2d(3, 16, stride=3)"]),
        ([4, 8, 8], "Conv2d(3, 16, 3)", ["Conv2d(3, 16, stride=3)", "Conv2d(16, 3)"]),
        ([3, 8, 8], "Conv2d(3, 16, 3, 1, 1)", ["Conv2d(3 -> 16, 3, stride=1, padding=1)"]),
        ([3, 8, 8], "Conv2d(3, 64, kernel_size=3)", ["Conv2d(3 -> 64, kernel_size=3) sure"]),
        ([3, 8, 8], "Conv2d(8, 3, 2, padding=1)", ["Conv2d(8, 3, stride=2, padding=1)", "Conv2d(3, 2, padding=1)"]),
        ([3, 8, 8], "Conv2d(8, (3, 3), 2)", ["Conv2d(8, (3, 3), stride=2) sure"]),
        ([3, 8, 8], "Conv2d(3 -> 8, 3, 2)", ["Conv2d(3 -> 8, 3, stride=2) sure"]),
        ([3, 8, 8], "Conv2d(1 + 2, 16, (3, 3))", ["Conv2d(1 + 2 -> 16, (3, 3))"]),
        ([784], "Linear(784, 10)", ["Linear(784 -> 10) sure"]),
        ([784], "Linear(784, 10, false)", ["Linear(784 -> 10, bias=false) sure"]),
        ([784], "Linear(784, out_features=10)", ["Linear(in_features=784, out_features=10) sure"]),
        ([28], "Linear(784, 10)", ["Linear(10)"]),
        ([28], "Linear(10, false)", ["Linear(10, bias=false) sure"]),
        (
            [8, 2],
            "BatchNorm1d(8, 1e-5, 0.1, true, true, false)",
            ["BatchNorm1d(8, 1e-5, 0.1, true, true, bias=false) sure"],
        ),
    ],
)
def test_arguments_in_the_order_of_torch(arriving: list[int], statement: str, readings: list[str]):
    text = f"model Net {{ input {arriving}; {statement} }}"
    sink = Sink()
    check(Source("spec.cnn", text), sink)
    (found,) = sink.diagnostics
    assert found.code.id in ("E127", "E113")
    offered = [f"{fix.facts['statement']}{' sure' if fix.sure else ''}" for fix in found.fixes]
    assert offered[: len(readings)] == readings
    for fix in found.fixes:
        assert apply(text, fix.edits) == text.replace(statement, str(fix.facts["statement"]))
        after = Sink()
        check(Source("spec.cnn", apply(text, fix.edits)), after)
        assert {finding.code.id for finding in after.diagnostics} <= {"E204"}


def test_a_comment_is_not_lost_to_a_fix():
    sink = Sink()
    check(Source("spec.cnn", "model Net { input [3, 8, 8]; Conv2d(3,  # from the camera\n16, 3) }"), sink)
    (found,) = sink.diagnostics
    assert [fix.facts["statement"] for fix in found.fixes] == ["Conv2d(3, 16, stride=3)"]
    assert "write `Conv2d(3 -> 16, 3)`" in found.all_helps
