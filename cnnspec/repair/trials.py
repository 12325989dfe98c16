"""Trying edits: the definitions of a file checked again with other texts in them. Nothing that was read before is changed.

An edit is tried on the tree: the statements that it touches are parsed anew and put in the place of the old ones, whose
neighbours keep their spans, so that the errors of before and after can be compared.
"""

from __future__ import annotations

from collections import Counter

from cnnspec.compiler.names import Block, Deferred, Function, Scope
from cnnspec.compiler.place import Meter
from cnnspec.compiler.project import File
from cnnspec.diagnostics import Diagnostic, Edit, Sink
from cnnspec.graph.nodes import Graph
from cnnspec.limits import LIMITS
from cnnspec.record import record, replace
from cnnspec.repair.cuts import LONG, Course
from cnnspec.repair.rewriting import edited_let, edited_recipes, is_read_so, rewritten
from cnnspec.repair.sites import Part, constants_of, hand_over, names_in, parts_of
from cnnspec.source import Source, Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from cnnspec.diagnostics import Code, Suggestion

    Key = tuple[str, Span, tuple[Span, ...]]
    Allowed = dict[Key, Diagnostic]
    """Errors that are there before an edit, by code, place and use of a block."""
    Known = dict[Any, Any]
    Again = Callable[[File, list[tree.Model], Sink, Known, Meter, dict[str, int]], list[Graph]]

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
    left: frozenset[Key] | None
    """The errors that are still there; None where not all of the models was looked at."""


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


def _of_input(edited: _Edited) -> bool:
    """Whether edits change what a model is given."""
    return any(
        isinstance(statement, tree.Input) and any(statement.span.holds(edit.span) for edit in edits)
        for part, _, edits in edited.whole
        for statement in part.definition.body.statements
    )


def key_of(found: Diagnostic) -> Key:
    """What tells an error from others."""
    return found.code.id, found.span, found.uses


class _Failed(Exception):
    """An edit that brings a new error."""


