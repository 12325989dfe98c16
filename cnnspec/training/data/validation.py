"""A validation split: a share of the training set, or files of its own."""

from __future__ import annotations

from dataclasses import replace

import torch

from cnnspec.training.data.archives import DataError
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.data.loader import VALIDATION, key
from cnnspec.training.data.several import parts_of
from cnnspec.training.data.splits import Split, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.data.splits import AnySplit, Samples


def with_validation(data: Data, recipe: Recipe) -> Data:
    """The data with the validation split that a recipe asks for, where it has none yet.

    A share is drawn by the seed of the recipe, of each class where there are classes. Raises DataError.
    """
    wanted = recipe.validation
    if wanted is None or data.validation is not None:
        return data
    if isinstance(wanted, str):
        found = load_data(recipe.data, path=wanted, whole=True, classes=data.classes)
        if found.shape != data.shape or len(found.classes) > len(data.classes):
            raise DataError(
                f"validation = {wanted!r} has images of {list(found.shape)} in {len(found.classes)} classes"
            )
        return replace(data, validation=found.test)
    held = _chosen(data.train, float(wanted), recipe.seed)
    if not 0 < int(held.sum()) < len(held):
        raise DataError(f"validation = {wanted} of {len(held):,} images leaves nothing on one side")
    return replace(data, train=_part(data.train, ~held), validation=_part(data.train, held))


def _chosen(split: AnySplit, share: float, seed: int) -> torch.Tensor:
    """True for the samples that are held out."""
    generator = torch.Generator().manual_seed(key(VALIDATION, seed))
    held = torch.zeros(len(split), dtype=torch.bool)
    first = parts_of(split.targets)[0] if isinstance(split, Split) else None
    groups = torch.unique(first).tolist() if first is not None and first.dim() == 1 else [None]
    for group in groups:
        inside = torch.arange(len(split))
        if group is not None and first is not None:
            inside = (first == group).nonzero().flatten()
        count = round(share * len(inside))
        held[inside[torch.randperm(len(inside), generator=generator)[:count]]] = True
    return held


def _part(split: AnySplit, chosen: torch.Tensor) -> AnySplit:
    if isinstance(split, Split):
        return split.part(chosen)
    return Stream(
        _Some(split.source, chosen.nonzero().flatten().tolist()), workers=split.workers, skip_broken=split.skip_broken
    )


class _Some:
    """Some of the samples of a source."""

    def __init__(self, source: Samples, indices: list[int]) -> None:
        self.source, self.indices = source, indices
        self.shape, self.dtype, self.threads = source.shape, source.dtype, source.threads

    def __len__(self) -> int:
        return len(self.indices)

    def read(self, index: int) -> tuple[torch.Tensor, torch.Tensor | int]:
        return self.source.read(self.indices[index])

    def fingerprint(self) -> str:
        return f"{self.source.fingerprint()}\n{self.indices}"
