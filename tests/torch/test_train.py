"""The loop: what it learns, what it does with a step, when it stops, and what it says."""

from __future__ import annotations

import copy
import itertools
import math
import resource
import signal
import statistics
import sys

import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.errors import DeviceError, NonFiniteLoss, TrainError
from cnnspec.graph.digest import digest_of
from cnnspec.training.augment.prepare import steps_of
from cnnspec.training.chance import stays
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.data.splits import Split
from cnnspec.training.device import check_precision, choose_device, keep_memory, layout_of
from cnnspec.training.distributed import Group
from cnnspec.training.dry_run import dry_run
from cnnspec.training.evaluate import evaluate, predict
from cnnspec.training.events import Callback
from cnnspec.training.restore import recipe_from
from cnnspec.training.start import Options, make_trainer, train

torch.set_num_threads(1)
CPU = torch.device("cpu")
SMALL = "model Small { input [1, 8, 8]; Conv2d(8, 3, padding=1); ReLU; MaxPool2d(2); Flatten; Linear(10) }"
LENET = "specs/lenet.cnn"


@pytest.fixture(scope="module")
def digits() -> Data:
    return load_data("Digits")


def recipe(**settings: object):
    defaults = {"data": "Digits", "epochs": "1", "batch": "64", "optimizer": "AdamW", "scheduler": "none"}
    return recipe_from(defaults | {name: str(value) for name, value in settings.items()})


def data_of(images: torch.Tensor, labels: torch.Tensor, classes: int = 10) -> Data:
    split = Split(images, labels)
    return Data("Own", split, split, [str(i) for i in range(classes)], tuple(images.shape[1:]), "here")  # type: ignore[arg-type]


class Log(Callback):
    """Keeps every event."""

    every_step = True

    def __init__(self) -> None:
        self.steps: list = []
        self.epochs: list = []
        self.notices: list = []
        self.ends: list = []
        self.starts: list = []

    def on_start(self, event):
        self.starts.append(event)

    def on_step(self, event):
        self.steps.append(event)

    def on_epoch(self, event):
        self.epochs.append(event)

    def on_notice(self, event):
        self.notices.append(event)

    def on_end(self, event):
        self.ends.append(event)


def steps_by_hand(net: nn.Module, batches, optimizer: torch.optim.Optimizer, loss=None) -> None:
    """A loop as people write it."""
    loss = loss or nn.CrossEntropyLoss()
    net.train()
    for images, labels in batches:
        optimizer.zero_grad()
        loss(net(images), labels).backward()
        optimizer.step()


def trainer_of(spec: str, data: Data, **settings: object):
    chosen = recipe(**settings)
    return make_trainer(cnnspec.loads(spec).graph, chosen, data, CPU, Group(), Options(layout=torch.contiguous_format))


def batches_of(trainer) -> list:
    return [(torch.cat([part.inputs for part in parts]), labels) for parts, labels in trainer.loader.batches(0, 0)]


def check_close(net: nn.Module, other: nn.Module, tolerance: float = 1e-6) -> None:
    for key, value in net.state_dict().items():
        torch.testing.assert_close(other.state_dict()[key], value, atol=tolerance, rtol=1e-4)


# --- learning ---


def test_digits_are_learnt(digits: Data):
    run = train(cnnspec.loads(SMALL), recipe(epochs=6, optimizer="SGD(lr=0.1, momentum=0.9)"), digits)
    assert run.reason == "finished"
    found = evaluate(run)
    assert found.accuracy > 0.94
    assert found.images == int(found.confusion.sum()) == len(digits.test)
    assert len(found.per_class) == 10
    told = predict(run, digits.test.images)
    right = [item.label == str(label) for item, label in zip(told, digits.test.labels.tolist())]
    assert sum(right) / len(right) == pytest.approx(found.accuracy)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "SGD(lr=0.1, momentum=0.9)", "ema": 0.9, "clip_grad_norm": 1.0, "accumulate": 2, "warmup": 1},
        {"loss": "CrossEntropyLoss(weight=[1, 2, 1, 1, 1, 1, 1, 1, 1, 1], ignore_index=3)"},
        {"scheduler": "OneCycleLR(max_lr=0.1)"},
        {"loss": "CrossEntropyLoss(ignore_index=3, label_smoothing=0.1)", "sampler": '"balanced"'},
        {"class_weights": '"balanced"', "augment": "[RandomCrop(8, padding=1), ColorJitter(brightness=0.2), RandomErasing]"},
    ],
    ids=lambda settings: " ".join(settings),
)  # fmt: skip
def test_an_accelerator_is_not_waited_for_within_a_step(settings: dict[str, object], digits: Data):
    """Tensors on meta have no values: whatever reads one, or counts those that are not 0, raises."""
    trainer = make_trainer(
        cnnspec.loads(SMALL).graph, recipe(**settings), digits, torch.device("meta"), Group(), Options()
    )
    assert sum(1 for _ in itertools.islice(trainer.train_epoch(), 3)) == 3
    with pytest.raises((RuntimeError, NotImplementedError)):
        float(trainer.state.sums[0])


