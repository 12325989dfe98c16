"""The splits of a data set, for training and for testing: in memory (`Split`) or read as they are needed (`Stream`).

Both give batches of inputs and targets for an order of indices: uint8 images, [n, channels, height, width], with int64
labels, or whatever their data set holds. Neither uses torch's global random state.
"""

from __future__ import annotations

import hashlib
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cnnspec.training.data.archives import DataError
from cnnspec.training.data.several import parts_of, shape_of, stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol, TypeAlias

    from torch.utils.data import DataLoader

    from cnnspec.training.data.several import Shapes, Values

    class Samples(Protocol):
        """Inputs that are read one by one, all of one shape."""

        shape: tuple[int, ...]
        dtype: torch.dtype
        threads: int
        """How many may be read at the same time."""

        def __len__(self) -> int: ...

        def read(self, index: int) -> tuple[Tensor, Tensor | int]:
            """Input and target, such as an image, uint8 [channels, height, width], and its label.

            Raises DataError that names the file.
            """

        def fingerprint(self) -> str:
            """A text that changes with the samples, cheap to find: names and sizes of files."""

    Batch = tuple[Values, Values, list[str]]
    Sample = tuple[Tensor, Tensor | int]
    AnySplit: TypeAlias = "Split | Stream"
    Statistics: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]


SAMPLE = 2048
"""Images of a stream on which mean and deviation are measured."""
RESIDENT = 0.5
"""The share of a device's free memory that a split may take; a larger one stays in main memory."""


@dataclass(frozen=True, eq=False)
class Split:
    """Part of a data set in memory, on one device: `inputs` [n, ...] and as many `targets`, each one tensor or several."""

    inputs: Values
    targets: Values
    skipped: tuple[str, ...] = ()
    """What was left out because it could not be read: a message for each file."""
    goes_to: torch.device | None = None
    """The device that batches are copied to, one ahead, where the split has no room there; None where it lies at hand."""

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def resident(self) -> bool:
        """Whether batches are picked where the samples lie."""
        return self.goes_to is None

    @property
    def images(self) -> Tensor:
        """The inputs of a set of images: uint8 [n, channels, height, width]."""
        return parts_of(self.inputs)[0]

    @property
    def labels(self) -> Tensor:
        """The targets of a set of classes: int64 [n]."""
        return parts_of(self.targets)[0]

    @property
    def shape(self) -> Shapes:
        """Of one input; of each where there are several."""
        return shape_of(self.inputs)

    @property
    def dtypes(self) -> tuple[torch.dtype, ...]:
        """Of each input."""
        return tuple(part.dtype for part in parts_of(self.inputs))

    def to(self, device: torch.device | str) -> Split:
        """The same samples on another device, or for it, where they would take too much of its memory."""
        device = torch.device(device)
        size = sum(part.nbytes for values in (self.inputs, self.targets) for part in parts_of(values))
        if parts_of(self.inputs)[0].device != device and size > RESIDENT * free_memory(device):
            return replace(self, goes_to=device)
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device), goes_to=None)

    def part(self, chosen: Tensor) -> Split:
        """The samples that are chosen: indices, or true for each that is."""
        return replace(self, inputs=self.inputs[chosen], targets=self.targets[chosen])

    def batches(self, order: Tensor, batch: int) -> Iterator[tuple[Values, Values]]:
        """Inputs and targets of the indices in `order`, `batch` at a time; the last batch may be smaller."""
        found = self._batches(order, batch)
        return found if self.goes_to is None else _moved(found, self.goes_to)

    def _batches(self, order: Tensor, batch: int) -> Iterator[tuple[Values, Values]]:
        for indices in torch.split(order.to(self.inputs.device), batch):
            if len(indices):
                yield self.inputs.index_select(0, indices), self.targets.index_select(0, indices)

    def statistics(self) -> list[Statistics]:
        """Of each input, mean and standard deviation of each channel over all samples; white is 1 in images of uint8."""
        return [statistics(torch.split(part, 1024)) for part in parts_of(self.inputs)]

    def fingerprint(self) -> str:
        """Hash of the number of samples, of all targets where they are numbers, and of 64 samples."""
        found = hashlib.blake2b(str(len(self)).encode(), digest_size=16)
        if len(self):
            picked = torch.arange(64) * (len(self) - 1) // 63
            some = parts_of(self.inputs[picked.to(self.inputs.device)])
            # Targets that are images would take as long as the images themselves.
            targets = [part if part.dim() < 3 else part[picked.to(part.device)] for part in parts_of(self.targets)]
            for tensor in (*targets, *some):
                found.update(repr(tuple(tensor.shape)).encode())
                found.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return found.hexdigest()

    def close(self) -> None:
        """Nothing to end."""


