"""The source of a network as HTML: numbered lines, what shape is behind each, and messages under their lines."""

from __future__ import annotations

import re

from cnnspec.backends.draw.canvas import harmless
from cnnspec.backends.draw.words import show
from cnnspec.graph.walk import walk
from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cnnspec.diagnostics import Diagnostic
    from cnnspec.graph.nodes import Graph, Shape
    from cnnspec.source import Source

_WORDS = (
    "model|block|train|input|where|let|assert|weight|use|again|residual|shortcut|branch|add|multiply|concat|matmul|tuple|"
    "repeat|for|in|if|else|as|from|import|and|or|not|true|false|none"
)
_TOKEN = re.compile(rf'(?P<c>#.*)|(?P<s>"[^"]*")|\b(?P<k>{_WORDS})\b|(?P<n>\b\d[\w.]*)')
_WRITTEN = re.compile(r"->\s*[\[(]")


def listing(graph: Graph, diagnostics: Sequence[Diagnostic], explained: Mapping[str, str]) -> str:
    """The lines as items of a list. Findings of other files come behind the last."""
    source = graph.source
    here = [found for found in diagnostics if found.span.source is source]
    shapes = _shapes(graph)
    rows: list[str] = []
    for number in range(1, len(source.line_starts) + 1):
        text = source.line(number)
        if number == len(source.line_starts) and not text:
            break
        found = [one for one in here if one.span.line == number]
        rows.append(_line(source, number, text, shapes.get(number), found))
        rows += [_message(one, "", explained) for one in found]
    rows += [_message(one, one.span.source.path, explained) for one in diagnostics if one.span.source is not source]
    return "\n".join(rows)


def _shapes(graph: Graph) -> dict[int, set[Shape | Parts | None]]:
    """The shapes behind the statements that begin on each line."""
    found: dict[int, set[Shape | Parts | None]] = {}
    lines: dict[int, int] = {}
    for _, node in walk(graph.root):
        if node.span.source is not graph.source:
            continue
        start = node.span.start
        line = lines.get(start)
        if line is None:
            line = lines[start] = node.span.line
        found.setdefault(line, set()).add(node.output)
    return found


def _line(
    source: Source, number: int, text: str, shapes: set[Shape | Parts | None] | None, found: Sequence[Diagnostic]
) -> str:
    wrong = any(one.severity == "error" for one in found)
    kinds = " ".join(["code"] * bool(shapes) + ["err"] * wrong)
    hint = ""
    if shapes and not _WRITTEN.search(text):
        if len(shapes) == 1:
            hint = f"→ {show(next(iter(shapes)))}"
        elif None in shapes:
            hint = "→ ?"
    told = f'<span class="to">{harmless(hint)}</span>' if hint else ""
    marks = f' data-line="{number}" tabindex="0"' if shapes else ""
    code = _colored(text, _marked(source, number, text, found))
    return f'<li class="{kinds}"{marks}><i>{number}</i><code>{code}</code>{told}</li>'


def _marked(source: Source, number: int, text: str, found: Sequence[Diagnostic]) -> list[tuple[int, int]]:
    """The columns that findings are about, from the left."""
    start = source.line_starts[number - 1]
    spans = sorted((one.span.start - start, min(one.span.end - start, len(text))) for one in found)
    kept: list[tuple[int, int]] = []
    for first, last in spans:
        if first < last and (not kept or kept[-1][1] <= first):
            kept.append((first, last))
    return kept


def _colored(text: str, marked: Sequence[tuple[int, int]]) -> str:
    parts: list[str] = []
    at = 0
    for first, last in [*marked, (len(text), len(text))]:
        parts.append("".join(_tokens(text, at, first)))
        if first < last:
            parts.append(f"<u>{''.join(_tokens(text, first, last))}</u>")
        at = last
    return "".join(parts)


def _tokens(text: str, start: int, end: int) -> Iterator[str]:
    at = start
    for token in _TOKEN.finditer(text, start, end):
        yield harmless(text[at : token.start()])
        yield f'<span class="{token.lastgroup}">{harmless(token[0])}</span>'
        at = token.end()
    yield harmless(text[at:end])


def _message(found: Diagnostic, path: str, explained: Mapping[str, str]) -> str:
    """A finding: the sentence, what is said of its places, the ways out, and to open the page of its code."""
    where = f"{harmless(path)}:{found.span.line}: " if path else ""
    notes: Iterable[str] = [
        *(f"line {label.span.line}: {label.text}" for label in found.labels),
        *found.notes,
        *(f"help: {text}" for text in found.all_helps),
    ]
    told = "".join(f"<p>{_code(note)}</p>" for note in notes)
    if found.code.id in explained:
        text = "&#10;".join(map(harmless, explained[found.code.id].split("\n")))
        told += f"<details><summary>what {found.code.id} means</summary><pre>{text}</pre></details>"
    kind = "" if found.severity == "error" else " warn"
    return f'<li class="msg{kind}"><p><b>{found.code.id}</b> {where}{_code(found.message)}</p>{told}</li>'


def _code(text: str) -> str:
    """Words in backticks as code."""
    parts = harmless(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
