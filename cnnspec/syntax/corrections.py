"""Corrections of syntax errors that can mean one thing only, as edits of the text and as the tokens that were meant.

The parser goes on with those tokens, so that a mistake of this kind hides nothing. Each is tried first: it is offered only
where the text in front of it and the token behind it make sense with it.
"""

from __future__ import annotations

from cnnspec.diagnostics import Edit, Suggestion
from cnnspec.diagnostics.suggestions import Kind
from cnnspec.limits import LIMITS
from cnnspec.record import record
from cnnspec.source import Span
from cnnspec.syntax.layouts import begins_line, line_start
from cnnspec.syntax.of_torch import of_torch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.syntax.automaton import Automaton
    from cnnspec.syntax.lexer import Token

_REACH = 2_000
"""Tokens of a statement that is looked at for a correction: no statement of a person has as many."""
REWRITE = Kind("rewrite", "{words}")
"""Another spelling of what is written; facts: `words`."""


@record
class Correction:
    """The tokens `first` to `last` (exclusive) become `tokens`; `edits` do the same to the text.

    `tokens` is None where the text can't be read as what it was meant to be before it is changed.
    """

    first: int
    last: int
    tokens: tuple[Token, ...] | None
    edits: tuple[Edit, ...]
    words: str

    @property
    def suggestion(self) -> Suggestion:
        return Suggestion(REWRITE, {"words": self.words}, self.edits, sure=True)


def find(run: Automaton) -> Correction | None:
    """What was meant with the token at hand and those around it, if that is beyond doubt."""
    if run.corrected > LIMITS.mistakes:
        return None
    for rule in _RULES:
        found = rule(run)
        if found is not None and (found.tokens is None or _fits(run, found.first, found.last, found.tokens)):
            return found
    return None


def make(run: Automaton, correction: Correction) -> bool:
    """Go on as if the correction had been written, where that can be done."""
    if correction.tokens is None:
        return False
    depth, at = _rewound(run, correction.first)
    del run.entries[depth:]
    run.at = at
    run.tokens[correction.first : correction.last] = correction.tokens
    run.corrected += 1
    return True


def _rewound(run: Automaton, first: int) -> tuple[int, int]:
    """Number of entries that stay, and of the token to go on with: of the statement where one in front is corrected."""
    if first >= run.at:
        return len(run.entries), run.at
    return run.depth(), _statement(run)


def _statement(run: Automaton) -> int:
    """The number of the token that the statement at hand begins with; -1 where that is far away."""
    depth = run.depth()
    begin = run.entries[depth][2] if 0 < depth < len(run.entries) else run.token[1]
    at = run.at
    while at and run.tokens[at - 1][1] >= begin:
        at -= 1
        if run.at - at > _REACH:
            return -1
    return at


def _fits(run: Automaton, first: int, last: int, corrected: tuple[Token, ...]) -> bool:
    """Whether the corrected tokens and the one behind them can be read."""
    depth, at = _rewound(run, first)
    if not depth or at < 0:
        return False
    return run.reads(depth, [*run.tokens[at:first], *corrected, *run.tokens[last : last + 1]])


def _span(run: Automaton, start: int, end: int) -> Span:
    return Span(run.source, start, end)


def _edit(run: Automaton, start: int, end: int, text: str) -> tuple[Edit, ...]:
    return (Edit(_span(run, start, end), text),)


# --- rules: what is meant with the token at hand -------------------------------------------------------------------------


def _words_of_torch(run: Automaton) -> Correction | None:
    """A line of PyTorch's Python: `self.conv1 = nn.Conv2d(...)`, `x = F.relu(x)`, `nn.ReLU(),`."""
    first = _statement(run)
    if first < 0 or any(kind == "LBRACE" for kind, _, _ in run.tokens[first : run.at]):
        return None
    last = run.at
    while run.tokens[last][0] not in ("_SEP", "LBRACE", "RBRACE", "$END") and last - first < _REACH:
        last += 1
    found = of_torch(run.source, run.tokens[first:last]) if first < last else None
    if found is None or last - first == _REACH:
        return None
    edits, tokens = found
    begin, end = run.tokens[first][1], run.tokens[last - 1][2]
    text = _result(run, begin, end, edits)
    words = (
        f"write `{text}`" if "\n" not in text and len(text) < 80 else "layers are written without Python around them"
    )
    return Correction(first, last, tuple(tokens) or None, tuple(edits), words)


def _result(run: Automaton, begin: int, end: int, edits: list[Edit]) -> str:
    """What a part of the text becomes."""
    parts, at = [], begin
    for edit in sorted(edits, key=lambda edit: edit.span.start):
        parts += [run.source.text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*parts, run.source.text[at:end]]).strip()


def _comma_at_end(run: Automaton) -> Correction | None:
    kind, start, end = run.token
    if kind != "COMMA" or not run.accepts("_SEP"):
        return None
    if run.following[0] in ("_SEP", "RBRACE", "$END"):
        return Correction(run.at, run.at + 1, (), _edit(run, start, end, ""), "no comma is needed at the end of a line")
    if run.following[0] != "NAME" or run.tokens[run.at - 1][0] != "RPAR" or not run.accepts("AS"):
        return None
    words = "`;` stands between the layers of a line"
    return Correction(run.at, run.at + 1, (("_SEP", start, end),), _edit(run, start, end, ";"), words)


