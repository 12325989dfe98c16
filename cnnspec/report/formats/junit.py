"""The findings as JUnit XML: one test case a file, which fails where something was found."""

from __future__ import annotations

from cnnspec.diagnostics.render import clean, render_all
from cnnspec.report.findings import Report, Result
from cnnspec.report.formats import Format, Style
from cnnspec.report.places import shown_path


def write(report: Report, style: Style) -> str:
    """The report as an XML document."""
    failures = sum(bool(result.diagnostics) for result in report.results)
    counts = f'tests="{len(report.results)}" failures="{failures}" errors="0"'
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'<testsuites name="cnnspec" {counts}>']
    lines.append(f'  <testsuite name="cnnspec check" {counts}>')
    for result in report.results:
        lines += _case(result)
    return "\n".join([*lines, "  </testsuite>", "</testsuites>"]) + "\n"


def _case(result: Result) -> list[str]:
    head = f'    <testcase classname="cnnspec" name="{escape(shown_path(result.path))}"'
    found = result.diagnostics
    if not found:
        return [head + "/>"]
    kind = "error" if any(one.severity == "error" for one in found) else "warning"
    codes = ", ".join(sorted({one.code.id for one in found}))
    text = "\n".join(map(escape, render_all(found, limit=len(found)).split("\n")))
    return [head + ">", f'      <failure type="{kind}" message="{codes}">{text}', "      </failure>", "    </testcase>"]


def escape(text: str) -> str:
    """One line of text as XML: characters that XML can't hold are shown as signs."""
    text = clean(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(character, f"&{name};")
    return text


FORMAT = Format(write)
