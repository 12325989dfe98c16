"""The halves of a data set, for training and for testing: in memory (`Split`) or read as they are needed (`Stream`).

Both give batches of uint8 images, [n, channels, height, width], and int64 labels for an order of indices, and neither uses
torch's global random state.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch

from cnnspec.training.data.archives import DataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol

    from torch import Tensor
    from torch.utils.data import DataLoader

    from cnnspec.recipe.datasets import Image

    class Source(Protocol):
        """Images that are read one by one, all of one shape."""

        shape: Image
        threads: int
        """How many may be read at the same time."""

        def __len__(self) -> int: ...

        def read(self, index: int) -> tuple[Tensor, int]:
            """Image, uint8 [channels, height, width], and label. Raises DataError that names the file."""

    Batch = tuple[Tensor, Tensor, list[str]]


SAMPLE = 2048
"""Images of a stream on which mean and deviation are measured."""


@dataclass(frozen=True, eq=False)
class Split:
    """Half of a data set in memory: `images` uint8 [n, channels, height, width], `labels` int64 [n], on one device."""

    images: Tensor
    labels: Tensor
    skipped: tuple[str, ...] = ()
    """What was left out because it could not be read: a message for each file."""

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Split:
        """The same images on another device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def batches(self, order: Tensor, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and labels of the indices in `order`, `batch` at a time; the last batch may be smaller."""
        for indices in torch.split(order.to(self.images.device), batch):
            if len(indices):
                yield self.images.index_select(0, indices), self.labels.index_select(0, indices)

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each channel over all images, where white is 1."""
        return statistics(torch.split(self.images, 1024))

    def close(self) -> None:
        """Nothing to end."""


class Stream:
    """Half of a data set that is read while the loop runs, by `workers` processes that are two batches ahead of it each.

    One iteration at a time. With `skip_broken`, images that can't be read are left out of their batch.
    """

    def __init__(
        self, source: Source, *, workers: int, skip_broken: bool = False, device: torch.device | str = "cpu"
    ) -> None:
        self.source, self.workers, self.skip_broken, self.device = source, workers, skip_broken, device
        self._skipped: dict[str, None] = {}
        self._order = _Order()
        self._loader: DataLoader[object] | None = None

    def __len__(self) -> int:
        return len(self.source)

    @property
    def skipped(self) -> tuple[str, ...]:
        """What was left out so far because it could not be read: a message for each file."""
        return tuple(self._skipped)

    def to(self, device: torch.device | str) -> Stream:
        """The same images, with batches on another device."""
        return Stream(self.source, workers=self.workers, skip_broken=self.skip_broken, device=device)

    def batches(self, order: Tensor, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and labels of the indices in `order`, `batch` at a time; the last batch may be smaller."""
        self._order.batches = [indices.tolist() for indices in torch.split(order.cpu(), batch) if len(indices)]
        for images, labels, broken in self._read():
            if broken and not self.skip_broken:
                self.close()
                raise DataError(broken[0], "--skip-broken leaves such files out")
            self._skipped.update(dict.fromkeys(broken))
            if len(labels):
                yield images.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)

    def _read(self) -> Iterator[Batch]:
        if self._loader is None:
            self._loader = _loader(self.source, self._order, self.workers)
        try:
            yield from self._loader
        except RuntimeError as error:
            self.close()
            raise DataError(
                f"a process that reads images has died: {error}", "fewer workers need less memory"
            ) from None

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each channel, where white is 1, over 2,048 images spread evenly."""
        order = torch.arange(0, len(self), math.ceil(len(self) / SAMPLE))
        return statistics(images for images, _ in self.batches(order, 128))

    def close(self) -> None:
        """End the processes. They start anew with the next iteration."""
        self._loader = None


def gather(source: Source, shape: Image, *, skip_broken: bool) -> Split:
    """Read all images into memory. Raises DataError for the first that can't be read, or leaves such out."""
    images = torch.empty(len(source), *shape, dtype=torch.uint8)

    def read(index: int) -> int | str:
        try:
            images[index], label = source.read(index)
        except DataError as error:
            return str(error)
        return label

    with ThreadPoolExecutor(source.threads) as pool:
        found: list[int | str] = []
        for result in pool.map(read, range(len(source))):
            if isinstance(result, str) and not skip_broken:
                pool.shutdown(cancel_futures=True)
                raise DataError(result, "--skip-broken leaves such files out")
            found.append(result)
    labels = [label for label in found if isinstance(label, int)]
    if len(labels) < len(found):
        images = images[torch.tensor([isinstance(label, int) for label in found])]
    return Split(images, torch.tensor(labels), tuple(label for label in found if isinstance(label, str)))


def halve(source: Source, shape: Image, memory: int, workers: int | None, *, skip_broken: bool) -> Split | Stream:
    """A source in memory where its images take at most `memory` bytes, otherwise as a stream."""
    if len(source) * math.prod(shape) <= memory:
        return gather(source, shape, skip_broken=skip_broken)
    count = min(4, os.cpu_count() or 1) if workers is None else workers
    return Stream(source, workers=count, skip_broken=skip_broken)


def statistics(batches: Iterable[Tensor]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of batches of uint8 images, where white is 1.

    Counted in whole numbers, and so the same on every device. A channel of one value has the deviation 1.
    """
    counts = torch.zeros(1, 256, dtype=torch.int64)
    for images in batches:
        each = [torch.bincount(channel.flatten(), minlength=256).cpu() for channel in images.unbind(1)]
        counts = counts + torch.stack(each)
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = counts.double() / counts.sum(1, keepdim=True)
    means = (shares * values).sum(1)
    deviations = (shares * (values - means[:, None]) ** 2).sum(1).sqrt()
    return tuple(means.tolist()), tuple(deviations.where(deviations > 1e-6, 1.0).tolist())


# --- what runs in the processes of a stream ---


class _Order:
    """The batches of the coming iteration."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class _Items:
    """A source as torch's loader takes it. A mistake is a result: an exception would lose its text on the way."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[Tensor, int] | str:
        try:
            return self.source.read(index)
        except DataError as error:
            return str(error)


def _stack(items: list[tuple[Tensor, int] | str]) -> Batch:
    read = [item for item in items if not isinstance(item, str)]
    broken = [item for item in items if isinstance(item, str)]
    images = torch.stack([image for image, _ in read]) if read else torch.empty(0)
    return images, torch.tensor([label for _, label in read], dtype=torch.int64), broken


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def _loader(source: Source, order: _Order, workers: int) -> DataLoader[object]:
    from torch.utils.data import DataLoader

    return DataLoader(
        _Items(source),  # type: ignore[arg-type]
        batch_sampler=order,
        num_workers=workers,
        collate_fn=_stack,
        persistent_workers=workers > 0,
        prefetch_factor=2 if workers else None,
        worker_init_fn=_one_thread,
        generator=torch.Generator(),
    )
