"""Where something stands in its line."""

from __future__ import annotations


def line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def column(text: str, offset: int) -> int:
    """Characters in front of an offset in its line."""
    return offset - line_start(text, offset)


def indent(text: str, offset: int) -> int:
    """Width of the blanks that the line of an offset begins with."""
    start = at = line_start(text, offset)
    while at < offset and text[at] in " \t\r":
        at += 1
    return at - start


def begins_line(text: str, offset: int) -> bool:
    """Whether only blanks stand in front of an offset in its line."""
    while offset and text[offset - 1] in " \t":
        offset -= 1
    return offset == 0 or text[offset - 1] == "\n"
