"""Our loop on one GPU against a hand-written one with the same tricks, and Lightning where it is installed.

    python benchmarks/gpu.py [rounds] [--device cuda]

The tricks: images resident as uint8, channels last, a fused optimizer, TF32 or bfloat16, no look at a number within an epoch.
Contestants take turns, epoch by epoch, in one process; a figure is the median of the seconds an epoch, and the ratio to the
loop by hand of the same round (below 1 is faster). Prints "not run" where there is no such device; `--device cpu` tries the
script out with tiny sets.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Spec, shape, classes (0 for images to images), batch, images an epoch, precision; on the CPU a batch of 2 and 4 images.
NETS = {
    "LeNet": ("lenet.cnn", (1, 28, 28), 10, 256, 60_000, "float32"),
    "ResNet-50": ("resnet.cnn:ResNet50", (3, 224, 224), 1000, 64, 1_280, "bfloat16"),
    "U-Net": ("unet.cnn", (3, 256, 256), 2, 16, 160, "bfloat16"),
}


def tensors(name: str, device, tiny: bool):
    """uint8 images and targets: class numbers, or masks."""
    import torch

    _, shape, classes, batch, count, _ = NETS[name]
    batch, count = (2, 4) if tiny else (batch, count)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)
    size = shape[1:] if name == "U-Net" else ()
    targets = torch.randint(0, classes, (count, *size), generator=generator)
    return images.to(device), targets.to(device), batch


def spec_of(name: str):
    import cnnspec

    path, _, model = NETS[name][0].partition(":")
    return cnnspec.load(ROOT / "specs" / path, model=model or None)


def net_of(name: str):
    from cnnspec.training.factory import build

    _, shape, *_ = NETS[name]
    graph = spec_of(name).declared
    if graph.sizes is not None:
        graph = graph.sizes.at(graph.sizes.of_shapes([graph.input], [shape]))
    return build(graph, None, 0)


def by_hand(name: str, device, tiny: bool):
    """Epochs of the loop that one writes with care."""
    import torch
    from torch import nn

    images, targets, batch = tensors(name, device, tiny)
    precision = NETS[name][-1]
    net = net_of(name).to(device, memory_format=torch.channels_last)
    fused = {"fused": True} if device.type == "cuda" else {}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, **fused)
    loss_of = nn.CrossEntropyLoss()
    while True:
        total = torch.zeros((), device=device)
        order = torch.randperm(len(images), device=device)
        for start in range(0, len(images), batch):
            chosen = order[start : start + batch]
            x = (images[chosen].float() / 255).contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                loss = loss_of(net(x), targets[chosen])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        yield float(total)


def ours(name: str, device, tiny: bool):
    """Epochs of `cnnspec.train`, as a generator: the trainer without what is told and kept."""
    from cnnspec.training.data.load import Data
    from cnnspec.training.data.splits import Split
    from cnnspec.training.distributed import Group
    from cnnspec.training.restore import recipe_from
    from cnnspec.training.start import Options, make_trainer

    _, shape, classes, _, _, precision = NETS[name]
    images, targets, batch = tensors(name, "cpu", tiny)
    data = Data("Random", Split(images, targets), None, [str(i) for i in range(classes)], shape, "")
    texts = {
        "batch": str(batch), "epochs": "1000", "optimizer": "SGD(lr=0.01, momentum=0.9)", "scheduler": "none",
        "normalize": "false", "precision": f'"{precision}"', "best": '"loss"',
    }  # fmt: skip
    if name == "U-Net":
        texts["loss"] = "CrossEntropyLoss(ignore_index=255)"
    trainer = make_trainer(spec_of(name).declared, recipe_from(texts), data, device, Group(), Options())
    while True:
        for _ in trainer.train_epoch():
            pass
        loss, _ = trainer.state.gather()
        trainer.state.next_epoch(loss)
        yield loss


def lightning(name: str, device, tiny: bool):
    """Epochs of Lightning on the same resident tensors, with its bar and logger off."""
    import lightning
    import torch

    images, targets, batch = tensors(name, device, tiny)
    precision = "bf16-mixed" if NETS[name][-1] == "bfloat16" else "32-true"

    class Batches:
        def __len__(self) -> int:
            return -(-len(images) // batch)

        def __iter__(self):
            order = torch.randperm(len(images), device=device)
            for start in range(0, len(images), batch):
                chosen = order[start : start + batch]
                yield (images[chosen].float() / 255).contiguous(memory_format=torch.channels_last), targets[chosen]

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = net_of(name).to(memory_format=torch.channels_last)

        def training_step(self, part, index):
            return torch.nn.functional.cross_entropy(self.net(part[0]), part[1])

        def configure_optimizers(self):
            fused = {"fused": True} if device.type == "cuda" else {}
            return torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9, **fused)

    module = Module()
    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
    }
    while True:
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="gpu" if device.type == "cuda" else "cpu", precision=precision, **quiet
        )
        trainer.fit(module, Batches())
        yield 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    import torch

    from cnnspec.training.device import algorithms, synchronize

    if options.device == "cuda" and not torch.cuda.is_available():
        print("not run: there is no GPU here")
        return
    device = torch.device(options.device)
    contestants = {"by hand": by_hand, "cnnspec": ours}
    if importlib.util.find_spec("lightning"):
        contestants["Lightning"] = lightning
    print(f"{torch.cuda.get_device_name() if device.type == 'cuda' else 'CPU, tiny sets'}, torch {torch.__version__}")
    print(f"{'':<12}{'':<12}{'s an epoch':>12}{'of by hand':>12}")
    with algorithms(deterministic=False):
        for name in NETS:
            loops = {who: loop(name, device, device.type == "cpu") for who, loop in contestants.items()}
            times: dict[str, list[float]] = {who: [] for who in loops}
            for turn in range(options.rounds + 1):
                for who, loop in loops.items():
                    synchronize(device)
                    begin = time.perf_counter()
                    next(loop)
                    synchronize(device)
                    if turn:
                        times[who].append(time.perf_counter() - begin)
            for who, found in times.items():
                ratio = statistics.median(one / other for one, other in zip(found, times["by hand"]))
                print(f"{name:<12}{who:<12}{statistics.median(found):>12.3f}{ratio:>12.2f}")


if __name__ == "__main__":
    main()
