"""Several inputs, several outputs with a loss each, texts and heat maps: training, and numbers against their definitions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.errors import TrainError
from cnnspec.recipe.datasets import Npz
from cnnspec.recipe.losses import CrossEntropyLoss, CTCLoss
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.data.several import Several
from cnnspec.training.evaluate import evaluate, predict
from cnnspec.training.metrics.regression import peaks
from cnnspec.training.metrics.texts import edits
from cnnspec.training.results import Run
from cnnspec.training.summed_loss import SeveralLosses, SummedLoss, summed
from tests.torch.test_checkpoint import fingerprint
from tests.torch.test_tasks import StopAfter
from tools.make_task_data import make

torch.set_num_threads(1)
CPU = torch.device("cpu")

PAIR = """model Pair {
    input [1, 8, 8] as left
    input [1, 8, 8] as right
    use left
    Flatten; Linear(32) as tower
    use right
    Flatten; again tower
    multiply(-1); add(tower); Abs; Linear(1)
}"""
BOTH = """model Both {
    input [1, 8, 8]
    Conv2d(8, 3, padding=1); ReLU; Flatten
    tuple { branch { Linear(10) } as digit; branch { Linear(3) } as ink }
}"""
COLUMNS = """model Columns {
    input [1, 32, 100]
    AvgPool2d(4); Conv2d(64, (8, 3), padding=(0, 1)); ReLU; Flatten(2); Conv1d(64, 5, padding=2); ReLU
    Permute((0, 2, 1)); Linear(11)
}"""
ENDS = "model Ends { input [1, 8, 8]; Conv2d(16, 5, padding=2); ReLU; Conv2d(2, 5, padding=2) }"
CASES = {
    "pairs": (PAIR, {"loss": "BCEWithLogitsLoss", "epochs": 8}, "one output", {"accuracy": 0.7}),
    "both": (
        BOTH, {"loss": "[CrossEntropyLoss, MSELoss]", "loss_weights": (1, 20), "epochs": 8},
        "classification and regression", {"accuracy": 0.8, "ink.r2": 0.3},
    ),
    "numbers": (COLUMNS, {"loss": "CTCLoss", "epochs": 12}, "sequence of classes", {"accuracy": 0.3}),
    "ends": (ENDS, {"loss": "MSELoss", "epochs": 3}, "heat maps", {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Data]:
    folder = tmp_path_factory.mktemp("several")
    return {name: load_data(Npz(str(make(folder, name)))) for name in CASES}


def trained(name: str, data: dict[str, Data], **more: object) -> Run:
    text, settings, _, _ = CASES[name]
    recipe = {"batch": 32, "optimizer": "Adam(lr=0.003)", **settings, "data": "Npz"}
    return cnnspec.train(cnnspec.loads(text), recipe, data[name], device="cpu", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CASES)
def test_they_are_learnt_saved_told_and_go_on_to_the_same_bits(name: str, data: dict[str, Data], tmp_path: Path):
    run = trained(name, data, out=tmp_path / "whole")
    _, _, task, wanted = CASES[name]
    assert run.model.task.name == task
    found = evaluate(tmp_path / "whole", data[name])
    for metric, least in wanted.items():
        assert found.metrics[metric] > least, found.metrics
    if name == "ends":
        assert found.metrics["distance"] < 2
    best = next(epoch for epoch in reversed(run.history) if epoch.best)
    assert found.loss == pytest.approx(best.test_loss, rel=1e-5)
    inputs = data[name].test.inputs[:3]  # type: ignore[union-attr]
    told = predict(tmp_path / "whole", getattr(inputs, "parts", inputs))
    assert len(told) == 3
    assert all(item.label for item in told)
    stopped = trained(name, data, out=tmp_path / "parts", callbacks=[StopAfter()])
    assert stopped.reason == "interrupted"
    trained(name, data, out=tmp_path / "parts", resume=True)
    assert fingerprint(tmp_path / "whole" / "last.pt") == fingerprint(tmp_path / "parts" / "last.pt")


def test_the_losses_of_several_outputs_add_up_as_torchs(data: dict[str, Data]):
    """Also where parts of a batch have different weights: the step is that of the whole batch."""
    weight = (1.0, 2, 0.5, 1, 1, 1, 3, 1, 1, 1)
    recipe = {
        "loss": f"[CrossEntropyLoss(weight={list(weight)}), SmoothL1Loss]", "loss_weights": (1, 3), "data": "Npz",
        "batch": 30, "epochs": 1, "optimizer": "SGD(lr=0.1)", "normalize": False, "scheduler": "none",
    }  # fmt: skip
    few = Data(
        "few", data["both"].train.part(torch.arange(30)), None, data["both"].classes, (1, 8, 8), "here",  # type: ignore[union-attr]
        kind="a class", more=data["both"].more,
    )  # fmt: skip
    whole = cnnspec.train(cnnspec.loads(BOTH), recipe, few, device="cpu")
    parts = cnnspec.train(cnnspec.loads(BOTH), recipe | {"accumulate": 4}, few, device="cpu")
    net = cnnspec.train(cnnspec.loads(BOTH), recipe | {"optimizer": "SGD(lr=0)"}, few, device="cpu").net.train()
    digit, ink = net(few.train.images.float() / 255)  # type: ignore[union-attr]
    labels, numbers = few.train.targets.parts  # type: ignore[union-attr]
    loss = nn.CrossEntropyLoss(torch.tensor(weight))(digit, labels) + 3 * nn.SmoothL1Loss()(ink, numbers)
    assert whole.history[0].train_loss == pytest.approx(loss.item(), rel=1e-5)
    assert parts.history[0].train_loss == pytest.approx(loss.item(), rel=1e-5)
    net.zero_grad()
    loss.backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    for one, two, three in zip(net.parameters(), whole.net.parameters(), parts.net.parameters()):
        torch.testing.assert_close(one, two)
        torch.testing.assert_close(one, three)


def test_the_same_targets_serve_all_outputs():
    criteria = [SummedLoss(CrossEntropyLoss(), (4,), CPU) for _ in range(2)]
    several = SeveralLosses(criteria, (1.0, 0.5))
    generator = torch.Generator().manual_seed(0)
    outputs = Several([torch.randn(6, 4, generator=generator) for _ in range(2)])
    targets = torch.randint(4, (6,), generator=generator)
    total = several.total(outputs, targets) / several.divisor(targets)
    each = [nn.functional.cross_entropy(part, targets) for part in outputs.parts]
    torch.testing.assert_close(total, each[0] + each[1] / 2)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_ctc_is_torchs(reduction: str):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(5, 12, 7, generator=generator)
    targets = torch.randint(1, 7, (5, 4), generator=generator)
    targets[1, 2:] = targets[3, 1:] = -1
    criterion = summed(CTCLoss(reduction=reduction), (12, 7), CPU)
    lengths = (targets >= 0).sum(1)
    theirs = nn.CTCLoss(reduction=reduction)(
        scores.log_softmax(-1).transpose(0, 1), targets.clamp(min=0), torch.full((5,), 12), lengths
    )
    torch.testing.assert_close(criterion.total(scores, targets) / criterion.divisor(targets), theirs)


def test_edits_are_insertions_deletions_and_changes():
    assert edits([1, 2, 3], [1, 2, 3]) == 0
    assert edits([], [1, 2]) == 2
    assert edits([1, 9, 3, 4], [1, 3, 5]) == 2
    assert edits([ord(c) for c in "kitten"], [ord(c) for c in "sitting"]) == 3


def test_peaks_are_row_and_column_of_the_highest_value():
    maps = torch.zeros(1, 2, 3, 5)
    maps[0, 0, 1, 4] = maps[0, 1, 2, 0] = 1
    assert peaks(maps).tolist() == [[[1, 4], [2, 0]]]


@pytest.mark.parametrize(
    ("name", "text", "settings", "message"),
    [
        ("both", PAIR, {"loss": "BCEWithLogitsLoss"}, "1 outputs, and the data 2 targets"),
        ("pairs", BOTH, {"loss": "[CrossEntropyLoss, MSELoss]"}, "the data set has 2 classes"),
        ("numbers", PAIR, {"loss": "BCEWithLogitsLoss"}, "make no task|takes"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(
    name: str, text: str, settings: dict[str, object], message: str, data: dict[str, Data]
):
    with pytest.raises(TrainError, match=message):
        cnnspec.train(cnnspec.loads(text), {"data": "Npz", **settings}, data[name], device="cpu")
