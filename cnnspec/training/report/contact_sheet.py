"""A sheet of pictures with what the model took them for: bytes and text in, one SVG out that holds the pictures as PNG.

Needs no torch and reads no file; Pillow makes the PNG. Names may be any text: they are made harmless and cut.
"""

from __future__ import annotations

import io
from base64 import b64encode

from cnnspec.backends.draw.canvas import Canvas, shorten, text_width
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SIDE, _GAP, _EDGE, _TOP = 112.0, 22.0, 24.0, 76.0
_LARGEST = 192


@record
class Picture:
    """Pixels as bytes, row by row, the channels of a pixel side by side: 1 channel for grey, 3 for RGB."""

    pixels: bytes
    width: int
    height: int
    channels: int


@record
class Tile:
    """What a model says about a picture."""

    picture: Picture
    label: str
    """The class with the highest probability."""
    probability: float
    right: str | None = None
    """The class that it is, where that is known."""
    name: str = ""
    """The picture's file, or nothing."""

    @property
    def wrong(self) -> bool:
        """Whether the right class is known and another one."""
        return self.right is not None and self.right != self.label


def draw_sheet(title: str, predictions: Sequence[Tile], *, columns: int = 6, limit: int = 200) -> str:
    """SVG with `columns` pictures a row, label and probability below each; wrong ones say what they are, too.

    At most `limit` pictures are shown; the head counts all.
    """
    shown = predictions[:limit]
    columns = max(4, min(columns, len(shown)))
    lines = 2 + any(p.wrong for p in shown) + any(p.name for p in shown)
    tall = _SIDE + 6 + 16 * lines + _GAP
    rows = -(-len(shown) // columns)
    canvas = Canvas(
        2 * _EDGE + columns * (_SIDE + _GAP) - _GAP, _TOP + rows * tall + 8, f"Predictions of {shorten(title, 60)}"
    )
    canvas.text(_EDGE, 32, shorten(title, 10 * columns), size=17, bold=True)
    canvas.text(_EDGE, 52, sheet_headline(predictions, len(shown)), size=13, fill="soft")
    for index, prediction in enumerate(shown):
        row, column = divmod(index, columns)
        _draw(canvas, _EDGE + column * (_SIDE + _GAP), _TOP + row * tall, prediction)
    return canvas.svg()


def sheet_headline(predictions: Sequence[Tile], shown: int) -> str:
    """How many pictures there are, and how many of the known ones are right."""
    known = [prediction for prediction in predictions if prediction.right is not None]
    count = f"{len(predictions):,} picture{'' if len(predictions) == 1 else 's'}"
    rest = f", {shown:,} shown" if shown < len(predictions) else ""
    right = f", {sum(not p.wrong for p in known):,} of {len(known):,} right" if known else ""
    return count + right + rest


def _draw(canvas: Canvas, x: float, y: float, prediction: Tile) -> None:
    picture = prediction.picture
    small = max(picture.width, picture.height) < _SIDE
    canvas.element(
        "image", x=x, y=y, width=_SIDE, height=_SIDE, href=data_uri(picture),
        style=f"image-rendering:{'pixelated' if small else 'auto'}",
    )  # fmt: skip
    canvas.rect(x, y, _SIDE, _SIDE, fill="none", stroke="grid", stroke_width=1)
    below = y + _SIDE + 17
    if prediction.wrong:
        _named(canvas, x, below, "is", prediction.right or "", "ink")
        below += 16
    _named(
        canvas, x, below, "taken" if prediction.wrong else "", prediction.label, "orange" if prediction.wrong else "ink"
    )
    _bar(canvas, x, below + 12, prediction)
    if prediction.name:
        canvas.text(x, below + 29, _fit(prediction.name, 11), size=11, fill="soft")


def _named(canvas: Canvas, x: float, y: float, word: str, name: str, color: str) -> None:
    """What a picture is, or was taken for."""
    if word:
        canvas.text(x, y, word, size=11, fill="soft")
    start = 38.0 if word else 0.0
    canvas.text(x + start, y, _fit(name, 12, start, bold=True), fill=color, bold=True)


def _bar(canvas: Canvas, x: float, y: float, prediction: Tile) -> None:
    """The probability as a bar and a number."""
    wide = _SIDE - 46
    canvas.rect(x, y - 3, wide, 4, rx=2, fill="grid")
    color = "orange" if prediction.wrong else "blue"
    canvas.rect(x, y - 3, max(1.0, wide * min(1.0, max(0.0, prediction.probability))), 4, rx=2, fill=color)
    canvas.text(x + wide + 6, y + 3, percent(prediction.probability), size=11, fill="soft")


def _fit(text: str, size: float, start: float = 0, *, bold: bool = False) -> str:
    """A text cut to the width of a picture."""
    length = min(len(text), 60)
    while length > 1 and text_width(shorten(text, length), size, bold=bold) > _SIDE + _GAP - 6 - start:
        length -= 1
    return shorten(text, length)


def percent(probability: float) -> str:
    """`97.3 %`; never 100 where it is less."""
    return f"{min(probability * 100, 99.9) if probability < 1 else 100.0:.1f} %"


def data_uri(picture: Picture) -> str:
    """The picture as PNG within a link; large ones lose pixels, never whole parts."""
    return "data:image/png;base64," + b64encode(png(picture, _LARGEST)).decode("ascii")


def png(picture: Picture, largest: int | None = None) -> bytes:
    """A PNG file of 8 bits a channel, by Pillow; scaled so that no side is longer than `largest`.

    Raises ValueError where the pixels are not width x height x 1 or 3 bytes, ImportError where Pillow is not installed.
    """
    from PIL import Image

    expected = picture.width * picture.height * picture.channels
    if picture.channels not in (1, 3) or not picture.pixels or len(picture.pixels) != expected:
        what = f"{picture.width}x{picture.height} with {picture.channels} channels"
        raise ValueError(f"{len(picture.pixels)} bytes are no picture of {what}")
    made = Image.frombytes("L" if picture.channels == 1 else "RGB", (picture.width, picture.height), picture.pixels)
    if largest is not None:
        made.thumbnail((largest, largest))
    file = io.BytesIO()
    made.save(file, format="PNG")
    return file.getvalue()
