"""The samples of a run: which ones make up a step, and how they are prepared, as pure functions of seed, epoch and step.

Nothing here has a state that a checkpoint would have to keep, and the order is the same for any number of processes.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from cnnspec.errors import TrainError
from cnnspec.record import record
from cnnspec.training.augment.mixing import mix
from cnnspec.training.data.several import parts_of
from cnnspec.training.data.splits import Split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.training.augment.prepare import Preparation
    from cnnspec.training.data.several import Values
    from cnnspec.training.data.splits import AnySplit
    from cnnspec.training.distributed import Group

ORDER, AUGMENT, NOISE, VALIDATION = range(4)
"""What a random number is for: equal numbers for two purposes would be correlated."""

REPEATS = 20
"""Steps of an epoch that repeats one batch."""


def key(purpose: int, seed: int, *place: int) -> int:
    """A seed of 63 bits that depends on all that is given."""
    text = ",".join(map(str, (purpose, seed, *place)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def seed_noise(device: torch.device, *place: int) -> None:
    """Seed what dropout draws from, on the CPU and on the device, for one step."""
    number = key(NOISE, *place)
    if device.type == "cpu":
        torch.default_generator.manual_seed(number)
    else:
        torch.manual_seed(number)


@record
class MicroBatch:
    """Prepared inputs [n, ...] and their targets [n, ...], on the device: what goes through the net at once."""

    inputs: Values
    targets: Values
    weight: float
    """1, or 0 for the stand-in of a process that has no sample in this part."""
    others: Values | None = None
    """The targets of what the inputs are mixed with; None where they are not."""
    share: float = 1.0
    """What the loss with their own targets counts, beside that with the others."""


class Loader:
    """The training split: resident on the device where it has room there, otherwise copied or read as it is needed.

    `balanced` draws, with replacement, every class as often. `repeat` is for overfitting: the first batch, unaugmented, so
    many steps an epoch. `drop_last` leaves out the samples of an epoch that fill no batch.
    """

    def __init__(
        self, split: AnySplit, prepare: Preparation, *, seed: int, batch: int, parts: int, group: Group,
        device: torch.device, repeat: bool = False, drop_last: bool = False, balanced: bool = False,
    ) -> None:  # fmt: skip
        self.split = split.to(device)
        self.prepare, self.seed = prepare, seed
        self.draws = prepare.draws and not repeat
        self.batch, self.parts, self.group, self.device, self.repeat = batch, parts, group, device, repeat
        self.drop_last = drop_last and len(split) > batch
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))
        self._chances = _chances(split) if balanced and not repeat else None

    def __len__(self) -> int:
        """Steps of an epoch; the last may have fewer samples."""
        if self.repeat:
            return REPEATS
        return len(self.split) // self.batch if self.drop_last else -(-len(self.split) // self.batch)

    def order(self, epoch: int) -> Tensor:
        """The order of the samples in an epoch."""
        epoch = 0 if self.repeat else epoch
        if self._order[0] != epoch:
            generator = torch.Generator().manual_seed(key(ORDER, self.seed, epoch))
            if self._chances is None:
                order = torch.randperm(len(self.split), generator=generator)
            else:
                order = torch.multinomial(self._chances, len(self.split), replacement=True, generator=generator)
            if self.repeat:
                order = order[: self.batch].repeat(REPEATS)
            elif self.drop_last:
                order = order[: len(self) * self.batch]
            self._order = (epoch, order.to(self.device) if self.split.resident else order)
        return self._order[1]

    def smallest_part(self) -> int:
        """Samples of the smallest part that goes through the net at once in an epoch."""
        size = min(self.batch, len(self.split))
        rest = 0 if self.repeat or self.drop_last else len(self.split) % size
        counts = [size, rest] if rest else [size]
        shares = [share for count in counts for share in self._shares(count)]
        return min(max(1, int(share.stop - share.start)) for share in shares)

    def batches(self, epoch: int, first: int) -> Iterator[tuple[list[MicroBatch], Values]]:
        """From step `first` of an epoch on: this process's parts of each batch, and the targets of the whole batch."""
        order = self.order(epoch)
        size = min(self.batch, len(self.split))
        split = self.split
        if not isinstance(split, Split) or not split.resident:
            for step, (inputs, targets) in enumerate(split.batches(order[first * size :], size), first):
                yield self._parts(inputs, targets, epoch, step)
            return
        for step in range(first, len(self)):
            whole = order[step * size : (step + 1) * size]
            targets = split.targets.index_select(0, whole)
            if self.group.world == 1 or self.draws:
                yield self._parts(split.inputs.index_select(0, whole), targets, epoch, step)
            else:
                yield [self._own(split.inputs, whole, targets, share) for share in self._shares(len(whole))], targets

    def _shares(self, count: int) -> list[slice]:
        """This process's samples in each part of a batch of `count`."""
        shares = []
        for chunk in _chunks(count, self.parts):
            mine = self.group.share(chunk.stop - chunk.start)
            shares.append(slice(chunk.start + mine.start, chunk.start + mine.stop))
        return shares

    def _parts(self, inputs: Values, targets: Values, epoch: int, step: int) -> tuple[list[MicroBatch], Values]:
        others, own_share = None, 1.0
        if self.draws:
            # All processes draw for the whole batch, so that a sample is changed in the same way in any number of them.
            generator = torch.Generator().manual_seed(key(AUGMENT, self.seed, epoch, step))
            inputs, targets = self.prepare(inputs, targets, generator)
            if self.prepare.mixing is not None and isinstance(inputs, Tensor) and isinstance(targets, Tensor):
                inputs, own_share = mix(self.prepare.mixing, inputs, generator)
                others = targets.roll(1, 0)
        parts = []
        for share in self._shares(len(targets)):
            kept, weight = _filled(share)
            own = inputs[kept], targets[kept]
            ready = own if self.draws else self.prepare(*own, None)
            parts.append(MicroBatch(*ready, weight, None if others is None else others[kept], own_share))
        return parts, targets

    def _own(self, inputs: Values, whole: Tensor, targets: Values, share: slice) -> MicroBatch:
        kept, weight = _filled(share)
        return MicroBatch(*self.prepare(inputs.index_select(0, whole[kept]), targets[kept], None), weight)


def _chances(split: AnySplit) -> Tensor:
    """The chance of each sample where every class comes as often. Raises TrainError where the classes are not at hand."""
    targets = parts_of(split.targets)[0].cpu() if isinstance(split, Split) else torch.empty(0)
    if targets.dim() != 1 or targets.is_floating_point():
        raise TrainError('sampler = "balanced" needs a class for each sample, and the set in memory')
    return targets.bincount().clamp(min=1).double().reciprocal()[targets]


def _filled(share: slice) -> tuple[slice, float]:
    """A share, or one sample with weight 0 in place of an empty one: every process has to run the net."""
    return (share, 1.0) if share.stop > share.start else (slice(0, 1), 0.0)


def _chunks(count: int, parts: int) -> list[slice]:
    """`count` items in up to `parts` chunks of nearly one size."""
    size = -(-count // parts)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
