"""The findings as SARIF 2.1.0, for code scanning of GitHub, Azure DevOps and others.

Paths are relative to the folder that the command ran in (`SRCROOT`); columns count Unicode characters; the fingerprint of a
finding stays when lines are added elsewhere.
"""

from __future__ import annotations

import os

from cnnspec._version import __version__
from cnnspec.diagnostics import Code, Diagnostic
from cnnspec.report.findings import Report
from cnnspec.report.formats import Format, Style
from cnnspec.report.pages import Page, pages, show
from cnnspec.report.places import dump, fingerprints, range_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.diagnostics import Suggestion
    from cnnspec.source import Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(report: Report, style: Style) -> str:
    """The report as a SARIF log with one run."""
    found = report.diagnostics
    rules = sorted({one.code.id: one.code for one in found}.items())
    index = {code: number for number, (code, _) in enumerate(rules)}
    explained = pages()
    driver = {"name": "cnnspec", "version": __version__, "rules": [_rule(code, explained[id]) for id, code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the folder that cnnspec was run in"}}},
        "results": [_result(one, index[one.code.id], name) for one, name in zip(found, fingerprints(found))],
    }
    return dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: Code, page: Page) -> dict[str, Any]:
    """A rule, as its page explains it."""
    return {
        "id": code.id,
        "shortDescription": {"text": page.title[:1].upper() + page.title[1:]},
        "fullDescription": {"text": page.text},
        "defaultConfiguration": {"level": code.severity},
        "help": {"text": show(page)},
    }


def _result(found: Diagnostic, rule: int, fingerprint: str) -> dict[str, Any]:
    lines = [f"{found.message}: {found.label}" if found.label else found.message]
    lines += [f"note: {note}" for note in found.notes] + [f"help: {text}" for text in found.all_helps]
    result: dict[str, Any] = {
        "ruleId": found.code.id,
        "ruleIndex": rule,
        "level": found.severity,
        "message": {"text": "\n".join(lines)},
        "locations": [_location(found.span)],
        "partialFingerprints": {"cnnspec/v1": fingerprint},
    }
    if found.labels:
        result["relatedLocations"] = [
            {"id": number, **_location(label.span), "message": {"text": label.text}}
            for number, label in enumerate(found.labels)
        ]
    if found.fixes:
        result["fixes"] = [_fix(fix) for fix in found.fixes if fix.edits]
    return result


def _location(span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(span.source.path), "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    place = range_of(span)
    return {
        "startLine": place["start"]["line"],
        "startColumn": place["start"]["column"],
        "endLine": place["end"]["line"],
        "endColumn": place["end"]["column"],
    }


def _artifact(path: str) -> dict[str, str]:
    from pathlib import Path
    from urllib.parse import quote_from_bytes

    below = os.path.relpath(path) if os.path.isabs(path) else path
    if os.path.isabs(path) and below.startswith(".."):
        return {"uri": Path(path).as_uri()}
    return {"uri": quote_from_bytes(os.fsencode(below.replace(os.sep, "/"))), "uriBaseId": "SRCROOT"}


def _fix(fix: Suggestion) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replacement = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(edit.span.source.path, []).append(replacement)
    artifacts = [{"artifactLocation": _artifact(path), "replacements": edits} for path, edits in changes.items()]
    return {"description": {"text": fix.message}, "artifactChanges": artifacts}


FORMAT = Format(write)
