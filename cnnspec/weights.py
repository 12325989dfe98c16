"""Loading weights of another layout into a network."""

from __future__ import annotations

import os

import torch
from torch import Tensor, nn

import cnnspec.nn
from cnnspec.diagnostics.render import clean
from cnnspec.errors import UnreadableWeights, WeightsError
from cnnspec.files import open_regular, reason_of
from cnnspec.graph.matching import Matching, match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
"""What wrappers put in front of all keys."""
INSIDE = ("state_dict", "model_state_dict", "average.values", "model", "net", "weights")
"""Where checkpoints hold their state dict; of a run the running average, where it kept one."""


@torch.no_grad()
def load_weights(net: nn.Module, weights: Mapping[str, Tensor] | str | os.PathLike[str]) -> Matching:
    """Copy a state dict of another layout into a network: by names where they agree, else in the order of the values.

    `weights` is a state dict, or a file of one: `.safetensors`, or what torch.save wrote, of which nothing is run. A tensor
    fits where the shapes are equal but for sizes of 1 at the end. Gives what was matched with what. Raises WeightsError,
    and changes nothing, where a tensor has no counterpart or more than one could be it.
    """
    state = read_state(weights) if isinstance(weights, (str, os.PathLike)) else dict(weights)
    own = net.state_dict()
    found = match_weights(net, state)
    if found.problems:
        raise WeightsError(told(found))
    for one in found.matches:
        if one.other in state:
            own[one.key].copy_(state[one.other].reshape(own[one.key].shape))
    return found


def match_weights(net: nn.Module, state: Mapping[str, Tensor]) -> Matching:
    """What of a state dict belongs to what of a network."""
    ours = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    return match(ours, {key: tuple(value.shape) for key, value in state.items()}, siblings_of(net))


def siblings_of(net: nn.Module) -> list[list[str]]:
    """The paths of modules that run side by side on one value."""
    found = []
    for path, module in net.named_modules():
        if isinstance(module, cnnspec.nn.SIDE_BY_SIDE):
            found.append([f"{path}.{name}" if path else name for name, _ in module.named_children()])
    return found


def told(found: Matching) -> str:
    """What does not fit, the first of it."""
    rows = [f"  {problem.key or problem.other}: {problem.reason}" for problem in found.problems[:8]]
    more = [f"  and {len(found.problems) - 8} more"] if len(found.problems) > 8 else []
    count = len(found.problems)
    return "\n".join([f"{count} tensor{'s' if count > 1 else ''} can't be matched:", *rows, *more])


def read_state(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The state dict of a file, without what wrappers put in front of its keys. Raises WeightsError."""
    name = os.fspath(path)
    try:
        open_regular(name).close()
    except (OSError, ValueError) as error:
        raise UnreadableWeights(f"can't read {clean(name)}: {reason_of(error)}") from None
    state = _safetensors(name) if name.endswith(".safetensors") else _torch_file(name)
    for prefix in PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _safetensors(path: str) -> dict[str, Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError:
        raise WeightsError("reading .safetensors needs the package safetensors") from None
    try:
        return dict(load_file(path))
    except Exception as error:
        raise WeightsError(f"{clean(path)} is damaged, or no safetensors at all: {clean(str(error))[:100]}") from None


def _torch_file(path: str) -> dict[str, Tensor]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        raise WeightsError(f"{clean(path)} holds no weights, or more than weights: only a state dict is read") from None
    for name in INSIDE:
        inner = found
        for key in name.split("."):
            inner = inner.get(key) if isinstance(inner, dict) else None
        found = inner if isinstance(inner, dict) else found
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()) or not found:
        raise WeightsError(f"{clean(path)} holds no state dict")
    return {str(key): value for key, value in found.items()}
