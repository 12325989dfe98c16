"""Our loop against a bare hand-written one on tensors in memory, and against Lightning and Keras where they are installed.

    python benchmarks/train.py [rounds]

Each contestant is a process that stays alive, as memory settings of glibc hold for a whole process. One epoch of the
reference, one of the other, one of the reference, and so on: never two at a time, one thread each. The CPU time of an epoch
is divided by the mean of its neighbours', and the median over the rounds is printed; above 1 is faster than by hand.

How fast a loop by hand is depends on luck: where glibc has seen a large block freed before (16 to 32 MB, say a temporary of
`images.float() / 255`), it keeps memory from then on, and otherwise every activation is a fresh mapping. So there are two of
them, one as it comes, with nothing large freed, and one that tells glibc to keep memory; page faults a step are printed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Shape, batch, images an epoch, learning rate.
NETS = {"LeNet": ((1, 28, 28), 256, 10240, 0.1), "ResNet": ((3, 32, 32), 128, 1024, 0.05)}
RESNET = """
block Unit(channels, stride = 1) {
    residual {
        Conv2d(channels, 3, stride=stride, padding=1, bias=false); BatchNorm2d; ReLU
        Conv2d(channels, 3, stride=1, padding=1, bias=false); BatchNorm2d
    } shortcut {
        if stride != 1 or in_channels != channels { Conv2d(channels, 1, stride=stride, bias=false); BatchNorm2d }
    }
    ReLU
}
model ResNet {
    input [3, 32, 32]
    Conv2d(16, 3, stride=1, padding=1, bias=false); BatchNorm2d; ReLU
    Unit(16); Unit(32, 2); Unit(64, 2)
    AdaptiveAvgPool2d(1); Flatten; Linear(10)
}
"""
GOALS = {("equal settings", "by hand, kept"): 0.97, ("defaults", "by hand"): 1.25}


# --- contestants: each runs in a process of its own ---


def spec_of(name: str):
    """The spec of a net."""
    import cnnspec

    return cnnspec.load(ROOT / "specs" / "lenet.cnn") if name == "LeNet" else cnnspec.loads(RESNET)


def images_of(name: str):
    """uint8 images and labels."""
    import torch

    shape, _, count, _ = NETS[name]
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)
    return images, torch.arange(count) % 10


def by_hand(name: str, turn, *, keep: bool) -> None:
    """What people write: everything in memory, loss and accuracy summed on the device and read once an epoch."""
    import torch
    from torch import nn

    from cnnspec.training.device import keep_memory

    if keep:
        keep_memory()
    shape, batch, count, rate = NETS[name]
    images, labels = torch.rand(count, *shape), torch.arange(count) % 10
    net = spec_of(name).compile()
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()
    while turn():
        net.train()
        loss_sum, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
        order = torch.randperm(count)
        for start in range(0, count, batch):
            chosen = order[start : start + batch]
            x, y = images[chosen], labels[chosen]
            optimizer.zero_grad()
            scores = net(x)
            loss = loss_of(scores, y)
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(chosen)
            right += (scores.argmax(1) == y).sum()
        loss_sum.item()
        right.item()


def ours(name: str, turn, *, equal: bool) -> None:
    """`cnnspec.train`, with torch's layout where settings are equal."""
    import tempfile

    import torch

    from cnnspec.training import start as loop
    from cnnspec.training.data.load import Data
    from cnnspec.training.data.splits import Split
    from cnnspec.training.restore import recipe_from

    shape, batch, _, rate = NETS[name]
    images, labels = images_of(name)
    data = Data("Random", Split(images, labels), Split(images[:1], labels[:1]), [str(i) for i in range(10)], shape, "")
    settings = {"batch": batch, "epochs": 10_000, "optimizer": f"SGD(lr={rate}, momentum=0.9)", "scheduler": "none"}
    recipe = recipe_from({key: str(value) for key, value in settings.items()} | {"normalize": "false"})
    options = loop.Options(layout=torch.contiguous_format if equal else None)

    class Done(Exception):
        pass

    class Turns:
        def on_start(self, event: object) -> None:
            turn()

        def on_epoch(self, event: object) -> None:
            if not turn():
                raise Done

    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Done):
        loop.train(spec_of(name), recipe, data, out=folder, device="cpu", callbacks=[Turns()], options=options)


def lightning(name: str, turn) -> None:
    """Lightning's Trainer as it comes, with its bar, its logger and its checkpoints."""
    import tempfile
    import warnings

    import lightning
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    warnings.simplefilter("ignore")
    _, batch, _, rate = NETS[name]
    images, labels = images_of(name)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = spec_of(name).compile()

        def training_step(self, part, index):
            scores = self.net(part[0])
            loss = torch.nn.functional.cross_entropy(scores, part[1])
            self.log("loss", loss, prog_bar=True)
            self.log("accuracy", (scores.argmax(1) == part[1]).float().mean(), prog_bar=True)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=rate, momentum=0.9)

        def on_train_epoch_start(self) -> None:
            if not turn():
                self.trainer.should_stop = True

    loader = DataLoader(TensorDataset(images.float() / 255, labels), batch, shuffle=True)
    with tempfile.TemporaryDirectory() as folder:
        lightning.Trainer(max_epochs=10_000, accelerator="cpu", default_root_dir=folder).fit(Module(), loader)


