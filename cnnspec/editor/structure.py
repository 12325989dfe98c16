"""How a text is built: the kind of every word, and what can be folded."""

from __future__ import annotations

import re

from cnnspec import layers
from cnnspec.diagnostics import Sink
from cnnspec.editor.names import BLOCK, CONSTANT, FUNCTION, MODEL, PARAMETER, SIZE, VALUE, Names
from cnnspec.limits import LIMITS
from cnnspec.record import record
from cnnspec.syntax import tree
from cnnspec.syntax._tables import KEYWORDS
from cnnspec.syntax.lexer import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES = ("keyword", "type", "class", "function", "parameter", "property", "variable", "number", "string", "comment")
"""The kinds of words, as the protocol names them; a layer is a `type`, a block or model a `class`."""
_OF_SYMBOL = {
    MODEL: "class", BLOCK: "class", CONSTANT: "variable", FUNCTION: "function", PARAMETER: "parameter",
    VALUE: "variable", SIZE: "variable",
}  # fmt: skip
_OF_TOKEN = {"INT": "number", "FLOAT": "number", "STRING": "string"}
_KEYWORDS = frozenset(KEYWORDS.values()) - {"WILDCARD"}
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|(#[^\n]*)')


@record
class Word:
    start: int
    end: int
    type: str


@record
class Fold:
    """Lines, counted from 0, of which the first stays seen. `kind` is "region", "comment" or "imports"."""

    first: int
    last: int
    kind: str


def words(names: Names) -> list[Word]:
    """The words of a text that have a kind, in order."""
    source = names.source
    kinds = {span.start: _OF_SYMBOL[symbol.kind] for span, symbol in names.uses}
    arguments = {
        node.name.span.start
        for node in tree.walk(names.items)
        if isinstance(node, (tree.Argument, tree.Setting)) and node.name is not None
    }
    found = [
        Word(match.start(1), match.end(1), "comment")
        for match in _COMMENT.finditer(source.text)
        if match[1] is not None
    ]
    for kind, start, end in scan(source, Sink(), LIMITS.tokens):
        type_ = "property" if start in arguments else kinds.get(start) or _OF_TOKEN.get(kind)
        if type_ is None and kind in _KEYWORDS:
            type_ = "keyword"
        if type_ is None and kind == "NAME" and layers.find(source.text[start:end]) is not None:
            type_ = "type"
        if type_ is not None:
            found.append(Word(start, end, type_))
    return sorted(found, key=lambda word: word.start)


def folds(names: Names) -> Iterator[Fold]:
    """Bodies, recipes, and runs of comments and of imports, of several lines each."""
    source = names.source
    spans = [node.span for node in tree.walk(names.items) if isinstance(node, (tree.Body, tree.Train))]
    for span in spans:
        first, last = source.position(span.start)[0] - 1, source.position(span.end)[0] - 1
        if last > first:
            yield Fold(first, last - 1, "region")
    imports = [item.span for item in names.items if isinstance(item, tree.Import)]
    if imports:
        first, last = source.position(imports[0].start)[0] - 1, source.position(imports[-1].end)[0] - 1
        if last > first:
            yield Fold(first, last, "imports")
    begin = None
    for number, line in enumerate([*source.text.split("\n"), ""]):
        if line.lstrip().startswith("#"):
            begin = number if begin is None else begin
        elif begin is not None:
            if number - begin > 1:
                yield Fold(begin, number - 1, "comment")
            begin = None
