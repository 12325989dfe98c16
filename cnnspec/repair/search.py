"""Fixes for errors: the single edits after which a spec checks, found by trying them within a budget of time.

Every edit that is offered has been tried, on the tree and again on the edited text: it removes its own error and adds
none. Edits come in the order of how likely they are what the author meant (`candidates.py`, `ranking.py`), so that the
first ones that pass are the best.
"""

from __future__ import annotations

import contextlib
from time import process_time

from cnnspec.compiler.expressions import Stop
from cnnspec.compiler.names import Block
from cnnspec.compiler.project import File
from cnnspec.compiler.values import show_shape
from cnnspec.declare import spell
from cnnspec.diagnostics import Diagnostic, Edit, Sink, Suggestion
from cnnspec.diagnostics.edits import apply
from cnnspec.diagnostics.suggest import is_plain
from cnnspec.diagnostics.suggestions import NOTE, OPTION, RENAME, SPELLING
from cnnspec.graph.nodes import Graph, StackNode, walk
from cnnspec.limits import LIMITS
from cnnspec.repair.candidates import Candidate, candidates
from cnnspec.repair.sites import Part, parts_of, places, replaced
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Known = dict[tuple[Block, str, tuple[int, ...]], object]
    Again = Callable[[list[tree.Model], Sink, Known], list[Graph]]
    Key = tuple[str, Span]

OFFERED = 3
DECLARING = ("declare what arrives", "annotate what is there")
_BEHIND = 1.1
"""How much less likely than the best one a fix may be that is still tried."""
_ANSWERS = 2
"""How many of them may be numbers in one and the same place."""
_SEARCHED = {"E112", "E113", "E115", "E116", "E303", "E304", "E306", "E503", "E504", "E505"}
_NOT_SEARCHED = {"E216", "E217", "E218"}


def repair(
    file: File, chosen: list[tree.Model], again: Again, sink: Sink, clock: Callable[[], float] = process_time
) -> None:
    """Give the errors of `sink` their fixes. `again` checks some models of the file anew, as they are then."""
    errors = [found for found in sink.diagnostics if found.severity == "error"]
    end = clock() + LIMITS.repair_seconds
    for found in sink.diagnostics:
        if fix := _spelling(found):
            doubtful = found.code.id == "E110" and clock() < end
            fixes = _Repairs(file, chosen, again, errors, found).names(fix) if doubtful else (fix,)
            sink.replace(_with_fixes(found, fixes))
    wrong = [found for found in sink.diagnostics if _is_searched(found.code.id) and not found.fixes]
    for number, found in enumerate(wrong):
        left = end - clock()
        if left <= 0:
            return
        search = _Repairs(file, chosen, again, errors, found)
        sink.replace(_with_fixes(found, search.search(clock, clock() + left / (len(wrong) - number))))


def _is_searched(code: str) -> bool:
    return (code.startswith("E2") and code not in _NOT_SEARCHED) or code in _SEARCHED


def _spelling(found: Diagnostic) -> Suggestion | None:
    """The fix of a misspelt name."""
    for one in found.suggestions:
        if one.kind is SPELLING or one.kind is OPTION:
            written, meant, ties = str(one.facts["written"]), str(one.facts["meant"]), one.facts["ties"]
            assert isinstance(ties, tuple)
            old, new = (written, meant) if one.kind is SPELLING else (spell(written), spell(meant))
            if found.span.text == old:
                return one.with_edits((Edit(found.span, new),), sure=is_plain(written, meant, ties))
    return None


def _with_fixes(found: Diagnostic, fixes: Iterable[Suggestion]) -> Diagnostic:
    """A finding with fixes, and what else was suggested."""
    fixes = tuple(fixes)
    messages = {fix.message for fix in fixes}
    return found.with_suggestions((*fixes, *(one for one in found.suggestions if one.message not in messages)))


class _Watch(Sink):
    """Stops a check as soon as it finds an error that is not in `allowed`."""

    def __init__(self, allowed: set[Key]) -> None:
        super().__init__()
        self.allowed = allowed
        self.failed = False

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity == "error" and (diagnostic.code.id, diagnostic.span) not in self.allowed:
            self.failed = True
            raise Stop
        super().add(diagnostic)


