"""Written arguments matched with declared ones: every mistake is reported with the place of the argument."""

from __future__ import annotations

from cnnspec.declare.argument import Argument, Bound
from cnnspec.declare.declared import Signature, as_tuple
from cnnspec.declare.kinds import WRONG_RANGE, WRONG_TYPE, Choice, Either, Kind, Tuple
from cnnspec.declare.order import fix, follow, readings
from cnnspec.declare.spell import UNKNOWN, spell
from cnnspec.diagnostics import Label, Sink, codes, did_you_mean
from cnnspec.diagnostics.suggestions import OPTION, SPELLING, Suggestion, listing
from cnnspec.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def bind(
    signature: Signature,
    arguments: Iterable[Argument],
    name: str,
    span: Span,
    sink: Sink,
    arriving: int | None = None,
) -> Bound:
    """Match `arguments` with the fields of `signature`, called `name` at `span` in the spec. Reports; never raises.

    `arriving` is the width that determines `signature.inferred`, where it is known for sure: the fix of arguments in
    PyTorch's order depends on it.
    """
    arguments = list(arguments)
    values: dict[str, object] = {}
    spans: dict[str, Span] = {}
    complete = misnamed = False
    pairs = _in_torch_order(signature, arguments, name, span, sink, arriving)
    if pairs is None:
        pairs, misnamed = _named(signature, arguments, name, sink)
        complete = not misnamed
    for target, argument in pairs:
        if target in values:
            earlier = [Label(spans[target], "given here first")]
            sink.report(codes.DUPLICATE_ARGUMENT, argument.span, labels=earlier, layer=name, name=target)
            misnamed = True
            continue
        kind = signature.fields[target].kind if target in signature.fields else signature.extra[target]
        value = argument.value if kind.keeps_lists else as_tuple(argument.value)
        spans[target] = argument.span
        values[target] = value
        if value is UNKNOWN:
            complete = False
        elif verdict := kind.accepts(value, signature.rank):
            _report_value(kind, verdict, argument, target, name, signature.rank, sink)
            values[target] = UNKNOWN
            complete = False
    missing = [field.name for field in signature.fields.values() if field.required and field.name not in values]
    if missing and complete and not misnamed:
        _report_missing(signature, missing, name, span, sink)
    return Bound(values, spans, complete and not misnamed and not missing)


def _named(
    signature: Signature, arguments: Sequence[Argument], name: str, sink: Sink
) -> tuple[list[tuple[str, Argument]], bool]:
    """Each argument under the name of what it is for, and whether there are some that are for nothing."""
    order = iter(list(signature.fields)[: signature.positions])
    pairs: list[tuple[str, Argument]] = []
    reported = misnamed = False
    given = {argument.name for argument in arguments}
    for argument in arguments:
        target = next(order, None) if argument.name is None else argument.name
        if target is None:
            if not reported:
                _report_too_many(signature, argument, arguments, name, sink)
            reported = misnamed = True
        elif target in signature.fields or target in signature.extra:
            pairs.append((target, argument))
        else:
            from cnnspec.diagnostics.similar_names import closest

            _report_unknown(signature, argument, name, {*given, *(field for field, _ in pairs)}, sink)
            misnamed = True
            meant = closest(target, [*signature.fields, *signature.extra])
            if meant is not None and meant not in given:
                # Read as what it was meant to be, so that one mistake is told once.
                pairs.append((meant, argument))
    if reported:
        # Values that should stand in a tuple: that there are too many of them says it.
        pairs = [one for one in pairs if one[0] not in signature.fields or not _is_tuple(signature, one[0])]
    return pairs, misnamed


def _is_tuple(signature: Signature, field: str) -> bool:
    """Whether a parameter takes nothing but a tuple."""
    return isinstance(signature.fields[field].kind, Tuple)


