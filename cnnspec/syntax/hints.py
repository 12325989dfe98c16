"""Ways out of the syntax errors that people make: Python's habits, forgotten signs, words in a wrong place."""

from __future__ import annotations

from cnnspec.diagnostics.suggest import closest
from cnnspec.syntax import tree
from cnnspec.syntax._tables import KEYWORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.syntax.parser import _Parser

_VALUES = ("INT", "FLOAT", "STRING", "NAME", "TRUE", "FALSE", "NONE")
_FOREIGN = {
    "elif": "it is written `else if`",
    "def": "a block is written `block Name(parameters) { ... }`",
    "class": "a network is written `model Name { ... }`",
    "while": "loops are written `repeat n { ... }` and `for x in list { ... }`",
    "return": "a block hands on the value of its last statement",
    "import": 'an import is written `from "file.cnn" import Name`',
    "lambda": "there are no functions but the built-in ones",
}
# Our own words in a wrong place.
_MISPLACED = {
    "ELSE": "`else` follows the `}` of an `if`",
    "SHORTCUT": "`shortcut` follows the `}` of `residual { ... }`",
    "BRANCH": "`branch` stands in `add`, `multiply` or `concat`",
    "FROM": "imports stand outside of models and blocks",
    "MODEL": "models and blocks stand beside each other, not in one another",
    "BLOCK": "models and blocks stand beside each other, not in one another",
    "TRAIN": "`train { ... }` stands beside the model, not in it",
}


def hint(parser: _Parser, kind: str, start: int, end: int) -> str:
    """The way out of a mistake that people make, or ""."""
    word = parser.source.text[start:end]
    before = parser.values[-1] if parser.values else None
    if isinstance(before, tree.Name) and before.id in _FOREIGN:
        return _FOREIGN[before.id]
    if word in _FOREIGN:
        return _FOREIGN[word]
    if parser.source.text.startswith(("//", "/*"), start) and not parser.accepts("INT"):
        return "a comment begins with `#`"
    if kind in ("ELSE", "SHORTCUT") or (kind in _MISPLACED and parser.begins("statement")):
        return _MISPLACED[kind]
    if word in KEYWORDS and parser.accepts("NAME") and not parser.begins("statement"):
        return f"`{word}` is a word of the language: use another name"
    if kind == "COLON" and (colon := _on_colon(parser)):
        return colon
    if parser.begins("branch") and kind != "RBRACE":
        return "its parts stand in `branch { ... }`"
    if not parser.open_braces():
        return _on_item(parser, kind, word, before)
    if isinstance(before, tree.Name) and (hint := _on_name(parser, kind, word, before, start)):
        return hint
    return on_sign(parser, start, end) or _on_value(parser, kind, word, before, start)


def _on_item(parser: _Parser, kind: str, word: str, before: Any) -> str:
    known = ("model", "block", "train", "from")
    for name in (word, before.id if isinstance(before, tree.Name) else ""):
        if kind in ("NAME", "LBRACE", "STRING") and len(name) > 2 and (near := closest(name, known)):
            return f"did you mean `{near}`?"
    if parser.begins("item") and kind not in ("RBRACE", "_SEP"):
        return "statements stand in `model Name { ... }` or `block Name { ... }`"
    return _on_brace(parser, kind)


def _on_brace(parser: _Parser, kind: str) -> str:
    following = parser.tokens[min(parser.at + 1, len(parser.tokens) - 1)][0]
    if kind == "_SEP" and following == "LBRACE" and parser.accepts("LBRACE"):
        return "put the `{` on this line"
    return ""


def _on_name(parser: _Parser, kind: str, word: str, before: tree.Name, start: int) -> str:
    """What was meant with a name and what stands behind it."""
    if not parser.accepts("AS"):
        if kind == "EQUAL" and parser.accepts("IN"):
            return f"a loop is written `for {before.id} in range(n) {{ ... }}`"
        return ""
    near = closest(before.id, KEYWORDS) if len(before.id) > 2 else None
    if near and kind in ("INT", "FLOAT", "NAME", "LBRACE", "LSQB"):
        return f"did you mean `{near}`?"
    if kind in ("INT", "FLOAT") and parser.ends[-1] < start:
        return f"arguments stand in parentheses: `{before.id}({word})`"
    if kind == "LSQB" or (kind == "SIGN" and parser.tokens[parser.at + 1][0] in ("INT", "FLOAT")):
        return f"arguments stand in parentheses: `{before.id}(...)`"
    if kind == "EQUAL":
        following = parser.tokens[parser.at + 1]
        value = parser.source.text[following[1] : following[2]]
        if value[:1].isupper() and value not in ("True", "False", "None"):
            return f"a layer is named with `as`: `... as {before.id}`"
        return f"a name is bound with `let {before.id} = ...`"
    return "names are bound once, with `let`" if parser.tokens[parser.at + 1][0] == "EQUAL" else ""


def on_sign(parser: _Parser, start: int, end: int) -> str:
    """What was meant with a sign that has another meaning elsewhere."""
    text, two = parser.source.text, parser.source.text[start : start + 2]
    if two == "=>":
        return "an arrow is written `->`"
    if two[:1] == "=" and parser.accepts("COMPARE"):
        return "`==` compares"
    if two[:1] == "." and text[max(0, start - 5) : start].endswith(("nn", "torch")):
        return "layer names are written without `nn.`"
    if two[:1] == "." and not two[1:].isdigit():
        return "each layer is a statement of its own"
    if two[:1] == "?":
        return "a choice is written `x if condition else y`"
    return "inside of ( ) and [ ] a line goes on by itself" if two[:1] == "\\" else ""


def _on_colon(parser: _Parser) -> str:
    if parser.accepts("LBRACE"):
        return "a body stands in braces: `{ ... }`"
    if parser.accepts("EQUAL"):
        declares = parser.accepts("RPAR") and not parser.accepts("SIGN")
        return "parameters have no types" if declares else "it is written with `=`"
    return ""


def _on_value(parser: _Parser, kind: str, word: str, before: Any, start: int) -> str:
    """What was meant with a value, or a line, that ends or goes on in a strange way."""
    if kind == "COMMA" and parser.accepts("_SEP"):
        return "no comma is needed at the end of a line"
    if kind == "NAME" and isinstance(before, tree.Literal) and word.strip("x0123456789") == "":
        return _on_times(parser, word, before)
    closer = ")" if parser.accepts("RPAR") else "]" if parser.accepts("RSQB") else ""
    if kind in ("RPAR", "RSQB") and closer:
        return f"`{'(' if closer == ')' else '['}` is closed with `{closer}`"
    if kind in _VALUES and closer and parser.accepts("COMMA") and parser.ends[-1] < start:
        return "put a comma in front of it"
    if kind == "NAME" and parser.accepts("AS"):
        return "each statement stands on a line of its own, or behind `;`"
    return _on_brace(parser, kind)


def _on_times(parser: _Parser, word: str, before: tree.Literal) -> str:
    sizes = f"{before.value or ''}{word}".strip("x").replace("x", ", ")
    left, right = "[]" if parser.accepts("RSQB") else "()"
    return f"it is written `{left}{sizes}{right}`" if ", " in sizes else "sizes are separated by commas"