def _quotes(run: Automaton) -> Correction | None:
    """`'same'`."""
    kind, start, end = run.token
    text = run.source.text[start:end]
    inner = text[1:-1]
    if kind != "unknown" or len(text) < 2 or text[0] != "'" or text[-1] != "'" or '"' in inner or "\\" in inner:
        return None
    words = f'a string stands in double quotes: "{inner}"' if len(inner) < 40 else "a string stands in double quotes"
    return Correction(run.at, run.at + 1, (("STRING", start, end),), _edit(run, start, end, f'"{inner}"'), words)


def _name_in_quotes(run: Automaton) -> Correction | None:
    """`as "fc"`."""
    kind, start, end = run.token
    if kind != "STRING" or run.tokens[run.at - 1][0] not in ("AS", "LET", "MODEL", "BLOCK", "IMPORT"):
        return None
    name = run.source.text[start + 1 : end - 1]
    if not name.isidentifier() or not name.isascii():
        return None
    words = f"a name stands without quotes: `{name}`"
    return Correction(run.at, run.at + 1, (("NAME", start + 1, end - 1),), _edit(run, start, end, name), words)


def _without_name(run: Automaton) -> Correction | None:
    """`model {`."""
    kind = run.token[0]
    before = run.tokens[run.at - 1] if run.at else ("", 0, 0)
    if before[0] not in ("MODEL", "BLOCK") or kind not in ("LBRACE", "LPAR"):
        return None
    name = "Net" if before[0] == "MODEL" else "Unit"
    word = run.text(before)
    name_token = ("NAME", before[1], before[2])
    words = f"a {word} has a name: `{word} {name}`"
    return Correction(run.at, run.at, (name_token,), _edit(run, before[2], before[2], f" {name}"), words)


def _size_in_brackets(run: Automaton) -> Correction | None:
    """`-> 10`."""
    kind, start, end = run.token
    if kind != "INT" or run.tokens[run.at - 1][0] != "_ARROW" or run.following[0] in ("COMMA", "FACTOR", "SIGN"):
        return None
    tokens = (("LSQB", start, start), run.token, ("RSQB", end, end))
    text = run.source.text[start:end]
    return Correction(
        run.at, run.at + 1, tokens, _edit(run, start, end, f"[{text}]"), f"a shape stands in brackets: `-> [{text}]`"
    )


def _input_without_brackets(run: Automaton) -> Correction | None:
    """`input (3, 32, 32)`, `input 3, 32, 32`, `input = [3, 32, 32]`."""
    kind, start, _ = run.token
    if run.tokens[run.at - 1][0] != "INPUT" or kind not in ("LPAR", "INT", "EQUAL"):
        return None
    if kind == "EQUAL":
        edits = _edit(run, start, run.following[1], "")
        return Correction(run.at, run.at + 1, (), edits, "it is written without `=`: `input [3, 32, 32]`")
    first = at = run.at + (kind == "LPAR")
    while run.tokens[at][0] in ("INT", "NAME", "COMMA") and at - first < 20:
        at += 1
    inner, last = run.tokens[first:at], at + (kind == "LPAR")
    if not inner or run.tokens[last][0] not in ("_SEP", "RBRACE") or (kind == "LPAR" and run.tokens[at][0] != "RPAR"):
        return None
    close = run.tokens[last - 1][2]
    shape = run.source.text[inner[0][1] : inner[-1][2]]
    tokens = (("LSQB", start, start), *inner, ("RSQB", close, close))
    words = f"a shape stands in brackets: `input [{shape}]`"
    return Correction(run.at, last, tokens, _edit(run, start, close, f"[{shape}]"), words)


def _arrow_left_out(run: Automaton) -> Correction | None:
    """`Conv2d(16, 3) [16, 32, 32]`."""
    kind, start, _ = run.token
    if kind != "LSQB" or run.tokens[run.at - 1][0] not in ("RPAR", "RBRACE") or not run.accepts("_ARROW"):
        return None
    at = run.at + 1
    while run.tokens[at][0] in ("INT", "NAME", "WILDCARD", "COMMA"):
        at += 1
    if run.tokens[at][0] != "RSQB" or run.tokens[at + 1][0] not in ("_SEP", "AS", "RBRACE", "$END"):
        return None
    words = "an arrow stands in front of a shape: `->`"
    return Correction(run.at, run.at, (("_ARROW", start, start),), _edit(run, start, start, "-> "), words)


def _arrow_to_layer(run: Automaton) -> Correction | None:
    """`BatchNorm2d -> ReLU`."""
    kind, start, _ = run.token
    arrow = run.tokens[run.at - 1]
    if kind != "NAME" or arrow[0] != "_ARROW" or not run.source.text[start].isupper():
        return None
    statement = _statement(run)
    text, first = run.source.text, run.tokens[statement][1] if statement >= 0 else arrow[1]
    line = text[line_start(text, first) : first]
    between = f"\n{line}" if begins_line(text, first) else "; "
    begin = run.tokens[run.at - 2][2]
    words = "each layer stands on a line of its own, or behind `;`"
    edits = _edit(run, begin, start, between)
    return Correction(run.at - 1, run.at, (("_SEP", begin, start),), edits, words)