def _in_torch_order(
    signature: Signature, arguments: Sequence[Argument], name: str, span: Span, sink: Sink, arriving: int | None
) -> list[tuple[str, Argument]] | None:
    """Arguments under their names if they stand in PyTorch's order, whose first one is not written; None if not so."""
    given = [argument for argument in arguments if argument.name is None]
    named = {argument.name for argument in arguments}
    free = [field for field in list(signature.fields)[: signature.positions] if field not in named]
    if (
        not signature.inferred
        or signature.inferred in named
        or len(given) <= len(free)
        or any(argument.value is UNKNOWN for argument in given)
    ):
        return None
    found = readings(signature, arguments, arriving)
    doubled = len(given) <= signature.positions
    if not found or (doubled and not found[0].stated):
        return None
    fixes = [fix(reading, signature, arguments, name) for reading in found]
    if span.source.text.endswith("nn.", 0, span.start):
        # Written in PyTorch's words: there is one reading.
        found, fixes = found[:1], [fixes[0].with_edits(fixes[0].edits, sure=bool(fixes[0].edits))]
    sink.report(
        codes.TORCH_ORDER,
        Span(given[0].span.source, given[0].span.start, given[-1].span.end) if follow(given) else given[-1].span,
        helps=fixes,
        layer=name,
        takes=list(signature.fields)[: signature.positions],
        order=", ".join([signature.inferred, *signature.fields][: len(given)]),
        inferred=signature.inferred,
    )
    # With several readings, none of them is gone on with.
    unsure = len(found) > 1
    pairs = [(meant, argument) for meant, argument in zip(found[0].names, given) if meant and not unsure]
    known = {*signature.fields, *signature.extra}
    return pairs + [(argument.name, argument) for argument in arguments if argument.name in known and argument.name]


def _report_too_many(
    signature: Signature, argument: Argument, arguments: Sequence[Argument], name: str, sink: Sink
) -> None:
    takes = f"takes no more than `{name}({signature.text})`" if signature.fields else "takes no arguments"
    helps = [fix(reading, signature, arguments, name) for reading in readings(signature, arguments, None)]
    sink.report(codes.TOO_MANY_ARGUMENTS, argument.span, helps=helps, layer=name, takes=takes)


def _report_unknown(signature: Signature, argument: Argument, name: str, taken: set[str | None], sink: Sink) -> None:
    known = list(signature.fields) + list(signature.extra)
    left = [field for field in known if field not in taken]
    assert argument.name is not None
    sink.report(
        codes.UNKNOWN_PARAMETER,
        argument.name_span or argument.span,
        # What is given already is not meant once more.
        helps=lambda: did_you_mean(argument.name or "", left) or _almost(argument.name or "", left),
        layer=name,
        name=argument.name,
        takes=f"takes {listing(known)}" if known else "takes no arguments",
    )


def _almost(name: str, left: list[str]) -> tuple[Suggestion, ...]:
    """The one parameter that is left, a letter away from a name that is too short to be compared with many."""
    from cnnspec.diagnostics.similar_names import edit_distance

    near = [field for field in left if edit_distance(name, field, 1) == 1] if len(name) > 1 else []
    facts: dict[str, object] = {"written": name, "meant": near[0] if near else "", "ties": tuple(near)}
    return (Suggestion(SPELLING, facts),) if len(near) == 1 else ()


def _report_missing(signature: Signature, missing: Sequence[str], name: str, span: Span, sink: Sink) -> None:
    sink.report(
        codes.MISSING_ARGUMENT,
        span,
        layer=name,
        missing=list(missing),
        signature=f"{name}({signature.text})",
    )


def _report_value(kind: Kind, verdict: int, argument: Argument, target: str, name: str, rank: int, sink: Sink) -> None:
    value = argument.value
    options: list[str] = []
    if isinstance(kind, (Choice, Either)) and isinstance(value, str):
        options = [option for part in getattr(kind, "kinds", (kind,)) for option in getattr(part, "options", ())]
    code = codes.WRONG_TYPE if verdict == WRONG_TYPE else codes.OUT_OF_RANGE
    sink.report(
        code,
        argument.span,
        helps=lambda: did_you_mean(str(value), options, OPTION) if options else (),
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
