"""The images of a run: which ones make up a step, and how they are prepared, as pure functions of seed, epoch and step.

Nothing here has a state that a checkpoint would have to keep, and the order is the same for any number of processes.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from cnnspec.training.distributed import Group

    Prepare = Callable[[Tensor, torch.Generator | None], Tensor]

ORDER, AUGMENT, NOISE = range(3)
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
class Part:
    """Images [n, channels, height, width] in float32 and their labels [n] in int64, on the device."""

    images: Tensor
    labels: Tensor
    weight: float
    """1, or 0 for the stand-in of a process that has no image in this part."""


class Feed:
    """The training half: resident on the device where it is in memory, otherwise read as it is needed.

    `prepare` makes float32 images of uint8 ones, with a generator where it draws; `draws` says whether it does. `repeat` is
    for overfitting: the first batch, so many steps an epoch.
    """

    def __init__(
        self, half: Any, prepare: Prepare, *, draws: bool, seed: int, batch: int, parts: int, group: Group,
        device: torch.device, repeat: bool = False,
    ) -> None:  # fmt: skip
        self.half = half.to(device)
        self.resident = isinstance(getattr(half, "images", None), Tensor)
        self.prepare, self.draws, self.seed = prepare, draws, seed
        self.batch, self.parts, self.group, self.device, self.repeat = batch, parts, group, device, repeat
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def __len__(self) -> int:
        """Steps of an epoch; the last may have fewer images."""
        return REPEATS if self.repeat else -(-len(self.half) // self.batch)

    def order(self, epoch: int) -> Tensor:
        """The order of the images in an epoch."""
        epoch = 0 if self.repeat else epoch
        if self._order[0] != epoch:
            generator = torch.Generator().manual_seed(key(ORDER, self.seed, epoch))
            order = torch.randperm(len(self.half), generator=generator)
            if self.repeat:
                order = order[: self.batch].repeat(REPEATS)
            self._order = (epoch, order.to(self.device) if self.resident else order)
        return self._order[1]

    def batches(self, epoch: int, first: int) -> Iterator[tuple[list[Part], Tensor]]:
        """From step `first` of an epoch on: this process's parts of each batch, and the labels of the whole batch."""
        order = self.order(epoch)
        size = min(self.batch, len(self.half))
        if not self.resident:
            for step, (images, labels) in enumerate(self.half.batches(order[first * size :], size), first):
                yield self._parts(images, labels, epoch, step), labels
            return
        images, labels = self.half.images, self.half.labels
        for step in range(first, len(self)):
            whole = order[step * size : (step + 1) * size]
            batch = labels.index_select(0, whole)
            if self.group.world == 1 or self.draws:
                yield self._parts(images.index_select(0, whole), batch, epoch, step), batch
            else:
                yield [self._own(images, whole, batch, share) for share in self._shares(len(whole))], batch

    def _shares(self, count: int) -> list[slice]:
        """This process's images in each part of a batch of `count`."""
        shares = []
        for chunk in _chunks(count, self.parts):
            mine = self.group.share(chunk.stop - chunk.start)
            shares.append(slice(chunk.start + mine.start, chunk.start + mine.stop))
        return shares

    def _parts(self, images: Tensor, labels: Tensor, epoch: int, step: int) -> list[Part]:
        if self.draws:
            # All processes draw for the whole batch, so that an image is changed in the same way in any number of them.
            images = self.prepare(images, torch.Generator().manual_seed(key(AUGMENT, self.seed, epoch, step)))
        parts = []
        for share in self._shares(len(labels)):
            kept, weight = _filled(share)
            own = images[kept] if self.draws else self.prepare(images[kept], None)
            parts.append(Part(own, labels[kept], weight))
        return parts

    def _own(self, images: Tensor, whole: Tensor, labels: Tensor, share: slice) -> Part:
        kept, weight = _filled(share)
        return Part(self.prepare(images.index_select(0, whole[kept]), None), labels[kept], weight)


def _filled(share: slice) -> tuple[slice, float]:
    """A share, or one image with weight 0 in place of an empty one: every process has to run the net."""
    return (share, 1.0) if share.stop > share.start else (slice(0, 1), 0.0)


def _chunks(count: int, parts: int) -> list[slice]:
    """`count` items in up to `parts` chunks of nearly one size."""
    size = -(-count // parts)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def fingerprint(half: Any) -> str:
    """Hash of the number of images, and where they are in memory of all labels and of 64 images."""
    found = hashlib.blake2b(str(len(half)).encode(), digest_size=16)
    images = getattr(half, "images", None)
    if isinstance(images, Tensor) and len(half):
        picked = torch.arange(64) * (len(half) - 1) // 63
        for tensor in (half.labels, images[picked.to(images.device)]):
            found.update(repr(tuple(tensor.shape)).encode())
            found.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
