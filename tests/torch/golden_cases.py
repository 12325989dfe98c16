"""The numbers with which `tools/make_golden_augment.py` calls torchvision and `test_augment.py` calls cnnspec."""

from __future__ import annotations

COUNT, HEIGHT, WIDTH = 4, 13, 11
DEGREES = [10.0, -30.0, 45.5, -170.25]
ROTATIONS = {
    "nearest": ("nearest", None, 0),
    "bilinear": ("bilinear", None, 0),
    "bilinear_white": ("bilinear", None, 255),
    "nearest_color": ("nearest", None, [10.0, 200.0, 90.0]),
    "nearest_center": ("nearest", [2.0, 9.0], 17),
    "bilinear_center": ("bilinear", [2.5, 0.0], 17),
}
"""Interpolation, center, fill."""
AFFINE = [
    (10.0, (2, -1), 1.0, (0.0, 0.0)),
    (-30.0, (0, 3), 0.7, (20.0, 0.0)),
    (0.0, (0, 0), 1.6, (-15.0, 30.0)),
    (95.5, (-4, 1), 1.2, (5.0, -8.0)),
]
"""Degrees, moves, factor, slants."""
AFFINES = {
    "nearest": ("nearest", None, 0),
    "bilinear": ("bilinear", None, 17),
    "center": ("bilinear", [2.5, 0.0], [10.0, 200.0, 90.0]),
}
BLURS = {"square": (3, 3), "wide": (5, 9)}
SIGMAS = [0.1, 0.6, 1.3, 5.0]
PADS = {
    "constant": ((2, 1, 0, 3), "constant", 77),
    "color": ((1, 2, 3, 4), "constant", [1, 2, 3]),
    "edge": ((2, 1, 5, 3), "edge", 0),
    "reflect": ((0, 2, 3, 12), "reflect", 0),
    "symmetric": ((0, 2, 3, 13), "symmetric", 0),
}
"""Borders on the left, top, right and bottom; mode; fill."""
TOPS, LEFTS = [0, 8, 3, 2], [4, 0, 1, 3]
CHOSEN = [True, False, True, False]
CENTERS = {"smaller": (6, 8), "odd": (7, 4), "larger": (14, 14), "mixed": (16, 5)}
RESIZES = {
    "down": ((6, 5), "bilinear", True),
    "down_plain": ((6, 5), "bilinear", False),
    "up": ((15, 14), "bilinear", True),
    "nearest": ((7, 13), "nearest", True),
    "exact": ((7, 13), "nearest-exact", True),
    "cubic": ((8, 13), "bicubic", True),
}
BOXES = [(0, 0, 13, 11), (3, 2, 4, 9), (12, 10, 1, 1), (1, 4, 12, 5)]
"""Top, left, height, width."""
RESIZED_CROPS = {
    "square": ((6, 6), "bilinear", True),
    "wide": ((4, 14), "bilinear", True),
    "plain": ((5, 4), "bilinear", False),
    "nearest": ((7, 5), "nearest", True),
}
COLOR = [[[200]], [[0]], [[31]]]
FACTORS = {
    "brightness": [0.0, 0.4, 1.3, 2.0],
    "contrast": [0.0, 0.4, 1.3, 2.0],
    "saturation": [0.0, 0.4, 1.3, 2.0],
    "hue": [-0.5, -0.2, 0.1, 0.5],
}
MEAN, STD = [0.49, 0.48, 0.45], [0.25, 0.24, 0.26]
DRAWN_ON = (40, 30)
"""Height and width of the images for which numbers are drawn."""
DRAWS = {
    "crop": ("RandomResizedCrop", {"size": 8}),
    "crop_narrow": ("RandomResizedCrop", {"size": 8, "scale": (0.9, 1.0), "ratio": (1.2, 2.0)}),
    "erasing": ("RandomErasing", {"p": 1.0}),
    "erasing_large": ("RandomErasing", {"p": 1.0, "scale": (0.5, 1.0), "ratio": (0.5, 4.0)}),
}
