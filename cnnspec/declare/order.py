"""Arguments in PyTorch's order where its first one is not written: what they may have meant, each reading as a fix.

PyTorch's `Conv2d(3, 16, 3)` begins with `in_channels`, which follows here from what arrives. Read without it, the numbers
would make another network in silence; so only what has no default goes by position, and the rest is refused with its fix.
"""

from __future__ import annotations

from cnnspec.declare.declared import Signature, as_tuple
from cnnspec.diagnostics import Edit, Suggestion
from cnnspec.diagnostics.suggestions import WRITE
from cnnspec.record import record
from cnnspec.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.declare.argument import Argument


@record
class Reading:
    """What arguments by position may mean: a name for each ("" for one to leave out), and whether nothing else is possible."""

    names: tuple[str, ...]
    stated: bool
    """The first one is the width that arrives."""
    sure: bool


def readings(signature: Signature, arguments: Sequence[Argument], arriving: int | None) -> list[Reading]:
    """What arguments may mean of which more are given by position than may be; the likeliest first.

    `arriving` is the width that `signature.inferred` counts, None where it is not known for sure.
    """
    given = [argument for argument in arguments if argument.name is None]
    named = {argument.name for argument in arguments}
    as_in_torch = _fit(signature, given, named, [signature.inferred, *signature.fields]) if signature.inferred else None
    without = _fit(signature, given, named, list(signature.fields))
    first = given[0].value
    if as_in_torch and arriving is not None and first != arriving:
        # Either the first one is what it is here, or it states a width that is wrong: the texts are alike, the networks not.
        left_out = Reading(("", *as_in_torch[1:]), stated=False, sure=False)
        return ([Reading(without, stated=False, sure=False)] if without else []) + [left_out]
    both = bool(as_in_torch and without)
    found = [Reading(as_in_torch, stated=True, sure=arriving is not None and not both)] if as_in_torch else []
    return found + ([Reading(without, stated=False, sure=not both)] if without else [])


def _fit(
    signature: Signature, given: Sequence[Argument], named: set[str | None], order: list[str]
) -> tuple[str, ...] | None:
    """The names of arguments by position read in some order; None where one of them can't be that."""
    names = order[: len(given)]
    if len(names) < len(given) or named.intersection(names):
        return None
    for name, argument in zip(names, given):
        kind = signature.fields[name].kind if name in signature.fields else signature.extra[name]
        if kind.accepts(as_tuple(argument.value), signature.rank):
            return None
    return tuple(names)


def fix(reading: Reading, signature: Signature, arguments: Sequence[Argument], name: str) -> Suggestion:
    """A reading as the statement one would write, with the edits that make it."""
    positions = list(signature.fields)[: signature.positions]
    given = [argument for argument in arguments if argument.name is None]
    arrow = reading.stated and signature.arrow and len(given) > 1 and reading.names[1] == positions[0]
    parts: list[str] = []
    edits: list[Edit] = []
    for index, (meant, argument) in enumerate(zip(reading.names, given)):
        place = index - (reading.names[0] in ("", signature.inferred))
        by_position = positions[place : place + 1] == [meant] and (arrow or not reading.stated)
        if not meant:
            edits.append(Edit(_between(argument.span, given[1].span, start=True), ""))
            continue
        if index == 0 and arrow:
            edits.append(Edit(_between(argument.span, given[1].span), " -> "))
        elif not by_position:
            edits.append(Edit(Span(argument.span.source, argument.span.start, argument.span.start), f"{meant}="))
        parts.append(argument.span.text if by_position or (index == 0 and arrow) else f"{meant}={argument.span.text}")
    if arrow:
        parts[:2] = [" -> ".join(parts[:2])]
    if arguments[0].name == signature.inferred and arguments[0].name_span is None and parts:
        arguments, parts[0] = arguments[1:], f"{arguments[0].span.text} -> {parts[0]}"
    parts += [f"{argument.name}={argument.span.text}" for argument in arguments if argument.name is not None]
    # A comment between two arguments would be lost; those that a `let` has given already stand elsewhere.
    whole = follow(given) and not any("#" in edit.span.text for edit in edits)
    facts: dict[str, object] = {"statement": f"{name}({', '.join(parts)})"}
    return Suggestion(WRITE, facts, tuple(edits) if whole else (), reading.sure and whole)


def follow(arguments: Sequence[Argument]) -> bool:
    """Whether arguments stand behind each other in one text."""
    pairs = [(arguments[index - 1], arguments[index]) for index in range(1, len(arguments))]
    return all(a.span.source is b.span.source and a.span.end <= b.span.start for a, b in pairs)


def _between(first: Span, second: Span, *, start: bool = False) -> Span:
    """What stands between two arguments, with `start` the first of them too."""
    return Span(first.source, first.start if start else first.end, second.start)
