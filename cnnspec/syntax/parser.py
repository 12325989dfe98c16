"""From tokens to the tree: a driver for the LALR tables that lark makes of the grammar.

Reports syntax errors and goes on behind the statement, definition or setting that holds one, so that every independent
mistake of a file is found in one run; `tree.Invalid` stands where it was. Never raises for what a text holds.
"""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Label, Sink, codes, note
from cnnspec.limits import LIMITS
from cnnspec.source import Source, Span
from cnnspec.syntax import hints, tree
from cnnspec.syntax._tables import KEYWORDS, RULES, STARTS, STATES
from cnnspec.syntax.build import Builder
from cnnspec.syntax.lexer import Token, report_unknown, tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STACK_LIMIT = 400
_RESUMED = ("statement", "item", "setting", "branch")
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
_DEFINITIONS = ("MODEL", "BLOCK", "TRAIN", "FROM")


class _Parts(list):  # type: ignore[type-arg]
    """The parts of a helper rule, which belong to the rule above it."""


def parse(source: Source, sink: Sink, *, tokens: int = LIMITS.tokens) -> tree.Tree:
    """The tree of a whole file, which may have so many tokens."""
    result = _Parser(source, sink, "start").run(tokens)
    return result if isinstance(result, tree.Tree) else tree.Tree(source, ())


