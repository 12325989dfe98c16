"""Trying edits: the definitions of a file checked again with other texts in them. Nothing that was read before is changed.

An edit is tried on the tree: the statements that it touches are parsed anew and put in the place of the old ones, whose
neighbours keep their spans, so that the errors of before and after can be compared.
"""

from __future__ import annotations

from contextlib import suppress

from cnnspec.compiler.names import Block, Deferred, Function, Scope
from cnnspec.compiler.project import File
from cnnspec.diagnostics import Diagnostic, Edit, Sink, Stop
from cnnspec.diagnostics.edits import apply
from cnnspec.graph.nodes import Graph
from cnnspec.limits import LIMITS
from cnnspec.record import record, replace
from cnnspec.repair.cuts import LONG, Course
from cnnspec.repair.sites import Part, Place, innermost, parts_of, replaced
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression
from cnnspec.syntax.walk import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from cnnspec.diagnostics import Code, Suggestion

    Allowed = dict[tuple[str, Span], Diagnostic]
    """Errors that are there before an edit, by code and place."""
    Known = dict[Any, Any]
    Again = Callable[[File, list[tree.Model], Sink, Known], list[Graph]]

_LONGEST = 20_000
"""Characters of a statement that is read anew."""
_MODEL, _ERROR = 15, 20
"""Layers that take as long to check as what a model costs besides its own, and as an error that was there before."""
_FEW = 20
"""Errors of a file that cost nothing: fixes do not vanish because of other errors."""
_TEXT = 20
"""Characters that take about as long to parse as a layer to check."""


@record
class Result:
    """What a check of an edited file found: the first error that was not there before, or the graphs and what they warn of."""

    failed: Diagnostic | None
    graphs: tuple[Graph, ...]
    warnings: int


@record
class _Edited:
    """A file with other definitions, and where its new texts come from."""

    file: File
    models: dict[int, tree.Model]
    """The new definitions of models by the ids of the old ones."""
    fresh: tuple[tuple[Source, Span], ...]
    """Sources that were parsed for it, with the places that they stand for."""
    whole: tuple[tuple[Part, Any, tuple[Edit, ...]], ...]
    blocks: bool


class _Watch(Sink):
    """Stops a check as soon as it finds an error that was not there before."""

    def __init__(self, allowed: Allowed, fresh: Iterable[tuple[Source, Span]]) -> None:
        super().__init__()
        self.allowed = allowed
        self.left = {id(source): [code for code, span in allowed if _within(span, old)] for source, old in fresh}
        """The errors that a text that was read anew may have, as what it stands for had them."""
        self.failed: Diagnostic | None = None
        self.met = 0

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity == "error":
            self.met += 1
            key = (diagnostic.code.id, diagnostic.span)
            own = self.left.get(id(diagnostic.span.source))
            if own is None and key not in self.allowed:
                self._fail(diagnostic)
            if own is not None and not self.has(*key):
                if diagnostic.code.id not in own:
                    self._fail(diagnostic)
                own.remove(diagnostic.code.id)
        super().add(diagnostic)

    def suggested(self, code: Code, span: Span) -> tuple[Suggestion, ...] | None:
        before = self.allowed.get((code.id, span))
        return before.suggestions if before is not None else super().suggested(code, span)

    def _fail(self, diagnostic: Diagnostic) -> None:
        self.failed = diagnostic
        raise Stop


