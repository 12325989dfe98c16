"""`Canvas` writes the SVG of all pictures: shapes and escaped text only, no scripts, nothing from elsewhere.

A picture paints its own background and follows the viewer's choice of light or dark, unless one of them is asked for.
"""

from __future__ import annotations

from contextlib import contextmanager
from html import escape

from cnnspec.diagnostics.render import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Run = tuple[str, str, float, float, bool]
    """A part of a line of text: the text, its colour and size, the gap in front of it, whether it is bold."""

# Name: on a light and on a dark background.
PALETTE = {
    "paper": ("#ffffff", "#0d1117"),
    "panel": ("#f6f8fa", "#151b23"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#59636e", "#abb3bd"),
    "line": ("#818b98", "#6e7681"),
    "grid": ("#e3e7eb", "#2a313a"),
    "amber": ("#e69f00", "#e3b341"),
    "error": ("#c4320a", "#ff8b66"),
    "blue": ("#00569c", "#6cc4ff"),
    "orange": ("#8a4512", "#f0a56a"),
}
# What an operation is: front, side, top, box, line. The fronts keep apart for colour-blind readers, too.
_ROLES = {
    "conv": ("6eb5fc 5f9cd9 b6dafe d6eafe 00569c", "059ccb 047092 2dacd3 0a465b 6cc4ff"),
    "pool": ("89b89b 769e85 c4dccd deebe3 2f6147", "477968 33574b 648e80 233936 8fcaa6"),
    "up": ("a78db2 907999 d3c6d8 e6dfe9 684576", "5f3c7c 442b59 795b91 2c213d cba6e6"),
    "dense": ("d18e5b b47a4e e8c6ad f2dfd1 8a4512", "733f11 532d0c 895e37 342215 f0a56a"),
    "attention": ("fcdea1 d9bf8a feeed0 fef6e5 7a5a0c", "96935b 6c6a42 a7a475 414231 e0d58c"),
    "plain": ("e3e7ec d5dbe2 f3f5f7 f3f5f7 59636e", "2b323b 1e242b 39424d 1e242b 9198a1"),
}
for _role, (_light, _dark) in _ROLES.items():
    for _part, _pair in zip(("front", "side", "top", "box", "line"), zip(_light.split(), _dark.split())):
        PALETTE[f"{_role}-{_part}"] = (f"#{_pair[0]}", f"#{_pair[1]}")

_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_ARROW = (
    '<marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'markerUnits="userSpaceOnUse" orient="auto">'
)


def role_of(name: str) -> str:
    """The name of the colours of an operation."""
    return name if name in _ROLES else "plain"


class Canvas:
    """Collects the elements of one picture; lengths in pixels, from the upper left corner."""

    def __init__(self, width: float, height: float, title: str, description: str = "", scheme: str = "auto") -> None:
        self.width, self.height = width, height
        self.title, self.description = title, description
        self.scheme = scheme
        self.parts: list[str] = []
        self._used: set[str] = {"paper"}
        self._arrows = False

    def element(self, tag: str, **attributes: object) -> None:
        """`<tag .../>`: names of the palette become colours, `stroke_width` becomes `stroke-width`."""
        self.parts.append(f"<{tag}{self._attributes(attributes)}/>")

    def rect(self, x: float, y: float, width: float, height: float, **attributes: object) -> None:
        self.element("rect", x=x, y=y, width=width, height=height, **attributes)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, **attributes: object) -> None:
        self.element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **attributes)

    def path(
        self,
        d: str,
        stroke: str = "line",
        width: float = 1.4,
        *,
        arrow: bool = False,
        dash: str = "",
        fill: str = "none",
    ) -> None:
        """A line along `d`, or a filled shape; `arrow` puts a head at its end."""
        attributes: dict[str, object] = {"d": d, "fill": fill, "stroke": stroke, "stroke_width": width}
        attributes["stroke_linejoin"] = "round"
        if dash:
            attributes["stroke_dasharray"] = dash
        if arrow:
            attributes["marker_end"] = "url(#a)"
            self._arrows = True
            self._used.add("line")
        self.element("path", **attributes)

    def text(
        self, x: float, y: float, text: str, *, size: float = 12, fill: str = "ink", anchor: str = "start",
        bold: bool = False, halo: bool = False, rotate: float = 0,
    ) -> None:  # fmt: skip
        """One line of text with its baseline at `y`, turned by `rotate` degrees around its start.

        `halo` keeps it readable on top of lines.
        """
        attributes: dict[str, object] = {"x": x, "y": y, "font_size": size, "fill": fill}
        if anchor != "start":
            attributes["text_anchor"] = anchor
        if bold:
            attributes["font_weight"] = "600"
        if halo:
            attributes |= {"stroke": "paper", "stroke_width": 4, "stroke_linejoin": "round", "paint_order": "stroke"}
        if rotate:
            attributes["transform"] = f"rotate({number(rotate)} {number(x)} {number(y)})"
        self.parts.append(f"<text{self._attributes(attributes)}>{harmless(text)}</text>")

    def runs(self, x: float, y: float, runs: Sequence[Run]) -> None:
        """One line of text in several colours and sizes, which can't run into each other."""
        spans = []
        for index, (text, fill, size, gap, bold) in enumerate(runs):
            attributes: dict[str, object] = {"dx": gap} if index and gap else {}
            attributes |= {"font_size": size, "fill": fill} | ({"font_weight": "600"} if bold else {})
            spans.append(f"<tspan{self._attributes(attributes)}>{harmless(text)}</tspan>")
        self.parts.append(f'<text x="{number(x)}" y="{number(y)}">{"".join(spans)}</text>')

    @contextmanager
    def group(self, title: str = "", **attributes: object) -> Iterator[None]:
        """What is drawn inside belongs together, under a title that is shown as a tooltip."""
        self.parts.append(f"<g{self._attributes(attributes)}>" + (f"<title>{harmless(title)}</title>" if title else ""))
        yield
        self.parts.append("</g>")

    def svg(self) -> str:
        """The whole file."""
        size = f"0 0 {number(self.width)} {number(self.height)}"
        sides = {"x": 0, "y": 0, "width": self.width, "height": self.height, "fill": "paper"}
        background = f"<rect{self._attributes(sides)}/>"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(self.width)}" height="{number(self.height)}" '
            f'viewBox="{size}" role="img" font-family="{_FONT}">'
        )
        about = [f"<title>{harmless(self.title)}</title>"]
        if self.description:
            about.append(f"<desc>{harmless(self.description)}</desc>")
        arrow = []
        if self._arrows:
            arrow = [
                f'<defs>{_ARROW}<path d="M0 .8 7.5 4 0 7.2z"{self._attributes({"fill": "line"})}/></marker></defs>'
            ]
        return "\n".join([head, *about, *self._style(), *arrow, background, *self.parts, "</svg>", ""])

    def _style(self) -> list[str]:
        """The dark colours, for viewers that want them."""
        if self.scheme != "auto":
            return []
        rules = [
            f".f-{name}{{fill:{PALETTE[name][1]}}}.s-{name}{{stroke:{PALETTE[name][1]}}}" for name in sorted(self._used)
        ]
        return [f"<style>@media (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"]

    def _attributes(self, attributes: dict[str, object]) -> str:
        classes, written = [], []
        for name, value in attributes.items():
            text = number(value) if isinstance(value, int | float) else str(value)
            if name in ("fill", "stroke") and text in PALETTE:
                self._used.add(text)
                if self.scheme == "auto":
                    classes.append(f"{name[0]}-{text}")
                text = PALETTE[text][self.scheme == "dark"]
            written.append(f' {name.replace("_", "-")}="{harmless(text)}"')
        return "".join(written) + (f' class="{" ".join(classes)}"' if classes else "")


def harmless(text: str) -> str:
    """Text as XML holds it: control characters as signs, markup escaped."""
    return escape(clean(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd"))


def shorten(text: str, length: int) -> str:
    """A text of at most `length` characters, the last one `…` where something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About the width of a text in pixels, rather more than less: that of DejaVu Sans, the widest of the common."""
    return sum(map(_em, text)) * size * (1.1 if bold else 1)


def _em(character: str) -> float:
    if ord(character) > 0x2E7F or character in "MWmw@%—…":
        return 1.0
    if character.isdigit():
        return 0.65
    if character in "×→+=":
        return 0.85
    return 0.4 if character in "iljtfr.,:;|!'()[] -/" else 0.74 if character.isupper() else 0.62


def number(value: float) -> str:
    """A length to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