class _Repairs:
    """The search for the fixes of one error."""

    def __init__(
        self, file: File, chosen: list[tree.Model], again: Again, errors: list[Diagnostic], found: Diagnostic
    ) -> None:
        self.file, self.chosen, self.again, self.found = file, chosen, again, found
        self.allowed = {(error.code.id, error.span) for error in errors} - {(found.code.id, found.span)}
        self.expanded: Known = {}
        self.touched: dict[int, set[Block]] = {}
        self.models = self._failing()
        self.parts = self._parts(self.models)

    def _failing(self) -> list[tree.Model]:
        """The first model that has the error; none where it is in a block that no model uses."""
        for model in self.chosen:
            watch = _Watch(self.allowed)
            if self.fails([model], watch):
                return [model]
        return []

    def fails(self, models: list[tree.Model], watch: _Watch) -> bool:
        """Whether models have an error that `watch` does not allow."""
        with contextlib.suppress(Stop):
            self.again(models, watch, self.known(None))
        return watch.failed

    def _parts(self, models: list[tree.Model]) -> list[Part]:
        if models:
            return parts_of(Part(models[0], self.file.scope, None))
        for block in self.file.blocks.values():
            own = block.definition.span
            if own.source is self.found.span.source and own.start <= self.found.span.start < own.end:
                return parts_of(Part(block.definition, block.scope, block))
        return []

    def known(self, part: Part | None) -> Known:
        """Uses of blocks that earlier trials have expanded and that a change of `part` leaves as they are."""
        if part is None or part.block is None:
            return self.expanded
        if id(part) not in self.touched:
            uses = [other for other in self.parts if any(used.block is part.block for used in parts_of(other))]
            self.touched[id(part)] = {other.block for other in uses if other.block is not None}
        touched = self.touched[id(part)]
        names = {block.name for block in touched}
        return {
            key: value
            for key, value in self.expanded.items()
            if key[0] not in touched and not any(name in key[1] for name in names)
        }

    def search(self, clock: Callable[[], float], end: float) -> list[Suggestion]:
        """The best fixes that are found in time. Those that lead to warnings come last."""
        fixes: list[tuple[int, float, Suggestion]] = []
        seen: dict[object, int] = {}
        for cost, make in candidates(self.found, self.parts) if self.parts else []:
            fewest = min((warnings for warnings, _, _ in fixes), default=0)
            better = sum(warnings == fewest and other <= cost for warnings, other, _ in fixes)
            hopeless = bool(fixes) and cost > min(other for _, other, _ in fixes) + _BEHIND
            if better >= OFFERED or hopeless or clock() > end:
                break
            candidate = make()
            if seen.get(candidate.key, 0) == _ANSWERS:
                continue
            result = self.attempt(candidate)
            if result is not None:
                seen[candidate.key] = seen.get(candidate.key, 0) + 1
                fixes.append((result.warnings, cost, self.fix(candidate, result)))
        return _in_order(fixes)

    def names(self, fix: Suggestion) -> tuple[Suggestion, ...]:
        """Where several names are equally near to a misspelt one: those with which the spec checks, or none."""
        at = self.found.span
        found = next(
            (
                (part, place.statement)
                for part in self.parts
                for place in places(part)
                if isinstance(place.statement, tree.Layer) and place.statement.name.span == at
            ),
            None,
        )
        if found is None:
            return (fix,)
        part, statement = found
        near = fix.facts["ties"]
        assert isinstance(near, tuple)
        passing: list[Suggestion] = []
        for name in near[:8] if len(near) > 1 else ():
            changes = {id(statement.name): (tree.Name(name, at),)}
            candidate = Candidate(0.0, "", (Edit(at, name),), part, changes, None, name)
            if self.attempt(candidate) is not None:
                facts = {"written": at.text, "meant": name, "ties": near}
                passing.append(Suggestion(SPELLING, facts, candidate.edits))
        if len(near) == 1 or len(passing) == 1:
            alone = len(passing) == 1 and not any(c.isdigit() for c in at.text)
            sure = alone or (fix.sure and len(near) == 1)
            own = (passing[0] if passing else fix).with_edits((passing[0] if passing else fix).edits, sure=sure)
            other = self.rename(own.edits[0].text, part)
            return (own.with_edits(own.edits, sure=False), other) if other else (own,)
        return tuple(passing[:OFFERED])

    def rename(self, name: str, part: Part) -> Suggestion | None:
        """The other way out where it is the definition that is misspelt: no one uses the block under its own name."""
        binding = part.scope.find(name)
        block = binding.value if binding is not None else None
        meant = self.found.span.text
        if not isinstance(block, Block) or block.scope is not self.file.scope or block.used:
            return None
        watch = _Watch(self.allowed)
        block.scope.bind(meant, block)
        self.fails(self.chosen, watch)
        del block.scope.bindings[meant]
        span = block.definition.name.span
        if watch.failed or span.source is not self.found.span.source:
            return None
        return Suggestion(RENAME, {"name": name, "line": span.line, "meant": meant}, (Edit(span, meant),))

    def attempt(self, candidate: Candidate) -> _Result | None:
        """Try an edit on the tree, see that the edited text says the same, try it on the other models that it changes."""
        definition = replaced(candidate.part.definition, candidate.changes, candidate.where)
        found = self.run(candidate.part, definition, self.models)
        if found is None:
            return None
        if not _alike(_parsed(candidate), definition):
            return None
        others = [model for model in self.chosen if model not in self.models]
        if candidate.part.block is not None and others and self.run(candidate.part, definition, others) is None:
            return None
        return found

    def run(self, part: Part, definition: tree.Model | tree.Block, models: list[tree.Model]) -> _Result | None:
        """Check the models with another definition of a part; None where there is an error that may not be."""
        sink = _Watch(self.allowed)
        graphs: list[Graph] = []
        known = self.known(part)
        try:
            if part.block is None:
                assert isinstance(definition, tree.Model)
                graphs = self.again(
                    [definition if model is part.definition else model for model in models], sink, known
                )
            else:
                with _Swapped(part.block, definition):
                    graphs = self.again(models, sink, known)
        except Stop:
            pass
        return None if sink.failed else _Result(sink, graphs)

    def fix(self, candidate: Candidate, found: _Result) -> Suggestion:
        """What is offered: the words, the statement as it is then, and what it gives."""
        message = candidate.words
        if shown := _shown(candidate):
            message += f": `{shown}`"
            shapes = {
                node.output
                for graph in found.graphs
                for _, node in walk(graph.root)
                if node.span == getattr(candidate.shown, "head", None) and not isinstance(node, StackNode)
            }
            shape = shapes.pop() if len(shapes) == 1 else None
            if shape is not None and not candidate.words.startswith(DECLARING):
                message += f" gives {show_shape(shape)}"
        return Suggestion(NOTE, {"words": message}, candidate.edits)


