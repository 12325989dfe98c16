"""What the page of the playground asks for, as plain data: one check of a text with all that is shown of it.

Offsets count UTF-16 units, as browsers do. Any text gets an answer; nothing is written.
"""

from __future__ import annotations

import os
import re

from cnnspec import layers, pipeline
from cnnspec.backends.draw.words import show
from cnnspec.backends.page.page import page
from cnnspec.backends.python_source import source_of
from cnnspec.backends.sizes import as_text
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.editor.analysis import Analysis, analyse, formatted
from cnnspec.editor.completion import completions
from cnnspec.editor.names import Project
from cnnspec.editor.playground.lessons import LESSONS, verdict
from cnnspec.errors import CnnspecError
from cnnspec.pipeline import sizes_that_work
from cnnspec.report.pages import pages
from cnnspec.report.pages import show as page_of_code
from cnnspec.resources import resource
from cnnspec.sizes.region import Entangled
from cnnspec.source import Source
from cnnspec.syntax._tables import KEYWORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from cnnspec.graph.nodes import Graph

COURSE = ("lenet", "mlp", "alexnet", "vgg", "nin", "googlenet", "resnet", "densenet")
"""Examples of the course, which come first."""
_MOST = 800
"""Layers of a network that is drawn at every pause."""


def answer(question: str, given: dict[str, Any], path: str = "playground.cnn") -> dict[str, Any]:
    """The answer to one of QUESTIONS; what is given has the type that it should have, or counts as nothing."""
    return QUESTIONS[question](given, path)


def answer_text(question: str, given: str) -> str:
    """As `answer`, from JSON to JSON: for a page that runs the checker itself."""
    import json

    return json.dumps(answer(question, json.loads(given)))


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name, "")
    return value if isinstance(value, str) else ""


def check(given: dict[str, Any], path: str) -> dict[str, Any]:
    """What is asked for at every key: findings with their fixes, shapes, what a lesson says, what another size would give."""
    text = _text(given, "text")
    source = Source(_place(given, path), text)
    found = analyse(source.path, text, fixes=True)
    units = _Units(text)
    lesson = next((one for one in LESSONS if one.name == given.get("lesson")), None)
    chosen = _chosen(given, found.graphs)
    return {
        "findings": [_finding(one, units) for one in found.diagnostics],
        "hints": [{"at": units.at(hint.offset), "text": hint.text} for hint in found.hints],
        "models": [one.name for one in found.graphs],
        "model": chosen.name if chosen else "",
        "verdict": verdict(lesson, found) if lesson else None,
        "what_if": _what_if(source, found, chosen, _text(given, "size")),
    }


def show_network(given: dict[str, Any], path: str) -> dict[str, Any]:
    """What takes longer and is asked for when no key comes: the page of a model, and the sizes that work."""
    text, sink = _text(given, "text"), Sink()
    source = Source(_place(given, path), text)
    graph = _chosen(given, pipeline.check(source, sink, fixes=True))
    if graph is None:
        return {"page": "", "sizes": "", "note": ""}
    if graph.layers > _MOST:
        return {
            "page": "",
            "sizes": "",
            "note": f"{graph.name} has {graph.layers:,} layers: too many to be shown as one types",
        }
    return {
        "note": "",
        "page": page(graph, sink.diagnostics, file=os.path.basename(source.path)),
        "sizes": "" if sink.has_errors else _sizes(source, graph.name),
    }


def python(given: dict[str, Any], path: str) -> dict[str, Any]:
    """The model as PyTorch; nothing where it has errors."""
    sink = Sink()
    graph = _chosen(given, pipeline.check(Source(_place(given, path), _text(given, "text")), sink))
    return {"text": "" if graph is None or sink.has_errors else source_of(graph)}


def _place(given: dict[str, Any], path: str) -> str:
    """The file that the text stands for: what an example imports stands beside it."""
    example = _text(given, "example")
    return str(resource("specs", f"{example}.cnn")) if example in examples() else path


def _chosen(given: dict[str, Any], graphs: Sequence[Graph]) -> Graph | None:
    """The model that is asked for, or else the first."""
    return next((one for one in graphs if one.name == given.get("model")), graphs[0] if graphs else None)


def complete(given: dict[str, Any], path: str) -> dict[str, Any]:
    """What may stand at an offset."""
    text, at = _text(given, "text"), given.get("at")
    names = Project(_place(given, path), text).names.read()
    offset = _Units(text).offset(at) if isinstance(at, int) else len(text)
    found = [
        {"name": one.name, "kind": one.kind, "about": _plain(one.about), "snippet": one.snippet.replace("$0", "${}")}
        for one in completions(names, offset)
    ]
    return {"options": found}


