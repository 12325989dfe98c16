"""A statement in PyTorch's words as one of the language: what surrounds the layer in Python is taken away."""

from __future__ import annotations

from cnnspec.diagnostics import Edit
from cnnspec.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.syntax.lexer import Token

_MODULES = ("nn", "torch", "F", "functional", "layers", "keras", "tf")
_FUNCTIONAL = ("F", "functional", "torch")
_RUNNING = ("x", "out", "output", "h")
"""What Python code calls the running value: no name for a layer."""
_SHORT = ("relu", "gelu", "elu", "selu", "celu", "silu", "prelu", "rrelu", "relu6", "mish", "glu")
"""Functions whose layer is not their name with capitals at the words."""


class _Line:
    """The tokens of a statement, and what was made of them so far."""

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self.source, self.tokens, self.at = source, tokens, 0
        self.edits: list[Edit] = []
        self.out: list[Token] = []

    def kinds(self, count: int) -> tuple[str, ...]:
        return tuple(kind for kind, _, _ in self.tokens[self.at : self.at + count])

    def word(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.source.text[self.tokens[at][1] : self.tokens[at][2]] if at < len(self.tokens) else ""

    def begin(self) -> int:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else self.tokens[-1][2]

    def change(self, start: int, end: int, text: str) -> None:
        self.edits.append(Edit(Span(self.source, start, end), text))


def of_torch(source: Source, tokens: list[Token]) -> tuple[list[Edit], list[Token]] | None:
    """The edits and the tokens of the statement that was meant; no tokens where a function stands for its layer.

    None for what is no statement in PyTorch's words.
    """
    line = _Line(source, tokens)
    if line.word() == "return" and line.kinds(2) == ("NAME", "NAME"):
        line.at = 1
        if len(tokens) == 2 and line.word() in _RUNNING:
            # A model gives the value of its last statement.
            line.change(tokens[0][1], tokens[1][2], "")
            return line.edits, []
    label = _target(line)
    start = line.begin()
    prefixes = _prefixes(line)
    if line.kinds(1) != ("NAME",) or not (label or prefixes):
        return None
    if line.word()[0].islower():
        return _function(line, prefixes, start)
    line.change(tokens[0][1], line.begin(), "")
    if line.word() == "Sequential":
        return _sequence(line)
    _copy(line, len(tokens))
    if label is not None and any(kind == "_SEP" for kind, _, _ in line.out):
        return None
    _finish(line, None if label is not None and line.source.text[label[1] : label[2]] in _RUNNING else label)
    return line.edits, line.out


def _target(line: _Line) -> Token | None:
    """Take `self.name =` or `name =` off; the name, which becomes a label."""
    if line.kinds(4) == ("NAME", "DOT", "NAME", "EQUAL") and line.word() == "self":
        line.at = 4
        return line.tokens[2]
    if line.kinds(2) == ("NAME", "EQUAL"):
        line.at = 2
        return line.tokens[0]
    return None


def _prefixes(line: _Line) -> list[str]:
    """Take `nn.`, `torch.nn.`, `F.`, `self.` off."""
    found: list[str] = []
    while line.kinds(2) == ("NAME", "DOT") and (line.word() in _MODULES or (line.word() == "self" and not found)):
        found.append(line.word())
        line.at += 2
    return found


def _function(line: _Line, prefixes: list[str], start: int) -> tuple[list[Edit], list[Token]] | None:
    """`x = F.relu(x)` is `ReLU`. What `self.conv1(x)` calls is known elsewhere."""
    name = line.word()
    known = name in _SHORT or any(prefix in _FUNCTIONAL for prefix in prefixes)
    if not known or line.kinds(2) != ("NAME", "LPAR") or line.tokens[-1][0] not in ("RPAR", "COMMA"):
        return None
    begin, end = line.tokens[0][1], line.tokens[-1][2]
    line.at += 2
    if line.kinds(1) == ("NAME",):
        line.at += 1
        if line.kinds(1) == ("COMMA",):
            line.at += 1
    close = len(line.tokens) - 1 - (line.tokens[-1][0] == "COMMA")
    rest = line.source.text[line.begin() : line.tokens[close][1]].strip() if line.at < close else ""
    line.change(begin, end, f"{_layer(name)}({rest})" if rest else _layer(name))
    return line.edits, []


def _layer(function: str) -> str:
    """The layer that a function of `torch.nn.functional` is."""
    if function in _SHORT:
        spelled = function.upper() if function in ("gelu", "elu", "selu", "celu", "glu") else function.capitalize()
        return (
            spelled.replace("Relu", "ReLU").replace("Prelu", "PReLU").replace("Rrelu", "RReLU").replace("Silu", "SiLU")
        )
    return "".join(part[:1].upper() + part[1:] for part in function.split("_"))


def _copy(line: _Line, until: int) -> None:
    """Take tokens over, without the modules in front of layers, with double quotes."""
    depth = 0
    while line.at < until:
        kind, start, end = line.tokens[line.at]
        depth += (kind in ("LPAR", "LSQB")) - (kind in ("RPAR", "RSQB"))
        if kind == "COMMA" and depth == 0 and line.at < until - 1:
            # Layers that are written in one row.
            kind = "_SEP"
            line.change(start, end, ";")
        if line.kinds(2) == ("NAME", "DOT") and line.word() in _MODULES:
            begin = line.begin()
            _prefixes(line)
            line.change(begin, line.begin(), "")
            continue
        if kind == "unknown" and line.source.text[start] == "'" == line.source.text[end - 1] and end - start > 1:
            kind = "STRING"
            line.change(start, end, f'"{line.source.text[start + 1 : end - 1]}"')
        line.out.append((kind, start, end))
        line.at += 1


def _finish(line: _Line, label: Token | None) -> None:
    """Take a comma at the end off, and put the label there."""
    comma = line.out[-1] if line.out[-1][0] == "COMMA" else None
    if comma is not None:
        line.out.pop()
    end = line.out[-1][2]
    text = ""
    if label is not None:
        text = f" as {line.source.text[label[1] : label[2]]}"
        line.out += [("AS", end, end), ("NAME", label[1], label[2])]
    if comma is not None or text:
        line.change(end, comma[2] if comma is not None else end, text)


def _sequence(line: _Line) -> tuple[list[Edit], list[Token]] | None:
    """`nn.Sequential(a, b)`: its layers, one behind the other."""
    if line.kinds(2) != ("NAME", "LPAR"):
        return None
    first = line.edits.pop().span
    line.at += 2
    line.change(first.start, line.begin(), "")
    last = len(line.tokens) - 1 - (line.tokens[-1][0] == "COMMA")
    depth, start = 0, line.at
    for number in range(start, last + 1):
        kind, begin, end = line.tokens[number]
        if depth == 0 and (kind == "COMMA" or number == last):
            _copy(line, number)
            line.at = number + 1
            lines = "\n" in line.source.text[end : line.begin()] if number < last else True
            text = "" if number >= last - 1 or lines else ";"
            if number == last and not line.source.text[line.tokens[number - 1][2] : begin].strip():
                begin = line.tokens[number - 1][2]
            line.change(begin, line.tokens[-1][2] if number == last else end, text)
            if number < last and line.tokens[number + 1][0] != "RPAR":
                line.out.append(("_SEP", begin, end))
        depth += (kind in ("LPAR", "LSQB")) - (kind in ("RPAR", "RSQB"))
    return (line.edits, line.out) if line.tokens[last][0] == "RPAR" and line.out else None
