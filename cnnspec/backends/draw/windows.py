"""The window of a layer, at its true size on the value that it reads."""

from __future__ import annotations

from cnnspec.backends.draw.canvas import Canvas, number
from cnnspec.backends.draw.items import LAYER
from cnnspec.backends.draw.steps import Step
from cnnspec.backends.draw.volumes import Column
from cnnspec.graph.nodes import LayerNode

_LEAST, _WITH_LINES = 5, 9


def window_of(step: Step) -> tuple[int, int] | None:
    """Height and width of the window of a layer that slides over maps."""
    node = step.first.node
    if (
        step.first.form != LAYER
        or not isinstance(node, LayerNode)
        or node.layer is None
        or step.first.role not in ("conv", "pool")
    ):
        return None
    size = getattr(node.layer, "kernel_size", None)
    if size is None or node.layer.rank != 2 or step.copies > 1:
        return None
    return size if isinstance(size, tuple) else (size, size)


def draw_window(canvas: Canvas, step: Step, column: Column, after: Step, x: float, y: float, to: float) -> None:
    """The window of the step `after` on the value of `step`, whose left edge is at `x`, and lines to `to`."""
    size, shape, box = window_of(after), column.shapes[0], column.boxes[0]
    if size is None or shape is None or len(shape) != 3 or None in shape:
        return
    high, share = box.high * size[0] / shape[1], size[1] / shape[2]
    if not _LEAST <= high < box.high or share >= 1 or size[0] == size[1] == 1:
        return
    left = x + box.thick * column.copies + box.dx * (0.5 - share / 2)
    top = y - box.high / 2 + box.dy / 2 - box.dy * (0.5 - share / 2) + (box.high - high) / 2
    across, up = box.dx * share, box.dy * share
    n = number
    canvas.element(
        "path", d=f"M{n(left)} {n(top)}l{n(across)} {n(-up)}v{n(high)}l{n(-across)} {n(up)}z", fill="paper",
        fill_opacity=0.8, stroke="ink", stroke_width=1,
    )  # fmt: skip
    if high >= _WITH_LINES:
        right, tip = left + across, to - 4
        lines = "".join(f"M{n(right)} {n(start)}L{n(tip)} {n(y)}" for start in (top - up, top - up + high))
        canvas.path(lines, "soft", 0.8, dash="2 2")
