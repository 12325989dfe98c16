"""`Canvas` writes the SVG of all pictures of a run: shapes and escaped text only, no scripts, nothing from elsewhere.

A picture paints its own background and follows the viewer's choice of light or dark.
"""

from __future__ import annotations

from html import escape

from cnnspec.diagnostics.render import clean

# Name: on a light and on a dark background. Blue and vermilion keep apart for colour-blind readers too (Okabe and Ito).
PALETTE = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#59636e", "#9198a1"),
    "grid": ("#e3e7eb", "#2a313a"),
    "blue": ("#0072b2", "#58a6ff"),
    "orange": ("#d55e00", "#f0883e"),
}
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"


class Canvas:
    """Collects the elements of one picture; lengths in pixels, from the upper left corner."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
        self.title = title
        self.parts: list[str] = []
        self.rect(0, 0, width, height, fill="paper")

    def element(self, tag: str, **attributes: object) -> None:
        """`<tag .../>`: names of the palette become colours, `stroke_width` becomes `stroke-width`."""
        self.parts.append(f"<{tag}{_attributes(attributes)}/>")

    def rect(self, x: float, y: float, width: float, height: float, **attributes: object) -> None:
        self.element("rect", x=x, y=y, width=width, height=height, **attributes)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, **attributes: object) -> None:
        self.element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **attributes)

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
        self.parts.append(f"<text{_attributes(attributes)}>{harmless(text)}</text>")

    def svg(self) -> str:
        """The whole file."""
        dark = "".join(f".f-{name}{{fill:{c}}}.s-{name}{{stroke:{c}}}" for name, (_, c) in PALETTE.items())
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {self.size} role="img" font-family="{_FONT}">'
        style = f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style>"
        return "\n".join([head, f"<title>{harmless(self.title)}</title>", style, *self.parts, "</svg>", ""])


def _attributes(attributes: dict[str, object]) -> str:
    classes, written = [], []
    for name, value in attributes.items():
        text = number(value) if isinstance(value, int | float) else str(value)
        if name in ("fill", "stroke") and text in PALETTE:
            classes.append(f"{name[0]}-{text}")
            text = PALETTE[text][0]
        written.append(f' {name.replace("_", "-")}="{harmless(text)}"')
    return "".join(written) + (f' class="{" ".join(classes)}"' if classes else "")


def harmless(text: str) -> str:
    """Text as XML holds it: control characters as signs, markup escaped."""
    return escape(clean(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd"))


def shorten(text: str, length: int) -> str:
    """A text of at most `length` characters, the last one `…` where something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About the width of a text in pixels, rather more than less."""
    return sum(map(_em, text)) * size * (1.1 if bold else 1)


def _em(character: str) -> float:
    if ord(character) > 0x2E7F or character in "MWmw@%—…":
        return 1.0
    return 0.36 if character in "iljtfr.,:;|!'()[] -/" else 0.74 if character.isupper() else 0.62


def number(value: float) -> str:
    """A length to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