def _times(run: Automaton) -> Correction | None:
    """`repeat 2x {`."""
    kind, start, end = run.token
    word = run.tokens[max(0, run.at - 2)][0]
    if kind != "NAME" or word != "REPEAT" or run.tokens[run.at - 1][0] != "INT" or run.following[0] != "LBRACE":
        return None
    if run.source.text[start:end] not in ("x", "times"):
        return None
    number = run.text(run.tokens[run.at - 1])
    words = f"it is written `repeat {number} {{`"
    return Correction(run.at, run.at + 1, (), _edit(run, run.tokens[run.at - 1][2], end, ""), words)


def _else_if(run: Automaton) -> Correction | None:
    """`} elif c {`, and `else if` in other words."""
    kind, start, end = run.token
    if kind != "NAME" or run.source.text[start:end] not in ("elif", "elseif", "elsif"):
        return None
    tokens = (("ELSE", start, end), ("IF", start, end))
    first = run.at
    if run.tokens[run.at - 1][0] == "_SEP":
        return None
    return Correction(first, run.at + 1, tokens, _edit(run, start, end, "else if"), "it is written `else if`")


def _other_arrow(run: Automaton) -> Correction | None:
    """`=> [3]`."""
    kind, start, _ = run.token
    following = run.following
    if kind != "EQUAL" or run.source.text[start : start + 2] != "=>" or following[1] != start + 1:
        return None
    tokens = (("_ARROW", start, following[2]),)
    return Correction(run.at, run.at + 2, tokens, _edit(run, start, following[2], "->"), "an arrow is written `->`")


def _other_bracket(run: Automaton) -> Correction | None:
    """`Conv2d(6, 5]`."""
    kind, start, end = run.token
    meant = {"RPAR": "RSQB", "RSQB": "RPAR"}.get(kind, "")
    if not meant or not run.accepts(meant):
        return None
    left, right = "()" if meant == "RPAR" else "[]"
    words = f"`{left}` is closed with `{right}`"
    return Correction(run.at, run.at + 1, ((meant, start, end),), _edit(run, start, end, right), words)


def _bound_without_let(run: Automaton) -> Correction | None:
    """`n = 3`, and `conv = Conv2d(...)`."""
    first = run.at - 1
    if run.token[0] != "EQUAL" or first < 0 or run.tokens[first][0] != "NAME" or _statement(run) != first:
        return None
    name, value = run.tokens[first], run.following
    if not run.accepts("AS") or value[0] not in ("INT", "FLOAT", "STRING", "LSQB", "TRUE", "FALSE", "SIGN"):
        return None
    words = f"a name is bound with `let {run.text(name)} = ...`"
    return Correction(first, first, (("LET", name[1], name[1]),), _edit(run, name[1], name[1], "let "), words)


def _line_comment(run: Automaton) -> Correction | None:
    """`// a comment`."""
    kind, start, _ = run.token
    text = run.source.text
    if kind != "FACTOR" or not text.startswith("//", start) or run.accepts("INT"):
        return None
    last = run.at
    while run.tokens[last][0] not in ("_SEP", "$END"):
        last += 1
    line_end = text.find("\n", start)
    if run.tokens[last][1] != (line_end if line_end >= 0 else len(text)):
        return None
    if begins_line(text, start) and run.tokens[last][0] == "_SEP":
        last += 1
    return Correction(run.at, last, (), _edit(run, start, start + 2, "#"), "a comment begins with `#`")


def _separator_left_out(run: Automaton) -> Correction | None:
    """`let n = 3 branch { ... }`."""
    kind, start, _ = run.token
    if kind != "BRANCH" or not run.accepts("_SEP"):
        return None
    end = run.tokens[run.at - 1][2]
    words = "`let` ends with its line, or with `;`"
    return Correction(run.at, run.at, (("_SEP", start, start),), _edit(run, end, end, ";"), words)


def _brace_below(run: Automaton) -> Correction | None:
    """`{` on the line below."""
    kind, start, end = run.token
    brace = run.following
    if kind != "_SEP" or brace[0] != "LBRACE" or not run.accepts("LBRACE") or run.source.text[start:end].strip():
        return None
    words = "put the `{` on this line"
    begin = run.tokens[run.at - 1][2]
    return Correction(run.at, run.at + 1, (), _edit(run, begin, brace[1], " "), words)


_RULES = (
    _words_of_torch,
    _comma_at_end,
    _quotes,
    _name_in_quotes,
    _without_name,
    _size_in_brackets,
    _input_without_brackets,
    _arrow_left_out,
    _arrow_to_layer,
    _times,
    _else_if,
    _other_arrow,
    _other_bracket,
    _bound_without_let,
    _line_comment,
    _separator_left_out,
    _brace_below,
)
