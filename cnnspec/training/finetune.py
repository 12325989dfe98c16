"""Fine-tuning: weights to start from, modules that stay as they are, and learning rates by module.

Modules go by their keys in the state dict: `layer1` means all below it as well.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from cnnspec.diagnostics.render import clean
from cnnspec.diagnostics.similar_names import closest
from cnnspec.errors import CnnspecError, TrainError
from cnnspec.training import checkpoint, distributed
from cnnspec.training.ema import averaged_or_last
from cnnspec.weights import read_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


# --- weights to start from ---


def read_weights(path: str, beside: str) -> dict[str, Tensor]:
    """The weights of a run's folder, of a checkpoint, or of a file of safetensors or of a state dict.

    The path is looked for here and beside the file `beside`. Nothing in it is run. Raises TrainError.
    """
    places = [Path(path).expanduser(), Path(os.path.dirname(beside) or ".") / path]
    found = next((place for place in places if os.path.exists(place)), places[0])
    try:
        if os.path.isdir(found):
            return averaged_or_last(checkpoint.load(checkpoint.find(found, checkpoint.BEST)))
        return read_state(found)
    except CnnspecError as error:
        failure = TrainError(f"weights: {error}")
        failure.exit_code = error.exit_code
        raise failure from None


@torch.no_grad()
def start_from(net: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """Copy the weights that fit into a net; a sentence on what was taken, and what was not.

    What is of another shape is left as it was drawn: the head, where the classes are others. Raises TrainError where a
    weight of the net is missing, or none fits.
    """
    own = net.state_dict()
    missing = [key for key in own if key not in weights and not key.endswith("num_batches_tracked")]
    other = [key for key in own if key in weights and weights[key].shape != own[key].shape]
    taken = [key for key in own if key in weights and key not in other]
    if not taken:
        raise TrainError("weights: none of them fits this model")
    if missing:
        near = closest(missing[0], weights)
        hint = f"; the nearest there is {clean(near)[:80]}" if near else ""
        raise TrainError(f"weights: there is no {missing[0]}, and {len(missing)} of {len(own)} are missing{hint}")
    for key in taken:
        distributed.copy_whole(own[key], weights[key])
    if not other:
        return f"starts from {len(taken)} weights"
    heads = sorted({key.rpartition(".")[0] for key in other})
    return f"starts from {len(taken)} weights; {', '.join(heads)} is of another shape and begins anew"


# --- modules by their keys ---


def modules_of(net: nn.Module, keys: Iterable[str], setting: str) -> list[nn.Module]:
    """The modules of some keys. Raises TrainError where a key is none of the net's."""
    known = dict(net.named_modules())
    for key in keys:
        if not key or key not in known:
            near = closest(key, known)
            meant = f", did you mean {near}?" if near else ""
            raise TrainError(f"{setting}: the model has no module {clean(key)!r}{meant}")
    return [known[key] for key in keys]


def set_frozen(modules: Iterable[nn.Module], *, frozen: bool) -> None:
    """Let modules learn or not; frozen ones are in evaluation mode, so that their batch norm stays as it is, too."""
    for module in modules:
        for parameter in module.parameters():
            parameter.requires_grad_(not frozen)
        if frozen:
            module.eval()


def groups_of(net: nn.Module, rates: Sequence[tuple[str, float]]) -> list[tuple[float, list[nn.Parameter]]]:
    """The weights of a net by the factors of their learning rates, those of factor 1 first; a later entry wins."""
    factors: dict[nn.Parameter, float] = dict.fromkeys(net.parameters(), 1.0)
    for (_, factor), module in zip(rates, modules_of(net, [key for key, _ in rates], "rates")):
        for parameter in module.parameters():
            factors[parameter] = float(factor)
    order = sorted(set(factors.values()), key=lambda factor: (factor != 1.0, factor))
    return [(factor, [p for p, own in factors.items() if own == factor]) for factor in order]
