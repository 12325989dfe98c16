"""Diagnostics as text for people: headline, place, the lines with their marks, notes and helps.

Text that came from a user is made harmless first: control and bidirectional characters are shown as signs and never reach
a terminal. Marks stand under what they mean behind tabs, wide and combining characters too.
"""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.source import Source, Span

_COLORS = {"error": "1;31", "warning": "1;33", "place": "1;34", "bold": "1", "second": "36"}
_HIDDEN = frozenset(
    "\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_WIDTH = 160


class Paint:
    """Puts colours around text, or leaves it as it is."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_COLORS[style]}m{text}\x1b[0m" if self.on and text else text


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """One diagnostic, without a newline at its end."""
    paint = Paint(color)
    severity = diagnostic.severity
    head = paint(severity, f"{severity}[{diagnostic.code.id}]")
    lines = [f"{head}{paint('bold', ': ' + clean(diagnostic.message))}"]
    labels = [Label(diagnostic.span, diagnostic.label), *diagnostic.labels]
    width = max(len(str(label.span.source.position(label.span.end)[0])) for label in labels)
    for number, (source, group) in enumerate(_by_source(labels)):
        first = group[0].span if number else diagnostic.span
        line, column = first.position
        arrow = ":::" if number else "-->"
        lines.append(f"{' ' * width}{paint('place', arrow)} {clean(source.path)}:{line}:{column}")
        if source.text:
            lines += _snippet(source, group, diagnostic.span, width, severity, paint)
    bar = paint("place", f"{' ' * width} =")
    # Where there is no text to mark, the label is said below it.
    unmarked = [] if diagnostic.span.source.text or not diagnostic.label else [diagnostic.label]
    lines += [f"{bar} {paint('bold', 'note')}: {clean(note)}" for note in (*unmarked, *diagnostic.notes)]
    lines += [f"{bar} {paint('bold', 'help')}: {clean(text)}" for text in diagnostic.all_helps]
    return "\n".join(lines)


def render_all(diagnostics: Iterable[Diagnostic], *, color: bool = False, limit: int = 50) -> str:
    """Diagnostics with a blank line between them; those beyond `limit` are counted."""
    found = list(diagnostics)
    parts = [render(diagnostic, color=color) for diagnostic in found[:limit]]
    if len(found) > limit:
        parts.append(f"... and {len(found) - limit} more")
    return "\n\n".join(parts)


def clean(text: str) -> str:
    """Text with control, bidirectional and zero-width characters replaced by visible signs."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character == "\t":
        return "    "
    code = ord(character)
    if code < 32:
        return chr(0x2400 + code)
    if code == 127:
        return "\u2421"
    if character in _HIDDEN or 128 <= code < 160 or 0xD800 <= code < 0xE000:
        return "\ufffd"
    return character


def _cells(text: str) -> int:
    """Columns that a text takes in a terminal."""
    shown = clean(text)
    if shown.isascii():
        return len(shown)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in shown)


def _by_source(labels: list[Label]) -> list[tuple[Source, list[Label]]]:
    groups: list[tuple[Source, list[Label]]] = []
    for label in labels:
        for source, group in groups:
            if source is label.span.source:
                group.append(label)
                break
        else:
            groups.append((label.span.source, [label]))
    return groups


def _snippet(source: Source, labels: list[Label], primary: Span, width: int, severity: str, paint: Paint) -> list[str]:
    """The lines that carry labels, each with its marks below; `...` where lines are left out."""
    lines = [paint("place", f"{' ' * width} |")]
    before, offset = None, 0
    for label in sorted(labels, key=lambda label: (label.span.start, label.span is not primary)):
        number, column = label.span.position
        if before is not None and number > before + 1:
            lines.append(paint("place", f"{' ' * width} ..."))
        text = source.line(number)
        begin, end = column - 1, min(len(text), column - 1 + label.span.end - label.span.start)
        if number != before or not offset <= begin < offset + _WIDTH // 2:
            # The part of a long line that is shown: its beginning, or what surrounds the mark.
            offset = 0 if len(text) <= _WIDTH or begin < _WIDTH // 2 else begin - _WIDTH // 4
            shown = f"{'...' if offset else ''}{_clip(clean(text[offset:]))}"
            lines.append(f"{paint('place', f'{number:>{width}} |')} {shown}".rstrip())
        before = number
        style, mark = (severity, "^") if label.span is primary else ("second", "-")
        indent, length = 3 * (offset > 0) + _cells(text[offset:begin]), max(1, _cells(text[begin:end]))
        marks = paint(style, f"{mark * min(length, max(1, _WIDTH - indent))} {clean(label.text)}".rstrip())
        lines.append(f"{paint('place', f'{chr(32) * width} |')} {' ' * indent}{marks}")
    return lines


def _clip(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
