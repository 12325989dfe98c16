"""Corrections as data: which characters of a source become what. Nothing here decides; nothing here writes a file."""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.source import Span


@record
class Edit:
    """The characters of `span` become `text`; an empty span inserts, an empty text deletes."""

    span: Span
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits, whose spans count in `text` itself.

    Raises ValueError for edits that overlap, insert at one place, or lie outside of the text.

    >>> from cnnspec.source import Source, Span
    >>> apply("AvgPool2d(5)", [Edit(Span(Source("", ""), 10, 11), "2")])
    'AvgPool2d(2)'
    """
    parts: list[str] = []
    at, before = 0, -1
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        start, end = edit.span.start, edit.span.end
        if start < at or start == before or not start <= end <= len(text):
            raise ValueError(
                f"the edit of characters {start} to {end} overlaps another one, or lies outside of the text"
            )
        parts += text[at:start], edit.text
        at, before = end, start
    return "".join([*parts, text[at:]])
