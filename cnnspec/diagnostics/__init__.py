"""A finding about a spec, as data: a code, the facts, where. The sentences are in `codes.py`, the drawing in `render.py`."""

from __future__ import annotations

from cnnspec.diagnostics.codes import TOO_MANY_MISTAKES, Code
from cnnspec.diagnostics.edits import Edit
from cnnspec.diagnostics.suggestions import SPELLING, Kind, Suggestion, note, shown
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cnnspec.source import Span

__all__ = ["Code", "Diagnostic", "Edit", "Label", "Sink", "Stop", "Suggestion", "did_you_mean", "note"]


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
        return self._filled(self.code.message, _HEADLINE)

    @property
    def label(self) -> str:
        return self._filled(self.code.label, _SENTENCE)

    @property
    def notes(self) -> list[str]:
        return [self._filled(self.code.note, _SENTENCE)] if self.code.note else []

    def _filled(self, template: str, most: int) -> str:
        """A sentence with the facts in it: what a user wrote may be of any length."""
        return template.format_map({key: _short(value, most) for key, value in shown(self.facts).items()})

    @property
    def fixes(self) -> tuple[Suggestion, ...]:
        """The suggestions that have edits."""
        return tuple(one for one in self.suggestions if one.edits)

    @property
    def all_helps(self) -> list[str]:
        """The sentences of all ways out: what can be done for the reader first, then advice."""
        fixes = [f"or {fix.message}" if number else fix.message for number, fix in enumerate(self.fixes)]
        own = [self._filled(self.code.help, _SENTENCE)] if self.code.help else []
        advice = [*(one.message for one in self.suggestions if not one.edits), *own]
        return [*fixes, *dict.fromkeys(advice)]

    def with_suggestions(self, suggestions: Iterable[Suggestion]) -> Diagnostic:
        """The same finding, with these ways out."""
        return replace(self, suggestions=tuple(suggestions))


_HEADLINE, _SENTENCE = 110, 2_000
"""Characters of a fact in a headline, which is one line, and in other sentences, which together fill a screen at most."""


def _short(fact: object, most: int) -> object:
    return fact[: most - 10] + " ..." if isinstance(fact, str) and len(fact) > most else fact


class Stop(Exception):
    """Ends a pass: a bound is reached, and it is reported already."""


class Sink:
    """Collects diagnostics. One place is reported once for one code, however often a loop or a block comes by.

    Uses of a block that are wrong in different ways, by their facts, are reported each.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span, tuple[Span, ...]], Diagnostic] = {}
        self._places: dict[tuple[str, Span], list[Diagnostic]] = {}
        self._errors = 0
        self._most: int | None = None

    def at_most(self, errors: int) -> _Bound:
        """Inside of a `with`, the error after that many is followed by Stop, which leaves the block."""
        return _Bound(self, errors)

    def report(
        self,
        code: Code,
        span: Span,
        *,
        labels: Iterable[Label] = (),
        helps: Iterable[Suggestion | str] | Callable[[], Iterable[Suggestion | str]] = (),
        **facts: object,
    ) -> None:
        """Report a finding. `helps` are its suggestions, or what works them out; words alone are a note."""
        if callable(helps):
            known = self.suggested(code, span)
            helps = helps() if known is None else known
        suggestions = tuple(note(one) if isinstance(one, str) else one for one in helps)
        self.add(Diagnostic(code, facts, span, tuple(labels), suggestions))

    def add(self, diagnostic: Diagnostic) -> None:
        earlier = self._places.setdefault((diagnostic.code.id, diagnostic.span), [])
        if len(earlier) >= _USES or any(_alike(one, diagnostic) for one in earlier):
            return
        if diagnostic.severity == "error":
            if self._most is not None and self._errors >= self._most:
                self._stop(self._most, diagnostic.span)
            self._errors += 1
        earlier.append(diagnostic)
        self._found[_key(diagnostic)] = diagnostic

    def suggested(self, code: Code, span: Span) -> tuple[Suggestion, ...] | None:
        """What was suggested for a place before; None where nothing was reported of it.

        Names are searched for a misspelt one once, however often loops, and checks of edited texts, come by.
        """
        earlier = self._places.get((code.id, span))
        return earlier[0].suggestions if earlier else None

    def has(self, code: str, span: Span) -> bool:
        """Whether a code was reported of a place."""
        return bool(self._places.get((code, span)))

    def _stop(self, most: int, span: Span) -> None:
        """In place of an error too many: say so, once."""
        if not any(code == TOO_MANY_MISTAKES.id for code, *_ in self._found):
            self._found[TOO_MANY_MISTAKES.id, span, ()] = Diagnostic(TOO_MANY_MISTAKES, {"limit": most}, span)
        raise Stop

    def discard(self, diagnostic: Diagnostic) -> None:
        """Take a finding out again."""
        found = self._found.pop(_key(diagnostic), None)
        if found is not None:
            at = found.code.id, found.span
            self._places[at] = [one for one in self._places[at] if one.uses != found.uses]
        self._errors -= found is not None and found.severity == "error"

    def replace(self, diagnostic: Diagnostic) -> None:
        """Put a finding in place of the one that was reported of its code, place and use."""
        self._found[_key(diagnostic)] = diagnostic

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All findings in the order of their places."""
        return sorted(self._found.values(), key=lambda found: (found.span.source.path, found.span.start, found.code.id))

    @property
    def has_errors(self) -> bool:
        return self._errors > 0

    def __len__(self) -> int:
        return len(self._found)


_USES = 8
"""How many uses that are wrong in different ways are told of one place."""


def _key(found: Diagnostic) -> tuple[str, Span, tuple[Span, ...]]:
    return (found.code.id, found.span, found.uses)


def _alike(one: Diagnostic, other: Diagnostic) -> bool:
    """Whether two findings of one code and place say the same, or are of one use."""
    return one.uses == other.uses or (one.code is other.code and one.facts == other.facts)


class _Bound:
    """How many errors a sink takes; what held before holds again behind it."""

    def __init__(self, sink: Sink, errors: int) -> None:
        self.sink, self.errors = sink, errors

    def __enter__(self) -> None:
        self.before, self.sink._most = self.sink._most, self.errors

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.sink._most = self.before
        return kind is not None and issubclass(kind, Stop)


def did_you_mean(name: str, known: Iterable[str], kind: Kind = SPELLING) -> tuple[Suggestion, ...]:
    """What a misspelt name, the beginning of one, or another library's name most likely means: empty where nothing is near."""
    from cnnspec.diagnostics.similar_names import meant

    return meant(name, known, kind)
