"""For which sizes of the input a network holds that is built: every answer beside that of the check for that one size."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.sizes.sets import boxes, nearest
from tests.network_generator import Generator
from tests.sampling import FULL, amount
from tests.sizes.oracle import Oracle, sizes_found

SPECS = Path(__file__).parent.parent.parent / "specs"
FEW = ["unet", "lenet", "alexnet", "edsr", "tcn", "textcnn", "two_tower", "siamese", "squeezenet"]


def compare(oracle: Oracle, seed: str, full: int) -> None:
    """One axis after the other, the others as they are declared, and combinations at random."""
    holding = oracle.holding()
    base, draw = holding.grid.base, random.Random(seed)
    says = sizes_found(holding)
    tries = {base}
    for axis in range(len(base)):
        sizes = range(1, 601) if full else sorted({*range(1, 12), *(draw.randint(1, 600) for _ in range(8))})
        tries |= {(*base[:axis], size, *base[axis + 1 :]) for size in sizes}
    tries |= {tuple(draw.randint(1, 300) for _ in base) for _ in range(10 if not full else 300)}
    for sizes in sorted(tries):
        assert says(sizes) == oracle.holds(holding, sizes), sizes


@pytest.mark.parametrize("name", sorted(path.stem for path in SPECS.glob("*.cnn")) if FULL else FEW)
def test_agrees_with_the_check_of_each_size(name: str):
    path = SPECS / f"{name}.cnn"
    compare(Oracle(path.read_text(), str(path)), name, amount(0, 1))


def test_unet_in_words(capsys: pytest.CaptureFixture[str]):
    assert main(["sizes", str(SPECS / "unet.cnn"), "--near", "500x333"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  any H >= 16 with H % 16 == 0",
        "  any W >= 16 with W % 16 == 0",
        "  nearest to 500x333: 496x336",
    ]


def test_lenet_in_words(capsys: pytest.CaptureFixture[str]):
    assert main(["sizes", str(SPECS / "lenet.cnn")]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(";")[0].strip() for line in lines] == [
        "28 <= H <= 31 with 28 <= W <= 31",
        "12 <= H <= 15 with 108 <= W <= 111",
        "108 <= H <= 111 with 12 <= W <= 15",
    ]
    assert "H of 29 to 31 leaves pixels unread" in lines[0]


def test_sizes_above_the_grid_are_found():
    oracle = Oracle((SPECS / "unet.cnn").read_text(), str(SPECS / "unet.cnn"))
    holding = oracle.holding()
    found = boxes(holding.grid.region)
    assert nearest(found, (10_000, 9_999)) == (10_000, 10_000)


@pytest.mark.parametrize("seed", range(amount(20, 500)))
def test_generated_networks_agree_with_the_check_of_each_size(seed: int):
    text, _ = Generator(random.Random(seed), values=seed % 2 == 1).model()
    oracle, draw = Oracle(text), random.Random(seed)
    holding = oracle.holding()
    says = sizes_found(holding)
    for _ in range(amount(15, 200)):
        sizes = tuple(draw.randint(1, 60) for _ in holding.grid.names)
        assert says(sizes) == oracle.holds(holding, sizes), (sizes, text)
