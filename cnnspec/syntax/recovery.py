"""Ways on behind a syntax error: as little as possible is given up, so that every independent mistake is found in one run.

In order: a brace that is missing is put in; what is meant beyond doubt is read as if it had been written (`corrections`);
otherwise the statement, definition, branch or setting that holds the mistake is dropped, and `Invalid` says what is
known of it.
"""

from __future__ import annotations

from cnnspec.diagnostics.similar_names import closest
from cnnspec.source import Span
from cnnspec.syntax import corrections, tree, unexpected
from cnnspec.syntax.automaton import RESUMED, Automaton
from cnnspec.syntax.layouts import begins_line, column, indent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.syntax.lexer import Token

_LONGEST = 100
"""Characters of a word that is worth to be known."""
_DEFINITIONS = ("MODEL", "BLOCK", "TRAIN", "FROM")


def recover(run: Automaton) -> bool:
    """Report the token that can't stand here and go on behind what holds it; False where nothing can be saved."""
    kind, start, _ = run.token
    opened = run.open_braces()
    if missing := _missing_braces(run, kind, start, opened):
        unexpected.report_unclosed(run, _unclosed_brace(run, opened))
        close = ("RBRACE", start, start)
        separator = [] if kind == "$END" else [("_SEP", start, start)]
        run.tokens[run.at : run.at] = [close] * missing + separator
        return _feed_closing(run)
    correction = corrections.find(run)
    unexpected.report(run, correction)
    if correction is not None and corrections.make(run, correction):
        return True
    stray = kind == "RBRACE" and not opened
    early = kind == "_SEP" and run.following[0] == "LBRACE" and run.accepts("LBRACE")
    if stray or early:
        run.at += 1
        return True
    return _resume(run, start)


def _missing_braces(run: Automaton, kind: str, start: int, opened: list[int]) -> int:
    """How many braces are to be closed here: something begins that can't stand inside, and not further in than they."""
    text = run.source.text
    if kind == "$END":
        return len(opened)
    if opened and kind in _DEFINITIONS and column(text, start) <= indent(text, opened[0]):
        return len(opened)
    if kind == "BRANCH" and run.begins("statement"):
        here = column(text, start)
        return sum(indent(text, brace) >= here for brace in opened)
    return 0


def _feed_closing(run: Automaton) -> bool:
    """Feed a brace that is missing; give up the unfinished statement where it does not fit."""
    if run.feed(*run.token):
        run.at += 1
        return True
    return _resume(run, run.token[1])


def _unclosed_brace(run: Automaton, opened: list[int]) -> int:
    """The brace that its author forgot to close: one whose `}` is indented for a brace further out, if there is one."""
    text = run.source.text
    braces: list[int] = []
    for kind, start, _ in run.tokens[_first_token(run, opened[0]) : run.at]:
        if kind == "LBRACE":
            braces.append(start)
        elif kind == "RBRACE" and braces:
            brace = braces.pop()
            if begins_line(text, start) and column(text, start) < indent(text, brace):
                return brace
    return opened[-1]


def _resume(run: Automaton, start: int) -> bool:
    """Drop the unfinished statement, definition or setting, put `Invalid` in its place, and skip to its end.

    A statement that is complete stays, and what stands behind it is skipped.
    """
    if run.token[0] != "_SEP" and run.accepts("_SEP") and _is_complete(run):
        _skip(run, "statement")
        return True
    in_bracket = run.open_bracket() is not None
    depth = run.depth()
    if not depth:
        return False
    entries = run.entries
    begin = entries[depth][2] if depth < len(entries) else start
    first = _first_token(run, begin)
    del entries[depth:]
    symbol = next(symbol for symbol in RESUMED if run.begins(symbol))
    _skip(run, symbol, in_bracket=in_bracket)
    finish = max(begin, start, run.tokens[run.at - 1][2] if run.at else 0)
    known = _known(run, run.tokens[first : run.at], Span(run.source, begin, finish))
    run.put(symbol, known, begin, finish)
    return True


def _first_token(run: Automaton, offset: int) -> int:
    """The number of the first token that begins at an offset in front of the token at hand."""
    at = run.at
    while at and run.tokens[at - 1][1] >= offset:
        at -= 1
    return at


def _is_complete(run: Automaton) -> bool:
    """Whether the statement in front may be taken at its word: a bare name may have been meant otherwise."""
    before, kind = run.tokens[run.at - 1][0], run.token[0]
    if kind == "COMMA":
        return before in ("RPAR", "RSQB", "RBRACE") or (before == "NAME" and run.accepts("AS"))
    # Behind `}` a name may be a misspelt `else` or `shortcut`.
    return before in ("RPAR", "RSQB") and kind not in ("LPAR", "LSQB", "LBRACE")


def _skip(run: Automaton, symbol: str, *, in_bracket: bool = False) -> None:
    """Go to the separator, closing brace or end that ends what is being skipped."""
    depth = 0
    while (kind := run.token[0]) != "$END":
        following = run.following[0]
        goes_on = in_bracket and run.tokens[run.at - 1][0] in ("COMMA", "LPAR", "LSQB")
        if depth == 0 and symbol == "item":
            if kind == "_SEP" and (following in (*_DEFINITIONS, "$END") or _is_let_of_file(run)):
                return
        elif depth == 0 and symbol == "branch":
            if kind in ("BRANCH", "RBRACE"):
                return
        elif depth == 0 and (kind == "RBRACE" or (kind == "_SEP" and not goes_on)):
            return
        depth = max(0, depth + (kind == "LBRACE") - (kind == "RBRACE"))
        run.at += 1


def _is_let_of_file(run: Automaton) -> bool:
    """Whether the next token is a `let` that stands at the very beginning of its line."""
    kind, start, _ = run.following
    return kind == "LET" and column(run.source.text, start) == 0


def _known(run: Automaton, tokens: list[Token], span: Span) -> tree.Invalid:
    """What is known of a text that was dropped."""
    word = run.text(tokens[0]) if tokens and tokens[0][2] - tokens[0][1] < _LONGEST else ""
    if closest(word, ["input"]):
        word = "input"
    names: list[str] = []
    label: tree.Name | None = None
    depth = pattern = 0
    for number, token in enumerate(tokens[1:]):
        before = tokens[number]
        if pattern or (before[0] == "AS" and token[0] == "LPAR"):
            # The names of a tuple's parts, in as many brackets as there are.
            pattern += (token[0] == "LPAR") - (token[0] == "RPAR")
            if token[0] == "NAME":
                names.append(run.text(token))
            continue
        depth += (before[0] == "LBRACE") - (before[0] == "RBRACE")
        if token[0] != "NAME" or before[0] not in ("AS", "LET", "MODEL", "BLOCK"):
            continue
        names.append(run.text(token))
        if before[0] == "AS" and depth == 0:
            label = tree.Name(names[-1], Span(run.source, token[1], token[2]))
    if word == "from":
        return tree.Invalid(span, word, tuple(_imported(run, tokens)))
    return tree.Invalid(span, word if word.isidentifier() else "", tuple(names), label)


def _imported(run: Automaton, tokens: list[Token]) -> list[str]:
    """The names that a broken import was to bind: each that no `as` follows."""
    kinds = [kind for kind, _, _ in tokens] + [""]
    first = kinds.index("IMPORT") if "IMPORT" in kinds else len(tokens)
    return [
        run.text(token)
        for number, token in enumerate(tokens)
        if number > first and token[0] == "NAME" and kinds[number + 1] != "AS"
    ]
