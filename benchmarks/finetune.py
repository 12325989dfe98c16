"""What fine-tuning is worth: a small residual net trained on five classes of clothes, then on 50 images of each of the others.

`python -m benchmarks.finetune` prints the accuracy on the test images of classes 5 to 9, started from those weights and from
scratch with the same recipe, for three seeds. Classes 0 to 4 are T-shirt, trouser, pullover, dress and coat.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import torch

import cnnspec
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.data.splits import Split
from cnnspec.training.options import Options

EACH = 50
SPEC = Path(__file__).parents[1] / "specs" / "resnet_small.cnn"
RECIPE = {"optimizer": "AdamW(lr=0.003)", "batch": 32}


def part(data: Data, classes: range, each: int | None = None) -> Data:
    """The images of some classes, at most `each` of each for training."""

    def split(whole: Split, most: int | None) -> Split:
        kept = [(whole.labels == label).nonzero().flatten()[:most] for label in classes]
        chosen = torch.cat(kept)
        return Split(whole.inputs[chosen], whole.labels[chosen] - classes.start)

    assert isinstance(data.train, Split)
    assert isinstance(data.test, Split)
    names = data.classes[classes.start : classes.stop]
    return Data(data.name, split(data.train, each), split(data.test, None), names, data.shape, data.origin)


def accuracies(spec: cnnspec.Spec, data: Data, **recipe: object) -> tuple[float, float]:
    """After three epochs and after all of them."""
    run = cnnspec.train(spec, {"data": "Npz", **RECIPE, **recipe}, data, device="cpu", options=Options(threads=1))
    return run.history[2].test_metrics["accuracy"], run.history[-1].test_metrics["accuracy"]


def main() -> None:
    spec = cnnspec.load(SPEC, num_classes=5, width=8)
    data = load_data("FashionMini")
    tuned, scratch = [], []
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first"
        recipe = {"data": "Npz", "epochs": 6, **RECIPE}
        cnnspec.train(spec, recipe, part(data, range(5)), device="cpu", out=first, options=Options(threads=1))
        for seed in range(3):
            few = part(data, range(5, 10), EACH)
            scratch.append(accuracies(spec, few, epochs=15, seed=seed))
            tuned.append(accuracies(spec, few, epochs=15, seed=seed, weights=f'"{first}"'))
            print(f"seed {seed}: from scratch {scratch[-1]}, fine-tuned {tuned[-1]}", flush=True)
    for at, when in enumerate(("after 3 epochs", "at the end")):
        means = [statistics.mean(found[at] for found in each) for each in (scratch, tuned)]
        print(f"{when}: from scratch {means[0]:.3f}, fine-tuned {means[1]:.3f}")


if __name__ == "__main__":
    main()
