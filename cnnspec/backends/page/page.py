"""`page`: the whole file, from what the other files here make."""

from __future__ import annotations

import json
import re

from cnnspec._version import __version__
from cnnspec.backends.draw.canvas import PALETTE, harmless
from cnnspec.backends.draw.errors import errors_of
from cnnspec.backends.draw.picture import draw
from cnnspec.backends.draw.words import show
from cnnspec.backends.page.data import data_of
from cnnspec.backends.page.listing import listing
from cnnspec.files import PYTHON
from cnnspec.resources import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnspec.diagnostics import Diagnostic
    from cnnspec.graph.nodes import Graph

_COLORS = ("paper", "panel", "ink", "soft", "line", "grid", "amber", "error", "blue")


def page(
    graph: Graph, diagnostics: Sequence[Diagnostic], *, file: str = "", explained: Mapping[str, str] | None = None
) -> str:
    """A network and what was found in it, as one HTML file without links to anything else.

    `file` is what the file is called on the page where that is not its path; `explained` has the pages of codes, which can
    be opened under their findings.
    """
    graph, file = graph.typical, file or graph.source.path
    errors = errors_of(graph, diagnostics)
    wrong = sum(found.severity == "error" for found in diagnostics)
    pictures = {style: _inline(str(draw(graph, style=style, errors=errors)), style) for style in ("blocks", "stack")}
    data = json.dumps(data_of(graph, __version__, errors, file=file), separators=(",", ":"), ensure_ascii=False)
    parts = {
        "title": harmless(graph.name),
        "style": _style(),
        "head": _head(graph, file, diagnostics, wrong),
        "source": listing(graph, diagnostics, explained or {}),
        "blocks": pictures["blocks"],
        "stack": pictures["stack"],
        "first": "stack" if wrong else "blocks",
        "data": data.replace("<", "\\u003c"),
        "python": "" if wrong else _python(graph),
        "script": _read("page.js"),
        "version": __version__,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _read("page.html"))


def _read(name: str) -> str:
    return resource("backends", "page", name).read_text(encoding="utf-8")


def _style() -> str:
    light, dark = (";".join(f"--{name}:{PALETTE[name][mode]}" for name in _COLORS) for mode in (0, 1))
    return f":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}" + _read(
        "page.css"
    )


def _head(graph: Graph, file: str, diagnostics: Sequence[Diagnostic], wrong: int) -> str:
    told = [f"<b>{harmless(show(graph.takes))} → {harmless(show(graph.output))}</b>"]
    if wrong:
        told.append(f'<span class="bad">{wrong} error{"" if wrong == 1 else "s"}</span>')
    else:
        told.append(f"<b>{graph.parameters:,}</b> parameters")
        told.append('<b id="macs"></b>')
    rest = len(diagnostics) - wrong
    found = f" · {rest} warning{'' if rest == 1 else 's'}" if rest else "" if wrong else " · no problems"
    told.append(harmless(file) + found)
    return "".join(f"<p>{text}</p>" for text in told)


def _python(graph: Graph) -> str:
    """The same network in PyTorch; nothing for one that was read from Python."""
    if graph.source.path.endswith(PYTHON):
        return ""
    from cnnspec.backends.python_source import source_of

    head = '<div class="bar"><h2>The same network in PyTorch</h2><button id="copy">Copy</button></div>'
    return f'<section class="wide card">{head}<pre id="python">{_lines(source_of(graph))}</pre></section>'


def _lines(text: str) -> str:
    """Text of several lines as HTML."""
    return "\n".join(map(harmless, text.split("\n")))


def _inline(svg: str, style: str) -> str:
    """A picture within the page: its boxes are buttons, so that it is no image to who hears the page."""
    svg = svg.replace('role="img"', 'role="group"', 1).replace('id="a"', f'id="{style}-a"')
    return svg.replace("url(#a)", f"url(#{style}-a)")
