"""What a forward of a compiled network costs beside the module that one writes by hand.

    python -m benchmarks.forward [--rounds 60]

Both have the same number of weights and run in turn, one thread, in evaluation without gradients. A row shows the time by
hand, the ratio of the medians, and the median of the ratios of neighbours, which a busy machine disturbs less; 1.03 is the
bound. Seconds are those of the processor. The images are small, so that the calls count beside the arithmetic.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import cnnspec
from benchmarks import forward_by_hand as by_hand

SPECS = Path(__file__).parent.parent / "specs"
NETWORKS: list[tuple[str, dict[str, object], Callable[[], nn.Module], tuple[int, ...]]] = [
    ("lenet.cnn", {}, by_hand.lenet, (8, 1, 28, 28)),
    ("resnet.cnn:ResNet50", {}, by_hand.ResNet50, (1, 3, 64, 64)),
    ("unet.cnn", {"width": 16, "size": 64}, by_hand.UNet, (1, 3, 64, 64)),
    ("hrnet.cnn", {}, by_hand.HRNet, (1, 3, 64, 64)),
]


def seconds(net: nn.Module, image: torch.Tensor, runs: int) -> float:
    start = time.process_time()
    for _ in range(runs):
        net(image)
    return (time.process_time() - start) / runs


def compare(ours: nn.Module, theirs: nn.Module, image: torch.Tensor, rounds: int) -> tuple[float, float, float]:
    """The median time by hand in seconds, the ratio of the medians, and the median of the ratios of neighbours."""
    pairs = []
    runs = max(1, int(0.02 / seconds(theirs, image, 3)))
    for number in range(rounds):
        # Each goes first as often as the other.
        order = (ours, theirs) if number % 2 else (theirs, ours)
        took = {net: seconds(net, image, runs) for net in order}
        pairs.append((took[ours], took[theirs]))
    mine, other = (statistics.median(column) for column in zip(*pairs))
    return other, mine / other, statistics.median(a / b for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'':22}{'by hand':>12}{'medians':>10}{'neighbours':>12}")
    with torch.no_grad():
        for name, given, module, shape in NETWORKS:
            theirs, ours = module().eval(), cnnspec.load(SPECS / name, **given).compile().eval()
            assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in ours.parameters()), name
            found = compare(ours, theirs, torch.randn(shape), options.rounds)
            print(f"{name:22}{found[0] * 1e3:>9.2f} ms{found[1]:>10.3f}{found[2]:>12.3f}", flush=True)


if __name__ == "__main__":
    main()