def parse_expression(source: Source, sink: Sink) -> tree.Expression:
    """The tree of a source that is a single expression."""
    result: tree.Expression | None = _Parser(source, sink, "expression").run(LIMITS.tokens)
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

    def run(self, most: int) -> Any:
        self.tokens, self.unclosed = tokenize(self.source, self.sink, most)
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
        opened = self.open_braces()
        if missing := self._missing_braces(kind, start, opened):
            self._report_unclosed(opened, kind, start, end)
            close = ("RBRACE", start, start)
            separator = [] if kind == "$END" else [("_SEP", start, start)]
            self.tokens[self.at : self.at] = [close] * missing + separator
            return self._feed_closing()
        self._report_unexpected(kind, start, end)
        stray = kind == "RBRACE" and not opened
        early = kind == "_SEP" and self.tokens[self.at + 1][0] == "LBRACE" and self.accepts("LBRACE")
        if stray or early:
            self.at += 1
            return True
        return self._resume(start)

    def _missing_braces(self, kind: str, start: int, opened: list[int]) -> int:
        """How many braces are to be closed here: something begins that can't stand inside, and not further in than they."""
        if kind == "$END":
            return len(opened)
        if opened and kind in _DEFINITIONS and self._column(start) <= self._indent(opened[0]):
            return len(opened)
        if kind == "BRANCH" and self.begins("statement"):
            return sum(self._indent(brace) >= self._column(start) for brace in opened)
        return 0

    def _column(self, offset: int) -> int:
        return offset - (self.source.text.rfind("\n", 0, offset) + 1)

    def _indent(self, offset: int) -> int:
        """Width of the blanks at the beginning of a line."""
        line = self.source.text[self.source.text.rfind("\n", 0, offset) + 1 : offset]
        return len(line) - len(line.lstrip())

    def _begins_line(self, offset: int) -> bool:
        text = self.source.text
        while offset and text[offset - 1] in " \t":
            offset -= 1
        return offset == 0 or text[offset - 1] == "\n"

    def _feed_closing(self) -> bool:
        """Feed a brace that is missing; give up the unfinished statement where it does not fit."""
        kind, start, end = self.tokens[self.at]
        if self._feed(kind, start, end):
            self.at += 1
            return True
        return self._resume(start)

    def _resume(self, start: int) -> bool:
        """Drop the unfinished statement, definition or setting, put `Invalid` in its place, and skip to its end.

        A statement that is complete stays, and what stands behind it is skipped.
        """
        if self.accepts("_SEP") and self._is_complete() and self.tokens[self.at][0] != "_SEP":
            self._skip("statement")
            return True
        in_bracket = any(offset in self.unclosed for offset in self.starts[-_STACK_LIMIT:])
        depth = self._resumed_depth()
        if not depth:
            return False
        begin = self.starts[depth - 1] if depth <= len(self.starts) else start
        del self.states[depth:], self.values[depth - 1 :], self.starts[depth - 1 :], self.ends[depth - 1 :]
        symbol = next(symbol for symbol in _RESUMED if symbol in STATES[self.states[-1]])
        self._skip(symbol, in_bracket=in_bracket)
        finish = max(begin, start, self.tokens[self.at - 1][2] if self.at else 0)
        self.states.append(STATES[self.states[-1]][symbol])
        self.values.append(tree.Invalid(Span(self.source, begin, finish)))
        self.starts.append(begin)
        self.ends.append(finish)
        return True

    def _is_complete(self) -> bool:
        """Whether the statement in front may be taken at its word: a bare name may have been meant otherwise."""
        before, kind = self.tokens[self.at - 1][0], self.tokens[self.at][0]
        if kind == "COMMA":
            return before in ("RPAR", "RSQB", "RBRACE") or (before == "NAME" and self.accepts("AS"))
        # Behind `}` a name may be a misspelt `else` or `shortcut`.
        return before in ("RPAR", "RSQB") and kind not in ("LPAR", "LSQB", "LBRACE")

    def _resumed_depth(self) -> int:
        """Number of states that stay when the statement, definition or setting at hand is dropped with all its braces."""
        depth, closed = len(self.states), 0
        while depth and (closed or not any(symbol in STATES[self.states[depth - 1]] for symbol in _RESUMED)):
            value = self.values[depth - 2] if depth > 1 else None
            if value.__class__ is str:
                closed = max(0, closed + (value == "}") - (value == "{"))
            depth -= 1
        return depth

    def _skip(self, symbol: str, *, in_bracket: bool = False) -> None:
        """Go to the separator, closing brace or end that ends what is being skipped."""
        depth = 0
        while (kind := self.tokens[self.at][0]) != "$END":
            following = self.tokens[self.at + 1][0]
            goes_on = in_bracket and self.tokens[self.at - 1][0] in ("COMMA", "LPAR", "LSQB")
            if depth == 0 and symbol == "item":
                if kind == "_SEP" and following in (*_DEFINITIONS, "$END"):
                    return
            elif depth == 0 and symbol == "branch":
                if kind in ("BRANCH", "RBRACE"):
                    return
            elif depth == 0 and (kind == "RBRACE" or (kind == "_SEP" and not goes_on)):
                return
            depth = max(0, depth + (kind == "LBRACE") - (kind == "RBRACE"))
            self.at += 1

    def open_braces(self) -> list[int]:
        """Offsets of the braces that are open here, outermost first."""
        opened: list[int] = []
        for start, value in zip(self.starts, self.values):
            if value.__class__ is str and value == "{":
                opened.append(start)
            elif value.__class__ is str and value == "}":
                opened.pop()
        return opened

    # --- what to say about them ---

    def _report_unclosed(self, opened: list[int], kind: str, start: int, end: int) -> None:
        brace = self._unclosed_brace(opened)
        word = self.source.text[start:end]
        labels = [] if kind == "$END" else [Label(Span(self.source, start, end), f"`{word}` can't stand inside of it")]
        self.sink.report(codes.NOT_CLOSED, Span(self.source, brace, brace + 1), labels=labels, bracket="{")

    def _unclosed_brace(self, opened: list[int]) -> int:
        """The brace that its author forgot to close: one whose `}` is indented for a brace further out, if there is one."""
        braces: list[int] = []
        for kind, start, _ in self.tokens[: self.at]:
            if start >= opened[0] and kind == "LBRACE":
                braces.append(start)
            elif start >= opened[0] and kind == "RBRACE" and braces:
                brace = braces.pop()
                if self._begins_line(start) and self._column(start) < self._indent(brace):
                    return brace
        return opened[-1]

    def _report_unexpected(self, kind: str, start: int, end: int) -> None:
        if kind == "too deep":
            return
        if kind == "unknown":
            report_unknown(self.source, start, end, self.sink, hints.on_sign(self, start, end))
            return
        bracket = next((offset for offset in reversed(self.starts) if offset in self.unclosed), None)
        ends_line = kind in ("_SEP", "RBRACE", "$END") or (kind == "LBRACE" and not self.accepts("INT"))
        if bracket is not None and ends_line:
            mark = self.source.text[bracket]
            self.sink.report(codes.NOT_CLOSED, Span(self.source, bracket, bracket + 1), bracket=mark)
            return
        span = Span(self.source, start, start + 1 if kind == "_SEP" else end)
        if self._is_line_end(kind, start) and kind == "_SEP" and self.ends:
            span = Span(self.source, self.ends[-1], self.ends[-1] + 1)
        hint = hints.hint(self, kind, start, end)
        facts: dict[str, object] = {"found": self._found(kind, start, end), "expected": self._expected()}
        facts["verb"] = "end" if self._is_line_end(kind, start) else "stand"
        self.sink.add(Diagnostic(codes.UNEXPECTED, facts, span, (), (note(hint),) if hint else ()))

    def _is_line_end(self, kind: str, start: int) -> bool:
        return kind == "$END" or (kind == "_SEP" and self.source.text[start] != ";")

    def _found(self, kind: str, start: int, end: int) -> str:
        if self._is_line_end(kind, start):
            return "the file" if kind == "$END" else "the line"
        return "`;`" if kind == "_SEP" else f"`{self.source.text[start:end]}`"

    def begins(self, symbol: str) -> bool:
        """Whether a statement, an item, a branch or a setting could begin here."""
        return symbol in STATES[self.states[-1]]

    def accepts(self, kind: str) -> bool:
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
        if self.begins("item"):
            return "`model`, `block`, `train`, `let` or `from`"
        kinds = {"INT": "a value", "NAME": "a name", "STRING": "a text in double quotes"}
        words = [next((noun for kind, noun in kinds.items() if self.accepts(kind)), "")]
        if self.begins("statement") or self.begins("branch"):
            words = ["a statement" if self.begins("statement") else "`branch`"]
        operand = self.accepts("SIGN")
        if not words[0] and not operand and self.accepts("LSQB"):
            words = ["a list in brackets, such as `[3, 32, 32]`"]
        ends = self.accepts("_SEP") and words[0] not in ("a statement", "`branch`")
        left_out = {"LPAR": bool(words[0]) or operand, "RBRACE": ends}
        words += [f"`{sign}`" for kind, sign in _SIGNS.items() if not left_out.get(kind) and self.accepts(kind)]
        words += [f"`{_WORDS[kind]}`" for kind in ("IMPORT", "IN", "ELSE", "AS") if self.accepts(kind)]
        words += ["the end of the line"] if ends else ["the end"] if self.accepts("$END") else []
        words = [word for word in words if word]
        return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing more"