def test_equal_seeds_give_equal_bits_and_leave_torch_alone(digits: Data):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = (train(cnnspec.loads(SMALL), recipe(seed=3), digits).net.state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert torch.equal(torch.get_rng_state(), before)
    other = train(cnnspec.loads(SMALL), recipe(seed=4), digits).net.state_dict()
    assert not torch.equal(first["0.weight"], other["0.weight"])


@pytest.mark.parametrize(
    "loss",
    [
        "CrossEntropyLoss", "CrossEntropyLoss(weight=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], label_smoothing=0.2)",
        "CrossEntropyLoss(ignore_index=3)", 'CrossEntropyLoss(reduction="sum")', "MultiMarginLoss",
        "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCEWithLogitsLoss(pos_weight=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])",
    ],
)  # fmt: skip
@pytest.mark.parametrize("parts", [1, 3])
def test_an_epoch_is_that_of_a_loop_by_hand(digits: Data, loss: str, parts: int):
    """Accumulated parts of an uneven batch give the weights of the whole batch."""
    trainer = trainer_of(SMALL, digits, loss=loss, optimizer="SGD(lr=0.002)", batch=100, accumulate=parts)
    net = copy.deepcopy(trainer.state.net)
    arguments = trainer.plan.recipe.loss.arguments()
    for key in ("weight", "pos_weight"):
        if arguments.get(key):
            arguments[key] = torch.tensor(arguments[key], dtype=torch.float32)
    module = getattr(nn, trainer.plan.recipe.loss.name)(**arguments)

    def by_hand(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        takes = trainer.plan.recipe.loss.takes_classes
        return module(scores, labels if takes else nn.functional.one_hot(labels, 10).float())

    steps_by_hand(net, batches_of(trainer), torch.optim.SGD(net.parameters(), lr=0.002), by_hand)
    for _ in trainer.train_epoch():
        pass
    check_close(net, trainer.state.net, 2e-6)
    assert trainer.state.seen == len(digits.train)


def test_the_measured_training_loss_is_the_mean_over_the_epoch(digits: Data):
    trainer = trainer_of(SMALL, digits, optimizer="SGD(lr=0)", batch=64)
    for _ in trainer.train_epoch():
        pass
    images = trainer.plan.prepare.inputs(digits.train.images)
    with torch.no_grad():
        scores = trainer.state.net(images)
    loss, accuracy = trainer.state.gather()
    assert loss == pytest.approx(float(nn.functional.cross_entropy(scores, digits.train.labels)), rel=1e-5)
    assert accuracy == pytest.approx(float((scores.argmax(1) == digits.train.labels).double().mean()))


def test_evaluation_is_exact_over_uneven_batches(digits: Data):
    trainer = trainer_of(SMALL, digits, batch=77)
    tested = trainer.test(trainer.plan.data.test)
    assert tested is not None
    with torch.no_grad():
        scores = trainer.state.net(trainer.plan.prepare.inputs(digits.test.images))
    assert tested.loss == pytest.approx(float(nn.functional.cross_entropy(scores, digits.test.labels)), rel=1e-6)
    assert int(tested.confusion.diagonal().sum()) == int((scores.argmax(1) == digits.test.labels).sum())


def test_batch_norm_tests_with_running_statistics(digits: Data):
    spec = "model B { input [1, 8, 8]; Conv2d(4, 3); BatchNorm2d; ReLU; Dropout(0.5); Flatten; Linear(10) }"
    run = train(cnnspec.loads(spec), recipe(epochs=2), digits)
    norm = run.net[1]
    assert not run.net.training
    assert int(norm.num_batches_tracked) == 2 * math.ceil(len(digits.train) / 64)
    assert float(norm.running_mean.abs().sum()) > 0
    assert evaluate(run).loss == evaluate(run).loss


# --- settings ---


def test_inits_set_weights_and_leave_biases(digits: Data):
    plain, drawn = trainer_of(SMALL, digits).state.net, trainer_of(SMALL, digits, init="constant(0.25)").state.net
    assert torch.equal(drawn[0].weight, torch.full_like(drawn[0].weight, 0.25))
    assert torch.equal(plain[0].bias, drawn[0].bias)


@pytest.mark.parametrize(
    "init", ["xavier_uniform", "xavier_normal(gain=2)", "kaiming_uniform", 'kaiming_normal(nonlinearity="relu")',
             "orthogonal", "normal(std=0.01)", "uniform(-1, 1)", "trunc_normal(std=0.02)"],
)  # fmt: skip
def test_every_init(digits: Data, init: str):
    assert torch.isfinite(trainer_of(SMALL, digits, init=init).state.net[0].weight).all()


def test_clipping(digits: Data):
    trainer = trainer_of(SMALL, digits, optimizer="SGD(lr=1)", clip_grad_norm=0.01)
    before = [parameter.detach().clone() for parameter in trainer.state.net.parameters()]
    next(trainer.train_epoch())
    moved = torch.cat([(old - new).detach().flatten() for old, new in zip(before, trainer.state.net.parameters())])
    assert float(moved.norm()) == pytest.approx(0.01, rel=1e-3)
    assert float(trainer.norm) > 0.01


def test_the_warm_up_rises_from_0(digits: Data):
    log = Log()
    train(cnnspec.loads(SMALL), recipe(warmup=0.5, optimizer="SGD(lr=1)", batch=100), digits, callbacks=[log])
    rates = [event.learning_rate for event in log.steps]
    assert rates[:3] == pytest.approx([1 / 7.5, 2 / 7.5, 3 / 7.5])
    assert rates[8:] == [1.0] * len(rates[8:])


@pytest.mark.parametrize(
    ("scheduler", "rates"),
    [
        ("StepLR(1)", [1, 0.1, 0.01]),
        ("MultiStepLR([2], gamma=0.5)", [1, 1, 0.5]),
        ("ExponentialLR(0.5)", [1, 0.5, 0.25]),
        ("CosineAnnealingLR", [1, 0.75, 0.25]),
        ("none", [1, 1, 1]),
    ],
)
def test_schedules_move_once_an_epoch(digits: Data, scheduler: str, rates: list[float]):
    run = train(
        cnnspec.loads(SMALL), recipe(epochs=3, optimizer="SGD(lr=1)", scheduler=scheduler, clip_grad_norm=0.01), digits
    )
    assert [epoch.learning_rate for epoch in run.history] == pytest.approx(rates)


def test_one_cycle_moves_every_step(digits: Data):
    log = Log()
    train(cnnspec.loads(SMALL), recipe(epochs=2, optimizer="SGD", scheduler="OneCycleLR(0.1)"), digits, callbacks=[log])
    rates = [event.learning_rate for event in log.steps]
    assert max(rates) == pytest.approx(0.1, rel=1e-2)
    assert rates[0] == pytest.approx(0.004)
    assert rates[-1] < 1e-3


def test_a_schedule_that_torch_refuses_is_told(digits: Data):
    with pytest.raises(TrainError, match=r"OneCycleLR: .*momentum"):
        train(cnnspec.loads(SMALL), recipe(optimizer="Adagrad", scheduler="OneCycleLR(0.1)"), digits)


def test_the_average_follows_the_weights(digits: Data):
    trainer = trainer_of(SMALL, digits, ema=0.5, optimizer="SGD(lr=0.1)")
    expected = trainer.state.net[4].weight.detach().clone()
    for step, _ in enumerate(trainer.train_epoch(), 1):
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * trainer.state.net[4].weight.detach()
    torch.testing.assert_close(trainer.state.average.values["4.weight"], expected)
    raw = trainer.state.net[4].weight.detach().clone()
    with trainer.averaged():
        torch.testing.assert_close(trainer.state.net[4].weight.detach(), expected)
    assert torch.equal(trainer.state.net[4].weight, raw)


def test_early_stopping(digits: Data):
    run = train(cnnspec.loads(SMALL), recipe(epochs=50, early_stopping=2, optimizer="SGD(lr=0)"), digits)
    assert (run.reason, len(run.history)) == ("early_stopping", 3)
    assert [epoch.best for epoch in run.history] == [True, False, False]


def test_early_stopping_remembers_its_patience(digits: Data, tmp_path):
    settings = {"early_stopping": 3, "optimizer": "SGD(lr=0)"}
    first = train(cnnspec.loads(SMALL), recipe(epochs=2, **settings), digits, out=tmp_path)
    assert first.reason == "finished"
    run = train(cnnspec.loads(SMALL), recipe(epochs=50, **settings), digits, out=tmp_path, resume=True)
    assert (run.reason, len(run.history)) == ("early_stopping", 4)
    again = train(cnnspec.loads(SMALL), recipe(epochs=50, **settings), digits, out=tmp_path, resume=True)
    assert (again.reason, len(again.history)) == ("early_stopping", 4)


def test_normalisation_stands_in_front_of_erasing():
    names = [type(step).__name__ for step in steps_of(recipe(augment="[RandomHorizontalFlip, RandomErasing]"))]
    assert names == ["RandomHorizontalFlip", "Normalize", "RandomErasing"]
    assert steps_of(recipe(normalize="false")) == ()


def test_one_batch_can_be_overfitted(digits: Data):
    log = Log()
    chosen = recipe(epochs=6, augment="[RandomCrop(8, padding=2)]", optimizer="Adam(lr=0.01)")
    run = train(cnnspec.loads(SMALL), chosen, digits, options=Options(overfit_one_batch=True), callbacks=[log])
    assert run.history[-1].train_accuracy == 1.0
    assert log.steps[0].steps == 20


@pytest.mark.parametrize(
    "optimizer", ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop"]
)
def test_every_optimizer(digits: Data, optimizer: str):
    assert train(cnnspec.loads(SMALL), recipe(optimizer=optimizer), digits).reason == "finished"


# --- what goes wrong ---


def test_an_infinite_weight_names_its_layer(digits: Data):
    trainer = trainer_of(SMALL, digits)
    with torch.no_grad():
        trainer.state.net[4].weight[0, 0] = math.inf
    with pytest.raises(NonFiniteLoss, match="weights of layer 4 are not finite") as caught:
        list(trainer.train_epoch())
    assert (caught.value.layer, caught.value.step) == ("4", 1)


def test_a_loss_that_explodes_names_the_layer(digits: Data):
    with pytest.raises(
        NonFiniteLoss, match=r"became (inf|nan) in step \d: the output of layer \d is not finite"
    ) as caught:
        train(cnnspec.loads(SMALL), recipe(loss="L1Loss", optimizer="SGD(lr=1e30)"), digits)
    assert caught.value.layer in ("0", "4")
    assert "\n" not in str(caught.value)


def test_a_layer_inside_a_block_is_named_by_its_key(digits: Data):
    spec = "model M { input [1, 8, 8]; residual { Conv2d(1, 3, padding=1) as wide }; Flatten; Linear(10) }"
    trainer = trainer_of(spec, digits)
    with torch.no_grad():
        trainer.state.net[0].body.wide.weight.fill_(3e38)
    with pytest.raises(NonFiniteLoss, match=r"the output of layer 0\.body.wide is not finite"):
        list(trainer.train_epoch())


def test_a_gradient_that_is_not_finite_stops_before_the_weights_move(digits: Data):
    trainer = trainer_of(SMALL, digits)
    before = copy.deepcopy(trainer.state.net.state_dict())
    trainer.state.net[4].weight.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(NonFiniteLoss, match="gradient of the weights of layer 4"):
        list(trainer.train_epoch())
    assert all(torch.equal(before[key], value) for key, value in trainer.state.net.state_dict().items())


def test_a_run_stuck_at_chance_says_so(digits: Data):
    log = Log()
    spec = (
        "model S { input [1, 8, 8]; Flatten; Linear(8); Sigmoid; Linear(8); Sigmoid; Linear(8); Sigmoid; Linear(10) }"
    )
    train(cnnspec.loads(spec), recipe(epochs=14, optimizer="SGD(lr=0.01)", batch=100), digits, callbacks=[log])
    assert [notice.kind for notice in log.notices] == ["chance"]
    assert "ln 10 = 2.303" in log.notices[0].text
    log = Log()
    train(cnnspec.loads(SMALL), recipe(epochs=14, batch=100), digits, callbacks=[log])
    assert log.notices == []


def test_a_loss_that_stays_at_its_start_is_told_with_reasons(digits: Data):
    spec = "model S { input [1, 8, 8]; Flatten; Linear(10); ReLU; Linear(10) }"
    log = Log()
    train(cnnspec.loads(spec), recipe(epochs=4, optimizer="SGD(lr=1e-9)", batch=100), digits, callbacks=[log])
    (notice,) = log.notices
    assert notice.kind in ("flat", "chance")
    few = stays([2.0, 2.001, 1.999], 1e-9, ("body",))
    assert few.index("1e-09") < few.index("body") < few.index("targets that")
    assert not stays([2.0, 1.9, 1.8], 0.1, ())
    assert not stays([2.0, 2.0], 0.1, ())


def test_data_that_does_not_fit(digits: Data):
    with pytest.raises(TrainError, match=r"the images are \[1, 8, 8\] as they reach the model, M takes \[1, 9, 9\]"):
        train(cnnspec.loads("model M { input [1, 9, 9]; Flatten; Linear(10) }"), recipe(), digits)
    with pytest.raises(TrainError, match=r"the data set has 10 classes and M gives \[7\]"):
        train(cnnspec.loads("model M { input [1, 8, 8]; Flatten; Linear(7) }"), recipe(), digits)
    with pytest.raises(TrainError, match="no parameters"):
        train(
            cnnspec.loads("model M { input [1, 1, 10]; Flatten }"),
            recipe(),
            data_of(torch.zeros(9, 1, 1, 10).byte(), torch.zeros(9).long()),
        )
    with pytest.raises(TrainError, match="weight has 2 values"):
        train(cnnspec.loads(SMALL), recipe(loss="CrossEntropyLoss(weight=[1, 2])"), digits)


def test_a_single_image_left_over_for_batch_norm_is_told():
    data = data_of(torch.zeros(5, 1, 1, 10).byte(), torch.zeros(5).long())
    with pytest.raises(TrainError, match="batch norm can't be trained on one value"):
        train(
            cnnspec.loads("model M { input [1, 1, 10]; Flatten; Linear(4); BatchNorm1d; Linear(10) }"),
            recipe(batch=2),
            data,
        )


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "xpu"])
def test_a_device_that_is_not_there(device: str, digits: Data):
    if torch.accelerator.is_available():
        pytest.skip("this machine has an accelerator")
    with pytest.raises(DeviceError, match=f"device {device} isn't there"):
        train(cnnspec.loads(SMALL), recipe(), digits, device=device)


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "cuda:", "cuda:x", "meta", ""])
def test_a_device_that_has_no_meaning(device: str):
    if device == "cuda:":
        pytest.skip("the same as cuda")
    with pytest.raises(DeviceError, match="there is no device"):
        choose_device(device)


