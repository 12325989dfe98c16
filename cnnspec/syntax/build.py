"""From what the parser recognised to the nodes of the tree: one method a grammar rule, called as its parts are complete.

A method gets the parts of its rule (`values`, without the punctuation that the grammar does not name) and the span of its
text. `word` makes the value of a single token. Both parsers, ours on lark's tables and lark itself, build through here.
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink, codes
from cnnspec.limits import LIMITS
from cnnspec.source import Source, Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_LITERALS = {"TRUE": True, "FALSE": False, "NONE": None}
_NO_TAIL = tree.Tail(None, None)


class Builder:
    """Builds the tree of one source."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self.source = source
        self.sink = sink

    def word(self, kind: str, text: str, start: int, end: int) -> Any:
        if kind == "NAME":
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

    def model(self, values: list[Any], span: Span) -> tree.Model:
        return tree.Model(values[0], values[1] if len(values) == 3 else (), values[-1], span)

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
        return tree.Setting(values[0], values[1], span)

    # --- statements ---

    def body(self, values: list[Any], span: Span) -> tree.Body:
        return tree.Body(tuple(values), span)

    def label(self, values: list[Any], span: Span) -> tuple[str, tree.Name]:
        return ("label", values[0])

    def annotation(self, values: list[Any], span: Span) -> tuple[str, tree.Sequence]:
        return ("annotation", values[0])

    def _split_tail(self, values: list[Any]) -> tree.Tail:
        """Take `as name` and `-> [shape]` off the end of `values`."""
        found: dict[str, Any] = {}
        while values and values[-1].__class__ is tuple and values[-1] and values[-1][0] in ("label", "annotation"):
            kind, value = values.pop()
            found[kind] = value
        return tree.Tail(found.get("label"), found.get("annotation")) if found else _NO_TAIL

    def _head(self, tail: tree.Tail, span: Span) -> Span:
        """The span of a statement without its tail."""
        parts = [(part.span.start, mark) for part, mark in ((tail.label, "as"), (tail.annotation, "->")) if part]
        if not parts:
            return span
        start, mark = min(parts)
        text = self.source.text[span.start : start].rstrip().removesuffix(mark).rstrip()
        return Span(self.source, span.start, span.start + len(text))

    def input(self, values: list[Any], span: Span) -> tree.Input:
        tail = self._split_tail(values)
        return tree.Input(values[0], values[1] if len(values) == 2 else (), tail, span)

    def conditions(self, values: list[Any], span: Span) -> tuple[tree.Expression, ...]:
        return tuple(values)

    def layer(self, values: list[Any], span: Span) -> tree.Layer:
        tail = self._split_tail(values)
        return tree.Layer(values[0], values[1] if len(values) == 2 else (), tail, self._head(tail, span), span)

    def let(self, values: list[Any], span: Span) -> tree.Let:
        return tree.Let(values[0], values[1], span)

    def repeat(self, values: list[Any], span: Span) -> tree.Repeat:
        return tree.Repeat(values[0], values[1], span)

    def for_(self, values: list[Any], span: Span) -> tree.For:
        targets, unpacks = values[0]
        return tree.For(targets, unpacks, values[1], values[2], span)

    def targets(self, values: list[Any], span: Span) -> tuple[tuple[tree.Name, ...], bool]:
        return tuple(values), len(values) > 1 or span.text.startswith("(")

    def if_(self, values: list[Any], span: Span) -> tree.If:
        otherwise = values.pop()[1] if values[-1].__class__ is tuple else None
        return tree.If(tuple(zip(values[::2], values[1::2])), otherwise, span)

    def otherwise(self, values: list[Any], span: Span) -> tuple[str, tree.Body]:
        return ("else", values[0])

    def residual(self, values: list[Any], span: Span) -> tree.Residual:
        tail = self._split_tail(values)
        shortcut = values[1] if len(values) == 2 else None
        return tree.Residual(values[0], shortcut, tail, Span(self.source, span.start, span.start + 8), span)

    def shortcut(self, values: list[Any], span: Span) -> tree.Body:
        body: tree.Body = values[0]
        return body

    def merge(self, values: list[Any], span: Span) -> tree.Merge:
        tail = self._split_tail(values)
        kind = values.pop(0)
        branches = (
            values.pop()[1] if values and isinstance(values[-1], tuple) and values[-1][:1] == ("branches",) else None
        )
        arguments = values[0] if values else ()
        head = Span(self.source, span.start, span.start + len(kind))
        return tree.Merge(kind, arguments, branches, tail, self._head(tail, span) if branches is None else head, span)

    def branches(self, values: list[Any], span: Span) -> tuple[str, tuple[tree.Body, ...]]:
        return ("branches", tuple(value for value in values if isinstance(value, tree.Body)))

    def branch(self, values: list[Any], span: Span) -> tree.Body:
        body: tree.Body = values[0]
        return body

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

    def postfix(self, values: list[Any], span: Span) -> tree.Index:
        return tree.Index(values[0], tuple(values[1:]), span)

    def call(self, values: list[Any], span: Span) -> tree.Call:
        return tree.Call(values[0], values[1], span)

    def group(self, values: list[Any], span: Span) -> tree.Group:
        return tree.Group(values[0], span)

    def tuple_(self, values: list[Any], span: Span) -> tree.Sequence:
        return tree.Sequence(tuple(values), False, span)

    def list_(self, values: list[Any], span: Span) -> tree.Sequence:
        return tree.Sequence(tuple(values), True, span)
