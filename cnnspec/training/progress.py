"""`Progress`: what a run knows of its past, beside the state of its net."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor

    from cnnspec.training.events import Epoch


class Progress:
    """What a run knows of its past, beside the state of its net: kept in every checkpoint."""

    def __init__(self) -> None:
        self.history: list[Epoch] = []
        self.best: dict[str, Any] = {"epoch": None, "loss": None, "value": None, "metrics": {}}
        self.confusion: Tensor | None = None
        """That of the best epoch."""
        self.waited = 0
        """Epochs since the best one."""
        self.finished = ""
        """Why the run is over, "" while it isn't."""
        self.told_chance = False

    def judge(self, value: float, *, falling: bool) -> bool:
        """Whether a value is better than the best so far; what is not a number never is."""
        before = self.best["value"]
        better = not math.isnan(value) and (before is None or (value < before if falling else value > before))
        self.waited = 0 if better else self.waited + 1
        return better
