"""What may be typed at a place, and what the parentheses around it take: from the text in front, which need not be right."""

from __future__ import annotations

import os

from cnnspec import layers
from cnnspec.backends.reference import describe
from cnnspec.compiler.functions import FUNCTIONS
from cnnspec.compiler.names import SHAPE_NAMES
from cnnspec.compiler.sizes_of import SIZE_FUNCTIONS
from cnnspec.declare import Declared, Kind, spell
from cnnspec.diagnostics import Sink
from cnnspec.editor.names import BLOCK, CONSTANT, MODEL, Names, Symbol
from cnnspec.limits import LIMITS
from cnnspec.recipe.settings import SETTINGS
from cnnspec.record import record
from cnnspec.source import Source, comment_above
from cnnspec.syntax import tree
from cnnspec.syntax._tables import KEYWORDS
from cnnspec.syntax.lexer import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LAYER, PARAMETER, VALUE, KEYWORD, SETTING, FUNCTION = "layer", "parameter", "value", "keyword", "setting", "function"

STATEMENTS = {
    "repeat": "repeat ${1:2} {\n\t$0\n}",
    "for": "for ${1:width} in [${2:16, 32}] {\n\t$0\n}",
    "if": "if ${1:condition} {\n\t$0\n}",
    "residual": "residual {\n\t$0\n}",
    "concat": "concat {\n\tbranch { $0 }\n\tbranch {  }\n}",
    "add": "add {\n\tbranch { $0 }\n\tbranch {  }\n}",
    "multiply": "multiply {\n\tbranch { $0 }\n\tbranch {  }\n}",
    "tuple": "tuple {\n\tbranch { $0 }\n\tbranch {  }\n}",
    "matmul": "matmul($0)",
    "branch": "branch {\n\t$0\n}",
    "input": "input [$0]",
    "let": "let ${1:name} = $0",
    "use": "use $0",
    "again": "again $0",
    "weight": "weight [$0] = normal(std=0.02) as ${1:name}",
    "assert": "assert $0",
}
"""What begins a statement, as a snippet."""
DEFINITIONS = {
    "model": "model ${1:Net} {\n\tinput [${2:3, 32, 32}]\n\t$0\n}",
    "block": "block ${1:Block}(${2:channels}) {\n\t$0\n}",
    "train": "train {\n\t$0\n}",
    "from": 'from "${1:blocks}.cnn" import $0',
    "let": "let ${1:name} = $0",
}


@record
class Completion:
    """Something that may stand at a place. `snippet` is its text with places to fill in, "" for the name itself."""

    name: str
    kind: str
    about: str = ""
    snippet: str = ""


@record
class Opening:
    """What is still open in front of a place: a brace, bracket or parenthesis, and what it belongs to."""

    bracket: str
    owner: str
    """The name in front of a parenthesis; the word that a statement or definition with a body begins with; "" for none."""


@record
class Place:
    """What is being written: what is open, outermost first, and the statement or argument so far."""

    open: tuple[Opening, ...]
    line: tuple[str, ...]
    """The words of the statement, outside of what is open, or of the argument that is being written."""
    commas: int
    """Arguments in front of this one."""
    given: tuple[str, ...]
    """The names of those arguments that have one."""

    @property
    def inner(self) -> Opening:
        return self.open[-1] if self.open else Opening("", "")

    @property
    def assigned(self) -> str:
        """The name that a value is being given to: `padding` behind `padding=`."""
        return self.line[-2] if len(self.line) > 1 and self.line[-1] == "=" else ""


def place_at(text: str, offset: int) -> Place:
    """What is being written at an offset; a word that it ends in is not counted."""
    source = Source("", text[:offset])
    tokens = scan(source, Sink(), LIMITS.tokens)
    if tokens and tokens[-1][2] == offset and text[tokens[-1][1] : offset].isidentifier():
        tokens.pop()
    open_: list[Opening] = []
    lines: list[list[str]] = [[]]
    given: list[list[str]] = [[]]
    commas = [0]
    for kind, start, end in tokens:
        word = text[start:end]
        if word in ("(", "[", "{"):
            line = lines[-1]
            owner = (line[-1] if word == "(" else line[0] if word == "{" else "") if line else ""
            open_.append(Opening(word, owner if owner.isidentifier() else ""))
            lines.append([])
            given.append([])
            commas.append(0)
        elif word in (")", "]", "}"):
            if open_:
                open_.pop()
                lines.pop()
                given.pop()
                commas.pop()
            lines[-1].append(word)
        elif kind == "_SEP":
            if not open_ or open_[-1].bracket == "{":
                lines[-1] = []
        elif word == "," and open_ and open_[-1].bracket != "{":
            lines[-1] = []
            commas[-1] += 1
        else:
            if word == "=" and len(lines[-1]) == 1:
                given[-1].append(lines[-1][0])
            lines[-1].append(word)
    return Place(tuple(open_), tuple(lines[-1]), commas[-1], tuple(given[-1]))


