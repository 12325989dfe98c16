"""The findings as a Code Quality report of GitLab, a subset of Code Climate's format."""

from __future__ import annotations

from cnnspec.report.findings import Report
from cnnspec.report.formats import Format, Style
from cnnspec.report.places import dump, fingerprints, range_of, shown_path

_SEVERITIES = {"error": "major", "warning": "minor"}


def write(report: Report, style: Style) -> str:
    """The report as a JSON list."""
    found = report.diagnostics
    return dump(
        [
            {
                "description": f"{one.code.id}: {one.message}",
                "check_name": one.code.id,
                "fingerprint": name,
                "severity": _SEVERITIES[one.severity],
                "location": {"path": shown_path(one.span.source.path), "positions": _positions(range_of(one.span))},
            }
            for one, name in zip(found, fingerprints(found))
        ]
    )


def _positions(place: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {
        "begin": {"line": place["start"]["line"], "column": place["start"]["column"]},
        "end": {"line": place["end"]["line"], "column": place["end"]["column"]},
    }


FORMAT = Format(write)
