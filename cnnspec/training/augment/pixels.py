"""Changes to a batch of images, [n, channels, height, width], each with a value of its own for every image.

They give what torchvision's functions of the same names give image by image (torchvision.transforms.v2.functional, 0.29).
uint8 images stay uint8: results are rounded, or cut down to whole numbers for colours, as there; colours take no other.
No random numbers here.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

TYPE_CHECKING = False
if TYPE_CHECKING:
    from torch import Tensor


def pad(images: Tensor, borders: tuple[int, int, int, int], mode: str = "constant", fill: Tensor | float = 0) -> Tensor:
    """Add `borders` (left, top, right, bottom): of `fill`, a number or one for each channel, or mirrored as `mode` says."""
    left, top, right, bottom = borders
    if not any(borders):
        return images
    if mode == "constant":
        if isinstance(fill, float | int):
            return F.pad(images, (left, right, top, bottom), value=fill)
        inside = F.pad(torch.ones_like(images[:1, :1]), (left, right, top, bottom)).bool()
        return torch.where(inside, F.pad(images, (left, right, top, bottom)), _color(fill, images))
    rows = _mirrored(images.shape[2], top, bottom, mode, images.device)
    columns = _mirrored(images.shape[3], left, right, mode, images.device)
    return images.index_select(2, rows).index_select(3, columns)


def _mirrored(size: int, before: int, behind: int, mode: str, device: torch.device) -> Tensor:
    """Where each of `before + size + behind` positions takes its value from."""
    positions = torch.arange(-before, size + behind, device=device)
    if mode == "edge":
        return positions.clamp(0, size - 1)
    if mode == "reflect":
        return size - 1 - (positions.abs() - (size - 1)).abs()
    inside = torch.where(positions < 0, -1 - positions, positions)
    return torch.where(inside >= size, 2 * size - 1 - inside, inside)


def _color(fill: Tensor | float, images: Tensor) -> Tensor:
    """A fill, one value or one for each channel, in the type of the images and as wide as their channels."""
    return torch.as_tensor(fill, device=images.device).to(images.dtype).reshape(1, -1, 1, 1)


def crop(images: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Cut a window out of each image, from its own `top` and `left`."""
    y = top.to(images.device)[:, None] + torch.arange(height, device=images.device)
    x = left.to(images.device)[:, None] + torch.arange(width, device=images.device)
    return _take(images, y, x)