def test_auto_says_what_it_took():
    assert choose_device().why.split(":")[0] == choose_device().device.type


def test_float16_on_the_cpu_is_refused(digits: Data):
    with pytest.raises(TrainError, match="float16 needs an accelerator"):
        train(cnnspec.loads(SMALL), recipe(precision='"float16"'), digits, device="cpu")


def test_bfloat16_where_the_cpu_lacks_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cnnspec.training.device._cpu_has_bfloat16", lambda: False)
    with pytest.raises(TrainError, match="4 to 11 times slower"):
        check_precision("bfloat16", CPU)


def test_bfloat16_where_it_is_had(monkeypatch: pytest.MonkeyPatch, digits: Data):
    monkeypatch.setattr("cnnspec.training.device._cpu_has_bfloat16", lambda: True)
    run = train(cnnspec.loads(SMALL), recipe(precision='"bfloat16"', epochs=2), digits, device="cpu")
    assert run.history[-1].test_accuracy > 0.5


# --- events ---


def test_events_tell_the_run(digits: Data):
    log = Log()
    run = train(cnnspec.loads(SMALL), recipe(epochs=2), digits, callbacks=[log, object()])
    start = log.starts[0]
    assert (start.model, start.train_images, start.steps, start.epoch) == ("Small", len(digits.train), 23, 0)
    assert start.digest == digest_of(cnnspec.loads(SMALL).graph)
    assert [event.step for event in log.steps] == [*range(1, 24), *range(1, 24)]
    assert tuple(log.epochs) == run.history
    assert log.steps[22].loss == pytest.approx(log.epochs[0].train_loss)
    assert (log.ends[0].reason, log.ends[0].best_epoch, log.ends[0].epoch) == ("finished", 2, 2)
    assert sum(map(sum, log.ends[0].confusion)) == len(digits.test)


