"""What a data set holds, looked at sample by sample: classes and their counts, mean and deviation, what is there twice."""

from __future__ import annotations

import hashlib

import torch

from cnnspec.recipe.datasets.base import CLASS
from cnnspec.record import record
from cnnspec.training.data.several import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.training.data.load import Data
    from cnnspec.training.data.splits import AnySplit


@record
class Survey:
    """The facts about a data set."""

    counts: dict[str, list[int]]
    """Samples of each class by the name of the split; one number where there are no classes."""
    statistics: list[tuple[tuple[float, ...], tuple[float, ...]]]
    """Mean and deviation of each channel of each input, over the training set; white is 1 in images of uint8."""
    repeated: dict[str, int]
    """Samples of a split whose inputs are in the training set as well, and those that are twice in the training set."""


def survey(data: Data) -> Survey:
    """Look at all samples of a data set. Files that can't be read are in `data.skipped` afterwards."""
    named = {"train": data.train, "validation": data.validation, "test": data.test}
    splits = {name: split for name, split in named.items() if split is not None}
    counts, hashes = {}, {}
    for name, split in splits.items():
        counts[name], hashes[name] = _looked_at(split, len(data.classes) if data.targets == CLASS else 0)
    known = set(hashes["train"])
    repeated = {"train": len(hashes["train"]) - len(known)}
    repeated |= {name: sum(one in known for one in found) for name, found in hashes.items() if name != "train"}
    statistics = data.train.statistics()
    for split in splits.values():
        split.close()
    return Survey(counts, statistics, repeated)


def _looked_at(split: AnySplit, classes: int) -> tuple[list[int], list[bytes]]:
    """Counts by class, and a hash of the inputs of every sample."""
    counts = torch.zeros(max(1, classes), dtype=torch.int64)
    found = []
    for inputs, targets in split.batches(torch.arange(len(split)), 256):
        first = parts_of(targets)[0]
        counts += torch.bincount(first, minlength=classes) if classes else len(first)
        rows = [part.reshape(len(part), -1).contiguous().numpy() for part in parts_of(inputs)]
        for index in range(len(first)):
            text = b"".join(row[index].tobytes() for row in rows)
            found.append(hashlib.blake2b(text, digest_size=16).digest())
    return counts.tolist(), found
