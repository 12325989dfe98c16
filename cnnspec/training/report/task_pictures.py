"""Pictures of what a net does, by task: mistakes of a classifier, masks over images, images in and out, a scatter of numbers.

Tensors in, SVG text out; the worst examples come first.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cnnspec.backends.draw.canvas import Canvas, shorten
from cnnspec.recipe import tasks
from cnnspec.training.data.several import Several, parts_of
from cnnspec.training.metrics.classification import chosen, class_probabilities
from cnnspec.training.metrics.several_outputs import SeveralOutputs
from cnnspec.training.report.contact_sheet import Picture, Tile, data_uri, draw_sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.training.data.several import Values
    from cnnspec.training.metrics.base import Task

SHOWN = 24
"""Examples in a picture."""
BLUE, ORANGE = (0x56, 0xB4, 0xE9), (0xD5, 0x5E, 0x00)
_SIDE, _GAP, _EDGE, _TOP = 112.0, 14.0, 24.0, 76.0


def draw_task(title: str, task: Task, inputs: Values, outputs: Values, targets: Values) -> dict[str, str]:
    """The pictures of a task by the names of their files, of several outputs the first of each kind; none where inputs are
    no images.

    `inputs` are as the data had them, `targets` as the loss took them.
    """
    each = task.tasks if isinstance(task, SeveralOutputs) else (task,)
    wanted = parts_of(targets) if isinstance(targets, Several) else parts_of(targets) * len(each)
    found: dict[str, str] = {}
    for one, given, target in zip(each, parts_of(outputs), wanted):
        found = _draw(title, one, parts_of(inputs)[0], given.float(), target) | found
    return found


def _draw(title: str, task: Task, inputs: Tensor, outputs: Tensor, targets: Tensor) -> dict[str, str]:
    if task.kind in (tasks.REGRESSION, tasks.KEYPOINTS) and outputs.dim() == 2:
        return {"scatter.svg": draw_scatter(title, outputs, targets.view_as(outputs), task.classes)}
    if inputs.dtype is not torch.uint8 or inputs.dim() != 4 or inputs.shape[1] not in (1, 3):
        return {}
    if task.kind in (tasks.CLASSIFICATION, tasks.ONE_OUTPUT):
        tiles = _mistakes(task, inputs, outputs, targets)
        return {"mistakes.svg": draw_sheet(f"{title}: mistakes, surest first", tiles)} if tiles else {}
    if task.kind == tasks.SEGMENTATION:
        return {"masks.svg": draw_masks(title, task, inputs, outputs, targets)}
    if task.kind == tasks.IMAGE_TO_IMAGE:
        return {"images.svg": draw_images(title, inputs, outputs, targets)}
    return {}


def picture_of(image: Tensor) -> Picture:
    """A picture of an image [channels, height, width], uint8 or from 0 to 1."""
    if image.dtype is not torch.uint8:
        image = (image.clamp(0, 1) * 255).round().to(torch.uint8)
    channels, height, width = image.shape
    return Picture(image.permute(1, 2, 0).contiguous().numpy().tobytes(), width, height, channels)


def _mistakes(task: Task, inputs: Tensor, outputs: Tensor, targets: Tensor) -> list[Tile]:
    values, said = class_probabilities(outputs, task.criterion).max(1)
    wrong = (said != targets).nonzero().flatten()
    order = wrong[values[wrong].argsort(descending=True)][:SHOWN].tolist()
    return [
        Tile(picture_of(inputs[i]), task.classes[int(said[i])], float(values[i]), task.classes[int(targets[i])])
        for i in order
    ]


def draw_masks(title: str, task: Task, inputs: Tensor, outputs: Tensor, targets: Tensor) -> str:
    """Masks over images, one class a picture: found is tinted blue, missed hatched, a false alarm orange; IoU below."""
    said = chosen(outputs, task.criterion)
    kept = targets != task.criterion.ignored
    found: list[tuple[float, int, int]] = []
    for index in range(len(inputs)):
        for label in range(1 if len(task.classes) > 1 else 0, len(task.classes)):
            own, real = (said[index] == label) & kept[index], targets[index] == label
            either = int((own | real).sum())
            if either:
                found.append((int((own & real).sum()) / either, index, label))
    shown = sorted(found)[:SHOWN]
    pictures = []
    for share, index, label in shown:
        own, real = (said[index] == label) & kept[index], targets[index] == label
        pictures.append(([_tinted(inputs[index], own, real)], f"{task.classes[label]}: IoU {share:.2f}"))
    return draw_rows(f"{title}: masks, worst first", "blue: found, hatched: missed, orange: false alarm", pictures, 1)


def _tinted(image: Tensor, own: Tensor, real: Tensor) -> Picture:
    rgb = image.expand(3, -1, -1).float() * 0.8 + 25
    height, width = own.shape
    stripes = ((torch.arange(height)[:, None] + torch.arange(width)) // 2 % 2 * 255).float()
    blue, orange = (torch.tensor(color, dtype=torch.float32)[:, None, None] for color in (BLUE, ORANGE))
    rgb = torch.where(own & real, rgb * 0.5 + blue * 0.5, rgb)
    rgb = torch.where(real & ~own, stripes.expand(3, -1, -1), rgb)
    rgb = torch.where(own & ~real, orange.expand_as(rgb), rgb)
    return picture_of(rgb.round().clamp(0, 255).to(torch.uint8))


def draw_images(title: str, inputs: Tensor, outputs: Tensor, targets: Tensor) -> str:
    """What went in, what came out and what was wanted, side by side; PSNR below."""
    square = (outputs - targets).square().flatten(1).mean(1).clamp(min=1e-10)
    order = square.argsort(descending=True)[: SHOWN // 2].tolist()
    rows = []
    for index in order:
        three = [picture_of(image[index]) for image in (inputs, outputs, targets)]
        rows.append((three, f"PSNR {float(-10 * square[index].log10()):.1f} dB"))
    return draw_rows(f"{title}: images, worst first", "from left to right: in, out, wanted", rows, 3)


def draw_rows(title: str, below: str, groups: Sequence[tuple[list[Picture], str]], each: int) -> str:
    """Groups of pictures with a line of text under each."""
    columns = max(1, 6 // each)
    wide = each * (_SIDE + 4) - 4 + _GAP
    lines = -(-max(1, len(groups)) // columns)
    canvas = Canvas(2 * _EDGE + columns * wide - _GAP, _TOP + lines * (_SIDE + 30) + 8, shorten(title, 80))
    canvas.text(_EDGE, 32, shorten(title, 70), size=17, bold=True)
    canvas.text(_EDGE, 52, below, size=13, fill="soft")
    for index, (pictures, text) in enumerate(groups):
        row, column = divmod(index, columns)
        x, y = _EDGE + column * wide, _TOP + row * (_SIDE + 30)
        for place, picture in enumerate(pictures):
            canvas.element(
                "image", x=x + place * (_SIDE + 4), y=y, width=_SIDE, height=_SIDE, href=data_uri(picture),
                style="image-rendering:pixelated",
            )  # fmt: skip
        canvas.text(x, y + _SIDE + 16, shorten(text, 22 * each), size=12)
    return canvas.svg()


def draw_scatter(title: str, outputs: Tensor, targets: Tensor, names: Sequence[str]) -> str:
    """Predictions over what was wanted, a panel a number, four at most; the line is where they agree."""
    panels = min(4, outputs.shape[1])
    side, left, top = 220.0, 62.0, 96.0
    canvas = Canvas(40 + panels * (side + 62), top + side + 56, f"Predictions of {shorten(title, 60)}")
    canvas.text(24, 32, f"{shorten(title, 60)}: predictions", size=17, bold=True)
    canvas.text(
        24, 52, f"{len(outputs):,} samples; on the line, what was said is what was wanted", size=13, fill="soft"
    )
    for index in range(panels):
        x0 = left + index * (side + 62)
        found, real = outputs[:1000, index], targets[:1000, index]
        low, high = float(torch.minimum(found.min(), real.min())), float(torch.maximum(found.max(), real.max()))
        span = (high - low) or 1.0
        name = names[index] if index < len(names) else str(index + 1)
        canvas.text(x0, top - 10, shorten(name, 30), size=13, bold=True)
        canvas.rect(x0, top, side, side, fill="none", stroke="grid")
        canvas.line(x0, top + side, x0 + side, top, "soft", stroke_dasharray="6 4")
        for said, wanted in zip(found.tolist(), real.tolist()):
            x, y = x0 + (wanted - low) / span * side, top + side - (said - low) / span * side
            canvas.element("circle", cx=x, cy=y, r=2, fill="blue", fill_opacity=0.5)
        for value, place in ((low, 0.0), (high, side)):
            canvas.text(x0 + place, top + side + 18, f"{value:.3g}", fill="soft", anchor="middle")
            canvas.text(x0 - 6, top + side - place + 4, f"{value:.3g}", fill="soft", anchor="end")
        canvas.text(x0 + side / 2, top + side + 36, "wanted", fill="soft", anchor="middle")
    return canvas.svg()