class Stream:
    """Part of a data set that is read while the loop runs, by `workers` processes that are two batches ahead of it each.

    One iteration at a time. With `skip_broken`, images that can't be read are left out of their batch.
    """

    def __init__(
        self, source: Samples, *, workers: int, skip_broken: bool = False, device: torch.device | str = "cpu"
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

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input."""
        return self.source.shape

    @property
    def dtypes(self) -> tuple[torch.dtype, ...]:
        """Of each input."""
        return (self.source.dtype,)

    @property
    def resident(self) -> bool:
        return False

    def to(self, device: torch.device | str) -> Stream:
        """The same samples, with batches on another device. What is left out is counted by both."""
        moved = Stream(self.source, workers=self.workers, skip_broken=self.skip_broken, device=device)
        moved._skipped = self._skipped
        return moved

    def fingerprint(self) -> str:
        """Hash of the number of samples and of the names and sizes of their files."""
        text = f"{len(self)}\n{self.source.fingerprint()}"
        return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=16).hexdigest()

    def batches(self, order: Tensor, batch: int) -> Iterator[tuple[Values, Values]]:
        """Inputs and targets of the indices in `order`, `batch` at a time; the last batch may be smaller."""
        self._order.batches = [indices.tolist() for indices in torch.split(order.cpu(), batch) if len(indices)]
        return _moved(self._kept(), torch.device(self.device))

    def _kept(self) -> Iterator[tuple[Values, Values]]:
        """Batches on the CPU, without what can't be read."""
        for inputs, targets, broken in self._read():
            if broken and not self.skip_broken:
                self.close()
                raise DataError(broken[0], "--skip-broken leaves such files out")
            self._skipped.update(dict.fromkeys(broken))
            if len(targets):
                yield inputs, targets

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

    def statistics(self) -> list[Statistics]:
        """Mean and standard deviation of each channel, over 2,048 inputs spread evenly; white is 1 in images of uint8."""
        order = torch.arange(0, len(self), math.ceil(len(self) / SAMPLE))
        return [statistics(parts_of(images)[0] for images, _ in self.batches(order, 128))]

    def close(self) -> None:
        """End the processes. They start anew with the next iteration."""
        self._loader = None


def free_memory(device: torch.device) -> float:
    """Bytes of a device that are free; infinite where there is no telling or none but the main memory."""
    return float(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else math.inf


def _moved(batches: Iterator[tuple[Values, Values]], device: torch.device) -> Iterator[tuple[Values, Values]]:
    """Batches on a device."""
    if device.type == "cuda":
        yield from _ahead(batches, device)
    else:
        for inputs, targets in batches:
            yield inputs.to(device), targets.to(device)


def _ahead(batches: Iterator[tuple[Values, Values]], device: torch.device) -> Iterator[tuple[Values, Values]]:
    """Batches on a GPU, each copied from pinned memory on a stream of its own while the one before is in use."""
    side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    waiting: list[tuple[Values, ...]] = []

    def arrived() -> tuple[Values, Values]:
        current = torch.cuda.current_stream(device)
        current.wait_stream(side)
        inputs, targets = waiting.pop(0)
        for tensor in (*parts_of(inputs), *parts_of(targets)):
            tensor.record_stream(current)
        return inputs, targets

    for batch in batches:
        ready = arrived() if waiting else None
        with torch.cuda.stream(side):
            waiting.append(tuple(tensor.pin_memory().to(device, non_blocking=True) for tensor in batch))
        if ready is not None:
            yield ready
    if waiting:
        yield arrived()


def gather(source: Samples, *, skip_broken: bool) -> Split:
    """Read all samples into memory. Raises DataError for the first that can't be read, or leaves such out."""
    inputs = torch.empty(len(source), *source.shape, dtype=source.dtype)

    def read(index: int) -> Tensor | str:
        try:
            inputs[index], target = source.read(index)
        except DataError as error:
            return str(error)
        return torch.as_tensor(target)

    found: list[Tensor | str] = []
    with ThreadPoolExecutor(source.threads) as pool:
        for result in pool.map(read, range(len(source))):
            if isinstance(result, str) and not skip_broken:
                pool.shutdown(cancel_futures=True)
                raise DataError(result, "--skip-broken leaves such files out")
            found.append(result)
    targets = [target for target in found if isinstance(target, Tensor)]
    if len(targets) < len(found):
        inputs = inputs[torch.tensor([isinstance(target, Tensor) for target in found])]
    skipped = tuple(target for target in found if isinstance(target, str))
    return Split(inputs, torch.stack(targets) if targets else torch.empty(0, dtype=torch.int64), skipped)


def load_split(source: Samples, memory: int, workers: int | None, *, skip_broken: bool) -> AnySplit:
    """A source in memory where its inputs take at most `memory` bytes, otherwise as a stream."""
    if len(source) * math.prod(source.shape) * source.dtype.itemsize <= memory:
        return gather(source, skip_broken=skip_broken)
    count = min(4, os.cpu_count() or 1) if workers is None else workers
    return Stream(source, workers=count, skip_broken=skip_broken)


def statistics(batches: Iterable[Tensor]) -> Statistics:
    """Mean and standard deviation of each channel of batches [n, channels, ...]; a channel of one value has deviation 1.

    White is 1 in images of uint8, which are counted in whole numbers: the same on every device.
    """
    counts = torch.zeros(1, 256, dtype=torch.int64)
    sums = torch.zeros(1, dtype=torch.float64)
    squares, number, whole = sums, 0, True
    for inputs in batches:
        whole = inputs.dtype is torch.uint8
        if whole:
            counts = counts + torch.stack([torch.bincount(c.flatten(), minlength=256).cpu() for c in inputs.unbind(1)])
        else:
            values = inputs.transpose(0, 1).flatten(1).double()
            sums, squares = sums + values.sum(1).cpu(), squares + values.square().sum(1).cpu()
            number += values.shape[1]
    if whole:
        levels = torch.arange(256, dtype=torch.float64) / 255
        shares = counts.double() / counts.sum(1, keepdim=True)
        means = (shares * levels).sum(1)
        deviations = (shares * (levels - means[:, None]) ** 2).sum(1).sqrt()
    else:
        means = sums / max(number, 1)
        deviations = (squares / max(number, 1) - means.square()).clamp(min=0).sqrt()
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

    def __init__(self, source: Samples) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Sample | str:
        try:
            return self.source.read(index)
        except DataError as error:
            return str(error)


def _stack(items: list[Sample | str]) -> Batch:
    read = [item for item in items if not isinstance(item, str)]
    broken = [item for item in items if isinstance(item, str)]
    if not read:
        return torch.empty(0), torch.empty(0, dtype=torch.int64), broken
    return stack([value for value, _ in read]), stack([target for _, target in read]), broken


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def _loader(source: Samples, order: _Order, workers: int) -> DataLoader[object]:
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