class Trials:
    """A file that was checked, to be checked again with edits. `again` checks models of a file, as a first check does."""

    def __init__(
        self,
        file: File,
        chosen: list[tree.Model],
        graphs: Sequence[Graph],
        again: Again,
        errors: Sequence[Diagnostic],
    ) -> None:
        self.file, self.chosen, self.again = file, chosen, again
        self.graphs = {graph.name: graph for graph in graphs}
        self.findings = list(errors)
        self.errors = {(error.code.id, error.span): error for error in reversed(errors)}
        self.expanded: Known = {}
        """Uses of blocks that were expanded before."""
        self.work = 0
        """How many layers trials have gone through."""
        self._parts: dict[int, list[Part]] = {}
        self._blocks: dict[int, Part] = {}
        self._uses: dict[int, list[Part]] = {}
        self._courses: dict[int, Course] = {}

    def parts(self, model: tree.Model) -> list[Part]:
        """A model and the blocks that it uses."""
        if id(model) not in self._parts:
            self._parts[id(model)] = parts_of(Part(model, self.file.scope, None))
        return self._parts[id(model)]

    def around(self, span: Span) -> tuple[list[tree.Model], list[Part]]:
        """The first model that a place belongs to, itself or through a block, and all that it uses.

        No model for a block that none uses, and neither for a place outside of all definitions.
        """
        own = [model for model in self.chosen if _within(span, model.span)]
        for model in own or self.chosen:
            parts = self.parts(model)
            if own or any(_within(span, part.definition.span) for part in parts):
                return [model], parts
        for block in self.file.blocks.values():
            if _within(span, block.definition.span):
                return [], self._used_by(self._part(block))
        return [], []

    def attempt(
        self, edits: tuple[Edit, ...], found: Diagnostic, models: list[tree.Model], parts: list[Part]
    ) -> Result | None:
        """The file with edits: whether they take away `found` and add nothing. None for edits that are no text of a spec."""
        if self.work + self._layers(models) > LIMITS.repair_all and not self._is_long(models):
            return None
        edited = self._edited(edits, parts) if not self.is_spent else None
        if edited is None:
            return None
        self.work += sum(len(source.text) for source, _ in edited.fresh) // _TEXT
        allowed = {key: error for key, error in self.errors.items() if key != (found.code.id, found.span)}
        result = self._in_part(edited, found.span, allowed) or self._run(edited, models, allowed)
        if result.failed is not None or not all(_is_read_so(*change) for change in edited.whole):
            return result if result.failed is not None else None
        others = [model for model in self.chosen if model not in models]
        if edited.blocks and others:
            second = self._run(edited, others, allowed)
            if second.failed is not None:
                return second
        return result

    @property
    def is_spent(self) -> bool:
        """Whether nothing more is tried for this check."""
        return self.work > LIMITS.repair_all

    def _in_part(self, edited: _Edited, error: Span, allowed: Allowed) -> Result | None:
        """The result for a long model of which a piece is enough; None where all of it has to be looked at."""
        if edited.blocks or len(edited.whole) != 1:
            return None
        old, new, _ = edited.whole[0]
        model, graph = old.definition, self.graphs.get(old.definition.name.id)
        if not isinstance(model, tree.Model) or graph is None or len(model.body.statements) < LONG:
            return None
        if id(model) not in self._courses:
            self._courses[id(model)] = Course(model, graph)
        file = replace(edited.file, recipes=())
        for piece, behind in self._courses[id(model)].pieces(new, error):
            part = _Edited(file, {id(model): piece}, edited.fresh, edited.whole, False)
            result = self._run(part, [model], allowed, len(piece.body.statements))
            if result.failed is not None or behind is None or result.graphs[0].output == behind:
                return result
        return None

    def _run(self, edited: _Edited, models: list[tree.Model], allowed: Allowed, work: int = 0) -> Result:
        sink = _Watch(allowed, edited.fresh)
        graphs: list[Graph] = []
        known = dict(self.expanded) if edited.blocks else self.expanded
        with suppress(Stop):
            graphs = self.again(edited.file, [edited.models.get(id(model), model) for model in models], sink, known)
        self.work += (work or self._layers(models)) + _ERROR * max(0, sink.met - _FEW)
        warnings = sum(found.severity != "error" for found in sink.diagnostics)
        return Result(sink.failed, tuple(graphs), warnings)

    def _is_long(self, models: list[tree.Model]) -> bool:
        """Whether a piece of a model may be enough."""
        return any(len(model.body.statements) >= LONG for model in models) and self.work <= LIMITS.repair_all

    def _layers(self, models: list[tree.Model]) -> int:
        if all(model.name.id in self.graphs for model in models):
            return sum(self.graphs[model.name.id].layers for model in models) + 1
        # A base of variants: all of them are gone through.
        return sum(graph.layers + _MODEL for graph in self.graphs.values()) + 1

    def measure(self, edits: tuple[Edit, ...], models: list[tree.Model], parts: list[Part]) -> tuple[Graph, ...]:
        """The graphs with edits that bring no new errors."""
        edited = self._edited(edits, parts) if not self.is_spent else None
        if edited is None:
            return ()
        self.work += self._layers(models)
        # What has errors is not kept: nobody would hear of them again.
        known = dict(self.expanded) if not edited.blocks else {}
        sink = _Watch(self.errors, edited.fresh)
        try:
            return tuple(self.again(edited.file, [edited.models.get(id(one), one) for one in models], sink, known))
        except Stop:
            return ()

    # --- the edited file ---

    def _edited(self, edits: tuple[Edit, ...], parts: list[Part]) -> _Edited | None:
        fresh: list[tuple[Source, Span]] = []
        models: dict[int, tree.Model] = {}
        blocks: dict[Block, tree.Block] = {}
        whole = []
        left = list(edits)
        for part in parts:
            own = tuple(edit for edit in left if _within(edit.span, part.definition.span))
            if not own:
                continue
            left = [edit for edit in left if edit not in own]
            definition = _rewritten(part, own, fresh)
            if definition is None:
                return None
            whole.append((part, definition, own))
            if part.block is not None:
                blocks[part.block] = definition
            else:
                models[id(part.definition)] = definition
        recipes = self.file.recipes
        if left:
            changed = _recipes(recipes, left, fresh)
            if changed is None:
                return None
            recipes = changed
        file = self._with_blocks(blocks, parts) if blocks else replace(self.file, blocks={})
        if recipes is not self.file.recipes:
            file = replace(file, recipes=recipes)
        return _Edited(file, models, tuple(fresh), tuple(whole), bool(blocks) or bool(left))

    def _part(self, block: Block) -> Part:
        if id(block) not in self._blocks:
            self._blocks[id(block)] = Part(block.definition, block.scope, block)
        return self._blocks[id(block)]

    def _used_by(self, part: Part) -> list[Part]:
        if id(part) not in self._uses:
            self._uses[id(part)] = parts_of(part)
        return self._uses[id(part)]

    def _with_blocks(self, changed: dict[Block, tree.Block], parts: list[Part]) -> File:
        """The file with other definitions of blocks. Blocks that use those are made anew as well, all others are shared."""
        touched = set(changed)
        every = [*parts, *(self._part(block) for block in self.file.blocks.values())]
        for part in every:
            if part.block is not None and any(other.block in changed for other in self._used_by(part)):
                touched.add(part.block)
        scopes = {id(self.file.scope): Scope(self.file.scope.outer)}
        old = {id(self.file.scope): self.file.scope}
        for block in touched:
            scopes.setdefault(id(block.scope), Scope(block.scope.outer))
            old[id(block.scope)] = block.scope
        new = {block: Block(changed.get(block, block.definition), scopes[id(block.scope)]) for block in touched}
        for key, scope in scopes.items():
            for name, binding in old[key].bindings.items():
                value = binding.value
                if isinstance(value, (Deferred, Function)) and value.scope is old[key]:
                    value = type(value)(value.definition, scope)  # type: ignore[arg-type]
                scope.bind(name, new.get(value, value) if isinstance(value, Block) else value, binding.span)
        # Blocks that no model uses are looked through: those alone that are other ones now.
        blocks = {name: new[block] for name, block in self.file.blocks.items() if block in new}
        return replace(self.file, scope=scopes[id(self.file.scope)], blocks=blocks)


