"""From tokens to the tree. Reports syntax errors and goes on behind them. Never raises for what a text holds."""

from __future__ import annotations

from cnnspec.diagnostics import codes
from cnnspec.limits import LIMITS
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.automaton import Automaton, TooDeep
from cnnspec.syntax.lexer import tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.diagnostics import Diagnostic, Sink


class _Foreign(Exception):
    """The text is something else than a spec."""

    def __init__(self, finding: Diagnostic) -> None:
        super().__init__()
        self.finding = finding


def parse(source: Source, sink: Sink, *, tokens: int = LIMITS.tokens) -> tree.Tree:
    """The tree of a whole file, which may have so many tokens."""
    result = _run(source, sink, "start", tokens)
    return result if isinstance(result, tree.Tree) else tree.Tree(source, ())


def parse_expression(source: Source, sink: Sink) -> tree.Expression:
    """The tree of a source that is a single expression."""
    result: tree.Expression | None = _run(source, sink, "expression", LIMITS.tokens)
    return tree.Invalid(Span(source, 0, len(source.text))) if result is None else result


def _run(source: Source, sink: Sink, start: str, most: int) -> Any:
    run = Automaton(source, sink, start)
    run.tokens, run.unclosed = tokenize(source, sink, most)
    try:
        done = _drive(run)
    except _Foreign as foreign:
        sink.add(foreign.finding)
        return tree.Tree(source, (tree.Invalid(foreign.finding.span),))
    except TooDeep:
        where = run.token
        sink.report(codes.NESTED_TOO_DEEPLY, Span(source, where[1], where[2]), limit=LIMITS.nesting)
        done = True
    return run.before if done else None


def _drive(run: Automaton) -> bool:
    """Feed all tokens; False where nothing can be saved."""
    failed_at = -1
    while run.at < len(run.tokens) and len(run.sink) <= LIMITS.mistakes:
        kind, start, end = run.tokens[run.at]
        if run.feed(kind, start, end):
            run.at += 1
        elif run.at == failed_at:
            # Nothing that could stand here has come since the last mistake.
            run.at += 1
            failed_at = run.at
            if kind == "$END":
                return False
        else:
            # Errors are rare: a text without any pays nothing for what finds the way out of them.
            from cnnspec.syntax.foreign import foreign
            from cnnspec.syntax.recovery import recover

            if failed_at < 0 and run.whole and (finding := foreign(run.source)) is not None:
                raise _Foreign(finding)
            if not recover(run):
                return False
            failed_at = run.at
    return True
