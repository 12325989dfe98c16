"""What goes wrong in a training run by the user's doing. Each error is one line that says what and what to do."""

from __future__ import annotations


class TrainError(Exception):
    """A run that can't start or can't go on. The text is one line for the user; no traceback is needed to understand it."""


class DeviceError(TrainError):
    """A device or a number of processes that was asked for and isn't there."""


class CheckpointError(TrainError):
    """A checkpoint that can't be read, or that belongs to another architecture or recipe."""


class NonFiniteLoss(TrainError):
    """A loss or a gradient that became NaN or infinite.

    `layer` is the dotted key of the first layer whose output or gradient is not finite, "" where none was found; `step`
    counts from 1 over the whole run.
    """

    def __init__(self, message: str, layer: str, step: int) -> None:
        super().__init__(message)
        self.layer = layer
        self.step = step
