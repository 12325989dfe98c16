"""Colours for `.cnn` text in Sphinx, MkDocs and everything else that uses Pygments, which finds the lexer by its entry point.

Only Pygments imports this module.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from cnnspec.editor.words import CONSTANTS, DECLARING, MERGES, OPERATORS, OTHERS, layer_names


class CnnLexer(RegexLexer):
    """Lexer of the .cnn language."""

    name = "cnnspec"
    aliases: ClassVar[list[str]] = ["cnn", "cnnspec"]
    filenames: ClassVar[list[str]] = ["*.cnn"]
    mimetypes: ClassVar[list[str]] = ["text/x-cnnspec"]
    version_added = ""

    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"\s+", Text.Whitespace),
            (r"(#\s*cnnspec:)([^\n]*)", bygroups(Comment.Special, Comment.Single)),  # type: ignore[no-untyped-call]
            (r"#[^\n]*", Comment.Single),
            (r'"([^"\\\n]|\\[^\n])*"', String.Double),
            (r"([0-9][0-9_]*\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+", Number.Float),
            (r"[0-9][0-9_]*", Number.Integer),
            (rf"\b({'|'.join(DECLARING)})(\s+)([A-Za-z_]\w*)", bygroups(Keyword.Declaration, Text, Name.Class)),  # type: ignore[no-untyped-call]
            (r"_\b", Keyword.Pseudo),
            (r"([A-Za-z_]\w*)(\s*)(=)(?!=)", bygroups(Name.Attribute, Text, Operator)),  # type: ignore[no-untyped-call]
            (words((*DECLARING, *OTHERS), prefix=r"\b", suffix=r"\b"), Keyword),
            (words(MERGES, prefix=r"\b", suffix=r"\b"), Keyword.Reserved),
            (words(CONSTANTS, prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (words(OPERATORS, prefix=r"\b", suffix=r"\b"), Operator.Word),
            (words(layer_names(), prefix=r"\b", suffix=r"\b"), Name.Builtin),
            (r"[A-Za-z_]\w*", Name),
            (r"->|\*\*|//|[-+*/%]|[=!<>]=|[<>=]", Operator),
            (r"[()\[\]{},;:.]", Punctuation),
        ]
    }
