"""The findings as workflow commands of GitHub Actions, which show them beside the lines of a pull request."""

from __future__ import annotations

from cnnspec.diagnostics.render import clean
from cnnspec.report.findings import Report
from cnnspec.report.formats import Format, Style
from cnnspec.report.places import shown_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics import Diagnostic


def write(report: Report, style: Style) -> str:
    """`::error file=...,line=...::message`, one line a finding."""
    return "".join(f"{_command(found)}\n" for found in report.diagnostics)


def _command(found: Diagnostic) -> str:
    line, column = found.span.position
    last_line, last_column = found.span.source.position(found.span.end)
    properties = {
        "title": f"cnnspec {found.code.id}",
        "file": shown_path(found.span.source.path),
        "line": str(line),
        "endLine": str(last_line),
    }
    if line == last_line:
        # GitHub takes columns within one line only.
        properties |= {"col": str(column), "endColumn": str(max(column, last_column - 1))}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    lines = [f"{found.message}: {found.label}" if found.label else found.message]
    lines += [f"note: {note}" for note in found.notes] + [f"help: {text}" for text in found.all_helps]
    return f"::{found.severity} {listed}::{_data(lines)}"


def _data(lines: list[str]) -> str:
    return "%0A".join(clean(line).replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    """A path keeps its own characters: GitHub looks the file up by it."""
    for character in "%\r\n:,":
        text = text.replace(character, f"%{ord(character):02X}")
    return clean(text)


FORMAT = Format(write)
