"""A finding about a spec, as data: a code, the facts, where. The sentences are in `codes.py`, the drawing in `render.py`."""

from __future__ import annotations

from cnnspec.diagnostics.codes import Code
from cnnspec.diagnostics.edits import Edit
from cnnspec.diagnostics.suggestions import Suggestion, note, shown
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.source import Span

__all__ = ["Code", "Diagnostic", "Edit", "Label", "Sink", "Suggestion", "note"]


@record
class Label:
    """A second place that belongs to a finding, and what it has to do with it."""

    span: Span
    text: str


@record
class Diagnostic:
    """One finding: what (`code`, filled with `facts`), where (`span`), and the places that explain it (`labels`)."""

    code: Code
    facts: dict[str, object]
    span: Span
    labels: tuple[Label, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    """Ways out. Those with edits were computed, the likeliest first: at most three, and only where they were asked for."""
    uses: tuple[Span, ...] = ()
    """The uses of blocks in which it arose, outermost first."""

    @property
    def severity(self) -> str:
        return self.code.severity

    @property
    def message(self) -> str:
        return self.code.message.format_map({key: _short(value) for key, value in shown(self.facts).items()})

    @property
    def label(self) -> str:
        return self.code.label.format_map(shown(self.facts))

    @property
    def notes(self) -> list[str]:
        return [self.code.note.format_map(shown(self.facts))] if self.code.note else []

    @property
    def fixes(self) -> tuple[Suggestion, ...]:
        """The suggestions that have edits."""
        return tuple(one for one in self.suggestions if one.edits)

    @property
    def all_helps(self) -> list[str]:
        """The sentences of all ways out: what can be done for the reader first, then advice."""
        fixes = [f"or {fix.message}" if number else fix.message for number, fix in enumerate(self.fixes)]
        own = [self.code.help.format_map(shown(self.facts))] if self.code.help else []
        advice = [*(one.message for one in self.suggestions if not one.edits), *own]
        return [*fixes, *dict.fromkeys(advice)]

    def with_suggestions(self, suggestions: Iterable[Suggestion]) -> Diagnostic:
        """The same finding, with these ways out."""
        return replace(self, suggestions=tuple(suggestions))


def _short(fact: object) -> object:
    """A fact for a headline, which is one line: what a user wrote may be of any length."""
    return fact[:100] + " ..." if isinstance(fact, str) and len(fact) > 110 else fact


class Sink:
    """Collects diagnostics. One place is reported once for one code, however often a loop or a block comes by."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span], Diagnostic] = {}

    def report(
        self,
        code: Code,
        span: Span,
        *,
        labels: Iterable[Label] = (),
        helps: Iterable[Suggestion | str] = (),
        **facts: object,
    ) -> None:
        """Report a finding. `helps` are its suggestions; words alone are a note."""
        suggestions = tuple(note(one) if isinstance(one, str) else one for one in helps)
        self.add(Diagnostic(code, facts, span, tuple(labels), suggestions))

    def add(self, diagnostic: Diagnostic) -> None:
        self._found.setdefault((diagnostic.code.id, diagnostic.span), diagnostic)

    def discard(self, diagnostic: Diagnostic) -> None:
        """Take a finding out again."""
        self._found.pop((diagnostic.code.id, diagnostic.span), None)

    def replace(self, diagnostic: Diagnostic) -> None:
        """Put a finding in place of the one that was reported of its code and place."""
        self._found[diagnostic.code.id, diagnostic.span] = diagnostic

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All findings in the order of their places."""
        return sorted(self._found.values(), key=lambda found: (found.span.source.path, found.span.start, found.code.id))

    @property
    def has_errors(self) -> bool:
        return any(found.severity == "error" for found in self._found.values())

    def __len__(self) -> int:
        return len(self._found)
