"""Augmentation: image by image what torchvision gives, drawn as torchvision draws, one draw an image.

`golden_augment.npz` holds what torchvision 0.29 made of the images in it; `tools/make_golden_augment.py` makes it anew.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from cnnspec.recipe import augmentations
from cnnspec.recipe.augmentations import (
    Augmentation,
    CenterCrop,
    ColorJitter,
    GaussianBlur,
    Normalize,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
)
from cnnspec.training.augment import pipeline as augment
from cnnspec.training.augment import pixels
from cnnspec.training.augment.pipeline import Pipeline

from . import golden_cases as cases

numpy = pytest.importorskip("numpy", reason="the results of torchvision are stored as arrays of numpy")

GOLDEN = {
    name: torch.from_numpy(values)
    for name, values in numpy.load(Path(__file__).with_name("golden_augment.npz")).items()
}
COLOR, GRAY = GOLDEN["images"], GOLDEN["gray"]
DEGREES = torch.tensor(cases.DEGREES, dtype=torch.float64)
BOXES = torch.tensor(cases.BOXES)


def same(name: str, found: torch.Tensor) -> None:
    assert found.dtype == GOLDEN[name].dtype
    assert torch.equal(found, GOLDEN[name]), name


def fill_of(value: object) -> torch.Tensor | float:
    return torch.tensor(value) if isinstance(value, list) else value


# --- image by image against torchvision ---


@pytest.mark.parametrize("name", cases.ROTATIONS)
def test_rotate(name: str):
    mode, center, fill = cases.ROTATIONS[name]
    same(f"rotate_{name}", pixels.rotate(COLOR, DEGREES, mode, center, fill_of(fill)))


@pytest.mark.parametrize("name", cases.AFFINES)
def test_affine(name: str):
    mode, center, fill = cases.AFFINES[name]
    degrees, moves, factors, slants = (torch.tensor(column, dtype=torch.float64) for column in zip(*cases.AFFINE))
    same(f"affine_{name}", pixels.affine(COLOR, degrees, moves, factors, slants, mode, center, fill_of(fill)))


@pytest.mark.parametrize("name", cases.BLURS)
def test_gaussian_blur(name: str):
    found = pixels.gaussian_blur(COLOR, cases.BLURS[name], torch.tensor(cases.SIGMAS, dtype=torch.float64))
    golden = GOLDEN[f"gaussian_blur_{name}"]
    # Sums in another order give the next whole number where a result lies on the edge between two.
    assert (found.int() - golden.int()).abs().max() <= 1
    assert (found != golden).double().mean() <= 0.002


def test_rotate_of_normalised_images():
    found = pixels.rotate(COLOR[:2].float() / 255 - 0.5, DEGREES[:2], "bilinear", None, 0.25)
    assert torch.allclose(found, GOLDEN["rotate_float"], atol=1e-5)


@pytest.mark.parametrize("name", cases.PADS)
def test_pad(name: str):
    borders, mode, fill = cases.PADS[name]
    same(f"pad_{name}", pixels.pad(COLOR, borders, mode, fill_of(fill)))


def test_crop_and_flip():
    same("crop", pixels.crop(COLOR, torch.tensor(cases.TOPS), torch.tensor(cases.LEFTS), 5, 7))
    for dim in (2, 3):
        same(f"flip_{dim}", pixels.flip(COLOR, torch.tensor(cases.CHOSEN), dim))


@pytest.mark.parametrize("name", cases.CENTERS)
def test_center_crop(name: str):
    same(f"center_crop_{name}", pixels.center_crop(COLOR, *cases.CENTERS[name]))


@pytest.mark.parametrize("name", cases.RESIZES)
def test_resize(name: str):
    (height, width), mode, antialias = cases.RESIZES[name]
    same(f"resize_{name}", pixels.resize(COLOR, height, width, mode, antialias=antialias))
    assert pixels.resize(COLOR, *COLOR.shape[2:], mode) is COLOR


@pytest.mark.parametrize("name", cases.RESIZED_CROPS)
def test_resized_crop(name: str):
    (height, width), mode, antialias = cases.RESIZED_CROPS[name]
    same(f"resized_crop_{name}", pixels.resized_crop(COLOR, BOXES, height, width, mode, antialias=antialias))


def test_erase():
    same("erase", pixels.erase(COLOR, BOXES, torch.tensor(cases.COLOR)[None]))


@pytest.mark.parametrize("name", cases.FACTORS)
def test_colors(name: str):
    factors = torch.tensor(cases.FACTORS[name], dtype=torch.float64)
    adjust = getattr(pixels, f"adjust_{name}")
    same(f"adjust_{name}_gray", adjust(GRAY, factors))
    found, golden = adjust(COLOR, factors), GOLDEN[f"adjust_{name}"]
    # Sums in another order give the next whole number where a result lies on the edge between two.
    allowed = 0.02 if name == "saturation" else 0
    assert (found.int() - golden.int()).abs().max() <= (1 if allowed else 0)
    assert (found != golden).double().mean() <= allowed


def test_normalize():
    assert torch.allclose(pixels.normalize(COLOR[:2], cases.MEAN, cases.STD), GOLDEN["normalize"], atol=1e-5)


# --- draws ---


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", cases.DRAWS)
def test_windows_are_drawn_as_torchvision_draws_them(name: str):
    """Mean and deviation of top, left, height and width, and how many fit, over 20,000 draws of each."""
    kind, options = cases.DRAWS[name]
    step = augmentations.AUGMENTATIONS[kind](**options)
    height, width = cases.DRAWN_ON
    erasing = kind == "RandomErasing"
    box = augment.windows(20_000, height, width, step, generator(), upright=erasing)
    fits = box[:, 2] >= 0
    if not erasing:
        box = torch.where(fits[:, None], box, torch.tensor(augment._middle(height, width, *step.ratio)))
        fits = torch.ones_like(fits)
    chosen = box[fits].double()
    found = torch.cat([chosen.mean(0), chosen.std(0), fits.double().mean()[None]])
    golden = GOLDEN[f"drawn_{name}"]
    # Both sides scatter: five standard errors of a mean, and about as much for a deviation.
    tolerance = 5 * math.sqrt(2) * golden[4:8] / math.sqrt(20_000)
    assert (found[:4] - golden[:4]).abs().le(tolerance + 1e-9).all(), (found, golden)
    assert (found[4:8] - golden[4:8]).abs().le(tolerance + 1e-9).all(), (found, golden)
    assert abs(float(found[8] - golden[8])) < 0.01


def test_every_window_fits():
    step = RandomResizedCrop(8, scale=(0.0, 1.0), ratio=(0.1, 10))
    top, left, rows, columns = augment.windows(5000, 9, 7, step, generator(), upright=False).unbind(1)
    drawn = rows >= 0
    assert drawn.double().mean() > 0.9
    assert (rows[drawn] >= 1).all()
    assert (columns[drawn] >= 1).all()
    assert (top + rows)[drawn].max() == 9
    assert (left + columns)[drawn].max() == 7
    assert top[drawn].min() == left[drawn].min() == 0


def numbered(n: int, height: int, width: int) -> torch.Tensor:
    """Images of one channel where every pixel of an image has another value."""
    return torch.arange(height * width, dtype=torch.uint8).view(1, 1, height, width).expand(n, 1, height, width)


def test_each_image_has_a_crop_of_its_own_and_all_are_equally_likely():
    found = Pipeline([RandomCrop(4, padding=1)], (1, 6, 6))(numbered(9000, 6, 6), generator())
    corners = (found[:, 0, 1, 1] * 255).round().int()
    counts = torch.bincount(corners, minlength=36).view(6, 6)
    assert (counts > 0).sum() == 25
    assert counts[counts > 0].min() > 9000 / 25 * 0.75
    assert counts[counts > 0].max() < 9000 / 25 * 1.25


@pytest.mark.parametrize(("step", "dim"), [(RandomHorizontalFlip(0.3), 3), (RandomVerticalFlip(0.3), 2)])
def test_flips_have_their_probability(step: Augmentation, dim: int):
    images = numbered(4000, 3, 4)
    found = Pipeline([step], (1, 3, 4))(images, generator()).mul(255).round().to(torch.uint8)
    mirrored = (found == images.flip(dim)).flatten(1).all(1)
    assert ((found == images).flatten(1).all(1) ^ mirrored).all()
    assert float(mirrored.double().mean()) == pytest.approx(0.3, abs=0.04)


def test_rotations_have_angles_of_their_own():
    """The place of one bright pixel tells the angle: spread evenly over the whole range."""
    images = torch.zeros(2000, 1, 41, 41, dtype=torch.uint8)
    images[:, :, 20, 36:40] = 255
    found = Pipeline([RandomRotation((-90, 30), "bilinear")], (1, 41, 41))(images, generator())[:, 0]
    weights = found / found.sum((1, 2), keepdim=True)
    at = torch.arange(41.0) - 20
    angles = torch.atan2(-(weights.sum(2) * at).sum(1), (weights.sum(1) * at).sum(1)).rad2deg()
    counts = torch.histc(angles, 12, -90, 30)
    assert angles.min() > -91
    assert angles.max() < 31
    assert counts.min() > 2000 / 12 * 0.7
    assert Pipeline([RandomRotation(0)], (1, 41, 41))(images, generator()).equal(images / 255)


def test_affine_changes_lie_in_their_ranges():
    """The middle and the size of a bright square tell move and factor; without ranges nothing changes."""
    images = torch.zeros(500, 1, 41, 41, dtype=torch.uint8)
    images[:, :, 16:25, 16:25] = 255
    step = RandomAffine(0, translate=(0.1, 0.2), scale=(0.5, 1.5), interpolation="bilinear")
    found = Pipeline([step], (1, 41, 41))(images, generator())[:, 0].double()
    mass = found.sum((1, 2))
    at = torch.arange(41, dtype=torch.float64) - 20
    across, down = (found.sum(1) * at).sum(1) / mass, (found.sum(2) * at).sum(1) / mass
    assert 3.5 < across.abs().max() < 4.3
    assert 7.4 < down.abs().max() < 8.4
    sides = mass.sqrt()
    assert 3.5 < sides.min() < 6
    assert 12 < sides.max() < 14
    assert Pipeline([RandomAffine(0)], (1, 41, 41))(images[:9], generator()).equal(images[:9] / 255)


def test_jitter_takes_factors_from_its_ranges():
    images = torch.full((3000, 1, 2, 2), 100, dtype=torch.uint8)
    found = Pipeline([ColorJitter(brightness=0.5)], (1, 2, 2))(images, generator())[:, 0, 0, 0] * 255
    assert 49 <= found.min() < 53
    assert 147 < found.max() <= 150
    assert float(found.mean()) == pytest.approx(99.5, abs=2)
    pair = Pipeline([ColorJitter(brightness=(0.1, 0.2))], (1, 2, 2))(images, generator())[:, 0, 0, 0] * 255
    assert (pair.min(), pair.max()) == (pytest.approx(10), pytest.approx(19, abs=1))
    strong = Pipeline([ColorJitter(brightness=3)], (1, 2, 2))(images, generator())
    assert strong.min() == 0


def test_jitter_does_all_changes_in_an_order_of_its_own_for_each_image():
    """Brightness 2 and contrast 0: white pixels tell which came first."""
    images = torch.tensor([0, 200], dtype=torch.uint8).view(1, 1, 1, 2).expand(1000, 1, 1, 2)
    step = ColorJitter((2.0, 2.0), (0.0, 0.0))
    found = (Pipeline([step], (1, 1, 2))(images, generator()) * 255).round().int()[:, 0, 0]
    values = {tuple(pair) for pair in found.tolist()}
    assert values == {(127, 127), (200, 200)}
    assert float((found[:, 0] == 200).double().mean()) == pytest.approx(0.5, abs=0.08)
    assert torch.equal(images, torch.tensor([0, 200], dtype=torch.uint8).view(1, 1, 1, 2).expand(1000, 1, 1, 2))


def test_jitter_of_four_changes_equals_torchvisions_functions_in_the_drawn_order():
    step = ColorJitter(0.4, 0.4, 0.4, 0.2)
    found = augment.STEPS[ColorJitter](step, COLOR, generator(3))
    drawn = generator(3)
    order = torch.rand(4, 4, generator=drawn).argsort(1)
    ranges = {"brightness": (0.6, 1.4), "contrast": (0.6, 1.4), "saturation": (0.6, 1.4), "hue": (-0.2, 0.2)}
    factors = [
        torch.rand(4, generator=drawn, dtype=torch.float64) * (most - least) + least for least, most in ranges.values()
    ]
    for index in range(4):
        image = COLOR[index : index + 1]
        for number in order[index].tolist():
            adjust = getattr(pixels, f"adjust_{list(ranges)[number]}")
            image = adjust(image, factors[number][index : index + 1])
        assert torch.equal(found[index : index + 1], image)


def test_jitter_without_arguments_changes_nothing():
    assert torch.equal(augment.STEPS[ColorJitter](ColorJitter(), COLOR, generator()), COLOR)
    gray = ColorJitter(saturation=0.5, hue=0.5)
    assert torch.equal(augment.STEPS[ColorJitter](gray, GRAY, generator()), GRAY)


def test_erasing():
    images = torch.full((2000, 3, 10, 12), 9, dtype=torch.uint8)
    step = RandomErasing(0.25, value=(1, 2, 3))
    found = augment.STEPS[RandomErasing](step, images, generator())
    erased = (found != 9).flatten(1).any(1)
    assert float(erased.double().mean()) == pytest.approx(0.25, abs=0.04)
    areas = (found[erased][:, 0] != 9).sum((1, 2)) / 120
    assert areas.min() > 0.0
    assert areas.max() < 0.45
    assert set(found[erased][:, 2].unique().tolist()) == {3, 9}


def test_erasing_with_noise():
    steps = [Normalize((0.5,), (0.5,)), RandomErasing(1.0, (0.2, 0.9), value="random")]
    images = torch.zeros(300, 2, 16, 16, dtype=torch.uint8)
    found = Pipeline(steps, (2, 16, 16))(images, generator())
    noise = found[found != -1]
    assert float(noise.mean()) == pytest.approx(0, abs=0.05)
    assert float(noise.std()) == pytest.approx(1, abs=0.05)
    assert not torch.equal(found[:, 0], found[:, 1])


def test_a_window_that_never_fits_erases_nothing():
    images = torch.full((50, 1, 2, 40), 9, dtype=torch.uint8)
    step = RandomErasing(1.0, (0.9, 1.0), (3.0, 3.0), 1)
    assert torch.equal(augment.STEPS[RandomErasing](step, images, generator()), images)


# --- pipelines ---

ALL = [
    RandomCrop(30, padding=2, padding_mode="reflect"),
    RandomRotation(15, "bilinear"),
    RandomAffine((-5, 10), (0.1, 0.0), (0.9, 1.2), (-5, 5, 0, 3), "bilinear"),
    GaussianBlur(3),
    ColorJitter(0.2, 0.2, 0.2, 0.1),
    RandomResizedCrop((20, 24)),
    RandomHorizontalFlip(),
    RandomVerticalFlip(),
    Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    RandomErasing(value="random"),
]


def pictures(n: int = 16, channels: int = 3, height: int = 32, width: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (n, channels, height, width), generator=generator(9), dtype=torch.uint8)


def test_equal_states_give_equal_images():
    pipeline, images = Pipeline(ALL, (3, 32, 32)), pictures()
    kept, state = images.clone(), torch.get_rng_state()
    first, again, other = pipeline(images, generator(1)), pipeline(images, generator(1)), pipeline(images, generator(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (16, *pipeline.shape) == (16, 3, 20, 24)
    assert first.dtype is torch.float32
    assert torch.equal(images, kept)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_number_of_draws_does_not_depend_on_the_images():
    drawn, again = generator(), generator()
    pipeline = Pipeline(ALL, (3, 32, 32))
    pipeline(pictures(), drawn)
    pipeline(torch.zeros_like(pictures()), again)
    assert torch.equal(drawn.get_state(), again.get_state())


def test_without_a_generator_nothing_is_random():
    pipeline = Pipeline(ALL, (3, 32, 32))
    assert torch.equal(pipeline(pictures()), pipeline(pictures()))
    assert pipeline(pictures()).shape == (16, 3, 20, 24)
    training = [RandomHorizontalFlip(), RandomVerticalFlip(), RandomRotation(30), ColorJitter(0.5), RandomErasing()]
    assert torch.equal(Pipeline(training, (3, 32, 32))(pictures()), pictures() / 255)


def test_random_windows_lie_in_the_middle_in_evaluation():
    images = pictures()
    for steps in ([RandomCrop(32, padding=4)], [RandomCrop(32, (4, 0, 0, 2))], [RandomResizedCrop(32)]):
        assert torch.equal(Pipeline(steps, (3, 32, 32))(images), images / 255)
    cut = Pipeline([RandomCrop(24)], (3, 32, 32))(images)
    assert torch.equal(cut, Pipeline([CenterCrop(24)], (3, 32, 32))(images))
    wide = pictures(width=64)
    middle = Pipeline([RandomResizedCrop(32, ratio=(0.5, 1.0))], (3, 32, 64))(wide)
    assert torch.equal(middle, wide[:, :, :, 16:48] / 255)
    tall = pictures(height=64)
    assert torch.equal(Pipeline([RandomResizedCrop(32, ratio=(1.0, 2.0))], (3, 64, 32))(tall), tall[:, :, 16:48] / 255)


@pytest.mark.parametrize(
    "step",
    [
        RandomCrop(8, padding=4, padding_mode="symmetric"),
        RandomCrop((8, 5), (1, 2), fill=(1, 2, 3)),
        RandomCrop(40, pad_if_needed=True, fill=7),
        CenterCrop((30, 4)),
        Resize(7),
        Resize(7, max_size=9),
        Resize((4, 9), "nearest"),
        RandomResizedCrop((4, 9), interpolation="nearest"),
        RandomRotation(40, center=(0, 0), fill=9),
    ],
)
@pytest.mark.parametrize("shape", [(3, 12, 10), (3, 10, 31)])
def test_shapes_are_those_that_the_catalogue_states(step: Augmentation, shape: tuple[int, int, int]):
    pipeline = Pipeline([step], shape)
    for drawn in (generator(), None):
        found = pipeline(pictures(5, *shape), drawn)
        assert tuple(found.shape[1:]) == pipeline.shape == step.output_shape(shape)
        assert found.dtype is torch.float32


def test_a_batch_of_one_and_of_none():
    for n in (0, 1):
        assert Pipeline(ALL, (3, 32, 32))(pictures(n), generator()).shape == (n, 3, 20, 24)


def test_normalize_takes_what_was_measured():
    statistics = ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    images = pictures()
    measured = Pipeline([Normalize()], (3, 32, 32), statistics)(images)
    given = Pipeline([Normalize(*statistics)], (3, 32, 32))(images)
    assert torch.equal(measured, given)
    expected = (images.double() / 255 - torch.tensor(statistics[0]).view(1, 3, 1, 1)) / torch.tensor(
        statistics[1]
    ).view(1, 3, 1, 1)
    assert torch.allclose(measured.double(), expected, atol=1e-6)
    one = Pipeline([Normalize((0.5,), (0.5,))], (3, 32, 32))(images)
    assert torch.allclose(one, images / 127.5 - 1, atol=1e-6)


def test_without_normalize_white_is_one():
    assert torch.equal(
        Pipeline([], (1, 2, 2))(torch.full((1, 1, 2, 2), 255, dtype=torch.uint8)), torch.ones(1, 1, 2, 2)
    )


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([Normalize()], "Normalize without mean and std needs the statistics of the training images"),
        ([RandomCrop(40)], "the window of RandomCrop is larger than its input: 40 on 32"),
        ([RandomRotation(5, fill=300)], "fill of RandomRotation can't be 300: has to be from 0 to 255"),
        (
            [ColorJitter(0.1), Normalize((0.5,), (1,)), ColorJitter(0.1)],
            "ColorJitter: colours are changed before Normalize",
        ),
    ],
)
def test_steps_that_can_not_stand_so(steps: list[Augmentation], words: str):
    with pytest.raises(ValueError) as raised:
        Pipeline(steps, (3, 32, 32))
    assert words in str(raised.value)
    assert "{" not in str(raised.value)


def test_every_augmentation_of_the_catalogue_is_carried_out():
    assert set(augment.STEPS) == {kind for kind in augmentations.AUGMENTATIONS.values() if not kind.mixes}


def test_steps_run_on_any_device():
    """The meta device carries out no arithmetic, but refuses to mix devices as a GPU does."""
    images = pictures().to("meta")
    for steps in (ALL[:2], [RandomResizedCrop(8)], [RandomResizedCrop(8, interpolation="nearest")], ALL[4:]):
        pipeline = Pipeline(steps, (3, 32, 32))
        for drawn in (generator(), None):
            assert pipeline(images, drawn).device.type == "meta"
