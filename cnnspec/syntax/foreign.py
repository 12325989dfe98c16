"""Texts that are no specs but something else that is well known: said once, instead of a mistake in every line."""

from __future__ import annotations

import re

from cnnspec.diagnostics import Diagnostic, Label, codes, note
from cnnspec.source import Source, Span

_SPEC = re.compile(r"^(?:(?:model|block)[ \t]+[A-Za-z_]\w*[ \t]*[({=]|train\b[^\n:]*\{)", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: [^\n]*)?$", re.MULTILINE)
_PYTHON = re.compile(
    r"^(?:import [a-z]\w*|from [\w.]+ import [\w(*]|class \w+[^\n]*:|def \w+\(|@\w+"
    r"|\w+ = (?:(?:nn|torch|tf|keras)\.|Sequential\()|\w+\.add\()",
    re.MULTILINE,
)
_KERAS = re.compile(r"\b(?:keras|tensorflow)\b|^\w+\.add\(|\bDense\(", re.MULTILINE)
_YAML = re.compile(r"^(?:---[ \t]*$|[\w-]+:(?:[ \t]|$))", re.MULTILINE)
_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"])')
_FIRST = re.compile(r"^[ \t]*[^\s#][^\n]*", re.MULTILINE)

_BEGIN = "a spec begins with `model Name {`"
_HELPS = {
    "Python": "`cnnspec check model.py` checks networks of PyTorch as they are",
    "Keras code": f"{_BEGIN}, each layer has a line: `Conv2d(32, 3)`, `Flatten`, `Linear(10)`",
    "YAML": _BEGIN,
    "JSON": _BEGIN,
    "a Jupyter notebook": 'a spec is a text file of its own, which a notebook loads: `cnnspec.load("net.cnn")`',
    "an unfinished merge": "decide for one of the two sides, and delete the marks",
}


def foreign(source: Source) -> Diagnostic | None:
    """The finding on a text that is something else."""
    marks = list(_CONFLICT.finditer(source.text))
    if len(marks) >= 3 and marks[0][0][0] == "<":
        spans = [Span(source, mark.start(), mark.end()) for mark in marks[:3]]
        labels = [Label(span, text) for span, text in zip(spans[1:], ("the other side", "its end"))]
        return _finding("an unfinished merge", spans[0], labels)
    what = _what(source.text)
    first = _FIRST.search(source.text)
    if not what or first is None:
        return None
    return _finding(what, Span(source, first.start(), min(first.end(), first.start() + 60)), [])


def _finding(what: str, span: Span, labels: list[Label]) -> Diagnostic:
    return Diagnostic(codes.NOT_A_SPEC, {"what": what}, span, tuple(labels), (note(_HELPS[what]),))


def _what(text: str) -> str:
    """What a text is that is no spec; "" for anything that may have been meant as one."""
    if _SPEC.search(text):
        return ""
    if _JSON.match(text):
        return "a Jupyter notebook" if '"cells"' in text and '"nbformat"' in text else "JSON"
    if _PYTHON.search(text):
        return "Keras code" if _KERAS.search(text) else "Python"
    first = _FIRST.search(text)
    return "YAML" if first is not None and _YAML.match(first[0]) else ""
