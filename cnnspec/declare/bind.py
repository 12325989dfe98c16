"""Written arguments matched with declared ones: every mistake is reported with the place of the argument."""

from __future__ import annotations

from cnnspec.declare.declared import Signature, as_tuple
from cnnspec.declare.kinds import WRONG_RANGE, WRONG_TYPE, Choice, Either, Kind, Tuple
from cnnspec.declare.spell import UNKNOWN, spell
from cnnspec.diagnostics import Label, Sink, codes
from cnnspec.diagnostics.suggest import did_you_mean, listing
from cnnspec.diagnostics.suggestions import OPTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from cnnspec.diagnostics import Suggestion
    from cnnspec.source import Span

    Helps: TypeAlias = tuple[Suggestion, ...]


class Argument:
    """One written argument: `value` at `span`, by keyword or, with `name` None, by position."""

    __slots__ = ("name", "name_span", "span", "value")

    def __init__(self, name: str | None, value: object, span: Span, name_span: Span | None = None) -> None:
        self.name, self.value, self.span, self.name_span = name, value, span, name_span


class Bound:
    """Arguments matched with fields: the values given, where each stands, and whether all of them were right."""

    __slots__ = ("complete", "spans", "values")

    def __init__(self, values: dict[str, object], spans: dict[str, Span], complete: bool) -> None:
        self.values, self.spans, self.complete = values, spans, complete


def bind(
    signature: Signature,
    arguments: Iterable[Argument],
    name: str,
    span: Span,
    sink: Sink,
    hints: Helps = (),
) -> Bound:
    """Match `arguments` with the fields of `signature`, called `name` at `span` in the spec. Reports; never raises.

    `hints` go to mistakes that come from a wrong order of arguments.
    """
    fields, extra, rank = signature.fields, signature.extra, signature.rank
    order = list(fields)
    values: dict[str, object] = {}
    spans: dict[str, Span] = {}
    complete, misnamed, position = True, False, 0
    for argument in arguments:
        target = argument.name
        if target is None:
            if position >= len(order):
                _report_too_many(signature, argument, name, hints, sink)
                misnamed = True
                continue
            target = order[position]
            position += 1
        if target in values:
            earlier = [Label(spans[target], "given here first")]
            sink.report(codes.DUPLICATE_ARGUMENT, argument.span, labels=earlier, layer=name, name=target)
            misnamed = True
            continue
        kind = fields[target].kind if target in fields else extra.get(target)
        if kind is None:
            _report_unknown(signature, argument, name, sink)
            misnamed = True
            continue
        value = argument.value if kind.keeps_lists else as_tuple(argument.value)
        spans[target] = argument.span
        values[target] = value
        if value is UNKNOWN:
            complete = False
        elif verdict := kind.accepts(value, rank):
            _report_value(kind, verdict, argument, target, name, rank, hints, sink)
            values[target] = UNKNOWN
            complete = False
    missing = [field.name for field in fields.values() if field.required and field.name not in values]
    if missing and not misnamed:
        _report_missing(signature, missing, name, span, sink)
    return Bound(values, spans, complete and not misnamed and not missing)


def _report_too_many(signature: Signature, argument: Argument, name: str, hints: Helps, sink: Sink) -> None:
    takes = f"takes no more than `{name}({signature.text})`" if signature.fields else "takes no arguments"
    sink.report(codes.TOO_MANY_ARGUMENTS, argument.span, helps=hints, layer=name, takes=takes)


def _report_unknown(signature: Signature, argument: Argument, name: str, sink: Sink) -> None:
    known = list(signature.fields) + list(signature.extra)
    assert argument.name is not None
    sink.report(
        codes.UNKNOWN_PARAMETER,
        argument.name_span or argument.span,
        helps=did_you_mean(argument.name, known),
        layer=name,
        name=argument.name,
        takes=f"takes {listing(known)}" if known else "takes no arguments",
    )


def _report_missing(signature: Signature, missing: Sequence[str], name: str, span: Span, sink: Sink) -> None:
    sink.report(
        codes.MISSING_ARGUMENT,
        span,
        layer=name,
        missing=list(missing),
        signature=f"{name}({signature.text})",
    )


def _report_value(
    kind: Kind, verdict: int, argument: Argument, target: str, name: str, rank: int, hints: Helps, sink: Sink
) -> None:
    value = argument.value
    helps = hints if argument.name is None and verdict == WRONG_TYPE else ()
    if isinstance(kind, (Choice, Either)) and isinstance(value, str):
        options = [option for part in getattr(kind, "kinds", (kind,)) for option in getattr(part, "options", ())]
        helps = did_you_mean(value, options, OPTION)
    code = codes.WRONG_TYPE if verdict == WRONG_TYPE else codes.OUT_OF_RANGE
    sink.report(
        code,
        argument.span,
        helps=helps,
        layer=name,
        name=target,
        wants=_length(kind, verdict, value, rank) or kind.describe(rank),
        value=spell(value),
    )


def _length(kind: Kind, verdict: int, value: object, rank: int) -> str:
    """What a tuple of the wrong length has to be; "" for any other mistake."""
    if verdict != WRONG_RANGE or not isinstance(value, (tuple, list)):
        return ""
    for part in getattr(kind, "kinds", (kind,)):
        size = part.size(rank) if isinstance(part, Tuple) else None
        if size is not None and size != len(value):
            return f"{kind.describe(rank)}; this has {len(value)} item{'' if len(value) == 1 else 's'}"
    return ""
