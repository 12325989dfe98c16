"""The pictures of docs/pictures.md, made from the specs and from a run of LeNet: `python -m tools.make_pictures`."""

from __future__ import annotations

import json
from pathlib import Path

import cnnspec
from cnnspec.backends.draw.errors import errors_of
from cnnspec.backends.draw.picture import draw
from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.training.events import Epoch
from cnnspec.training.report.confusion import draw_confusion
from cnnspec.training.report.curves import draw_curves

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "pictures"

NETWORKS = {
    "lenet": ("lenet.cnn", {}),
    "lenet_stack": ("lenet.cnn", {"style": "stack"}),
    "resnet18": ("resnet.cnn:ResNet18", {}),
    "resnet18_stack": ("resnet.cnn:ResNet18", {"style": "stack"}),
    "unet": ("unet.cnn", {}),
    "hrnet": ("hrnet.cnn", {}),
    "siamese": ("siamese.cnn", {}),
    "yolo": ("yolo.cnn", {}),
    "bottleneck": ("resnet.cnn:ResNet50", {"style": "stack", "only": "layer2.0"}),
}
# Of networks whose input has sizes by name, those that are drawn.
SIZES = {"unet": {"H": 256, "W": 256}, "yolo": {"H": 320, "W": 320}}
WRONG = """model Wrong {
    input [1, 28, 28]
    Conv2d(6, kernel_size=5, padding=2)
    BatchNorm2d(16)
    RelU
    AvgPool2d(2)
    Flatten
    Linear(10)
}
"""
_ADJECTIVES = ("red", "blue", "green", "white", "black", "grey")
_NOUNS = ("mug", "car", "coat", "lamp", "chair", "bird", "shoe", "kite", "boat", "tree")


def pictures() -> dict[str, str]:
    """The pictures by the names of their files."""
    made = {}
    for name, (spec, options) in NETWORKS.items():
        made[name] = str(draw(cnnspec.load(ROOT / "specs" / spec, **SIZES.get(name, {})).graph, **options))  # type: ignore[arg-type]
    graph = check(Source("wrong.cnn", WRONG), sink := Sink())[0]
    made["wrong"] = str(draw(graph, errors=errors_of(graph, sink.diagnostics)))
    return {f"{name}.svg": picture for name, picture in (made | run_pictures()).items()}


def run_pictures() -> dict[str, str]:
    """Curves and confusion matrices: of the run that is kept as numbers, and of three and sixty classes that are made up."""
    run = json.loads((FOLDER / "lenet_run.json").read_text(encoding="utf-8"))
    history = [_epoch(dict(zip(run["columns"], row)), len(run["history"])) for row in run["history"]]
    many = [f"{adjective} {noun}" for adjective in _ADJECTIVES for noun in _NOUNS]
    return {
        "curves": draw_curves("LeNet on FashionMini", history),
        "confusion": draw_confusion("LeNet on FashionMini", run["counts"], run["classes"]),
        "confusion_3": draw_confusion("Three classes", [[95, 4, 1], [7, 90, 3], [2, 5, 93]], ["cat", "dog", "horse"]),
        "confusion_60": draw_confusion("Sixty classes", _made_up(len(many)), many),
    }


def _epoch(row: dict[str, float], epochs: int) -> Epoch:
    return Epoch(
        epoch=int(row["epoch"]), epochs=epochs, step=0, train_loss=row["train_loss"],
        train_metrics={"accuracy": row["train_accuracy"]}, validation_loss=None, validation_metrics={},
        test_loss=row["test_loss"], test_metrics={"accuracy": row["test_accuracy"]}, learning_rate=row["learning_rate"],
        seconds=0.0, test_seconds=0.0, images_per_second=0.0, best=bool(row["best"]),
    )  # fmt: skip


def _made_up(classes: int) -> list[list[int]]:
    """Counts in which things of one kind are taken for each other."""
    counts = [[0] * classes for _ in range(classes)]
    for row in range(classes):
        for step, wrong in ((10, 3 + row * 7 % 11), (20, row * 5 % 7), (1, row * 3 % 4)):
            counts[row][(row + step) % classes] += wrong
        counts[row][row] = 100 - sum(counts[row])
    return counts


if __name__ == "__main__":
    for name, picture in pictures().items():
        (FOLDER / name).write_text(picture, encoding="utf-8")