def test_a_callback_that_fails_ends_the_run_and_tells_the_others(digits: Data):
    class Broken:
        def on_epoch(self, event):
            raise KeyError("mine")

    log = Log()
    with pytest.raises(KeyError, match="mine"):
        train(cnnspec.loads(SMALL), recipe(), digits, callbacks=[Broken(), log])
    assert log.ends[0].reason == "failed"


def test_handlers_of_signals_come_back(digits: Data):
    before = signal.getsignal(signal.SIGINT)
    train(cnnspec.loads(SMALL), recipe(), digits)
    assert signal.getsignal(signal.SIGINT) is before


# --- speed ---


def test_layout_rule():
    assert layout_of(CPU, (1, 28, 28)) == torch.channels_last
    assert layout_of(CPU, (3, 100)) == torch.contiguous_format
    assert layout_of(torch.device("mps"), (1, 28, 28)) == torch.contiguous_format


@pytest.mark.skipif(not keep_memory(), reason="glibc only")
def test_a_warm_step_takes_few_page_faults():
    class Faults:
        every_step = True
        counts: list[int] = []

        def on_step(self, event: object) -> None:
            self.counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

    data = data_of(torch.randint(0, 256, (256 * 20, 1, 28, 28), dtype=torch.uint8), torch.arange(256 * 20) % 10)
    faults = Faults()
    train(cnnspec.load(LENET), recipe(batch=256, optimizer="SGD(lr=0.1)"), data, device="cpu", callbacks=[faults])
    steps = [after - before for before, after in itertools.pairwise(faults.counts[9:])]
    # The heap may still grow by an activation now and then.
    assert statistics.median(steps) < 100


def test_tuning_measures_and_trains(digits: Data):
    log = Log()
    train(cnnspec.loads(SMALL), recipe(), digits, options=Options(tune=True), callbacks=[log], device="cpu")
    assert "measured a step: plain" in log.starts[0].why


def test_a_dry_run_tells_what_to_expect(digits: Data):
    found = dry_run(cnnspec.loads(SMALL), recipe(), digits, device="cpu")
    assert 0 < found.step_seconds < 5
    assert found.epoch_seconds == pytest.approx(found.step_seconds * 23)
    assert found.memory > 0
    assert found.steps == 23


@pytest.mark.skipif(sys.platform == "win32", reason="needs a C++ compiler")
def test_compiled_nets_train(digits: Data, monkeypatch: pytest.MonkeyPatch):
    """With the backend that needs no compiler; keys stay those of the plain net."""
    whole = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self: whole(self, backend="eager"))
    run = train(cnnspec.loads(SMALL), recipe(compile="true"), digits, device="cpu")
    assert set(run.net.state_dict()) == set(cnnspec.loads(SMALL).compile().state_dict())
    assert run.history[0].train_accuracy > 0.3
