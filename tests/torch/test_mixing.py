"""MixUp and CutMix: what is mixed, in which shares, and that a step's loss is that of both."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.errors import TrainError
from cnnspec.recipe.augmentations import CutMix, MixUp
from cnnspec.training.augment.mixing import mix, window
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.distributed import Group
from cnnspec.training.restore import recipe_from
from cnnspec.training.start import Options, make_trainer, train

SPEC = "model Small { input [1, 8, 8]; Conv2d(8, 3, padding=1); ReLU; Flatten; Linear(10) }"
IMAGES = torch.rand(6, 2, 9, 7, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def digits() -> Data:
    return load_data("Digits")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_mixup_adds_the_image_before():
    found, share = mix(MixUp(0.4), IMAGES, generator())
    torch.testing.assert_close(found, IMAGES * share + IMAGES.roll(1, 0) * (1 - share))
    again, same = mix(MixUp(0.4), IMAGES, generator())
    assert torch.equal(found, again)
    assert share == same


def test_cutmix_puts_a_window_of_the_image_before_into_each():
    for seed in range(40):
        found, share = mix(CutMix(), IMAGES, generator(seed))
        own, other = found == IMAGES, found == IMAGES.roll(1, 0)
        assert (own | other).all()
        assert float(own.double().mean()) == pytest.approx(share)


def test_shares_are_those_of_the_distribution():
    """Beta(a, a) has mean 1/2 and variance 1 / (4 (2a + 1))."""
    shares = torch.tensor([mix(MixUp(0.5), IMAGES[:2], generator(seed))[1] for seed in range(2000)])
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.04)
    assert float(shares.var()) == pytest.approx(1 / 8, abs=0.02)


def test_windows_lie_inside():
    chance = random.Random(0)
    for _ in range(200):
        height, width, share = chance.randint(1, 30), chance.randint(1, 30), chance.random()
        top, left, bottom, right = window(height, width, share, chance.randrange(height), chance.randrange(width))
        assert 0 <= top <= bottom <= height
        assert 0 <= left <= right <= width


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "CrossEntropyLoss(weight=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])"])
@pytest.mark.parametrize("parts", [1, 3])
def test_a_step_is_that_of_both_losses(digits: Data, loss: str, parts: int):
    recipe = recipe_from(
        {"data": "Digits", "batch": "64", "optimizer": "SGD(lr=0.1)", "scheduler": "none", "loss": loss,
         "accumulate": str(parts), "augment": "[MixUp(0.4)]"}
    )  # fmt: skip
    graph = cnnspec.loads(SPEC).graph
    trainer = make_trainer(graph, recipe, digits, torch.device("cpu"), Group(), Options())
    net = cnnspec.loads(SPEC).compile()
    net.load_state_dict(trainer.state.net.state_dict())
    found, targets = next(trainer.loader.batches(0, 0))
    assert len(found) == parts
    inputs, share = torch.cat([part.inputs for part in found]), found[0].share
    assert torch.equal(torch.cat([part.others for part in found]), targets.roll(1, 0))
    criterion = nn.CrossEntropyLoss(weight=torch.arange(1.0, 11) if "weight" in loss else None)
    outputs = net(inputs)
    (share * criterion(outputs, targets) + (1 - share) * criterion(outputs, targets.roll(1, 0))).backward()
    trainer.take_step(found, targets)
    for one, other in zip(net.parameters(), trainer.state.net.parameters(), strict=True):
        torch.testing.assert_close(one.detach() - 0.1 * one.grad, other.detach(), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("augment", ["[RandomCrop(8, padding=1), MixUp(0.2)]", "[CutMix]"])
def test_mixed_images_are_learnt_from(digits: Data, augment: str):
    recipe = recipe_from({"data": "Digits", "epochs": "3", "optimizer": "Adam(lr=0.01)", "augment": augment})
    run = train(cnnspec.loads(SPEC), recipe, digits, device="cpu")
    assert run.history[-1].test_accuracy > 0.8


def test_what_has_no_class_is_not_mixed(digits: Data):
    graph = cnnspec.loads("model M { input [1, 8, 8]; Conv2d(1, 3, padding=1) }").graph
    data = Data("Own", digits.train, digits.test, digits.classes, (1, 8, 8), "here")
    with pytest.raises(TrainError, match="MixUp mixes"):
        train(graph, recipe_from({"loss": "MSELoss", "augment": "[MixUp]"}), data, device="cpu")
