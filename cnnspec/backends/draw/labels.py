"""What stands at a step of a picture: the lines of its label, the circle of a folded block, and the words of its tooltip."""

from __future__ import annotations

from cnnspec.backends.draw.canvas import Canvas, number, text_width
from cnnspec.backends.draw.steps import Step, fork_in
from cnnspec.backends.draw.volumes import FONT
from cnnspec.backends.draw.words import show
from cnnspec.record import record

LINE = 13.5


@record
class Row:
    """A line of a label: its text, whether it is the name, whether it tells riders, whether what is wrong."""

    text: str
    bold: bool = False
    rider: bool = False
    error: bool = False


def label_of(step: Step) -> list[Row]:
    """The lines of a label from top to bottom, in the order of execution."""
    rows = [Row(" ".join(step.before), rider=True)] if step.before else []
    if step.title:
        rows.append(Row(step.title, bold=True))
    rows += [Row(line) for line in step.lines]
    if step.after:
        rows.append(Row(" ".join(step.after), rider=True))
    if step.error:
        rows.append(Row(f"✗ {step.error}", bold=True, error=True))
    return rows


def label_width(rows: list[Row]) -> float:
    return max((text_width(row.text, FONT, bold=row.bold) + 9 * row.rider for row in rows), default=0)


def draw_label(canvas: Canvas, x: float, bottom: float, rows: list[Row], *, halo: bool = False) -> None:
    """A label that is centred at `x` and ends at `bottom`."""
    y = bottom - LINE * (len(rows) - 1)
    for row in rows:
        fill = "error" if row.error else "ink" if row.bold else "soft"
        if row.rider:
            wide = text_width(row.text, FONT)
            canvas.element("circle", cx=x - wide / 2 - 3, cy=y - 4, r=2.6, fill="amber")
        canvas.text(x + 4 * row.rider, y, row.text, size=FONT, fill=fill, anchor="middle", bold=row.bold, halo=halo)
        y += LINE


def draw_glyph(canvas: Canvas, x: float, y: float, step: Step) -> None:
    """The circle of a folded block: an arc for a residual or dense unit, three bars for branches, two for a chain."""
    canvas.element("circle", cx=x, cy=y, r=6.5, fill="paper", stroke="line", stroke_width=1.2)
    fork = next((found for item in step.items if (found := fork_in(item)) is not None), None)
    n = number
    if fork is None:
        canvas.path(f"M{n(x - 3)} {n(y - 2)}h6M{n(x - 3)} {n(y + 2)}h6", "ink", 1.2)
    elif (fork.kind != "add" and len(fork.branches) > 2) or fork.kind == "tuple":
        canvas.path(f"M{n(x - 3)} {n(y - 3)}h6M{n(x - 3)} {n(y)}h6M{n(x - 3)} {n(y + 3)}h6", "ink", 1.2)
    else:
        canvas.path(f"M{n(x - 4)} {n(y + 2)}h8M{n(x - 3)} {n(y + 2)}c0 -6 6 -6 6 0", "ink", 1.2)


def describe(step: Step) -> str:
    """A step in words."""
    words = " ".join(filter(None, [step.title, *step.lines]))
    riders = [f"after {' '.join(step.before)}"] * bool(step.before) + [f"then {' '.join(step.after)}"] * bool(
        step.after
    )
    parameters = sum(item.parameters for item in step.items)
    told = f"{', '.join([words, *riders])}: {show(step.input)} → {show(step.output)}"
    return f"{told}, {parameters:,} parameters" if parameters else told


def chain_in_words(steps: list[Step]) -> str:
    """All steps, for who can't see the picture."""
    return "; ".join(describe(step) for step in steps)
