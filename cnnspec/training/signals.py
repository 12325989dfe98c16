"""What is watched while a run goes on: numbers that are not finite, a loss that stays at chance, signals to stop."""

from __future__ import annotations

import math
import signal
import threading

import torch
from torch import Tensor, nn

from cnnspec.errors import NonFiniteLoss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any


# --- numbers that are not finite ---


def find_culprit(net: nn.Module, loss_of: Callable[[], Tensor]) -> tuple[str, str]:
    """The dotted key of the first layer with something that is not finite, and what: parameters, output or gradient.

    `loss_of` runs the net on the images of the step that failed and gives its loss; the gradients of the net are
    overwritten. Both are "" where everything is finite.
    """
    for name, parameter in net.named_parameters():
        if not _finite(parameter):
            return name.rpartition(".")[0], "weights"
    outputs: list[tuple[str, Tensor]] = []
    gradients: list[str] = []
    hooks = [
        module.register_forward_hook(_recorder(name, outputs, gradients))
        for name, module in net.named_modules()
        if name and not any(True for _ in module.children())
    ]
    try:
        net.zero_grad()
        loss = loss_of()
        wrong = next((name for name, output in outputs if not _finite(output)), "")
        if wrong:
            return wrong, "output"
        if not _finite(loss):
            return (outputs[-1][0] if outputs else ""), "loss"
        loss.backward()  # type: ignore[no-untyped-call]
    finally:
        for hook in hooks:
            hook.remove()
    return _first_gradient(net, gradients)


def _recorder(name: str, outputs: list[tuple[str, Tensor]], gradients: list[str]) -> Callable[..., None]:
    def record(module: nn.Module, inputs: Any, output: Any) -> None:
        if not isinstance(output, Tensor):
            return
        outputs.append((name, output.detach()))
        if output.requires_grad:
            output.register_hook(lambda gradient: None if _finite(gradient) else gradients.append(name))  # type: ignore[no-untyped-call]

    return record


def _first_gradient(net: nn.Module, gradients: list[str]) -> tuple[str, str]:
    """In the order of the backward pass, the last layer of the net comes first."""
    if gradients:
        return gradients[0], "gradient of the output"
    names = [
        name for name, parameter in net.named_parameters() if parameter.grad is not None and not _finite(parameter.grad)
    ]
    return (names[-1].rpartition(".")[0], "gradient of the weights") if names else ("", "")


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor.detach()).all())


def not_finite(what: str, value: float, layer: str, part: str, step: int) -> NonFiniteLoss:
    """The error of a step: `what` became `value` because of `part` of `layer`."""
    cause = f": the {part} of layer {layer} {'are' if part == 'weights' else 'is'} not finite" if layer else ""
    if part == "loss":
        cause = f", though the output of the last layer, {layer}, is finite"
    advice = "a lower learning rate, clip_grad_norm or a warm-up may help"
    return NonFiniteLoss(f"the {what} became {value:g} in step {step:,}{cause}; {advice}", layer, step)


# --- stuck at chance ---


class Chance:
    """Notices a classifier whose training loss has stayed at that of guessing, ln(classes), for `patience` steps."""

    def __init__(self, classes: int, *, patience: int = 150, tolerance: float = 0.02) -> None:
        self.guess = math.log(max(classes, 2))
        self.classes, self.patience, self.tolerance = classes, patience, tolerance
        self.told = False

    def check(self, steps: int, loss: float, accuracy: float) -> str:
        """A text to show once, "" otherwise. `loss` and `accuracy` are means over what was seen lately."""
        near = loss > self.guess * (1 - self.tolerance) and accuracy < 1.6 / self.classes
        if self.told or steps < self.patience or not near or not math.isfinite(loss):
            return ""
        self.told = True
        return (
            f"still at chance after {steps:,} steps: the loss is {loss:.3f}, guessing among {self.classes} classes gives "
            f"ln {self.classes} = {self.guess:.3f}. Saturating activations (Sigmoid, Tanh) may need some hundred steps more; "
            "ReLU, init = xavier_uniform, another learning rate, a smaller batch or BatchNorm help"
        )


# --- signals ---


class StopSignal:
    """Remembers SIGINT and SIGTERM inside a `with`, so that the step can be finished; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.caught = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        # Only the main thread may set handlers; elsewhere signals stay as they are.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.caught = number