def _in_order(found: list[tuple[int, float, Suggestion]]) -> list[Suggestion]:
    """The best fixes; to declare what is there is always one of the first two."""
    fixes = [fix for _, _, fix in sorted(found, key=lambda item: item[:2])]
    declared = next((fix for fix in fixes if fix.message.startswith(DECLARING)), None)
    if declared is not None and fixes.index(declared) > 1:
        fixes.remove(declared)
        fixes.insert(1, declared)
    return fixes[:OFFERED]


class _Result:
    """What a check of an edited spec found."""

    def __init__(self, sink: Sink, graphs: list[Graph]) -> None:
        self.sink, self.graphs = sink, graphs

    @property
    def errors(self) -> list[Diagnostic]:
        return [found for found in self.sink.diagnostics if found.severity == "error"]

    @property
    def warnings(self) -> int:
        return len(self.sink) - len(self.errors)


class _Swapped:
    """For as long as a `with` lasts, a block has another definition."""

    def __init__(self, block: Block, definition: tree.Model | tree.Block) -> None:
        self.block, self.old, self.new = block, block.definition, definition

    def __enter__(self) -> None:
        self.block.definition = self.new

    def __exit__(self, *error: object) -> None:
        self.block.definition = self.old


def _alike(first: Any, second: Any) -> bool:
    """Whether two trees say the same, wherever they stand."""
    if first.__class__ is not second.__class__ or isinstance(first, Span):
        return first.__class__ is second.__class__
    if first.__class__ is tuple:
        return len(first) == len(second) and all(map(_alike, first, second))
    fields = getattr(first, "__match_args__", None)
    if fields is None:
        return bool(first == second)
    return all(_alike(getattr(first, field), getattr(second, field)) for field in fields)


def _parsed(candidate: Candidate) -> tree.Model | tree.Block | None:
    """The definition that an edit changes, read from the edited text."""
    whole = candidate.part.definition.span
    moved = [
        Edit(Span(edit.span.source, edit.span.start - whole.start, edit.span.end - whole.start), edit.text)
        for edit in candidate.edits
    ]
    sink = Sink()
    items = parse(Source(whole.source.path, apply(whole.text, moved)), sink).items
    return None if len(sink) or len(items) != 1 or not isinstance(items[0], (tree.Model, tree.Block)) else items[0]


def _shown(candidate: Candidate) -> str:
    """What an edit changes, as it is then, on one line: a layer, an annotation or an input; "" for anything larger."""
    statement = candidate.shown
    if statement is None or isinstance(statement, (tree.For, tree.If, tree.Repeat)):
        return ""
    head = getattr(statement, "head", None) or statement.span
    tail = getattr(statement, "tail", None)
    arrow = ""
    if candidate.edits[0].span.start >= head.end and tail is not None and tail.annotation is not None:
        head, arrow = tail.annotation.span, "-> "
    moved = [
        Edit(Span(edit.span.source, edit.span.start - head.start, edit.span.end - head.start), edit.text)
        for edit in candidate.edits
    ]
    return arrow + " ".join(apply(head.text, moved).split())
