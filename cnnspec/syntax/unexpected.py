"""What is said about a token that can't stand where it is: what was found, what could stand there, and the way out."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Label, Suggestion, codes, note
from cnnspec.source import Source, Span
from cnnspec.syntax import hints
from cnnspec.syntax._tables import KEYWORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.syntax.automaton import Automaton
    from cnnspec.syntax.corrections import Correction

_SIGNS = {
    "COMMA": ",",
    "EQUAL": "=",
    "LBRACE": "{",
    "RBRACE": "}",
    "LPAR": "(",
    "RPAR": ")",
    "RSQB": "]",
    "_ARROW": "->",
}
_WORDS = {name: word for word, name in KEYWORDS.items()}
_NAMES = {
    "\t": "tab",
    "\r": "carriage return",
    "\0": "null character",
    "\u00a0": "no-break space",
    "\ufeff": "byte order mark",
    "'": "single quote",
    ".": "dot",
    "\\": "backslash",
    "@": "at sign",
    "|": "vertical bar",
    "`": "backtick",
}
_MEANT = {
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not ",
    "\u00d7": "*",
    "\u2212": "-",
    "\u2013": "-",
    "\u2192": "->",
    "\u201c": '"',
    "\u201d": '"',
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
}
"""What people mean with signs that the language does not have."""
_LONGEST = 60
"""Characters of a token that a message shows."""


def report_unclosed(run: Automaton, brace: int) -> None:
    """Report a brace that is never closed, at a token that can't stand inside of it."""
    kind, start, end = run.token
    shown = f"`{run.source.text[start:end]}` can't stand inside of it"
    labels = [] if kind == "$END" else [Label(Span(run.source, start, end), shown)]
    run.sink.report(codes.NOT_CLOSED, Span(run.source, brace, brace + 1), labels=labels, bracket="{")


def report(run: Automaton, correction: Correction | None) -> None:
    """Report the token at hand."""
    kind, start, end = run.token
    if kind == "too deep":
        return
    if correction is not None:
        helps = [correction.suggestion]
    else:
        words = hints.hint(run) if kind != "unknown" else hints.on_sign(run) or _on_unknown(run.source.text[start:end])
        helps = [note(words)] if words else []
    if kind == "unknown":
        run.sink.add(_unknown(run.source, start, end, helps))
        return
    bracket = run.open_bracket()
    ends_line = kind in ("_SEP", "RBRACE", "$END") or (kind == "LBRACE" and not run.accepts("INT"))
    if bracket is not None and ends_line:
        mark = run.source.text[bracket]
        run.sink.report(codes.NOT_CLOSED, Span(run.source, bracket, bracket + 1), bracket=mark)
        return
    line_ends = _is_line_end(run)
    span = Span(run.source, start, start + 1 if kind == "_SEP" else end)
    if line_ends and kind == "_SEP" and len(run.entries) > 1:
        span = Span(run.source, run.end, run.end + 1)
    facts: dict[str, object] = {
        "found": _found(run),
        "verb": "end" if line_ends else "stand",
        "expected": expected(run),
    }
    run.sink.add(Diagnostic(codes.UNEXPECTED, facts, span, (), tuple(helps)))


def _is_line_end(run: Automaton) -> bool:
    kind, start, _ = run.token
    return kind == "$END" or (kind == "_SEP" and run.source.text[start] != ";")


def _found(run: Automaton) -> str:
    kind, start, end = run.token
    if _is_line_end(run):
        return "the file" if kind == "$END" else "the line"
    if kind == "_SEP":
        return "`;`"
    return (
        f"`{run.source.text[start:end]}`"
        if end - start <= _LONGEST
        else f"`{run.source.text[start : start + _LONGEST]} ...`"
    )


def expected(run: Automaton) -> str:
    """What could stand here, in words."""
    if run.begins("item"):
        return "`model`, `block`, `train`, `let` or `from`"
    kinds = {"INT": "a value", "NAME": "a name", "STRING": "a text in double quotes"}
    words = [next((noun for kind, noun in kinds.items() if run.accepts(kind)), "")]
    if run.begins("statement") or run.begins("branch"):
        words = ["a statement" if run.begins("statement") else "`branch`"]
    operand = run.accepts("SIGN")
    if not words[0] and not operand and run.accepts("LSQB"):
        words = ["a list in brackets, such as `[3, 32, 32]`"]
    ends = run.accepts("_SEP") and words[0] not in ("a statement", "`branch`")
    left_out = {"LPAR": bool(words[0]) or operand, "RBRACE": ends}
    words += [f"`{sign}`" for kind, sign in _SIGNS.items() if not left_out.get(kind) and run.accepts(kind)]
    words += [f"`{_WORDS[kind]}`" for kind in ("IMPORT", "IN", "ELSE", "AS") if run.accepts(kind)]
    words += ["the end of the line"] if ends else ["the end"] if run.accepts("$END") else []
    words = [word for word in words if word]
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing more"


def _unknown(source: Source, start: int, end: int, helps: list[Suggestion]) -> Diagnostic:
    """The finding on characters that no token begins with."""
    text = source.text[start : min(end, start + _LONGEST)]
    if text[0] == '"':
        line_end = source.text.find("\n", start)
        end = len(source.text) if line_end < 0 else line_end
        end = start + len(source.text[start:end].rstrip())
        return Diagnostic(codes.STRING_NOT_CLOSED, {}, Span(source, start, end))
    import unicodedata

    plain = text.isprintable()
    shown = "'" if text[0] == "'" else text if plain else f"U+{ord(text[0]):04X}"
    name = _NAMES.get(text[0]) or unicodedata.name(text[0], "control character").lower()
    span = Span(source, start, start + (len(text) if plain else 1))
    return Diagnostic(codes.UNKNOWN_CHARACTER, {"character": shown, "name": name}, span, (), tuple(helps))


def _on_unknown(text: str) -> str:
    """What was probably meant by text that begins no token."""
    import unicodedata

    first = text[0]
    if first == "'":
        return (
            f'a string stands in double quotes: "{text[1:-1]}"' if len(text) > 1 else "a string stands in double quotes"
        )
    plain = _MEANT.get(text) or _MEANT.get(first) or unicodedata.normalize("NFKC", first)
    if unicodedata.category(first) == "Zs":
        return "use a plain blank"
    if unicodedata.category(first) in ("Cc", "Cf"):
        return "delete it"
    if plain != first and plain.isascii() and plain.isprintable():
        return f"it is written `{plain.strip()}`"
    return "names are written with the letters a to z" if first.isalpha() else ""
