"""Misspelt names: which known one was meant, and whether that can be said for sure."""

from __future__ import annotations

from cnnspec.declare import spell
from cnnspec.diagnostics import Edit, Suggestion
from cnnspec.diagnostics.similar_names import is_plain
from cnnspec.diagnostics.suggestions import OPTION, RENAME, SPELLING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics import Diagnostic
    from cnnspec.repair.case import Case
    from cnnspec.source import Span

MOST = 3
"""Names that are offered."""
_TRIED = 6
"""Equally near names that are tried."""


def spellings(found: Diagnostic, case: Case) -> list[Suggestion]:
    """The names that a misspelt one may mean, as fixes. Sure where no other can be meant.

    Where several are equally near, those are offered with which the spec checks.
    """
    meant = next((one for one in found.suggestions if one.kind is SPELLING or one.kind is OPTION), None)
    if meant is None:
        return []
    written, name, ties = str(meant.facts["written"]), str(meant.facts["meant"]), meant.facts["ties"]
    assert isinstance(ties, tuple)
    quoted = meant.kind is OPTION
    if found.span.text != (spell(written) if quoted else written):
        return []

    def fix(name: str, *, sure: bool) -> Suggestion:
        edits = (Edit(found.span, spell(name) if quoted else name),)
        return Suggestion(meant.kind, {**meant.facts, "meant": name}, edits, sure)

    if len(ties) < 2:
        only = fix(name, sure=is_plain(written, name, ties))
        return _or_renamed(only.with_edits(only.edits, sure=only.sure and _is_of_its_kind(only, case)), case)
    ordered = sorted(ties, key=lambda one: one != name)
    passing = [one for one in ordered[:_TRIED] if _checks(fix(one, sure=False), case)]
    if len(passing) == 1:
        # A layer without its rank can be the one of the rank that arrives alone.
        return _or_renamed(fix(passing[0], sure=not any(c.isdigit() for c in written)), case)
    return [fix(one, sure=False) for one in passing[:MOST]]


def _checks(fix: Suggestion, case: Case) -> bool:
    result = case.attempt(fix.edits) if case.parts else None
    return result is not None and result.failed is None


def _is_of_its_kind(fix: Suggestion, case: Case) -> bool:
    """Whether a name can stand where it is put: a value where a value is wanted, a number where a number is."""
    if case.trials.is_spent:
        return False
    result = case.attempt(fix.edits)
    if result is None or result.failed is None:
        return True
    place, at = case.place, result.failed.span
    if place is None or at.source is not place.statement.span.source:
        return False
    own = place.statement.span
    return not own.start <= at.start < own.end


def _or_renamed(fix: Suggestion, case: Case) -> list[Suggestion]:
    """A fix, and the other way out where it is the definition that is misspelt: no one uses it under its own name."""
    name, written = fix.edits[0].text, case.found.span.text
    at = _definition(name, case)
    if at is None:
        return [fix]
    facts: dict[str, object] = {"name": name, "where": case.line(at), "meant": written}
    fixes = [Suggestion(fix.kind, fix.facts, fix.edits), Suggestion(RENAME, facts, (Edit(at, written),))]
    return fixes[::-1] if case.trials.names[written] > 1 else fixes


def _definition(name: str, case: Case) -> Span | None:
    """Where the file, or one that it imports, defines a name that the file does not use."""
    if case.found.code.id == "E408":
        return next((label.span for label in case.found.labels if label.span.text == name), None)
    binding = case.trials.file.scope.bindings.get(name)
    if binding is None or binding.span is None or case.found.code.id not in ("E110", "E117", "E410"):
        return None
    return None if case.trials.names[name] else binding.span