def completions(names: Names, offset: int) -> list[Completion]:
    """What may stand at an offset."""
    place = place_at(names.source.text, offset)
    return list({one.name: one for one in _found(place, names, offset)}.values())


def _found(place: Place, names: Names, offset: int) -> Iterator[Completion]:
    inner = place.inner
    if place.line and place.line[-1] in (".", "->", "as"):
        yield from _parts(place, names, offset)
    elif any(one.owner == "train" for one in place.open):
        yield from _in_recipe(place)
    elif not place.open and place.line[:1] == ("from",):
        yield from _imported(place, names)
    elif not place.open and "=" not in place.line:
        if not place.line:
            yield from (Completion(name, KEYWORD, "", snippet) for name, snippet in DEFINITIONS.items())
    elif inner.bracket == "(" and inner.owner:
        yield from _arguments(place, names, offset)
    elif inner.bracket == "{" and not place.line:
        yield from _statements(inner, names, offset)
    else:
        yield from _values(names, offset)


def _parts(place: Place, names: Names, offset: int) -> Iterator[Completion]:
    """What is reached behind a dot."""
    if place.line[-1] != "." or len(place.line) < 2:
        return
    base = next((one for one in names.visible(offset) if one.name == place.line[-2]), None)
    if base is not None and isinstance(base.node, tree.Layer):
        used = base.node.name.id
        base = next((one for one in names.visible(offset) if one.name == used), None)
    for part in base.parts.values() if base is not None else ():
        if part.kind == VALUE:
            yield Completion(part.name, VALUE, about(part))


def _imported(place: Place, names: Names) -> Iterator[Completion]:
    if "import" not in place.line:
        return
    path = place.line[1].strip('"') if len(place.line) > 1 else ""
    other = names.project.of(os.path.join(os.path.dirname(names.path), path)) if path.endswith(".cnn") else None
    if other is not None:
        own = [one for one in other.top.values() if one.path == other.path]
        yield from (Completion(one.name, one.kind, about(one)) for one in own)


def _statements(inner: Opening, names: Names, offset: int) -> Iterator[Completion]:
    for symbol in names.visible(offset):
        if symbol.kind in (BLOCK, MODEL, CONSTANT, PARAMETER):
            yield Completion(symbol.name, symbol.kind, about(symbol))
    yield from _layers()
    yield from (Completion(name, KEYWORD, "", snippet) for name, snippet in STATEMENTS.items())
    if inner.owner == "residual":
        yield Completion("shortcut", KEYWORD, "", "shortcut {\n\t$0\n}")


def _layers() -> Iterator[Completion]:
    for name in layers.names():
        layer = layers.find(name)
        if layer is not None:
            yield Completion(name, LAYER, f"```text\n{describe(layer)}\n```")


def _values(names: Names, offset: int) -> Iterator[Completion]:
    for symbol in names.visible(offset):
        yield Completion(symbol.name, symbol.kind, about(symbol))
    yield from (Completion(name, FUNCTION) for name in FUNCTIONS)
    yield from (Completion(name, VALUE) for name in (*SHAPE_NAMES, *SIZE_FUNCTIONS))
    yield from (Completion(word, KEYWORD) for word in ("true", "false", "none"))


def _arguments(place: Place, names: Names, offset: int) -> Iterator[Completion]:
    """Parameters that are still to be given, or what the one that is being given takes."""
    owner = place.inner.owner
    target = layers.find(owner)
    own = next((one for one in names.visible(offset) if one.name == owner), None)
    if target is not None and own is None:
        yield from _of_declared(target, place)
    elif own is not None and not place.line:
        for part in own.parameters:
            if part.name not in place.given:
                yield Completion(part.name, PARAMETER, about(part), f"{part.name}=$0")
    if target is None or place.line or not place.assigned:
        yield from _values(names, offset)
    if own is not None:
        yield from _layers()


