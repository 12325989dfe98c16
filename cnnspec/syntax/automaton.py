"""The automaton of the grammar, driven by the LALR tables that lark makes: where it stands in the tokens of a text.

It recognises; what to do about tokens that can't stand where they are is decided elsewhere (`recovery`, `unexpected`).
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.source import Source
from cnnspec.syntax._tables import RULES, STARTS, STATES
from cnnspec.syntax.build import VALUES, Builder
from cnnspec.syntax.lexer import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Entry = tuple[int, "Any", int, int]
"""A state, the value that it was entered with, and the offsets at which the text of that value begins and ends."""

RESUMED = ("statement", "item", "setting", "branch")
"""What is dropped whole where it can't be understood."""
_STACK_LIMIT = 400


class TooDeep(Exception):
    """The text is nested more deeply than any that the lexer lets pass."""


class _Parts(list):  # type: ignore[type-arg]
    """The parts of a helper rule, which belong to the rule above it."""


def _flat(values: list[Any]) -> list[Any]:
    """The parts of a rule, with those of its helpers among them."""
    # The helper of a repetition has its earlier parts in front: to extend them keeps the time linear.
    found, rest = (values[0], values[1:]) if values[0].__class__ is _Parts else (_Parts(), values)
    for part in rest:
        if part.__class__ is _Parts:
            found.extend(part)
        else:
            found.append(part)
    return found


class Automaton:
    """The automaton on its way through the tokens of one source."""

    def __init__(self, source: Source, sink: Sink, start: str) -> None:
        self.source, self.sink = source, sink
        self.builder = Builder(source, sink)
        self.whole = start == "start"
        """Whether the text is that of a file."""
        first, self.last = STARTS[start]
        self.entries: list[Entry] = [(first, None, -1, 0)]
        self.tokens: list[Token] = []
        self.unclosed: set[int] = set()
        """Offsets of the brackets that are never closed."""
        self.at = 0
        """The number of the token at hand."""
        self.corrected = 0
        """Mistakes that were read as what they were meant to be."""

    @property
    def state(self) -> int:
        return self.entries[-1][0]

    @property
    def before(self) -> Any:
        """What was recognised in front of the token at hand."""
        return self.entries[-1][1]

    @property
    def end(self) -> int:
        """Where that ends."""
        return self.entries[-1][3]

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def following(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def text(self, token: Token) -> str:
        return self.source.text[token[1] : token[2]]

    def feed(self, kind: str, start: int, end: int) -> bool:
        """Reduce and shift one token; False where it can't stand here. Raises TooDeep."""
        entries = self.entries
        state = entries[-1][0]
        while (action := STATES[state].get(kind)) is not None:
            if action >= 0:
                if len(entries) > _STACK_LIMIT:
                    raise TooDeep
                value: Any = self.source.text[start:end]
                if kind in VALUES:
                    value = self.builder.word(kind, value, start, end)
                entries.append((action, value, start, end))
                return True
            symbol, method, length, kept = RULES[~action]
            if method == "=" and length == 1:
                _, value, begin, finish = entries[-1]
                state = _renamed(entries[-2][0], state, kind)
                entries[-1] = (state, value, begin, finish)
            else:
                self._reduce(symbol, method, length, kept, start)
                state = entries[-1][0]
            if state == self.last and kind == "$END":
                return True
        return False

    def _reduce(self, symbol: str, method: str, length: int, kept: tuple[int, ...] | None, at: int) -> None:
        entries = self.entries
        values: list[Any] = []
        begin = finish = entries[-1][3] if len(entries) > 1 else at
        if length:
            top = entries[-length:]
            del entries[-length:]
            begin, finish = top[0][2], top[-1][3]
            if finish < begin:
                # A corrected text may have a name that stands in front of what it names.
                finish = max(entry[3] for entry in top)
            values = [entry[1] for entry in top] if kept is None else [top[index][1] for index in kept]
        for part in values:
            if part.__class__ is _Parts:
                values = _flat(values)
                break
        if method == "":
            value: Any = values if values.__class__ is _Parts else _Parts(values)
        elif method == "=":
            value = values[0]
        else:
            value = self.builder.build(method, values, begin, finish)
        entries.append((STATES[entries[-1][0]][symbol], value, begin, finish))

    def put(self, symbol: str, value: Any, begin: int, finish: int) -> None:
        """Go on as if a whole `symbol` had been recognised."""
        self.entries.append((STATES[self.state][symbol], value, begin, finish))

    def reads(self, depth: int, tokens: list[Token]) -> bool:
        """Whether tokens could be read behind the first `depth` entries. Changes nothing."""
        trial = Automaton(self.source, Sink(), "start")
        trial.entries = [
            (state, _Parts(value) if value.__class__ is _Parts else value, start, end)
            for state, value, start, end in self.entries[:depth]
        ]
        try:
            return all(trial.feed(*token) for token in tokens) and not len(trial.sink)
        except TooDeep:
            return False

    # --- what could stand here ---

    def accepts(self, kind: str) -> bool:
        """Whether a token could stand here, after the reductions that it would set off."""
        states = [entry[0] for entry in self.entries]
        while (action := STATES[states[-1]].get(kind)) is not None:
            if action >= 0:
                return True
            symbol, _, length, _ = RULES[~action]
            if length:
                del states[-length:]
            states.append(STATES[states[-1]][symbol])
            if kind == "$END" and states[-1] == self.last:
                return True
        return False

    def begins(self, symbol: str) -> bool:
        """Whether a statement, an item, a branch or a setting could begin here."""
        return symbol in STATES[self.state]

    def open_braces(self) -> list[int]:
        """Offsets of the braces that are open here, outermost first."""
        opened: list[int] = []
        for _, value, start, _ in self.entries:
            if value.__class__ is str and value == "{":
                opened.append(start)
            elif value.__class__ is str and value == "}":
                opened.pop()
        return opened

    def open_bracket(self) -> int | None:
        """The offset of the innermost bracket that is open here and never closed."""
        return next((start for _, _, start, _ in reversed(self.entries) if start in self.unclosed), None)

    def depth(self) -> int:
        """Number of entries that stay when the statement, definition or setting at hand is dropped with all its braces."""
        entries = self.entries
        depth, closed = len(entries), 0
        while depth and (closed or not any(symbol in STATES[entries[depth - 1][0]] for symbol in RESUMED)):
            value = entries[depth - 1][1]
            if value.__class__ is str:
                closed = max(0, closed + (value == "}") - (value == "{"))
            depth -= 1
        return depth


_renamings: dict[tuple[int, int, str], int] = {}


def _renamed(below: int, state: int, kind: str) -> int:
    """The state on top of `below` after all rules that only call a part by another name."""
    key = below, state, kind
    found = _renamings.get(key)
    if found is None:
        found = state
        while (action := STATES[found].get(kind, 0)) < 0:
            symbol, method, length, _ = RULES[~action]
            if method != "=" or length != 1:
                break
            found = STATES[below][symbol]
        _renamings[key] = found
    return found
