"""What torch really allocates: bytes kept for the backward pass, and bytes in use under a mode that sees every operation."""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Live(TorchDispatchMode):
    """Counts the storages that are alive; `peak` is the most that there were."""

    def __init__(self) -> None:
        super().__init__()
        self.current = self.peak = 0
        self.sizes: dict[int, int] = {}

    def track(self, *values: Any) -> None:
        for tensor in tree_leaves(values):
            if not isinstance(tensor, Tensor) or tensor.untyped_storage()._cdata in self.sizes:
                continue
            storage = tensor.untyped_storage()
            self.sizes[storage._cdata] = storage.nbytes()
            self.current += storage.nbytes()
            self.peak = max(self.peak, self.current)
            weakref.finalize(storage, self._freed, storage._cdata)

    def _freed(self, key: int) -> None:
        self.current -= self.sizes.pop(key)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.track(result)
        return result


def kept_bytes(net: nn.Module, inputs: list[Any]) -> int:
    """Bytes of the storages that a forward pass keeps, without inputs, parameters and buffers."""
    outside = {
        tensor.untyped_storage()._cdata
        for tensor in tree_leaves([inputs, list(net.parameters()), list(net.buffers())])
        if isinstance(tensor, Tensor)
    }
    found: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in outside:
            found[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = net(*inputs)
    del result
    return sum(found.values())


OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, 1e-4),
    "momentum": lambda parameters: torch.optim.SGD(parameters, 1e-4, momentum=0.9),
    "Adam": lambda parameters: torch.optim.Adam(parameters, 1e-6),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, 1e-6),
}


class Training:
    """A network in training, and its usual step."""

    def __init__(self, net: nn.Module, inputs: list[Tensor], optimizer: str) -> None:
        self.net, self.inputs = net.train(), inputs
        self.loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy
        self.precision: torch.dtype | None = None
        """What autocast puts activations into; None for no autocast."""
        parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
        self.optimizer = OPTIMIZERS[optimizer](parameters)
        with torch.no_grad():
            outputs = tree_leaves(net(*inputs))
        self.targets = [torch.zeros(y.shape[0], *y.shape[2:], dtype=torch.int64, device=y.device) for y in outputs]

    def step(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", self.precision or torch.bfloat16, enabled=self.precision is not None):
            outputs = self.net(*self.inputs)
            leaves = (outputs,) if isinstance(outputs, Tensor) else tree_leaves(outputs)
            loss = self.loss(leaves[0], self.targets[0])
            for output, target in zip(leaves[1:], self.targets[1:]):
                loss = loss + self.loss(output, target)
        del leaves
        loss.backward()
        self.optimizer.step()

    def peak(self) -> int:
        """The most bytes in use during a step, its state and gradients of steps before it included."""
        self.step()
        self.optimizer.zero_grad(set_to_none=True)
        state = [value for one in self.optimizer.state.values() for value in one.values()]
        with Live() as live:
            live.track(list(self.net.parameters()), list(self.net.buffers()), self.inputs, self.targets, state)
            self.step()
        return live.peak

    def allocated(self) -> int:
        """How far the bytes that the allocator has given out rise during a step, above those in front of it."""
        self.step()
        self.optimizer.zero_grad(set_to_none=True)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            self.step()
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.json"
            profiler.export_chrome_trace(str(trace))
            events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
        found = sorted((one for one in events if one.get("name") == "[memory]"), key=lambda one: one["ts"])
        totals = [one["args"]["Total Allocated"] for one in found]
        return max(totals) - (totals[0] - found[0]["args"]["Bytes"])
