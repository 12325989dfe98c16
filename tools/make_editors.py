"""Writes what the VS Code extension knows of the language: its TextMate grammar and its snippets.

python -m tools.make_editors
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnspec.editor.completion import DEFINITIONS, STATEMENTS
from cnnspec.editor.words import CONSTANTS, DECLARING, MERGES, OPERATORS, OTHERS, layer_names

FOLDER = Path(__file__).parent.parent / "editors" / "vscode"


def grammar() -> dict[str, Any]:
    """The TextMate grammar, with the names of scopes that themes know."""

    def one_of(words: tuple[str, ...]) -> str:
        return rf"\b(?:{'|'.join(words)})\b"

    return {
        "name": "cnnspec",
        "scopeName": "source.cnn",
        "patterns": [
            {"name": "comment.line.number-sign.cnn", "match": r"#.*$"},
            {
                "name": "string.quoted.double.cnn",
                "begin": '"',
                "end": r'"|$',
                "patterns": [{"name": "constant.character.escape.cnn", "match": r"\."}],
            },
            {
                "match": rf"\b({'|'.join(DECLARING)})\s+([A-Za-z_]\w*)",
                "captures": {"1": {"name": "storage.type.cnn"}, "2": {"name": "entity.name.type.cnn"}},
            },
            {
                "name": "constant.numeric.cnn",
                "match": r"(?<![\w.])(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?",
            },
            {"match": r"\b([A-Za-z_]\w*)\s*(?==(?!=))", "captures": {"1": {"name": "variable.parameter.cnn"}}},
            {"name": "constant.language.cnn", "match": one_of(CONSTANTS)},
            {"name": "keyword.operator.logical.cnn", "match": one_of(OPERATORS)},
            {"name": "keyword.control.cnn", "match": one_of((*DECLARING, *OTHERS))},
            {"name": "keyword.other.cnn", "match": one_of(MERGES)},
            {"name": "support.class.cnn", "match": one_of(layer_names())},
            {"name": "keyword.operator.cnn", "match": r"->|\*\*|//|[=!<>]=|[-+*/%=<>]"},
            {"name": "variable.other.cnn", "match": r"\b[A-Za-z_]\w*"},
        ],
    }


def snippets() -> dict[str, Any]:
    """Definitions and statements with places to fill in."""
    every = DEFINITIONS | STATEMENTS
    return {name: {"prefix": name, "body": text.split("\n")} for name, text in every.items()}


def files() -> dict[Path, str]:
    made = {FOLDER / "syntaxes" / "cnn.tmLanguage.json": grammar(), FOLDER / "snippets.json": snippets()}
    return {path: json.dumps(content, indent=2) + "\n" for path, content in made.items()}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
