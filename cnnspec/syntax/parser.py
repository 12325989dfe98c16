"""From tokens to the tree: a driver for the LALR tables that lark makes of the grammar.

Reports syntax errors and goes on behind the statement, definition or setting that holds one, so that every independent
mistake of a file is found in one run; `tree.Invalid` stands where it was. Never raises for what a text holds.
"""

from __future__ import annotations

from cnnspec.diagnostics import Label, Sink, codes
from cnnspec.diagnostics.suggest import closest
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree
from cnnspec.syntax._tables import KEYWORDS, RULES, STARTS, STATES
from cnnspec.syntax.build import Builder
from cnnspec.syntax.lexer import Token, tokenize
from cnnspec.syntax.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STACK_LIMIT = 400
_RESUMED = ("statement", "item", "setting", "branch")
_PLAIN = frozenset(KEYWORDS.values()) - {"TRUE", "FALSE", "NONE"}
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
_CLOSERS = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}


class _Parts(list):  # type: ignore[type-arg]
    """The parts of a helper rule, which belong to the rule above it."""


def parse(source: Source, sink: Sink) -> tree.Tree:
    """The tree of a whole file."""
    result = _Parser(source, sink, "start").run()
    return result if isinstance(result, tree.Tree) else tree.Tree(source, ())


def parse_expression(source: Source, sink: Sink) -> tree.Expression:
    """The tree of a source that is a single expression."""
    result: tree.Expression | None = _Parser(source, sink, "expression").run()
    return tree.Invalid(Span(source, 0, len(source.text))) if result is None else result


