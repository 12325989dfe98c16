"""A pass over a set in evaluation mode: loss and metrics, exact however the samples are divided."""

from __future__ import annotations

import torch
from torch import nn

from cnnspec.training.data.several import arranged, join, run
from cnnspec.training.device import autocast
from cnnspec.training.metrics.base import Measured, wide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.training.augment.prepare import Preparation
    from cnnspec.training.data.several import Values
    from cnnspec.training.data.splits import AnySplit
    from cnnspec.training.distributed import Group
    from cnnspec.training.metrics.base import Task

EXAMPLES = 512
"""Samples among which the worst are looked for."""


@torch.no_grad()
def examples(
    net: nn.Module, split: AnySplit, prepare: Preparation, *, device: torch.device,
    layout: torch.memory_format = torch.contiguous_format, precision: str = "float32", batch: int = 64,
) -> tuple[Values, Values, Values]:  # fmt: skip
    """Inputs as the data has them, outputs, and targets as the loss takes them, of up to 512 samples; on the CPU.

    The samples are spread over the split. The net comes back in the mode it was in.
    """
    order = torch.arange(0, len(split), max(1, len(split) // EXAMPLES))[:EXAMPLES]
    mode = net.training
    net.eval()
    found: list[tuple[Values, Values, Values]] = []
    for inputs, targets in split.to(device).batches(order, batch):
        ready, wanted = prepare(inputs, targets, None)
        with autocast(precision, device):
            found.append((inputs.cpu(), run(net, arranged(ready, layout)).cpu(), wanted.cpu()))
    net.train(mode)
    first, second, third = (join(parts) for parts in zip(*found))
    return first, second, third


@torch.no_grad()
def measure(
    net: nn.Module, batches: Iterable[tuple[Values, Values]], prepare: Preparation, task: Task, *,
    device: torch.device, group: Group, layout: torch.memory_format = torch.contiguous_format,
    precision: str = "float32",
) -> Measured:  # fmt: skip
    """Loss and metrics of a net over this process's batches of inputs and targets, summed over the group.

    Sums are added up, never means. The net comes back in the mode it was in.
    """
    criterion = task.criterion
    sums = torch.zeros(2 * len(criterion.factors) + 1, dtype=wide(device), device=device)
    meter = task.meter(device)
    mode = net.training
    net.eval()
    for inputs, targets in batches:
        ready, wanted = prepare(inputs.to(device), targets.to(device), None)
        with autocast(precision, device):
            outputs = run(net, arranged(ready, layout))
            for index, (total, divisor) in enumerate(criterion.each(outputs, wanted)):
                sums[2 * index] += total
                sums[2 * index + 1] += divisor
        sums[-1] += len(wanted)
        meter.update(outputs, wanted)
    net.train(mode)
    for tensor in (sums, *meter.tensors()):
        group.all_reduce_sum(tensor)
    *pairs, samples = sums.tolist()
    each = [total / divisor if divisor else float("nan") for total, divisor in zip(pairs[::2], pairs[1::2])]
    loss = sum(factor * value for factor, value in zip(criterion.factors, each))
    return Measured(loss, meter.metrics(), meter.confusion(), int(samples))
