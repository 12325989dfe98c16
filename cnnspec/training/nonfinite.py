"""Numbers that are not finite: which layer they come from, and the error that says so."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnspec.errors import NonFiniteLoss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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
