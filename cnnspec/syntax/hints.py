"""Ways out of the syntax errors that people make: Python's habits, forgotten signs, words in a wrong place."""

from __future__ import annotations

from cnnspec.diagnostics.similar_names import closest
from cnnspec.syntax import tree
from cnnspec.syntax._tables import KEYWORDS, STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.syntax.automaton import Automaton

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
    "BRANCH": "`branch` stands in `add`, `multiply`, `concat`, `matmul` or `tuple`",
    "AS": "`as` stands behind the statement that it names, on its line",
    "FROM": "imports stand outside of models and blocks",
    "MODEL": "models and blocks stand beside each other, not in one another",
    "BLOCK": "models and blocks stand beside each other, not in one another",
    "TRAIN": "`train { ... }` stands beside the model, not in it",
}
_LONGEST = 40
"""Characters of a name that a message repeats, and tokens of a line that are looked at."""


def hint(run: Automaton) -> str:
    """The way out of a mistake that people make, or ""."""
    kind, start, _ = run.token
    word, before = run.text(run.token) if kind in ("NAME", "FLOAT") or run.token[2] - start < 20 else "", run.before
    for name in (before.id if isinstance(before, tree.Name) else "", word):
        if name in _FOREIGN:
            return _FOREIGN[name]
    if run.source.text.startswith(("//", "/*"), start) and not run.accepts("INT"):
        return "a comment begins with `#`"
    if word in KEYWORDS and run.accepts("NAME") and not run.begins("statement"):
        return f"`{word}` is a word of the language: use another name"
    if kind in ("ELSE", "SHORTCUT") or (kind in _MISPLACED and run.begins("statement")):
        return _MISPLACED[kind]
    if kind == "COLON" and (colon := _on_colon(run)):
        return colon
    if _among_branches(run) and kind != "RBRACE":
        return "its parts stand in `branch { ... }`"
    if not run.open_braces():
        return _on_item(run)
    return (
        _on_form(run)
        or (_on_name(run, before) if isinstance(before, tree.Name) else "")
        or on_sign(run)
        or _on_value(run)
    )


def _among_branches(run: Automaton) -> bool:
    """Whether a branch could stand here, in or behind others; elsewhere the word may be a name."""
    return run.begins("branch") or (run.accepts("BRANCH") and not run.accepts("NAME"))


def _on_item(run: Automaton) -> str:
    kind = run.token[0]
    known = ("model", "block", "train", "from")
    for name in (run.text(run.token), run.before.id if isinstance(run.before, tree.Name) else ""):
        if kind in ("NAME", "LBRACE", "STRING") and 2 < len(name) < _LONGEST and (near := closest(name, known)):
            return f"did you mean `{near}`?"
    if run.begins("item") and kind not in ("RBRACE", "_SEP"):
        return "statements stand in `model Name { ... }` or `block Name { ... }`"
    return ""


def _on_form(run: Automaton) -> str:
    """What was meant behind a word that begins a statement of its own form."""
    kind, before = run.token[0], run.tokens[run.at - 1]
    if before[0] == "WEIGHT":
        return "a learned value is written `weight [sizes] = start as name`"
    if kind == "AS" and not run.accepts("AS"):
        if run.accepts("EQUAL"):
            return "a learned value says how it starts: `weight [sizes] = 0 as name`, or `= normal(std=0.02)`"
        used = run.tokens[_first(run)][0] == "USE"
        return "what `use` goes on from has a name already" if used else ""
    if kind == "LPAR" and before[0] in ("LPAR", "COMMA") and run.accepts("NAME") and not run.accepts("INT"):
        return "names stand in one row: name the inner tuple, and take it apart with `use` below"
    if kind == "FLOAT" and before[0] in ("NAME", "RSQB") and run.accepts("DOT") and run.text(run.token)[0] == ".":
        return "a way into a module goes over its labels: name the statement there with `as`, and write `.name`"
    if kind == "DOT" and before[0] in ("NAME", "WILDCARD") and run.tokens[run.at - 2][0] == "AS":
        return f"a name has no dot in it: `as {run.text(run.following)}`"
    return ""


def _first(run: Automaton) -> int:
    """The number of the first token of the line or statement at hand."""
    at = run.at
    while at and run.tokens[at - 1][0] not in ("_SEP", "LBRACE", "RBRACE") and run.at - at < _LONGEST:
        at -= 1
    return at


