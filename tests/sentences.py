"""Random texts of the language, derived from its grammar: every form that there is, in every place where it may stand."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from tests.reference_parser import reference

SAMPLES = {
    "NAME": ("x", "Conv2d", "width", "ReLU", "H", "a_long_name_of_something"),
    "INT": ("0", "1", "64", "1_000"),
    "FLOAT": ("0.5", ".5", "1.", "1e-6"),
    "STRING": ('"same"', '"a # b"', '""', '"a.cnn"'),
    "_SEP": ("\n", ";", "\n\n", "  # why\n", "\n# above\n", " ; "),
    "COMPARE": ("==", "<", ">="),
    "SIGN": ("+", "-"),
    "FACTOR": ("*", "/", "//", "%"),
}


class Sentences:
    """Derives texts. The deeper it is, the likelier it takes the shortest way to an end."""

    def __init__(self) -> None:
        grammar = reference()
        self.rules: dict[str, list[Any]] = {}
        for rule in grammar.rules:
            self.rules.setdefault(rule.origin.name, []).append(rule.expansion)
        self.words = {terminal.name: terminal.pattern.value for terminal in grammar.terminals}
        self.heights = self._heights()

    def _heights(self) -> dict[str, int]:
        heights: dict[str, int] = {}
        changed = True
        while changed:
            changed = False
            for name, expansions in self.rules.items():
                known = [self._height(expansion, heights) for expansion in expansions]
                least = min((height for height in known if height is not None), default=None)
                if least is not None and heights.get(name, 99) > least:
                    heights[name] = least
                    changed = True
        return heights

    def _height(self, expansion: Any, heights: dict[str, int]) -> int | None:
        below = [0 if part.is_term else heights.get(part.name) for part in expansion]
        return None if None in below else 1 + max((height for height in below if height is not None), default=0)

    def derive(self, rng: random.Random, symbol: str = "start", depth: int = 0) -> list[str]:
        """The words of a random text of a rule."""
        expansions = self.rules[symbol]
        if depth > 24 or rng.random() < 0.25:
            least = min(self._height(expansion, self.heights) or 0 for expansion in expansions)
            expansions = [one for one in expansions if self._height(one, self.heights) == least]
        words: list[str] = []
        for part in rng.choice(expansions):
            if part.is_term:
                words.append(rng.choice(SAMPLES.get(part.name, (self.words[part.name],))))
            else:
                words += self.derive(rng, part.name, depth + 1)
        return words

    def text(self, rng: random.Random) -> str:
        """A whole file, or a body in a block."""
        if rng.random() < 0.3:
            return " ".join(self.derive(rng))
        statements = [" ".join(self.derive(rng, "statement", rng.randint(8, 24))) for _ in range(rng.randint(1, 4))]
        return "block B {\n" + "\n".join(statements) + "\n}\n"


@cache
def sentences() -> Sentences:
    """The one generator: its tables take a moment to make."""
    return Sentences()
