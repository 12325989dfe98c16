"""`draw`: a network in the style and format that are asked for."""

from __future__ import annotations

from cnnspec.backends.draw.part import part_of, paths_of
from cnnspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cnnspec.graph.nodes import Graph

STYLES = ("blocks", "stack")
FORMATS = ("svg", "png", "mmd", "txt")


def form_of(path: str) -> str:
    """The format that the ending of a file's name asks for; raises UsageError for another."""
    ending = path.rpartition(".")[2].lower()
    if ending not in FORMATS:
        raise UsageError(f"a picture's name ends in .{', .'.join(FORMATS[:-1])} or .{FORMATS[-1]}")
    return ending


def draw(
    graph: Graph, form: str = "svg", *, style: str = "", depth: int | None = None, wanted: Collection[str] = (),
    only: str = "", scheme: str = "auto", errors: Mapping[str, str] | None = None,
) -> str | bytes:  # fmt: skip
    """A picture of a network as `form`, one of FORMATS; bytes for a PNG. Sizes by name are typical ones.

    `style` is one of STYLES, by default `blocks`, and `stack` for a network with `errors`, which say what is wrong with the
    modules at some paths. `depth` opens all blocks that are less deep, `wanted` those with these keys; `only` draws one
    module alone. Raises UsageError for a key that no module has, and where a PNG can't be made.
    """
    graph = graph.typical
    for path in (*wanted, *filter(None, [only])):
        _look_for(graph, path)
    if only:
        graph = part_of(graph, only) or graph
        wanted = [path.removeprefix(f"{only}.") for path in wanted]
        errors = {path.removeprefix(f"{only}."): text for path, text in (errors or {}).items()}
    if form == "txt":
        from cnnspec.backends.draw.terminal import draw_text

        return draw_text(graph, depth=depth, wanted=wanted, errors=errors) + "\n"
    if form == "mmd":
        from cnnspec.backends.draw.mermaid import draw_mermaid

        return draw_mermaid(graph, depth=depth, wanted=wanted)
    if form == "png" and scheme == "auto":
        scheme = "light"
    if (style or ("stack" if errors else "blocks")) == "stack":
        from cnnspec.backends.draw.stack import draw_stack

        svg = draw_stack(graph, depth=depth, wanted=wanted, scheme=scheme, errors=errors)
    else:
        from cnnspec.backends.draw.blocks import draw_blocks

        svg = draw_blocks(graph, depth=depth, wanted=wanted, scheme=scheme, errors=errors)
    if form == "svg":
        return svg
    from cnnspec.backends.draw.png import png_of

    return png_of(svg)


def _look_for(graph: Graph, path: str) -> None:
    known = paths_of(graph)
    if path not in known:
        from cnnspec.diagnostics.render import clean
        from cnnspec.diagnostics.similar_names import closest

        near = closest(path, known)
        hint = f", did you mean {near}?" if near else f": there is {', '.join(known[:6])}{' ...' if known[6:] else ''}"
        raise UsageError(f"no module has the key {clean(path)}{hint}")