def _rewritten(part: Part, edits: tuple[Edit, ...], fresh: list[tuple[Source, Span]]) -> Any:
    """A definition with edits: the innermost statements that hold them, and defaults of parameters, are read anew."""
    homes: dict[int, tuple[Place, list[Edit]]] = {}
    changes: dict[int, tuple[Any, ...]] = {}
    for edit in map(_trimmed, edits):
        place = innermost(part, edit.span)
        if place is not None:
            homes.setdefault(id(place.statement), (place, []))[1].append(edit)
            continue
        default = next((one.default for one in part.definition.parameters if _holds(one.default, edit.span)), None)
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
        outer = next((home for home in found if _within(place.statement.span, home[0].statement.span)), None)
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


def _recipes(
    recipes: tuple[tree.Train, ...], edits: list[Edit], fresh: list[tuple[Source, Span]]
) -> tuple[tree.Train, ...] | None:
    found: list[tree.Train] = []
    for recipe in recipes:
        own = [edit for edit in edits if _within(edit.span, recipe.span)]
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


def _is_read_so(part: Part, definition: Any, edits: tuple[Edit, ...]) -> bool:
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


def _holds(node: Any, span: Span) -> bool:
    return node is not None and _within(span, node.span)


def _within(span: Span, outer: Span) -> bool:
    return span.source is outer.source and outer.start <= span.start and span.end <= outer.end
