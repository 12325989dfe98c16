"""From what the parser recognised to the nodes of the tree: one method a grammar rule, called as its parts are complete.

A method gets the parts of its rule (`values`, without the punctuation that the grammar does not name) and the span of its
text. `word` makes the value of a single token. Both parsers, ours on lark's tables and lark itself, build through here.
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink, codes
from cnnspec.limits import LIMITS
from cnnspec.record import record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_LITERALS = {"TRUE": True, "FALSE": False, "NONE": None}
VALUES = frozenset(["NAME", "WILDCARD", "INT", "FLOAT", "STRING", *_LITERALS])
"""The tokens that stand for more than their text."""
_NO_TAIL = tree.Tail(None, None)


@record
class _End:
    """A part of a tail, until its statement is complete: `kind` is the field of `Tail`."""

    kind: str
    value: Any
    start: int


class Builder:
    """Builds the tree of one source."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self.source = source
        self.sink = sink

    def build(self, rule: str, values: list[Any], start: int, end: int) -> Any:
        """What the rule of this name makes of its parts."""
        return getattr(self, rule)(values, Span(self.source, start, end))

    def word(self, kind: str, text: str, start: int, end: int) -> Any:
        if kind == "NAME" or kind == "WILDCARD":
            return tree.Name(text, Span(self.source, start, end))
        if kind == "INT":
            return self._integer(text, Span(self.source, start, end))
        if kind == "FLOAT":
            return self._float(text, Span(self.source, start, end))
        if kind == "STRING":
            return self._string(text, Span(self.source, start, end))
        if kind in _LITERALS:
            return tree.Literal(_LITERALS[kind], Span(self.source, start, end))
        return text

    def _integer(self, text: str, span: Span) -> tree.Literal | tree.Invalid:
        digits = text.replace("_", "")
        if len(digits) > 19 or int(digits) > LIMITS.integer:
            self.sink.report(codes.INTEGER_TOO_LARGE, span, limit=LIMITS.integer)
            return tree.Invalid(span)
        return tree.Literal(int(digits), span)

    def _float(self, text: str, span: Span) -> tree.Literal | tree.Invalid:
        value = float(text.replace("_", ""))
        if value in (float("inf"), float("-inf")):
            self.sink.report(codes.INTEGER_TOO_LARGE, span, limit=LIMITS.integer)
            return tree.Invalid(span)
        return tree.Literal(value, span)

    def _string(self, text: str, span: Span) -> tree.Literal | tree.Invalid:
        if "\\" not in text:
            return tree.Literal(text[1:-1], span)
        parts, at = [], 1
        while at < len(text) - 1:
            if text[at] != "\\":
                parts.append(text[at])
            elif text[at + 1] in _ESCAPES:
                at += 1
                parts.append(_ESCAPES[text[at]])
            else:
                wrong = Span(self.source, span.start + at, span.start + at + 2)
                self.sink.report(codes.WRONG_ESCAPE, wrong, escape=text[at : at + 2])
                return tree.Invalid(span)
            at += 1
        return tree.Literal("".join(parts), span)

    # --- a file ---

    def start(self, values: list[Any], span: Span) -> tree.Tree:
        return tree.Tree(self.source, tuple(values))

    def import_(self, values: list[Any], span: Span) -> tree.Import:
        return tree.Import(values[0], tuple(values[1:]), span)

    def imported(self, values: list[Any], span: Span) -> tree.Imported:
        return tree.Imported(values[0], values[1] if len(values) == 2 else None, span)

    def model(self, values: list[Any], span: Span) -> tree.Model:
        return tree.Model(values[0], values[1] if len(values) == 3 else (), values[-1], span)

    def variant(self, values: list[Any], span: Span) -> tree.Variant:
        return tree.Variant(values[0], values[1], values[2] if len(values) == 3 else (), span)

    def block(self, values: list[Any], span: Span) -> tree.Block:
        return tree.Block(values[0], values[1] if len(values) == 3 else (), values[-1], span)

    def train(self, values: list[Any], span: Span) -> tree.Train:
        model = values.pop(0) if values and isinstance(values[0], tree.Name) else None
        return tree.Train(model, tuple(value for value in values if isinstance(value, tree.Setting)), span)

    def parameters(self, values: list[Any], span: Span) -> tuple[tree.Parameter, ...]:
        return tuple(values)

    def parameter(self, values: list[Any], span: Span) -> tree.Parameter:
        return tree.Parameter(values[0], values[1] if len(values) == 2 else None, span)

    def setting(self, values: list[Any], span: Span) -> tree.Setting:
        return tree.Setting(values[0], values[1] if len(values) == 3 else None, values[-1], span)

    # --- statements ---

    def body(self, values: list[Any], span: Span) -> tree.Body:
        return tree.Body(tuple(values), span)

    def label(self, values: list[Any], span: Span) -> _End:
        return _End("label", values[0], span.start)

    def labels(self, values: list[Any], span: Span) -> _End:
        first, last = values[0].span, values[-1].span
        text = self.source.text
        names = Span(self.source, text.rindex("(", span.start, first.start), text.rindex(")", last.end, span.end) + 1)
        return _End("label", tree.Labels(tuple(values), names), span.start)

    def annotation(self, values: list[Any], span: Span) -> _End:
        return _End("annotation", values[0], span.start)

    def shapes(self, values: list[Any], span: Span) -> tree.Sequence:
        return tree.Sequence(tuple(values), False, span)

    def _split_tail(self, values: list[Any], span: Span) -> tuple[tree.Tail, Span]:
        """Take `as name` and `-> [shape]` off the end of `values`; also the span of the statement without them."""
        if values[-1].__class__ is not _End:
            return _NO_TAIL, span
        found: dict[str, Any] = {}
        start = span.end
        while values and values[-1].__class__ is _End:
            end = values.pop()
            found[end.kind], start = end.value, end.start
        text = self.source.text[span.start : start].rstrip()
        tail = tree.Tail(found.get("label"), found.get("annotation"))
        return tail, Span(self.source, span.start, span.start + len(text))

    def input(self, values: list[Any], span: Span) -> tree.Input:
        conditions = values.pop() if values[-1].__class__ is tuple else ()
        tail, _ = self._split_tail(values, span)
        if len(values) == 2:
            conditions = values.pop()
        return tree.Input(values[0], conditions, tail, span)

    def arriving(self, values: list[Any], span: Span) -> tree.Arriving:
        return tree.Arriving(self._split_tail([None, *values], span)[0], span)

    def conditions(self, values: list[Any], span: Span) -> tuple[tree.Expression, ...]:
        return tuple(values)

    def layer(self, values: list[Any], span: Span) -> tree.Layer:
        tail, head = self._split_tail(values, span)
        return tree.Layer(values[0], values[1] if len(values) == 2 else (), tail, head, span)

    def let(self, values: list[Any], span: Span) -> tree.Let:
        return tree.Let(values[0], values[1], span)

    def function(self, values: list[Any], span: Span) -> tree.Function:
        return tree.Function(values[0], tuple(values[1:-1]), values[-1], span)

    def assert_(self, values: list[Any], span: Span) -> tree.Assert:
        return tree.Assert(values[0], values[1] if len(values) == 2 else None, span)

    def use(self, values: list[Any], span: Span) -> tree.Use:
        tail, head = self._split_tail(values, span)
        return tree.Use(values[0], tail, head, span)

    def again(self, values: list[Any], span: Span) -> tree.Again:
        tail, head = self._split_tail(values, span)
        return tree.Again(values[0], tail, head, span)

    def weight(self, values: list[Any], span: Span) -> tree.Weight:
        tail, head = self._split_tail(values, span)
        return tree.Weight(values[0], values[1], tail, head, span)

    def _opening(self, body: tree.Body, span: Span) -> Span:
        """The words of a statement in front of its first body."""
        text = self.source.text[span.start : body.span.start].rstrip()
        return Span(self.source, span.start, span.start + len(text))

    def repeat(self, values: list[Any], span: Span) -> tree.Repeat:
        tail, _ = self._split_tail(values, span)
        return tree.Repeat(values[0], values[1], tail, self._opening(values[1], span), span)

    def for_(self, values: list[Any], span: Span) -> tree.For:
        tail, _ = self._split_tail(values, span)
        targets, unpacks = values[0]
        return tree.For(targets, unpacks, values[1], values[2], tail, self._opening(values[2], span), span)

    def targets(self, values: list[Any], span: Span) -> tuple[tuple[tree.Name, ...], bool]:
        return tuple(values), len(values) > 1 or span.text.startswith("(")

    def if_(self, values: list[Any], span: Span) -> tree.If:
        tail, _ = self._split_tail(values, span)
        otherwise = values.pop()[1] if values[-1].__class__ is tuple else None
        arms = tuple(zip(values[::2], values[1::2]))
        return tree.If(arms, otherwise, tail, self._opening(arms[0][1], span), span)

    def otherwise(self, values: list[Any], span: Span) -> tuple[str, tree.Body]:
        return ("else", values[0])

    def residual(self, values: list[Any], span: Span) -> tree.Residual:
        tail, _ = self._split_tail(values, span)
        shortcut = values[1] if len(values) == 2 else None
        return tree.Residual(values[0], shortcut, tail, self._opening(values[0], span), span)

    def shortcut(self, values: list[Any], span: Span) -> tree.Body:
        body: tree.Body = values[0]
        return body

    def merge(self, values: list[Any], span: Span) -> tree.Merge:
        tail, head = self._split_tail(values, span)
        branches = values.pop() if values[-1].__class__ is tree.Body else None
        arguments = values[1] if len(values) == 2 else ()
        if branches is not None:
            head = Span(self.source, span.start, span.start + len(values[0]))
        return tree.Merge(values[0], arguments, branches, tail, head, span)

    def branches(self, values: list[Any], span: Span) -> tree.Body:
        return tree.Body(tuple(values), span)

    def branch(self, values: list[Any], span: Span) -> tree.Branch:
        return tree.Branch(values[0], self._split_tail(values, span)[0], span)

    repeat_branches, for_branches, if_branches, else_branches = repeat, for_, if_, otherwise

    # --- expressions ---

    def arguments(self, values: list[Any], span: Span) -> tuple[tree.Argument, ...]:
        return tuple(values)

    def positional(self, values: list[Any], span: Span) -> tree.Argument:
        return tree.Argument(values[0], span)

    def stated(self, values: list[Any], span: Span) -> tree.Argument:
        return tree.Argument(values[1], span, None, values[0])

    def keyword(self, values: list[Any], span: Span) -> tree.Argument:
        return tree.Argument(values[1], span, values[0])

    def conditional(self, values: list[Any], span: Span) -> tree.Conditional:
        return tree.Conditional(values[0], values[1], values[2], span)

    def _chain(self, values: list[Any], span: Span) -> tree.Chain:
        return tree.Chain(tuple(values[::2]), tuple(values[1::2]), span)

    disjunction = conjunction = comparison = sum = product = power = _chain

    def negation(self, values: list[Any], span: Span) -> tree.Unary:
        return tree.Unary("not", values[0], span)

    def signed(self, values: list[Any], span: Span) -> tree.Unary:
        return tree.Unary(values[0], values[1], span)

    def postfix(self, values: list[Any], span: Span) -> tree.Access:
        return tree.Access(values[0], tuple(values[1:]), span)

    def index(self, values: list[Any], span: Span) -> tree.Item:
        return tree.Item(values[0], span)

    def slice_(self, values: list[Any], span: Span) -> tree.Slice:
        colon = next(at for at, value in enumerate(values) if value == ":")
        start, stop = values[:colon], values[colon + 1 :]
        return tree.Slice(start[0] if start else None, stop[0] if stop else None, span)

    def part(self, values: list[Any], span: Span) -> tree.Member:
        return tree.Member(values[0], span)

    def word_of_statements(self, values: list[Any], span: Span) -> tree.Name:
        return tree.Name(values[0], span)

    def call(self, values: list[Any], span: Span) -> tree.Call:
        return tree.Call(values[0], values[1], span)

    def group(self, values: list[Any], span: Span) -> tree.Group:
        return tree.Group(values[0], span)

    def tuple_(self, values: list[Any], span: Span) -> tree.Sequence:
        return tree.Sequence(tuple(values), False, span)

    def list_(self, values: list[Any], span: Span) -> tree.Sequence:
        return tree.Sequence(tuple(values), True, span)

    def comprehension(self, values: list[Any], span: Span) -> tree.Comprehension:
        targets, unpacks = values[1]
        return tree.Comprehension(values[0], targets, unpacks, values[2], values[3] if len(values) == 4 else None, span)
