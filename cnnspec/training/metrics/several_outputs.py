"""Several outputs, each with a task of its own."""

from __future__ import annotations

import torch

from cnnspec.training.data.several import Several, parts_of
from cnnspec.training.metrics.base import Meter, Prediction, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cnnspec.training.data.several import Values
    from cnnspec.training.summed_loss import SeveralLosses


class SeveralOutputs(Task):
    """The tasks of several outputs, by their names. Metrics of the first have their own names, others `name.metric`."""

    def __init__(self, criterion: SeveralLosses, tasks: Sequence[Task], names: Sequence[str]) -> None:
        first = tasks[0]
        super().__init__(criterion, first.classes, first.kind)
        self.tasks, self.names = tuple(tasks), tuple(names)
        self.name = " and ".join(dict.fromkeys(task.name for task in tasks))
        self.score = first.score

    @property
    def metrics(self) -> tuple[str, ...]:
        more = [f"{name}.{metric}" for name, task in zip(self.names[1:], self.tasks[1:]) for metric in task.metrics]
        return (*self.tasks[0].metrics, *more)

    def is_falling(self, metric: str) -> bool:
        name, _, own = metric.rpartition(".")
        return self.tasks[self.names.index(name) if name in self.names else 0].is_falling(own)

    @property
    def guesses(self) -> bool:
        return False

    def score_sum(self, outputs: Values, targets: Values) -> Tensor:
        return self.tasks[0].score_sum(parts_of(outputs)[0], parts_of(targets)[0])

    def meter(self, device: torch.device) -> Meter:
        return _Meters(self, device)

    def told(self, outputs: Values, top: int) -> list[Prediction]:
        each = [task.told(found, top) for task, found in zip(self.tasks, parts_of(outputs))]
        found = []
        for told in zip(*each):
            label = "; ".join(f"{name}: {one.label}" for name, one in zip(self.names, told))
            top_all = [(f"{name}.{key}", value) for name, one in zip(self.names, told) for key, value in one.top]
            found.append(Prediction(label, told[0].probability, tuple(top_all)))
        return found


class _Meters(Meter):
    def __init__(self, task: SeveralOutputs, device: torch.device) -> None:
        self.names, self.meters = task.names, [each.meter(device) for each in task.tasks]

    def update(self, outputs: Values, targets: Values) -> None:
        shared = not isinstance(targets, Several)
        for index, (meter, found) in enumerate(zip(self.meters, parts_of(outputs))):
            meter.update(found, parts_of(targets)[0 if shared else index])

    def tensors(self) -> list[Tensor]:
        return [tensor for meter in self.meters for tensor in meter.tensors()]

    def metrics(self) -> dict[str, float]:
        found = self.meters[0].metrics()
        for name, meter in zip(self.names[1:], self.meters[1:]):
            found |= {f"{name}.{metric}": value for metric, value in meter.metrics().items()}
        return found

    def confusion(self) -> Tensor | None:
        return next((found for meter in self.meters if (found := meter.confusion()) is not None), None)
