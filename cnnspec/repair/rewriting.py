"""Edits carried out on the tree: the statements that they touch are read anew, their neighbours stay as they are.

`fresh` takes up the sources that are parsed for it, with the places that they stand for.
"""

from __future__ import annotations

from cnnspec.compiler.names import Deferred
from cnnspec.compiler.project import meant_by
from cnnspec.diagnostics import Edit, Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.repair.sites import Part, Place, innermost, replaced
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression
from cnnspec.syntax.walk import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_LONGEST = 20_000
"""Characters of a statement that is read anew."""


def rewritten(part: Part, edits: tuple[Edit, ...], fresh: list[tuple[Source, Span]]) -> Any:
    """A definition with edits: the innermost statements that hold them, and defaults of parameters, are read anew."""
    homes: dict[int, tuple[Place, list[Edit]]] = {}
    changes: dict[int, tuple[Any, ...]] = {}
    for edit in map(_trimmed, edits):
        place = innermost(part, edit.span)
        if place is not None:
            homes.setdefault(id(place.statement), (place, []))[1].append(edit)
            continue
        default = next(
            (
                one.default
                for one in part.definition.parameters
                if one.default is not None and one.default.span.holds(edit.span)
            ),
            None,
        )
        if default is None:
            return None
        sink = Sink()
        source = Source(part.definition.span.source.path, _moved(default.span, [edit]))
        new = parse_expression(source, sink)
        if len(sink):
            return None
        fresh.append((source, default.span))
        changes[id(default)] = (new,)
    for place, own in _outermost(list(homes.values())):
        statements = _statements(place.statement.span, own, fresh)
        if statements is None:
            return None
        changes[id(place.statement)] = statements
    spans = [edit.span for edit in edits]
    where = Span(spans[0].source, min(span.start for span in spans), max(span.end for span in spans))
    return replaced(part.definition, changes, where)


def edited_let(constant: Deferred, edits: tuple[Edit, ...], fresh: list[tuple[Source, Span]]) -> tree.Let | None:
    """A constant or variant with edits; None where the text is neither then."""
    span = constant.definition.span
    if span.end - span.start > _LONGEST:
        return None
    sink = Sink()
    source = Source(span.source.path, _moved(span, edits))
    items = parse(source, sink).items
    if len(sink) or len(items) != 1 or not isinstance(items[0], (tree.Let, tree.Variant)):
        return None
    fresh.append((source, span))
    return items[0] if isinstance(items[0], tree.Let) else meant_by(items[0])


def _trimmed(edit: Edit) -> Edit:
    """An edit without the blanks and `;` at the ends of what it takes out: they are part of no statement."""
    span, text = edit.span, edit.span.text
    start = span.start + len(text) - len(text.lstrip(" \t\r\n;"))
    end = span.start + len(text.rstrip(" \t\r\n;"))
    return Edit(Span(span.source, start, end), "") if not edit.text and end > start else edit


def _outermost(homes: list[tuple[Place, list[Edit]]]) -> list[tuple[Place, list[Edit]]]:
    """Statements with their edits; those inside of another one of them hand theirs to it."""
    found: list[tuple[Place, list[Edit]]] = []
    for place, own in sorted(homes, key=lambda home: -(home[0].statement.span.end - home[0].statement.span.start)):
        outer = next((home for home in found if home[0].statement.span.holds(place.statement.span)), None)
        if outer is not None:
            outer[1].extend(own)
        else:
            found.append((place, list(own)))
    return found


def _statements(span: Span, edits: list[Edit], fresh: list[tuple[Source, Span]]) -> tuple[tree.Statement, ...] | None:
    if span.end - span.start > _LONGEST:
        return None
    text = _moved(span, edits)
    sink = Sink()
    source = Source(span.source.path, f"block B {{\n{text}\n}}")
    items = parse(source, sink).items
    if len(sink) or len(items) != 1 or not isinstance(items[0], tree.Block):
        return None
    fresh.append((source, span))
    return items[0].body.statements


def edited_recipes(
    recipes: tuple[tree.Train, ...], edits: list[Edit], fresh: list[tuple[Source, Span]]
) -> tuple[tree.Train, ...] | None:
    found: list[tree.Train] = []
    for recipe in recipes:
        own = [edit for edit in edits if recipe.span.holds(edit.span)]
        if own:
            sink = Sink()
            source = Source(recipe.span.source.path, _moved(recipe.span, own))
            items = parse(source, sink).items
            if len(sink) or len(items) != 1 or not isinstance(items[0], tree.Train):
                return None
            fresh.append((source, recipe.span))
            edits = [edit for edit in edits if edit not in own]
            recipe = items[0]
        found.append(recipe)
    return None if edits else tuple(found)


def is_read_so(part: Part, definition: Any, edits: tuple[Edit, ...]) -> bool:
    """Whether the edited text as a whole is read as the definition that was tried."""
    span = part.definition.span
    if span.end - span.start > _LONGEST:
        return _is_read_so_there(part, definition, edits)
    sink = Sink()
    items = parse(Source(span.source.path, _moved(span, edits)), sink).items
    return not len(sink) and len(items) == 1 and same(items[0], definition)


def _is_read_so_there(part: Part, definition: Any, edits: tuple[Edit, ...]) -> bool:
    """The same for a long definition: for the statements around the edits."""
    old, new = part.definition.body.statements, definition.body.statements
    low, high = min(edit.span.start for edit in edits), max(edit.span.end for edit in edits)
    touched = [i for i, one in enumerate(old) if one.span.end >= low and one.span.start <= high]
    if not touched:
        return False
    first, last = max(0, touched[0] - 1), min(len(old) - 1, touched[-1] + 1)
    span = Span(old[first].span.source, old[first].span.start, old[last].span.end)
    if low < span.start or high > span.end:
        return False
    statements = _statements(span, list(edits), [])
    return statements is not None and same(statements, new[first : len(new) - (len(old) - 1 - last)])


def _moved(span: Span, edits: Iterable[Edit]) -> str:
    """The text of a span after edits inside of it."""
    own = [
        Edit(Span(span.source, edit.span.start - span.start, edit.span.end - span.start), edit.text) for edit in edits
    ]
    try:
        return apply(span.text, own)
    except ValueError:
        return "?"
