"""`Options`: how a run is carried out, apart from what its recipe says. None changes more than rounding."""

from __future__ import annotations

import torch

from cnnspec.record import record


@record
class Options:
    """How a run is carried out."""

    tune: bool = False
    """Measure layouts and torch.compile first and take the fastest."""
    layout: torch.memory_format | None = None
    """None for the rule of `layout_of`."""
    compile: bool | None = None
    """None for what the recipe says."""
    processes: int | None = None
    """The number that torchrun has to have started; None for any."""
    sync_batch_norm: bool = False
    shard: bool = False
    """Share the weights among the processes (FSDP2)."""
    deterministic: bool = False
    """Allow only algorithms that give the same bits again."""
    overfit_one_batch: bool = False
    threads: int | None = None
    """Of torch in this process; None to measure which number is the fastest, or that of the run that goes on."""
    save_seconds: float = 120.0
    """Time between two checkpoints within an epoch."""
    save_steps: int | None = None
    """Steps between two checkpoints within an epoch; None for time alone."""
