"""Write `_tables.py`: what lark makes of `grammars/cnn.lark`, as plain data that the parser runs without lark.

    python -m tools.make_tables

A checkout does so by itself where the grammar has changed. The tables hold a digest of the grammar that they were made from:
a build fails where it is another one, and a test compares all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from string import punctuation
from typing import Any

from cnnspec.files import write_atomic
from cnnspec.resources import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lark import Lark
    from lark.lexer import TerminalDef

STARTS = ["start", "expression"]
TARGET = Path(__file__).parent.parent / "cnnspec" / "syntax" / "_tables.py"


def load_grammar(**options: Any) -> Lark:
    """lark's own parser of the language."""
    from lark import Lark

    return Lark(_grammar(), parser="lalr", lexer="basic", maybe_placeholders=False, start=STARTS, **options)


def _grammar() -> str:
    return resource("grammars", "cnn.lark").read_text(encoding="utf-8")


def digest() -> str:
    """What the tables are marked with."""
    return hashlib.sha256(_grammar().encode()).hexdigest()


def make_tables() -> str:
    """The text of `_tables.py`."""
    from lark.parsers.lalr_analysis import Shift

    lark = load_grammar()
    table = lark.parser.parser._parse_table
    order = _order(table)
    numbers = {state: number for number, state in enumerate(order)}
    rules: dict[tuple[Any, ...], int] = {}
    states: list[dict[str, int]] = []
    for state in order:
        row: dict[str, int] = {}
        for symbol, (action, target) in sorted(table.states[state].items()):
            row[symbol] = numbers[target] if action is Shift else ~rules.setdefault(_rule(target), len(rules))
        states.append(row)
    starts = {name: (numbers[table.start_states[name]], numbers[table.end_states[name]]) for name in STARTS}
    return _MODULE.format(
        states="".join(f"    {row!r},\n" for row in states),
        rules="".join(f"    {rule!r},\n" for rule in rules),
        starts=starts,
        keywords={terminal.pattern.value: terminal.name for terminal in _keywords(lark)},
        signs=_signs(_pattern(lark)),
        pattern=_pattern(lark),
        ignored=sorted(lark.ignore_tokens),
        names=sorted(_names(lark)),
        digest=digest(),
    )


def _order(table: Any) -> list[Any]:
    """The states in the order in which a walk from the start meets them: lark's own numbers vary from run to run."""
    from lark.parsers.lalr_analysis import Shift

    order = [table.start_states[name] for name in STARTS]
    seen = set(order)
    for state in order:
        for _, (action, target) in sorted(table.states[state].items()):
            if action is Shift and target not in seen:
                seen.add(target)
                order.append(target)
    return order


def _rule(rule: Any) -> tuple[Any, ...]:
    """(symbol, method of the builder or "", length, indices of the parts that are kept or None for all)."""
    symbol = str(rule.origin.name)
    kept = tuple(i for i, part in enumerate(rule.expansion) if not (part.is_term and part.filter_out))
    everything = len(kept) == len(rule.expansion)
    method = "" if symbol.startswith("_") else str(rule.alias or symbol)
    expands = bool(rule.options.expand1) and rule.alias is None and len(kept) == 1
    return (symbol, "=" if expands else method, len(rule.expansion), None if everything else kept)


def _keywords(lark: Lark) -> list[TerminalDef]:
    return [terminal for terminal in lark.terminals if terminal.pattern.value.isidentifier()]


def _names(lark: Lark) -> list[str]:
    """The words that begin a statement, or a part of one, and are names elsewhere."""
    return [str(rule.expansion[0].name) for rule in lark.rules if rule.origin.name == "word_of_statements"]


def _pattern(lark: Lark) -> str:
    """One regular expression with a group a terminal, in the order in which lark tries them."""
    keywords = _keywords(lark)
    others = [terminal for terminal in lark.terminals if terminal not in keywords]
    others.sort(key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    pattern = "|".join(f"(?P<{terminal.name}>{terminal.pattern.to_regexp()})" for terminal in others)
    re.compile(pattern)
    return pattern


def _signs(pattern: str) -> dict[str, str]:
    """The tokens that are made of punctuation, with their kinds: `**`, `->`, `(`."""
    written = [first + second for first in punctuation for second in ("", *punctuation)]
    found = ((sign, re.fullmatch(pattern, sign)) for sign in written)
    return {sign: str(match.lastgroup) for sign, match in found if match and match.lastgroup not in _READ}


# What the lexer reads sign by sign.
_READ = {"FLOAT", "INT", "NAME", "STRING", "COMMENT", "BLANK", "_SEP"}
_MODULE = '''"""Tables made by lark from grammars/cnn.lark. Do not edit: python -m tools.make_tables writes this file."""

GRAMMAR = {digest!r}
"""SHA-256 of the grammar."""

# For each state: what to do on a symbol. A number >= 0 is the next state, ~number the rule to apply.
STATES: list[dict[str, int]] = [
{states}]

# (symbol, method of the builder, "" to hand the parts up or "=" to hand up the only one, length, parts kept or None)
RULES: list[tuple[str, str, int, tuple[int, ...] | None]] = [
{rules}]

# Start symbol: its first and its last state.
STARTS: dict[str, tuple[int, int]] = {starts!r}

KEYWORDS: dict[str, str] = {keywords!r}

# One or two characters that are a token, as the lexer takes them: two before one.
SIGNS: dict[str, str] = {signs!r}

# The same and all other tokens, as one regular expression, and those that count for nothing.
PATTERN = {pattern!r}

IGNORED: frozenset[str] = frozenset({ignored!r})

# Words that begin a statement, or a part of one, and are names elsewhere.
NAMES: frozenset[str] = frozenset({names!r})
'''


def refresh() -> None:
    """Bring the tables up to date with the grammar, as far as lark is installed."""
    if f"GRAMMAR = {digest()!r}" in TARGET.read_text(encoding="utf-8"):
        os.utime(TARGET)
        return
    try:
        text = make_tables()
    except ImportError:
        return
    write_atomic(TARGET, text)
    sys.modules.pop("cnnspec.syntax._tables", None)


def main() -> None:
    """Write the file in one step."""
    write_atomic(TARGET, make_tables())


if __name__ == "__main__":
    main()