def _plain(markdown: str) -> str:
    return markdown.replace("```text\n", "").replace("```cnn\n", "").replace("\n```", "")


def _finding(one: Diagnostic, units: _Units) -> dict[str, Any]:
    fixes = [
        {
            "message": fix.message,
            "edits": [
                {"from": units.at(edit.span.start), "to": units.at(edit.span.end), "insert": edit.text}
                for edit in sorted(fix.edits, key=lambda edit: edit.span.start)
            ],
        }
        for fix in one.fixes
        if all(edit.span.source.path == one.span.source.path for edit in fix.edits)
    ]
    notes = [f"line {label.span.line}: {label.text}" for label in one.labels]
    return {
        "from": units.at(one.span.start), "to": units.at(one.span.end), "severity": one.severity, "code": one.code.id,
        "message": one.message, "notes": [*notes, *one.notes], "fixes": fixes, "line": one.span.line,
    }  # fmt: skip


def _sizes(source: Source, model: str) -> str:
    """For which sizes of the input the network holds, in words; nothing where that can't be told."""
    try:
        found = sizes_that_work(source, Sink(), model=model)
    except (CnnspecError, Entangled):
        return ""
    return as_text(found[0], ()).partition("\n")[2].replace("\n  ", "\n").strip() if found else ""


def _what_if(source: Source, found: Analysis, graph: Graph | None, size: str) -> str:
    """What the model makes of an input of another size, "32x32"."""
    wanted = [part for part in re.split(r"[x×,\s]+", size.strip()) if part]
    if not wanted or graph is None:
        return ""
    if not all(part.isdecimal() and len(part) < 6 for part in wanted):
        return "a size is written 32x32"
    if any(one.severity == "error" for one in found.diagnostics):
        return "the text has errors as it is"
    sizes = tuple(map(int, wanted))
    shapes = [entry.shape or () for entry in graph.inputs]
    axes = {len(shape) - 1 for shape in shapes}
    if axes != {len(sizes)}:
        return f"{graph.name} has no input with {len(sizes)} size{'' if len(sizes) == 1 else 's'}"
    sink = Sink()
    try:
        graphs = pipeline.check(source, sink, model=graph.name, shapes=[(int(shape[0]), *sizes) for shape in shapes])
    except (CnnspecError, TypeError):
        return f"the sizes that {graph.name} declares leave {'×'.join(wanted)} out"
    if sink.has_errors:
        error = next(one for one in sink.diagnostics if one.severity == "error")
        return f"line {error.span.line}: {error.message}"
    return f"holds: {show(graphs[0].takes)} → {show(graphs[0].output)}"


class _Units:
    """Offsets of a text in UTF-16 units."""

    def __init__(self, text: str) -> None:
        self.wide = [at for at, character in enumerate(text) if character > "\uffff"]

    def at(self, offset: int) -> int:
        return offset + sum(place < offset for place in self.wide)

    def offset(self, at: int) -> int:
        """The offset of a number of units."""
        for number, place in enumerate(self.wide):
            if place + number >= at:
                return at - number
        return at - len(self.wide)


def explain(given: dict[str, Any], path: str) -> dict[str, Any]:
    """The page of a code."""
    found = pages().get(_text(given, "code"))
    return {"text": page_of_code(found) if found is not None else "there is no page of this code"}


def format_text(given: dict[str, Any], path: str) -> dict[str, Any]:
    """The text, laid out; as it was where it has syntax errors."""
    return {"text": formatted(path, _text(given, "text")) or _text(given, "text")}


def examples() -> list[str]:
    """The specs that come along, those of the course first."""
    folder = os.fspath(str(resource("specs")))
    names = sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".cnn"))
    return [*(name for name in COURSE if name in names), *(name for name in names if name not in COURSE)]


def example(given: dict[str, Any], path: str) -> dict[str, Any]:
    """The text of an example."""
    name = _text(given, "name")
    return {"text": resource("specs", f"{name}.cnn").read_text(encoding="utf-8") if name in examples() else ""}


def start(given: dict[str, Any], path: str) -> dict[str, Any]:
    """What the page needs once: words for completion and colours, examples, lessons."""
    return {
        "layers": layers.names(),
        "words": sorted(word for word in KEYWORDS if word != "_"),
        "examples": examples(),
        "course": list(COURSE),
        "lessons": [lesson.told() for lesson in LESSONS],
    }


QUESTIONS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "start": start,
    "check": check,
    "show": show_network,
    "python": python,
    "complete": complete,
    "explain": explain,
    "format": format_text,
    "example": example,
}
