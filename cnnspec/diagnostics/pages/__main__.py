"""Prints all pages as one Markdown document."""

from cnnspec.diagnostics.pages import document

print(document(), end="")