def keras(name: str, turn) -> None:
    """Keras 3 on torch: `fit` with the net of the LeNet in its own layers."""
    import os

    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    if name != "LeNet":
        raise SystemExit(f"no {name} in Keras")
    _, batch, _, rate = NETS[name]
    images, labels = images_of(name)
    layers = keras.layers
    net = keras.Sequential([
        layers.Input((28, 28, 1)), layers.Conv2D(6, 5, padding="same", activation="sigmoid"), layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="sigmoid"), layers.AveragePooling2D(2), layers.Flatten(),
        layers.Dense(120, activation="sigmoid"), layers.Dense(84, activation="sigmoid"), layers.Dense(10),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(rate, momentum=0.9), loss, ["accuracy"])
    x, y = (images.float() / 255).permute(0, 2, 3, 1).contiguous().numpy(), labels.numpy()

    class Turns(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None) -> None:
            if not turn():
                raise SystemExit

    net.fit(x, y, batch_size=batch, epochs=10_000, callbacks=[Turns()], verbose=1)


CONTESTANTS = {
    "by hand": lambda name, turn: by_hand(name, turn, keep=False),
    "by hand, kept": lambda name, turn: by_hand(name, turn, keep=True),
    "equal settings": lambda name, turn: ours(name, turn, equal=True),
    "defaults": lambda name, turn: ours(name, turn, equal=False),
    "lightning": lightning,
    "keras": keras,
}
# Who runs against whom.
RACES = [
    ("equal settings", "by hand, kept"), ("defaults", "by hand"), ("defaults", "by hand, kept"),
    ("lightning", "by hand"), ("keras", "by hand"),
]  # fmt: skip


def contestant(who: str, name: str) -> None:
    """The process of a contestant: an epoch for every line that comes in, its CPU time and page faults as the answer."""
    import os
    import resource

    import torch

    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    started: list[tuple[float, int]] = []

    def faults() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    def turn() -> bool:
        if started:
            cpu, before = started.pop()
            print(time.process_time() - cpu, faults() - before, file=answers, flush=True)
        if not sys.stdin.readline():
            return False
        started.append((time.process_time(), faults()))
        return True

    CONTESTANTS[who](name, turn)


# --- the referee ---


class Racer:
    """A contestant's process."""

    def __init__(self, who: str, name: str) -> None:
        command = [sys.executable, __file__, "--as", who, name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

        self.faults: list[int] = []

    def epoch(self) -> float:
        """CPU seconds of one epoch; 0 where the contestant has given up."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return 0.0
        answer = self.process.stdout.readline().split()
        if not answer:
            return 0.0
        self.faults.append(int(answer[1]))
        return float(answer[0])

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def race(name: str, who: str, against: str, rounds: int) -> tuple[float, ...] | None:
    """The median speed of a contestant as a multiple of the other, CPU milliseconds a step, page faults a step of both."""
    hand, other = Racer(against, name), Racer(who, name)
    try:
        for racer in (hand, other, hand, other):
            if not racer.epoch():
                return None
        before, ratios, times = hand.epoch(), [], []
        for _ in range(rounds):
            taken = other.epoch()
            after = hand.epoch()
            ratios.append((before + after) / 2 / taken)
            times.append(taken)
            before = after
    finally:
        hand.close()
        other.close()
    _, batch, count, _ = NETS[name]
    steps = -(-count // batch)
    faults = (statistics.median(racer.faults[2:]) / steps for racer in (other, hand))
    return statistics.median(ratios), statistics.median(times) / steps * 1000, *faults


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--as"]:
        contestant(sys.argv[2], sys.argv[3])
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(
        f"{'net':<8} {'contestant':<16} {'against':<14} {'ratio':>6} {'CPU ms a step':>14} {'faults a step':>16}  goal"
    )
    for name in NETS:
        for who, against in RACES:
            start = f"{name:<8} {who:<16} {against:<14}"
            if who in ("lightning", "keras") and importlib.util.find_spec(who) is None:
                print(start, "not installed")
                continue
            found = race(name, who, against, rounds)
            if found is None:
                print(start, "does not run")
                continue
            goal = GOALS.get((who, against))
            told = "" if goal is None else f"{goal}: {'reached' if found[0] >= goal else 'MISSED'}"
            print(f"{start} {found[0]:>6.2f} {found[1]:>14.2f} {found[2]:>7.0f} {found[3]:>8.0f}  {told}", flush=True)


if __name__ == "__main__":
    main()