def _take(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The pixels in rows `y`, [n, height], and columns `x`, [n, width], of each image."""
    n, channels, _, columns = images.shape
    places = (y[:, :, None] * columns + x[:, None, :]).flatten(1)[:, None].expand(n, channels, -1)
    return images.flatten(2).gather(2, places).view(n, channels, y.shape[1], x.shape[1])


def flip(images: Tensor, chosen: Tensor, dim: int) -> Tensor:
    """Mirror the `chosen` images (bool, [n]) along `dim`: 2 top to bottom, 3 left to right."""
    size = images.shape[dim]
    places = torch.arange(size, device=images.device)
    places = torch.where(chosen.to(images.device)[:, None], size - 1 - places, places)
    places = places[:, None, None, :] if dim == 3 else places[:, None, :, None]
    return images.gather(dim, places.expand(images.shape))


def center_crop(images: Tensor, height: int, width: int) -> Tensor:
    """Cut out the middle; a smaller image gets black borders."""
    rows, columns = images.shape[2:]
    down, right = max(0, height - rows), max(0, width - columns)
    images = pad(images, (right // 2, down // 2, right - right // 2, down - down // 2))
    # Splits are rounded to the even number, as Python does.
    top, left = (round((size - wanted) / 2) for size, wanted in zip(images.shape[2:], (height, width)))
    return images[:, :, top : top + height, left : left + width]


def resize(images: Tensor, height: int, width: int, mode: str = "bilinear", *, antialias: bool = True) -> Tensor:
    """Scale all images; `mode` is nearest, nearest-exact, bilinear or bicubic."""
    if images.shape[2:] == (height, width):
        return images
    if mode.startswith("nearest"):
        return F.interpolate(images, (height, width), mode=mode)
    scaled = F.interpolate(images.float(), (height, width), mode=mode, align_corners=False, antialias=antialias)
    return _rounded(scaled, images)


def resized_crop(
    images: Tensor, box: Tensor, height: int, width: int, mode: str = "bilinear", *, antialias: bool = True
) -> Tensor:
    """Cut a window out of each image and scale it; `box` is int64 [n, 4]: top, left, height, width."""
    top, left, rows, columns = box.to(images.device).unbind(1)
    if mode == "nearest":
        y = top[:, None] + _nearest(rows, height)
        x = left[:, None] + _nearest(columns, width)
        return _take(images, y, x)
    down = _weights(top, rows, images.shape[2], height, antialias=antialias)
    across = _weights(left, columns, images.shape[3], width, antialias=antialias)
    scaled = images.float() @ across.transpose(1, 2)[:, None]
    return _rounded(down[:, None] @ scaled, images)


def _nearest(size: Tensor, wanted: int) -> Tensor:
    """Places in windows of `size` that torch's mode "nearest" takes for `wanted` values."""
    scale = size.float() / wanted
    return torch.minimum((torch.arange(wanted, device=size.device) * scale[:, None]).long(), size[:, None] - 1)


def _weights(start: Tensor, size: Tensor, total: int, wanted: int, *, antialias: bool) -> Tensor:
    """[n, wanted, total]: what each of `total` values gives to each of `wanted`, for windows at `start` of `size`.

    A triangle about the place that a new value comes from; with `antialias` as wide as a new value where that is larger.
    """
    places = torch.arange(total, device=size.device) - start[:, None]
    scale = size.double() / wanted
    reach = scale.clamp(min=1.0) if antialias else torch.ones_like(scale)
    centers = (torch.arange(wanted, device=size.device) + 0.5) * scale[:, None]
    distance = (places[:, None, :] + 0.5 - centers[:, :, None]) / reach[:, None, None]
    inside = (places >= 0) & (places < size[:, None])
    weights = (1 - distance.abs()).clamp(min=0) * inside[:, None, :]
    return (weights / weights.sum(2, keepdim=True)).float()


def rotate(
    images: Tensor,
    degrees: Tensor,
    mode: str = "nearest",
    center: tuple[float, float] | None = None,
    fill: Tensor | float = 0,
) -> Tensor:
    """Rotate each image by its own `degrees` (float64, [n]), counter-clockwise about the middle or `center` (x, y)."""
    radians = degrees.to(images.device) * (math.pi / 180)
    cos, sin = radians.cos(), radians.sin()
    return _sampled(images, torch.stack((cos, -sin, sin, cos), 1), mode, center, fill)


def affine(
    images: Tensor,
    degrees: Tensor,
    moves: Tensor,
    factors: Tensor,
    slants: Tensor,
    mode: str = "nearest",
    center: tuple[float, float] | None = None,
    fill: Tensor | float = 0,
) -> Tensor:
    """Rotate each image by its own `degrees` ([n], clockwise), slant it by `slants` ([n, 2], degrees along x and y), scale it
    by `factors` ([n]), all about the middle or `center` (x, y), and move it by `moves` ([n, 2], pixels along x and y)."""
    angle, along_x, along_y = ((values.to(images.device) * (math.pi / 180)) for values in (degrees, *slants.unbind(1)))
    # The inverse of a rotation times the two slants: where a pixel comes from.
    turned, flat = angle - along_y, along_y.cos()
    rows = (
        angle.cos() - turned.sin() * along_x.tan() / flat, angle.sin() + turned.cos() * along_x.tan() / flat,
        -turned.sin() / flat, turned.cos() / flat,
    )  # fmt: skip
    matrix = torch.stack(rows, 1) / factors.to(images.device)[:, None]
    return _sampled(images, matrix, mode, center, fill, moves.to(images.device))


def _sampled(
    images: Tensor, matrix: Tensor, mode: str, center: tuple[float, float] | None, fill: Tensor | float,
    moves: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Each image with its pixels taken from where its `matrix`, [n, 4] by rows, leads from them."""
    n, _, height, width = images.shape
    grid = _grid(matrix, height, width, center, moves)
    known = images.new_ones((n, 1, height, width), dtype=torch.float32)
    sampled = F.grid_sample(torch.cat((images.float(), known), 1), grid, mode=mode, align_corners=False)
    sampled, known = sampled[:, :-1], sampled[:, -1:]
    color = _color(fill, sampled)
    if mode == "nearest":
        return _rounded(torch.where(known < 0.5, color, sampled), images)
    return _rounded((sampled - color) * known + color, images)


def _grid(
    matrix: Tensor, height: int, width: int, center: tuple[float, float] | None, moves: Tensor | None
) -> Tensor:  # fmt: skip
    """Where each pixel comes from, [n, height, width, 2], in the units of grid_sample: -1 to 1 from edge to edge."""
    a, b, c, d = matrix.float()[:, :, None, None].unbind(1)
    middle = (0.0, 0.0) if center is None else (center[0] - width / 2, center[1] - height / 2)
    x = torch.arange(width, device=matrix.device) - (width - 1) / 2 - middle[0]
    y = (torch.arange(height, device=matrix.device) - (height - 1) / 2 - middle[1])[:, None]
    if moves is not None:
        x, y = x - moves.float()[:, 0, None, None], y - moves.float()[:, 1, None, None]
    return torch.stack(((a * x + b * y + middle[0]) * (2 / width), (c * x + d * y + middle[1]) * (2 / height)), dim=-1)


def gaussian_blur(images: Tensor, size: tuple[int, int], sigmas: Tensor) -> Tensor:
    """Blur each image by a bell of `size` (height, width) with its own deviation (float64, [n]); borders are mirrored."""
    n, channels, height, width = images.shape
    if not n:
        return images
    rows, columns = (_bell(side, sigmas.to(images.device)).float() for side in size)
    kernels = (rows[:, :, None] * columns[:, None, :])[:, None].expand(n, channels, *size)
    padded = pad(images, (size[1] // 2, size[0] // 2, size[1] // 2, size[0] // 2), "reflect").float()
    blurred = F.conv2d(
        padded.reshape(1, n * channels, *padded.shape[2:]),
        kernels.reshape(n * channels, 1, *size),
        groups=n * channels,
    )
    return _rounded(blurred.view(n, channels, height, width), images)


def _bell(size: int, sigmas: Tensor) -> Tensor:
    """Weights that add up to 1, [n, size]."""
    places = torch.arange(size, device=sigmas.device) - (size - 1) / 2
    weights = (-0.5 * (places / sigmas[:, None]) ** 2).exp()
    return weights / weights.sum(1, keepdim=True)


def erase(images: Tensor, box: Tensor, values: Tensor) -> Tensor:
    """Put `values` (any shape that fits [n, channels, height, width]) into a window of each image.

    `box` is int64 [n, 4]: top, left, height, width; a height of 0 leaves an image as it is.
    """
    top, left, rows, columns = (side[:, None] for side in box.to(images.device).unbind(1))
    y = torch.arange(images.shape[2], device=images.device)
    x = torch.arange(images.shape[3], device=images.device)
    inside = ((y >= top) & (y < top + rows))[:, :, None] & ((x >= left) & (x < left + columns))[:, None, :]
    return torch.where(inside[:, None], values.to(images.device, images.dtype), images)


# --- colours ---


def adjust_brightness(images: Tensor, factors: Tensor) -> Tensor:
    """Multiply each image by its factor."""
    return _whole(images.float() * _each(factors, images))


def adjust_contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Move each image away from the mean of its grey values by its factor."""
    return _blend(images, _gray(images).mean((1, 2, 3), keepdim=True), factors)


def adjust_saturation(images: Tensor, factors: Tensor) -> Tensor:
    """Move each image away from its grey values by its factor. Grey images stay as they are."""
    return images if images.shape[1] == 1 else _blend(images, _gray(images), factors)


def adjust_hue(images: Tensor, factors: Tensor) -> Tensor:
    """Turn the colours of each image by its factor, a part of the full circle. Grey images stay as they are."""
    if images.shape[1] == 1:
        return images
    hue, saturation, value = _to_hsv(images.float() / 255)
    turned = (hue + _each(factors, images)[:, 0]).remainder(1.0)
    # torchvision spreads 0 to 1 over 256 steps of the same width, and leaves 1.0 in the last.
    return _whole(_to_rgb(turned, saturation, value) * (256 - 1e-3))


def gray(images: Tensor) -> Tensor:
    """Images without their colours, in as many channels."""
    return _gray(images).to(torch.uint8).expand_as(images)


def _each(factors: Tensor, images: Tensor) -> Tensor:
    return factors.to(images.device, torch.float32).view(-1, 1, 1, 1)


def _gray(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images.float()
    red, green, blue = images.float().unbind(1)
    return red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()[:, None]


def _blend(images: Tensor, other: Tensor, factors: Tensor) -> Tensor:
    share = _each(factors, images)
    return _whole(images.float() * share + other * (1 - share))


def _to_hsv(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value, each [n, height, width]; hue 0 where a pixel is grey."""
    red, green, blue = images.unbind(1)
    least, most = images.aminmax(dim=1)
    span = most - least
    divisor = torch.where(span == 0, 1.0, span)
    from_red = (green - blue) / divisor
    from_green = 2 + (blue - red) / divisor
    from_blue = 4 + (red - green) / divisor
    hue = torch.where(most == red, from_red, torch.where(most == green, from_green, from_blue))
    saturation = span / torch.where(most == 0, 1.0, most)
    return (torch.where(span == 0, 0.0, hue) / 6).remainder(1.0), saturation, most


def _to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Red, green and blue. How much each lacks of the full colour goes up and down in steps of a sixth of the circle."""
    steps = [(hue * 6 + offset).remainder(6.0) for offset in (5, 3, 1)]
    lacking = [torch.minimum(step, 4 - step).clamp(0, 1) for step in steps]
    return torch.stack([value * (1 - saturation * part) for part in lacking], 1)


def _whole(result: Tensor) -> Tensor:
    """A result of colours, kept in range and cut down to whole numbers."""
    return result.clamp_(0, 255).to(torch.uint8)


def _rounded(result: Tensor, images: Tensor) -> Tensor:
    """A result of sampling in the type of the images."""
    return result.round_().clamp_(0, 255).to(torch.uint8) if images.dtype == torch.uint8 else result


def normalize(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """uint8 images as float32, minus `mean` and divided by `std`, for which white is 1."""
    scale = torch.tensor([1 / (255 * deviation) for deviation in std], device=images.device).view(1, -1, 1, 1)
    shift = torch.tensor([-m / s for m, s in zip(mean, std)], device=images.device).view(1, -1, 1, 1)
    return images.float().mul_(scale).add_(shift)
