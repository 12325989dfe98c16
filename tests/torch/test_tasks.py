"""Every kind of task from its data to what a run says: train, resume, evaluate, predict; metrics against definitions."""

from __future__ import annotations

import math
import signal
from pathlib import Path

import pytest
import torch

import cnnspec
from cnnspec.errors import TrainError
from cnnspec.recipe.datasets import Npz
from cnnspec.training import checkpoint
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.distributed import Group
from cnnspec.training.evaluate import evaluate, predict
from cnnspec.training.metrics.base import Meter
from cnnspec.training.options import Options
from cnnspec.training.restore import recipe_from
from cnnspec.training.results import Run
from cnnspec.training.start import make_trainer
from tests.torch.test_checkpoint import fingerprint
from tools.make_task_data import make

torch.set_num_threads(1)

UNET = """model U { input [1, 28, 28]
    Conv2d(8, 3, padding=1); ReLU; Conv2d(8, 3, padding=1); ReLU; Conv2d(%d, 1) }"""
TASKS = {
    "masks": (UNET % 2, "CrossEntropyLoss", {}, "segmentation", {"miou": 0.8, "dice": 0.88, "accuracy": 0.9}),
    "one mask": (UNET % 1, "BCEWithLogitsLoss", {}, "segmentation", {"miou": 0.8}),
    "denoise": (UNET % 1, "MSELoss", {}, "image to image", {"psnr": 15.0, "ssim": 0.3}),
    "itself": (UNET % 1, "L1Loss", {}, "image to image", {"psnr": 15.0}),
    "ink": (
        "model I { input [1, 8, 8]; Flatten; Linear(32); ReLU; Linear(3) }", "MSELoss", {"epochs": 8}, "regression",
        {"r2": 0.6},
    ),
    "labels": (
        "model L { input [1, 28, 28]; Flatten; Linear(32); ReLU; Linear(3) }", "BCEWithLogitsLoss", {}, "several labels",
        {"f1": 0.85, "auc": 0.95, "accuracy": 0.9},
    ),
    "shoes": (
        "model S { input [1, 28, 28]; Flatten; Linear(1) }", "BCEWithLogitsLoss", {}, "one output",
        {"accuracy": 0.93, "auc": 0.97, "f1": 0.9},
    ),
    "rows": (
        "model R { input [8, 8]; Conv1d(16, 3, padding=1); ReLU; Flatten; Linear(10) }", "CrossEntropyLoss",
        {"epochs": 4}, "classification", {"accuracy": 0.8},
    ),
}  # fmt: skip
FILES = {"one mask": "masks", "itself": "FashionMini"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Data]:
    """A few hundred samples of each task."""
    folder, found = tmp_path_factory.mktemp("tasks"), {}
    for name in TASKS:
        file = FILES.get(name, name)
        whole = load_data(file if file == "FashionMini" else Npz(str(make(folder, file))))
        some = torch.arange(0, len(whole.train), max(1, len(whole.train) // 900))
        few = torch.arange(0, len(whole.test or ()), 5)
        found[name] = Data(
            name, whole.train.part(some), whole.test.part(few), whole.classes, whole.shape, "here", kind=whole.kind
        )
    return found


def trained(name: str, data: dict[str, Data], **more: object) -> Run:
    text, loss, settings, _, _ = TASKS[name]
    recipe = {"epochs": 3, "batch": 50, "loss": loss, "optimizer": "Adam(lr=0.01)", **settings, "data": "Npz"}
    return cnnspec.train(cnnspec.loads(text), recipe, data[name], device="cpu", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_learnt_saved_and_told(name: str, data: dict[str, Data], tmp_path: Path):
    run = trained(name, data, out=tmp_path)
    _, _, _, task, wanted = TASKS[name]
    assert run.model.task.name == task
    found = evaluate(tmp_path, data[name])
    for metric, least in wanted.items():
        assert found.metrics[metric] > least, found.metrics
    assert set(run.model.task.kind.metrics) - {"top5"} <= set(found.metrics)
    best = next(epoch for epoch in reversed(run.history) if epoch.best)
    assert found.loss == pytest.approx(best.test_loss, rel=1e-5)
    drawn = {"segmentation": "masks.svg", "image to image": "images.svg", "regression": "scatter.svg"}
    if task in drawn:
        assert "<image" in (svg := (tmp_path / drawn[task]).read_text()) or "<circle" in svg
    told = predict(tmp_path, data[name].test.inputs[:3])  # type: ignore[union-attr]
    assert len(told) == 3
    assert all(item.label and item.top for item in told)


class StopAfter:
    every_step = True
    left = 7

    def on_step(self, event: object) -> None:
        self.left -= 1
        if not self.left:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_goes_on_to_the_same_bits(name: str, data: dict[str, Data], tmp_path: Path):
    trained(name, data, out=tmp_path / "whole")
    stopped = trained(name, data, out=tmp_path / "parts", callbacks=[StopAfter()])
    assert stopped.reason == "interrupted"
    trained(name, data, out=tmp_path / "parts", resume=True)
    assert fingerprint(tmp_path / "whole" / "last.pt") == fingerprint(tmp_path / "parts" / "last.pt")


# --- metrics, against their definitions ---


def measured(meter: Meter, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
    """In uneven batches: sums do not depend on how the samples are divided."""
    for part in (slice(0, 7), slice(7, 8), slice(8, None)):
        meter.update(outputs[part], targets[part])
    return meter.metrics()


def area(scores: torch.Tensor, truth: torch.Tensor) -> float:
    """The share of pairs in the right order, a tie as half of one."""
    own, other = scores[truth], scores[~truth]
    return float(((own[:, None] > other).double() + (own[:, None] == other).double() / 2).mean())


def test_metrics_of_classes(data: dict[str, Data]):
    task = trained("rows", data).model.task
    generator = torch.Generator().manual_seed(0)
    outputs, targets = torch.randn(60, 10, generator=generator), torch.randint(9, (60,), generator=generator)
    found = measured(task.meter(torch.device("cpu")), outputs, targets)
    said = outputs.argmax(1)
    precision, recall, f1 = [], [], []
    for label in range(9):
        right = int(((said == label) & (targets == label)).sum())
        precision.append(right / max(1, int((said == label).sum())))
        recall.append(right / int((targets == label).sum()))
        f1.append(2 * right / (int((said == label).sum()) + int((targets == label).sum())))
    assert found["accuracy"] == pytest.approx(float((said == targets).double().mean()))
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert found[name] == pytest.approx(sum(values) / 9)
    assert found["top5"] == pytest.approx(float((outputs.topk(5).indices == targets[:, None]).any(1).double().mean()))
    shares = outputs.softmax(1)
    assert found["auc"] == pytest.approx(sum(area(shares[:, c], targets == c) for c in range(9)) / 9, abs=2e-3)


def test_metrics_of_numbers(data: dict[str, Data]):
    task = trained("ink", data).model.task
    generator = torch.Generator().manual_seed(0)
    outputs, targets = torch.randn(40, 3, generator=generator), torch.randn(40, 3, generator=generator)
    found = measured(task.meter(torch.device("cpu")), outputs, targets)
    spread = (targets - targets.mean(0)).square().sum(0)
    assert found["mae"] == pytest.approx(float((outputs - targets).abs().mean()), rel=1e-5)
    assert found["rmse"] == pytest.approx(float((outputs - targets).square().mean().sqrt()), rel=1e-5)
    assert found["r2"] == pytest.approx(float((1 - (outputs - targets).square().sum(0) / spread).mean()), rel=1e-4)


def test_metrics_of_masks_leave_out_what_is_ignored(data: dict[str, Data]):
    text = "model U { input [1, 28, 28]; Conv2d(2, 1) }"
    recipe = {"data": "Npz", "loss": "CrossEntropyLoss(ignore_index=255)", "epochs": 1}
    run = cnnspec.train(cnnspec.loads(text), recipe, data["masks"], device="cpu")
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(20, 2, 4, 4, generator=generator)
    targets = torch.tensor([0, 1, 255])[torch.randint(3, (20, 4, 4), generator=generator)]
    found = measured(run.model.task.meter(torch.device("cpu")), outputs, targets)
    kept, said = targets != 255, outputs.argmax(1)
    each = []
    for label in (0, 1):
        both = int(((said == label) & (targets == label)).sum())
        either = int((((said == label) | (targets == label)) & kept).sum())
        each.append((both / either, 2 * both / (both + either)))
    assert found["miou"] == pytest.approx(sum(one for one, _ in each) / 2)
    assert found["dice"] == pytest.approx(sum(two for _, two in each) / 2)
    assert found["accuracy"] == pytest.approx(float((said == targets)[kept].double().mean()))
    criterion = run.model.task.criterion
    total = criterion.total(outputs, targets) / criterion.divisor(targets)
    torch.testing.assert_close(total, torch.nn.functional.cross_entropy(outputs, targets, ignore_index=255))


def test_ssim_is_that_of_its_definition():
    from cnnspec.training.metrics.image_to_image import SIGMA, ssim

    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(1, 1, 13, 12, generator=generator), torch.rand(1, 1, 13, 12, generator=generator)
    line = torch.tensor([math.exp(-((i - 5) ** 2) / (2 * SIGMA**2)) for i in range(11)])
    weights = (line[:, None] * line / line.sum() ** 2).double()
    values = []
    for y in range(3):
        for x in range(2):
            a, b = (image[0, 0, y : y + 11, x : x + 11].double() for image in (first, second))
            ma, mb = (weights * a).sum(), (weights * b).sum()
            va, vb, ab = (
                weights * (p - m) * (q - n) for p, m, q, n in ((a, ma, a, ma), (b, mb, b, mb), (a, ma, b, mb))
            )
            low, high = 0.01**2, 0.03**2
            top = (2 * ma * mb + low) * (2 * ab.sum() + high)
            values.append(top / ((ma**2 + mb**2 + low) * (va.sum() + vb.sum() + high)))
    assert float(ssim(first, second)) == pytest.approx(float(sum(values) / len(values)), abs=1e-5)
    assert float(ssim(first, first)) == pytest.approx(1)


def test_masks_move_as_their_images_do(data: dict[str, Data]):
    """The mask is where the image is not black, whatever moves both."""
    augment = "[RandomHorizontalFlip, RandomRotation(40), RandomCrop(28, padding=4), RandomResizedCrop(28)]"
    text = "model U { input [1, 28, 28]; Conv2d(2, 1) }"
    for steps, least in ((augment, 0.93), ("[RandomRotation(30), RandomVerticalFlip]", 0.999)):
        recipe = {"data": "Npz", "augment": steps, "epochs": 1, "normalize": False}
        run = cnnspec.train(cnnspec.loads(text), recipe, data["masks"], device="cpu")
        images = (data["masks"].train.inputs[:50] > 0).byte() * 255  # type: ignore[union-attr]
        generator = torch.Generator().manual_seed(1)
        moved, masks = run.model.prepare(images, (images[:, 0] > 0).byte(), generator)
        assert masks.dtype is torch.int64
        agree = ((moved[:, 0] > 0.5) == (masks > 0)).float().mean()
        assert agree > least, float(agree)
        assert not torch.equal(moved, images.float() / 255)


# --- settings of training that concern all tasks ---


def test_the_best_epoch_is_chosen_by_a_metric(data: dict[str, Data]):
    run = trained("rows", data, options=Options())
    by_f1 = cnnspec.train(
        cnnspec.loads(TASKS["rows"][0]), {"data": "Npz", "epochs": 4, "best": '"f1"'}, data["rows"], device="cpu"
    )
    values = [epoch.test_metrics["f1"] for epoch in by_f1.history]
    best = max(epoch.epoch for epoch in by_f1.history if epoch.best)
    assert values[best - 1] == max(values)
    assert run.history
    with pytest.raises(cnnspec.SpecError):
        cnnspec.train(cnnspec.loads(TASKS["rows"][0]), {"data": "Npz", "best": '"f2"'}, data["rows"], device="cpu")


def test_a_validation_split_decides_and_the_test_set_is_looked_at_once(data: dict[str, Data], tmp_path: Path):
    class Ends(list):  # type: ignore[type-arg]
        def on_end(self, event: object) -> None:
            self.append(event)

        def on_start(self, event: object) -> None:
            self.append(event)

    events = Ends()
    recipe = {"data": "Npz", "epochs": 3, "validation": 0.25, "optimizer": "Adam(lr=0.01)"}
    run = cnnspec.train(
        cnnspec.loads(TASKS["rows"][0]), recipe, data["rows"], device="cpu", out=tmp_path, callbacks=[events]
    )
    assert all(epoch.test_loss is None and epoch.validation_loss for epoch in run.history)
    start, end = events
    assert (start.judged_on, start.validation_images) == (
        "validation",
        pytest.approx(len(data["rows"].train) / 4, abs=6),
    )
    assert start.train_images + start.validation_images == len(data["rows"].train)
    assert end.test_loss == pytest.approx(evaluate(tmp_path, data["rows"]).loss, rel=1e-5)
    again = cnnspec.train(
        cnnspec.loads(TASKS["rows"][0]), recipe | {"epochs": 4}, data["rows"], device="cpu", out=tmp_path, resume=True
    )
    assert len(again.history) == 4


def test_balanced_class_weights(data: dict[str, Data]):
    spec = cnnspec.loads("model S { input [1, 28, 28]; Flatten; Linear(2) }")
    run = cnnspec.train(spec, {"data": "Npz", "epochs": 1, "class_weights": '"balanced"'}, data["shoes"], device="cpu")
    counts = data["shoes"].train.targets.bincount()  # type: ignore[union-attr]
    expected = counts.sum() / (2 * counts)
    torch.testing.assert_close(run.model.task.criterion.weight, expected)


def test_a_balanced_sampler_draws_every_class_as_often(data: dict[str, Data]):
    spec = cnnspec.loads("model S { input [1, 28, 28]; Flatten; Linear(2) }")
    recipe = recipe_from({"data": "Npz", "sampler": '"balanced"'})
    trainer = make_trainer(spec.graph, recipe, data["shoes"], torch.device("cpu"), Group(), Options())
    drawn = data["shoes"].train.targets[trainer.loader.order(0)]  # type: ignore[union-attr]
    assert float(drawn.double().mean()) == pytest.approx(0.5, abs=0.06)
    assert float(data["shoes"].train.targets.double().mean()) == pytest.approx(0.28, abs=0.03)  # type: ignore[union-attr]
    assert torch.equal(trainer.loader.order(0), trainer.loader.order(0))
    with pytest.raises(TrainError, match="needs a class for each sample"):
        make_trainer(
            cnnspec.loads(TASKS["ink"][0]).graph, recipe_from({"loss": "MSELoss", "sampler": '"balanced"'}), data["ink"],
            torch.device("cpu"), Group(), Options(),
        )  # fmt: skip


def test_fine_tuning(data: dict[str, Data], tmp_path: Path):
    body = "Conv2d(8, 3, padding=1) as stem; BatchNorm2d as norm; ReLU; Flatten; Linear(%d) as head"
    first = cnnspec.loads("model A { input [1, 28, 28]; " + body % 10 + " }")
    cnnspec.train(first, {"data": "FashionMini", "epochs": 1}, data["itself"], device="cpu", out=tmp_path / "first")
    before = checkpoint.load(tmp_path / "first" / "best.pt")["model"]

    class Why:
        text = ""

        def on_start(self, event: object) -> None:
            self.text = event.why  # type: ignore[attr-defined]

    spec, why = cnnspec.loads("model B { input [1, 28, 28]; " + body % 2 + " }"), Why()
    recipe = {
        "data": "Npz", "epochs": 2, "weights": f'"{tmp_path / "first"}"', "freeze": ["stem", "norm"],
        "optimizer": "SGD(lr=0.01, weight_decay=0.1)", "rates": '[("head", 0.5)]', "scheduler": "none",
    }  # fmt: skip
    run = cnnspec.train(spec, recipe, data["shoes"], device="cpu", callbacks=[why])
    assert "head is of another shape and begins anew" in why.text
    after = run.net.state_dict()
    for key in ("stem.weight", "stem.bias", "norm.weight", "norm.running_mean", "norm.num_batches_tracked"):
        assert torch.equal(after[key], before[key]), key
    thawed = cnnspec.train(spec, recipe | {"thaw": 2}, data["shoes"], device="cpu").net.state_dict()
    assert not torch.equal(thawed["stem.weight"], before["stem.weight"])
    with pytest.raises(cnnspec.SpecError):
        cnnspec.train(spec, recipe | {"freeze": ["stemm"]}, data["shoes"], device="cpu")


def test_weights_that_do_not_fit(data: dict[str, Data], tmp_path: Path):
    spec = cnnspec.loads("model B { input [1, 28, 28]; Flatten; Linear(2) as head }")
    torch.save({"other.weight": torch.zeros(3)}, tmp_path / "w.pt")
    (tmp_path / "text.pt").write_text("hello")
    for name, words in (("w.pt", "none of them fits"), ("text.pt", "holds no weights"), ("none.pt", "no such file")):
        with pytest.raises(TrainError, match=words):
            cnnspec.train(
                spec, {"data": "Npz", "weights": f'"{tmp_path / name}"', "epochs": 1}, data["shoes"], device="cpu"
            )


def test_a_rate_by_module_is_a_factor(data: dict[str, Data]):
    from cnnspec.training.factory import make_optimizer

    spec = cnnspec.loads("model B { input [1, 28, 28]; Conv2d(2, 3) as stem; Flatten; Linear(2) as head }")
    net = spec.compile()
    recipe = cnnspec.train(spec, {"data": "Npz", "epochs": 1}, data["shoes"], device="cpu")
    assert recipe.history
    from cnnspec.recipe.optimizers import SGD

    optimizer = make_optimizer(SGD(lr=0.2), net, [("stem", 0.1), ("head", 2)])
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert rates[id(net.stem.weight)] == pytest.approx(0.02)
    assert rates[id(net.head.bias)] == pytest.approx(0.4)