def _of_declared(target: type[Declared], place: Place) -> Iterator[Completion]:
    fields = target.signature.fields
    if place.assigned:
        if place.assigned in fields:
            yield from _taken(fields[place.assigned].kind, target.rank)
        return
    if place.line:
        return
    positional = list(fields)[place.commas : place.commas + 1] if place.commas < target.signature.positions else []
    for name in positional:
        yield from _taken(fields[name].kind, target.rank)
    for name, field in fields.items():
        if name not in place.given and name not in list(fields)[: place.commas - len(place.given)]:
            default = "required" if field.required else f"default {spell(field.default)}"
            yield Completion(name, PARAMETER, f"{field.kind.describe(target.rank)}; {default}", f"{name}=$0")


def _taken(kind: Kind, rank: int) -> Iterator[Completion]:
    """The words among the values of a kind."""
    for value in kind.samples(rank):
        if value is None or isinstance(value, (bool, str)):
            yield Completion(spell(value), VALUE)


def _in_recipe(place: Place) -> Iterator[Completion]:
    if place.inner.bracket == "{" and not place.line:
        for name, setting in SETTINGS.items():
            yield Completion(name, SETTING, setting.meaning, f"{name} = $0")
        return
    at = next(number for number, one in enumerate(place.open) if one.owner == "train")
    target = _component(place.inner.owner) if len(place.open) > at + 1 else None
    if target is not None:
        yield from _of_declared(target, place)
    if place.line and place.line[0] in SETTINGS:
        takes = SETTINGS[place.line[0]].takes
        if isinstance(takes, Kind):
            yield from _taken(takes, 0)
        else:
            yield from (Completion(name, LAYER, _sentence(cls)) for name, cls in takes.items())
    elif place.inner.bracket == "[":
        # A list of components, whose setting stands in front of it.
        lists = [one.takes for one in SETTINGS.values() if one.many and not isinstance(one.takes, Kind)]
        yield from (Completion(name, LAYER, _sentence(cls)) for takes in lists for name, cls in takes.items())


def _component(name: str) -> type[Declared] | None:
    """An optimizer, a loss or another part of a recipe, by its name."""
    families = [one.takes for one in SETTINGS.values() if not isinstance(one.takes, Kind)]
    return next((family[name] for family in families if name in family), None)


def _sentence(target: type[Declared]) -> str:
    return (target.__doc__ or "").strip().partition("\n")[0]


def about(symbol: Symbol) -> str:
    """What a name stands for, in Markdown: its definition, and the comment above it."""
    node = symbol.node
    span = getattr(node, "span", None)
    if span is None:
        return symbol.kind
    comment = comment_above(span) if symbol.kind in (BLOCK, MODEL, CONSTANT) else ""
    line = span.text.partition("\n")[0].rstrip(" {")
    return f"```cnn\n{line}\n```" + (f"\n\n{comment}" if comment else "")


# --- what parentheses take ---


@record
class Call:
    """What the parentheses around a place take: all of it as text, its parameters, and the one that is being written."""

    text: str
    parameters: tuple[str, ...]
    active: int
    about: str


def call_at(names: Names, offset: int) -> Call | None:
    """The layer, block, function or part of a recipe whose arguments are written at an offset."""
    place = place_at(names.source.text, offset)
    owner = place.inner.owner if place.inner.bracket == "(" else ""
    if not owner or owner in KEYWORDS:
        return None
    own = next((one for one in names.visible(offset) if one.name == owner), None)
    target: type[Declared] | None = layers.find(owner) or _component(owner)
    if own is not None:
        given = [part.node.span.text if hasattr(part.node, "span") else part.name for part in own.parameters]
        if isinstance(own.node, tree.Function):
            given = [name.id for name in own.node.parameters]
        keys = [part.name for part in own.parameters] or given
        text = f"{owner}({', '.join(given)})"
        return Call(text, tuple(given), _active(place, keys), about(own))
    if target is None:
        return None
    fields = target.signature.fields
    parts = tuple(name if field.required else f"{name}={spell(field.default)}" for name, field in fields.items())
    return Call(f"{owner}({target.signature.text})", parts, _active(place, list(fields)), _sentence(target))


def _active(place: Place, keys: list[str]) -> int:
    name = place.line[0] if len(place.line) > 1 and place.line[1] == "=" else ""
    return keys.index(name) if name in keys else place.commas