class _Parser:
    def __init__(self, source: Source, sink: Sink, start: str) -> None:
        self.source, self.sink = source, sink
        self.builder = Builder(source, sink)
        self.first, self.last = STARTS[start]
        self.states = [self.first]
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.tokens: list[Token] = []
        self.unclosed: set[int] = set()
        self.at = 0

    def run(self) -> Any:
        self.tokens, self.unclosed = tokenize(self.source, self.sink)
        failed_at = -1
        while self.at < len(self.tokens) and len(self.sink) <= LIMITS.mistakes:
            kind, start, end = self.tokens[self.at]
            if self._feed(kind, start, end):
                self.at += 1
            elif not self._recover(self.at == failed_at):
                return None
            else:
                failed_at = self.at
        return self.values[-1] if self.values else None

    def _feed(self, kind: str, start: int, end: int) -> bool:
        """Reduce and shift one token; False where it can't stand here."""
        states, values, starts, ends = self.states, self.values, self.starts, self.ends
        while (action := STATES[states[-1]].get(kind)) is not None:
            if action >= 0:
                if len(states) > _STACK_LIMIT:
                    self.sink.report(codes.NESTED_TOO_DEEPLY, Span(self.source, start, end), limit=LIMITS.nesting)
                    self.tokens = []
                    return True
                states.append(action)
                values.append(self.builder.word(kind, self.source.text[start:end], start, end))
                starts.append(start)
                ends.append(end)
                return True
            symbol, method, length, kept = RULES[~action]
            if method == "=" and length == 1:
                states[-1] = STATES[states[-2]][symbol]
            else:
                self._reduce(symbol, method, length, kept, start)
            if kind == "$END" and states[-1] == self.last:
                return True
        return False

    def _reduce(self, symbol: str, method: str, length: int, kept: tuple[int, ...] | None, at: int) -> None:
        states, values, starts, ends = self.states, self.values, self.starts, self.ends
        parts: list[Any] = []
        begin = finish = ends[-1] if ends else at
        if length:
            parts, begin, finish = values[-length:], starts[-length], ends[-1]
            del values[-length:], states[-length:], starts[-length:], ends[-length:]
            if kept is not None:
                parts = [parts[index] for index in kept]
        if parts and parts[0].__class__ is _Parts:
            # The helper of a repetition has its earlier parts in front: to extend them keeps the time linear.
            parts, rest = parts[0], parts[1:]
        else:
            parts, rest = _Parts(), parts
        for part in rest:
            if part.__class__ is _Parts:
                parts.extend(part)
            else:
                parts.append(part)
        if method == "":
            value: Any = parts
        elif method == "=":
            value = parts[0]
        else:
            value = getattr(self.builder, method)(parts, Span(self.source, begin, finish))
        states.append(STATES[states[-1]][symbol])
        values.append(value)
        starts.append(begin)
        ends.append(finish)

    # --- syntax errors ---

    def _recover(self, stuck: bool) -> bool:
        """Report the token that can't stand here and go on behind what holds it; False where nothing can be saved."""
        kind, start, end = self.tokens[self.at]
        if stuck:
            self.at += 1
            return self.at < len(self.tokens) and kind != "$END"
        opened = self._open_braces()
        if opened and kind in ("$END", "MODEL", "BLOCK", "TRAIN", "FROM") and not self._is_reported(start):
            self._report_unclosed(opened[-1], kind, start, end)
            close = ("RBRACE", start, start)
            separator = [] if kind == "$END" else [("_SEP", start, start)]
            self.tokens[self.at : self.at] = [close] * len(opened) + separator
            return self._feed_closing()
        self._report_unexpected(kind, start, end)
        if kind == "RBRACE" and not opened:
            self.at += 1
            return True
        return self._resume(start)

    def _feed_closing(self) -> bool:
        """Feed a brace that is missing; give up the unfinished statement where it does not fit."""
        kind, start, end = self.tokens[self.at]
        if self._feed(kind, start, end):
            self.at += 1
            return True
        return self._resume(start)

    def _resume(self, start: int) -> bool:
        """Drop the unfinished statement, definition or setting, put `Invalid` in its place, and skip to its end."""
        depth = len(self.states)
        while depth and not any(symbol in STATES[self.states[depth - 1]] for symbol in _RESUMED):
            depth -= 1
        if not depth:
            return False
        begin = self.starts[depth - 1] if depth <= len(self.starts) else start
        del self.states[depth:], self.values[depth - 1 :], self.starts[depth - 1 :], self.ends[depth - 1 :]
        self._skip()
        symbol = next(symbol for symbol in _RESUMED if symbol in STATES[self.states[-1]])
        self.states.append(STATES[self.states[-1]][symbol])
        self.values.append(tree.Invalid(Span(self.source, begin, max(begin, start))))
        self.starts.append(begin)
        self.ends.append(max(begin, start))
        return True

    def _skip(self) -> None:
        """Go to the separator, closing brace or end that ends what is being skipped."""
        depth = 0
        while (kind := self.tokens[self.at][0]) != "$END":
            if depth == 0 and kind in ("_SEP", "RBRACE"):
                return
            depth += (kind == "LBRACE") - (kind == "RBRACE")
            self.at += 1

    def _open_braces(self) -> list[int]:
        """Offsets of the braces that are open here, outermost first."""
        opened: list[int] = []
        for start, value in zip(self.starts, self.values):
            if value.__class__ is str and value == "{":
                opened.append(start)
            elif value.__class__ is str and value == "}":
                opened.pop()
        return opened

    def _is_reported(self, start: int) -> bool:
        """True where the lexer has reported this token already."""
        return self.tokens[self.at][0] in ("unknown", "too deep")

    def _report_unclosed(self, opened: int, kind: str, start: int, end: int) -> None:
        where = Span(self.source, start, end)
        word = self.source.text[start:end]
        labels = [] if kind == "$END" else [Label(where, f"`{word}` can't stand inside of it")]
        self.sink.report(codes.NOT_CLOSED, Span(self.source, opened, opened + 1), labels=labels, bracket="{")

    def _report_unexpected(self, kind: str, start: int, end: int) -> None:
        if self._is_reported(start):
            return
        bracket = next((offset for offset in reversed(self.starts) if offset in self.unclosed), None)
        if bracket is not None and kind in ("_SEP", "LBRACE", "RBRACE", "$END"):
            mark = self.source.text[bracket]
            self.sink.report(codes.NOT_CLOSED, Span(self.source, bracket, bracket + 1), bracket=mark)
            return
        if kind == "_SEP":
            end = start + 1
        span = Span(self.source, start, end)
        helps = tuple(self._hints(kind, start, end))
        expected = self._expected()
        self.sink.report(codes.UNEXPECTED, span, helps=helps, found=self._found(kind, start, end), expected=expected)

    def _found(self, kind: str, start: int, end: int) -> str:
        if kind == "$END":
            return "the end of the file"
        if kind == "_SEP":
            return "`;`" if self.source.text[start] == ";" else "the end of the line"
        return f"`{self.source.text[start:end]}`"

    def _accepts(self, kind: str) -> bool:
        """Whether a token could stand here, after the reductions that it would set off."""
        states = list(self.states)
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

    def _expected(self) -> str:
        """What could stand here, in words."""
        words: list[str] = []
        if self._accepts("MODEL"):
            words += ["`model`", "`block`", "`train`", "`from`"]
        elif self._accepts("REPEAT"):
            words.append("a layer or another statement")
        elif self._accepts("INT"):
            words.append("a value")
        elif self._accepts("NAME"):
            words.append("a name")
        elif self._accepts("STRING"):
            words.append("a path in double quotes")
        words += [
            f"`{sign}`" for name, sign in _SIGNS.items() if self._accepts(name) and not (words and name == "LPAR")
        ]
        words += [f"`{_WORDS[name]}`" for name in ("IMPORT", "IN", "BRANCH", "ELSE") if self._accepts(name)]
        if (
            self._accepts("_SEP")
            and not (words and words[0] == "`model`")
            and "a layer or another statement" not in words
        ):
            words.append("the end of the line")
        if self._accepts("$END") and not words:
            words.append("the end")
        return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing more"

    def _hints(self, kind: str, start: int, end: int) -> list[str]:
        """Ways out of mistakes that people make."""
        text = self.source.text
        before = self.values[-1] if self.values else None
        word = text[start:end]
        if isinstance(before, tree.Name):
            if kind in ("INT", "FLOAT", "NAME", "LBRACE"):
                known = ["model", "block", "train", "from"] if self._at_item() else [*_WORDS.values()]
                if near := closest(before.id, known):
                    return [f"did you mean `{near}`?"]
            if kind in ("INT", "FLOAT") and self.ends[-1] < start:
                return [f"arguments stand in parentheses: `{before.id}({word})`"]
            if kind == "EQUAL" and not self._accepts("EQUAL"):
                return [f"a name is bound with `let {before.id} = ...`"]
        if kind == "NAME" and self._at_item() and (near := closest(word, ["model", "block", "train", "from"])):
            return [f"did you mean `{near}`?"]
        if kind in _PLAIN and self._accepts("NAME"):
            return [f"`{word}` is a word of the language: use another name"]
        if kind == "NAME" and word in ("True", "False", "None"):
            return [f"it is written `{word.lower()}`"]
        return []

    def _at_item(self) -> bool:
        """True where the unfinished part of the file is a definition rather than a statement."""
        return not self._open_braces()