def _on_name(run: Automaton, before: tree.Name) -> str:
    """What was meant with a name and what stands behind it."""
    kind, start, _ = run.token
    short = len(before.id) < _LONGEST
    if not run.accepts("AS"):
        if kind == "EQUAL" and run.accepts("IN") and short:
            return f"a loop is written `for {before.id} in range(n) {{ ... }}`"
        return ""
    near = closest(before.id, KEYWORDS) if short and len(before.id) > 2 else None
    if near and kind in ("INT", "FLOAT", "NAME", "LBRACE", "LSQB"):
        return f"did you mean `{near}`?"
    if not short:
        return ""
    if kind in ("INT", "FLOAT") and run.end < start:
        return f"arguments stand in parentheses: `{before.id}({run.text(run.token)[:_LONGEST]})`"
    if kind == "LSQB" and run.end == start and before.id[0].islower():
        return f"a statement begins with a name: `let chosen = {before.id}[...]`, then `chosen`"
    if kind == "LSQB" or (kind == "SIGN" and run.following[0] in ("INT", "FLOAT")):
        return f"arguments stand in parentheses: `{before.id}(...)`"
    if kind == "DOT":
        return (
            "a layer stands where it is used; its name comes behind it: `Conv2d(...) as conv`"
            if before.id == "self"
            else ""
        )
    if kind == "EQUAL":
        value = run.text(run.following)
        if value == "self":
            return "a layer stands where it is used, not above: `Conv2d(...) as conv`"
        if value[:1].isupper() and value not in ("True", "False", "None"):
            return f"a layer is named with `as`: `... as {before.id}`"
        return f"a name is bound with `let {before.id} = ...`"
    return "names are bound once, with `let`" if run.following[0] == "EQUAL" else ""


def on_sign(run: Automaton) -> str:
    """What was meant with a sign that has another meaning elsewhere."""
    start = run.token[1]
    text, two = run.source.text, run.source.text[start : start + 2]
    if two == "=>":
        return "an arrow is written `->`"
    if two[:1] == "=" and run.accepts("COMPARE"):
        return "`==` compares"
    if two[:1] == "." and text[max(0, start - 5) : start].endswith(("nn", "torch")):
        return "layer names are written without `nn.`"
    if two[:1] == "." and not two[1:].isdigit():
        return "each layer is a statement of its own"
    if two[:1] == "?":
        return "a choice is written `x if condition else y`"
    return "inside of ( ) and [ ] a line goes on by itself" if two[:1] == "\\" else ""


def _on_colon(run: Automaton) -> str:
    if run.accepts("LBRACE"):
        return "a body stands in braces: `{ ... }`"
    depth = run.depth()
    if depth and "setting" in STATES[run.entries[depth - 1][0]] and not run.accepts("EQUAL"):
        return "a setting for one output of several is written `loss.scores = ...`"
    if run.accepts("EQUAL"):
        declares = run.accepts("RPAR") and not run.accepts("SIGN")
        return "parameters have no types" if declares else "it is written with `=`"
    return ""


def _on_value(run: Automaton) -> str:
    """What was meant with a value, or a line, that ends or goes on in a strange way."""
    kind, start, _ = run.token
    if kind == "COMMA" and run.accepts("_SEP"):
        return "no comma is needed at the end of a line"
    if kind == "NAME" and isinstance(run.before, tree.Literal) and run.token[2] - start < _LONGEST:
        word = run.text(run.token)
        if word.strip("x0123456789") == "":
            return _on_times(run, word, run.before)
    closer = ")" if run.accepts("RPAR") else "]" if run.accepts("RSQB") else ""
    if kind in ("RPAR", "RSQB") and closer:
        return f"`{'(' if closer == ')' else '['}` is closed with `{closer}`"
    if kind in _VALUES and closer and run.accepts("COMMA") and run.end < start:
        return "put a comma in front of it"
    if kind == "NAME" and run.accepts("AS"):
        return "each statement stands on a line of its own, or behind `;`"
    return ""


def _on_times(run: Automaton, word: str, before: tree.Literal) -> str:
    sizes = f"{before.value or ''}{word}".strip("x").replace("x", ", ")
    left, right = "[]" if run.accepts("RSQB") else "()"
    return f"it is written `{left}{sizes}{right}`" if ", " in sizes else "sizes are separated by commas"