class _Watch(Sink):
    """Stops a check as soon as it finds an error that was not there before."""

    def __init__(self, allowed: Allowed, fresh: Iterable[tuple[Source, Span]]) -> None:
        super().__init__()
        self.allowed = allowed
        self.places = {(code, span): found for (code, span, _), found in reversed(allowed.items())}
        self.left = {
            id(source): [(code, uses) for code, span, uses in allowed if old.holds(span)] for source, old in fresh
        }
        """The errors that a text that was read anew may have, as what it stands for had them in the same uses of blocks."""
        self.seen: set[Key] = set()
        self.failed: Diagnostic | None = None
        self.met = 0

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity == "error":
            self.met += 1
            key = key_of(diagnostic)
            own = self.left.get(id(diagnostic.span.source))
            if own is None and key not in self.allowed:
                self._fail(diagnostic)
            if own is not None and key not in self.seen:
                # A use that was read anew itself is none of before.
                same = [one for one in own if one[0] == key[0] and self._is_same(one[1], key[2])]
                if not same:
                    self._fail(diagnostic)
                own.remove(same[0])
                self.seen.add(key)
        super().add(diagnostic)

    def _is_same(self, before: tuple[Span, ...], now: tuple[Span, ...]) -> bool:
        return before == now or any(id(use.source) in self.left for use in now)

    def suggested(self, code: Code, span: Span) -> tuple[Suggestion, ...] | None:
        before = self.places.get((code.id, span))
        return before.suggestions if before is not None else super().suggested(code, span)

    def _fail(self, diagnostic: Diagnostic) -> None:
        self.failed = diagnostic
        raise _Failed


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
        self.errors = {key_of(error): error for error in reversed(errors)}
        self.expanded: Known = {}
        """Uses of blocks that were expanded before."""
        self.sampled: Known = {}
        """The same at one size of models that are declared for many."""
        self.work = 0
        """How many statements trials have run, and layers that they have judged as a whole."""
        self._parts: dict[int, list[Part]] = {}
        self._blocks: dict[int, Part] = {}
        self._bases: dict[int, Block | None] = {}
        self._uses: dict[int, list[Part]] = {}
        self._courses: dict[int, Course] = {}
        self._names: Counter[str] | None = None
        self._constants: dict[int, list[Deferred]] = {}

    def parts(self, model: tree.Model) -> list[Part]:
        """A model and the blocks that it uses."""
        if id(model) not in self._parts:
            # What a variant hands over is used by its base.
            variants = [one for one in self.file.models.values() if isinstance(one, tree.Variant)]
            handed = [(name, self.file.scope) for one in variants for name in names_in(one)]
            base = self._imported(model)
            scope = base.scope if base is not None else self.file.scope
            parts = parts_of(Part(model, scope, None), handed)
            hand_over(parts, variants, self.file.scope)
            self._parts[id(model)] = parts
        return self._parts[id(model)]

    def _imported(self, model: tree.Model) -> Block | None:
        """What a model of another file, that variants are made of, is bound to; None for a model of this file."""
        if id(model) not in self._bases:
            values = [binding.value for binding in self.file.scope.bindings.values()]
            found = [one for one in values if isinstance(one, Block) and one.definition is model]
            self._bases[id(model)] = found[0] if found and found[0].scope is not self.file.scope else None
        return self._bases[id(model)]

    def around(self, span: Span) -> tuple[list[tree.Model], list[Part]]:
        """The first model that a place belongs to, itself or through a block, and all that it uses.

        For a recipe the model that it trains. No model for a block that none uses, and neither for a place outside of all
        definitions.
        """
        own = [model for model in self.chosen if model.span.holds(span)]
        for model in own or self.chosen:
            parts = self.parts(model)
            if own or any(part.definition.span.holds(span) for part in parts):
                return [model], parts
        for block in self.file.blocks.values():
            if block.definition.span.holds(span):
                return [], self._used_by(self._part(block))
        variants = (one for one in self.file.models.values() if isinstance(one, tree.Variant))
        if self.chosen and any(one.span.holds(span) for one in (*self.file.lets, *variants)):
            return self.chosen[:1], self.parts(self.chosen[0])
        for recipe in self.file.recipes:
            named = recipe.model.id if recipe.model is not None else ""
            trained = [model for model in self.chosen if model.name.id == named] or self.chosen
            if recipe.span.holds(span) and len(trained) == 1:
                return trained, self.parts(trained[0])
        return [], []

    @property
    def names(self) -> Counter[str]:
        """How often the definitions of the file use each name."""
        if self._names is None:
            blocks = tuple(block.definition for block in self.file.blocks.values())
            every = (*blocks, *self.file.models.values(), *self.file.lets)
            self._names = Counter(names_in(every, bound=False))
        return self._names

    def constants(self, parts: list[Part]) -> list[Deferred]:
        """The constants of files, variants among them, that some parts use."""
        key = id(parts[0].definition) if parts else 0
        if key not in self._constants:
            variants = [name for name, model in self.file.models.items() if isinstance(model, tree.Variant)]
            self._constants[key] = constants_of(parts, [(name, self.file.scope) for name in variants])
        return self._constants[key]

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
        allowed = {key: error for key, error in self.errors.items() if key != key_of(found)}
        sizes = {} if _of_input(edited) else self._one_size(models)
        if sizes:
            # What does not hold at the size that failed holds for no set of sizes: one is looked at much faster.
            one = self._run(edited, models, allowed, sizes=sizes)
            if one.failed is not None:
                return one
        result = self._in_part(edited, found.span, allowed) or self._run(edited, models, allowed)
        if result.failed is not None or not all(is_read_so(*change) for change in edited.whole):
            return result if result.failed is not None else None
        others = [model for model in self.chosen if model not in models]
        if edited.blocks and others:
            second = self._run(edited, others, allowed)
            if second.failed is not None:
                return second
            if result.left is not None and second.left is not None:
                return replace(result, left=result.left | second.left)
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

    def _one_size(self, models: list[tree.Model]) -> dict[str, int]:
        """The size at which a model that is declared for many failed, by the names of its sizes; empty for all others."""
        sizes: dict[str, int] = {}
        for model in models:
            inputs = [one for one in model.body.statements if isinstance(one, tree.Input)]
            graph = self.graphs.get(model.name.id)
            if graph is not None and graph.sizes is not None:
                sizes |= graph.sizes.smallest
                continue
            given = {parameter.name.id for parameter in model.parameters}
            for statement, entry in zip(inputs, graph.inputs if graph is not None else ()):
                for item, size in zip(statement.shape.items, entry.shape or ()):
                    name = item.id if isinstance(item, tree.Name) else ""
                    if name[:1].isupper() and name not in given and size.__class__ is int:
                        sizes[name] = size
        return sizes

    def _run(
        self,
        edited: _Edited,
        models: list[tree.Model],
        allowed: Allowed,
        work: int = 0,
        sizes: dict[str, int] | None = None,
    ) -> Result:
        sink = _Watch(allowed, edited.fresh)
        graphs: list[Graph] = []
        shared = self.sampled if sizes else self.expanded
        known = dict(shared) if edited.blocks else shared
        meter = Meter()
        try:
            graphs = self.again(
                edited.file, [edited.models.get(id(model), model) for model in models], sink, known, meter, sizes or {}
            )
            self.work += work or self._layers(models)
        except _Failed:
            # A model for all sizes of its input is not counted step by step.
            self.work += meter.steps - meter.unsearched or self._layers(models)
        # Variants are bound anew in every trial.
        self.work += len(self.file.models) // 4
        self.work += _ERROR * max(0, sink.met - _FEW)
        warnings = sum(found.severity != "error" for found in sink.diagnostics)
        left = frozenset(key_of(one) for one in sink.diagnostics if one.severity == "error")
        return Result(sink.failed, tuple(graphs), warnings, None if work else left)

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
            return tuple(
                self.again(edited.file, [edited.models.get(id(one), one) for one in models], sink, known, Meter(), {})
            )
        except _Failed:
            return ()

    # --- the edited file ---

    def _edited(self, edits: tuple[Edit, ...], parts: list[Part]) -> _Edited | None:
        fresh: list[tuple[Source, Span]] = []
        models: dict[int, tree.Model] = {}
        blocks: dict[Block, tree.Block] = {}
        whole = []
        left = list(edits)
        for part in parts:
            own = tuple(edit for edit in left if part.definition.span.holds(edit.span))
            if not own:
                continue
            left = [edit for edit in left if edit not in own]
            definition = rewritten(part, own, fresh)
            if definition is None:
                return None
            whole.append((part, definition, own))
            if part.block is not None:
                blocks[part.block] = definition
            else:
                models[id(part.definition)] = definition
        lets: dict[Deferred, tree.Let] = {}
        for constant in self.constants(parts):
            own = tuple(edit for edit in left if constant.definition.span.holds(edit.span))
            if own:
                left = [edit for edit in left if edit not in own]
                let = edited_let(constant, own, fresh)
                if let is None:
                    return None
                lets[constant] = let
        recipes = self.file.recipes
        if left:
            changed = edited_recipes(recipes, left, fresh)
            if changed is None:
                return None
            recipes = changed
        file = self._with(blocks, lets, parts) if blocks or lets else replace(self.file, blocks={})
        if recipes is not self.file.recipes:
            file = replace(file, recipes=recipes)
        return _Edited(file, models, tuple(fresh), tuple(whole), bool(blocks or lets or left))

    def _part(self, block: Block) -> Part:
        if id(block) not in self._blocks:
            self._blocks[id(block)] = Part(block.definition, block.scope, block)
        return self._blocks[id(block)]

    def _used_by(self, part: Part) -> list[Part]:
        if id(part) not in self._uses:
            self._uses[id(part)] = parts_of(part)
        return self._uses[id(part)]

    def _with(self, changed: dict[Block, tree.Block], lets: dict[Deferred, tree.Let], parts: list[Part]) -> File:
        """The file with other definitions of blocks and constants. What uses those is made anew, all others are shared."""
        touched = set(changed)
        every = [*parts, *(self._part(block) for block in self.file.blocks.values())]
        for part in every:
            if part.block is not None and (
                any(other.block in changed for other in self._used_by(part))
                or any(constant in lets for constant in self.constants(self._used_by(part)))
            ):
                touched.add(part.block)
        for model in self.chosen:
            base = self._imported(model)
            if base is not None and any(part.block in touched for part in self.parts(model)):
                touched.add(base)
        scopes = {id(self.file.scope): Scope(self.file.scope.outer)}
        old = {id(self.file.scope): self.file.scope}
        for block in touched:
            scopes.setdefault(id(block.scope), Scope(block.scope.outer))
            old[id(block.scope)] = block.scope
        new = {block: Block(changed.get(block, block.definition), scopes[id(block.scope)]) for block in touched}
        for key, scope in scopes.items():
            for name, binding in old[key].bindings.items():
                value = binding.value
                if isinstance(value, Deferred) and (value.scope is old[key] or value in lets):
                    value = Deferred(lets.get(value, value.definition), scopes.get(id(value.scope), value.scope))
                if isinstance(value, Function) and value.scope is old[key]:
                    value = Function(value.definition, scope)
                scope.bind(name, new.get(value, value) if isinstance(value, Block) else value, binding.span)
        # Blocks that no model uses are looked through: those alone that are other ones now.
        blocks = {name: new[block] for name, block in self.file.blocks.items() if block in new}
        return replace(self.file, scope=scopes[id(self.file.scope)], blocks=blocks)
