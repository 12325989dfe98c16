"""How Sphinx builds the site: `python -m tools.make_docs` puts its sources together and runs it."""

from __future__ import annotations

from typing import Any

from cnnspec import __version__
from cnnspec.editor.pygments_lexer import CnnLexer

project = "cnnspec"
release = __version__
copyright = "the authors of cnnspec"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 4
# Docstrings put code between single backticks.
default_role = "code"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = "cnnspec"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def setup(app: Any) -> None:
    app.add_lexer("cnn", CnnLexer)
