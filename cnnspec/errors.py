"""Errors that are told in one line, each with the exit code of the command that it ends."""

from __future__ import annotations


class CnnspecError(Exception):
    """What ends a command by the user's doing. The text is for the user; no traceback is needed to understand it."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback."""
        return [f"cnnspec: {self}"]


class UsageError(CnnspecError):
    """A command that can't be carried out as it was given: wrong usage, settings that can't be used, an unreadable path."""

    exit_code = 2


class Unreadable(UsageError):
    """A path that can't be read, or a folder that holds nothing to read. Other paths of the same command still count."""


class TrainError(CnnspecError):
    """A run that can't start or can't go on."""


class DeviceError(TrainError):
    """A device or a number of processes that was asked for and isn't there."""

    exit_code = 2


class CheckpointError(TrainError):
    """A checkpoint that can't be read, or that belongs to another architecture or recipe."""


class UnreadableCheckpoint(CheckpointError, Unreadable):
    """A path under which there is no checkpoint to read."""


class NonFiniteLoss(TrainError):
    """A loss or a gradient that became NaN or infinite.

    `layer` is the dotted key of the first layer whose output or gradient is not finite, "" where none was found; `step`
    counts from 1 over the whole run.
    """

    def __init__(self, message: str, layer: str, step: int) -> None:
        super().__init__(message)
        self.layer = layer
        self.step = step


class WeightsError(CnnspecError):
    """A state dict that does not fit a network, or only in a way that is doubtful."""


class UnreadableWeights(WeightsError, Unreadable):
    """A path under which there is no file of weights to read."""


class GraphFileError(CnnspecError):
    """A file that holds no graph, or one that is not right."""


class UnsupportedExport(CnnspecError):
    """A network that a format can't hold."""
