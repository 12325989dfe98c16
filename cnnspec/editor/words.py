"""The words of the language by what they are, for all that colours text: Pygments, TextMate grammars, editors in a page."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.syntax._tables import KEYWORDS

DECLARING = ("model", "block", "train")
"""Words in front of a name that they define."""
MERGES = ("add", "multiply", "concat", "matmul", "tuple", "input", "use", "again", "weight")
"""Statements that take values as they are named."""
CONSTANTS = ("true", "false", "none")
OPERATORS = ("and", "or", "not")
OTHERS = tuple(sorted(set(KEYWORDS) - {*DECLARING, *MERGES, *CONSTANTS, *OPERATORS, "_"}))
"""All other words with a meaning of their own."""


def layer_names() -> tuple[str, ...]:
    return tuple(sorted(layers.names()))
