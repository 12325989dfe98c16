"""Many processes that train one net: started by torchrun, they share each batch and agree on every decision.

Gradients are those of the whole batch however unevenly it is shared: a process weighs its sum by the divisor of the whole
batch, and an empty share takes part with weight 0. Without torchrun's environment a group is one process and costs nothing.
"""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from cnnspec.errors import DeviceError, TrainError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Group:
    """The processes of a run; `rank` counts from 0 to `world` - 1."""

    def __init__(self, rank: int = 0, world: int = 1, local_rank: int = 0, *, owned: bool = False) -> None:
        self.rank, self.world, self.local_rank = rank, world, local_rank
        self._owned = owned

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's part of `count` items in a row; earlier processes have one more where it isn't even."""
        size, more = divmod(count, self.world)
        start = self.rank * size + min(self.rank, more)
        return slice(start, start + size + (self.rank < more))

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def all_reduce_max(self, values: list[float], device: torch.device) -> list[float]:
        """The largest of each value over all processes: how they agree on flags."""
        if self.world == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float32, device=device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return list(map(float, shared.tolist()))

    def broadcast_buffers(self, net: nn.Module) -> None:
        """Give every process the buffers (batch-norm statistics) of rank 0."""
        if self.world > 1:
            for buffer in net.buffers():
                dist.broadcast(buffer, 0)

    def first_error(self, error: str) -> str:
        """The first error text that any process has, "" for none, so that all fail together."""
        if self.world == 1:
            return error
        texts: list[Any] = [None] * self.world
        dist.all_gather_object(texts, error)
        return next((str(text) for text in texts if text), "")

    def from_main(self, text: str) -> str:
        """The text that rank 0 has."""
        if self.world == 1:
            return text
        texts = [text]
        dist.broadcast_object_list(texts)
        return texts[0]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            dist.barrier()

    def leave(self) -> None:
        """End the group where `join` made it."""
        if self._owned and dist.is_initialized():
            dist.destroy_process_group()


def join(device: torch.device, processes: int | None = None, *, timeout: float = 600) -> Group:
    """The group that torchrun's environment describes, or one process.

    `processes` is the number that was asked for: another is an error. Raises DeviceError where the group can't be met within
    `timeout` seconds.
    """
    if dist.is_available() and dist.is_initialized():
        group = Group(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")))
    elif "WORLD_SIZE" not in os.environ or "RANK" not in os.environ:
        group = Group()
    else:
        group = _meet(device, timeout)
    if processes is not None and processes != group.world:
        group.leave()
        raise DeviceError(
            f"{processes} processes were asked for and {group.world} are running: "
            f"start them with torchrun --nproc-per-node {processes} -m cnnspec train ..."
        )
    return group


def _meet(device: torch.device, timeout: float) -> Group:
    try:
        rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        local_rank = int(os.environ.get("LOCAL_RANK", rank))
    except ValueError:
        raise DeviceError("RANK, WORLD_SIZE and LOCAL_RANK in the environment have to be whole numbers") from None
    if not dist.is_available():
        raise DeviceError(f"{world} processes were asked for, and this torch was built without torch.distributed")
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    backend = {"cuda": "nccl", "xpu": "xccl"}.get(device.type, "gloo")
    waits = timedelta(seconds=timeout)
    try:
        # Of processes that torchrun starts again, none may read where those before them were to be found.
        store, _, _ = next(rendezvous("env://", rank, world, timeout=waits))
        own = PrefixStore(f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
        # NCCL takes the first device for every process that does not name its own.
        place = own_device(device, local_rank, world)
        bound = None if place.type == "cpu" else place
        dist.init_process_group(backend, store=own, rank=rank, world_size=world, timeout=waits, device_id=bound)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DeviceError(f"the {world} processes did not meet: {reason}") from None
    return Group(rank, world, local_rank, owned=True)


def own_device(device: torch.device, local_rank: int, processes: int) -> torch.device:
    """The device of this process: of several, each takes the accelerator of its local rank."""
    if device.type not in ("cuda", "xpu") or processes == 1:
        return device
    count = torch.accelerator.device_count()
    if local_rank >= count:
        raise DeviceError(f"process {local_rank} of this machine has no {device.type} device: there are {count}")
    torch.accelerator.set_device_index(local_rank)
    return torch.device(device.type, local_rank)


def wrap(
    net: nn.Module, group: Group, device: torch.device, *, sync_batch_norm: bool, shard: bool, precision: str = "float32"
) -> nn.Module:  # fmt: skip
    """The net as the group trains it: with DistributedDataParallel, or its weights sharded with FSDP2, or as it is."""
    if sync_batch_norm and any(isinstance(module, _NORMS) for module in net.modules()):
        if device.type == "cpu":
            raise TrainError("torch can't synchronise batch-norm statistics on the CPU: leave --sync-batch-norm out")
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
    if shard:
        return _sharded(net, group, device, precision)
    if group.world == 1:
        return net
    ids = [device.index] if device.index is not None else None
    return nn.parallel.DistributedDataParallel(net, device_ids=ids, gradient_as_bucket_view=True)


def _sharded(net: nn.Module, group: Group, device: torch.device, precision: str) -> nn.Module:
    if group.world == 1:
        raise DeviceError("--shard divides a net among processes: start several with torchrun --nproc-per-node N")
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    # Batch norm takes no weights of a lower precision than its statistics have.
    lower = precision == "bfloat16" and not any(isinstance(module, _NORMS) for module in net.modules())
    dtype = torch.bfloat16 if lower else None
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32 if lower else None)
    mesh = init_device_mesh(device.type, (group.world,))
    for block in blocks_of(net):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(net, mesh=mesh, mp_policy=policy)
    return net


def blocks_of(net: nn.Module) -> list[nn.Module]:
    """The parts whose weights are gathered together: children with at least a million weights, or one in 64 of all.

    A gathering for each small layer would take longer than what it brings; what is left over is gathered with the whole.
    """
    least = min(1_000_000, sum(map(torch.Tensor.numel, net.parameters())) // 64)
    return [child for child in net.children() if sum(map(torch.Tensor.numel, child.parameters())) > least]


def no_sync(wrapped: nn.Module, *, last: bool) -> AbstractContextManager[object]:
    """The context of one part of an accumulated batch: only the last part exchanges gradients."""
    if isinstance(wrapped, nn.parallel.DistributedDataParallel) and not last:
        return wrapped.no_sync()
    return contextlib.nullcontext()


def full_states(net: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole state of a sharded net and its optimizer on the CPU of rank 0, keyed by names of parameters."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    model, state = get_state_dict(net, optimizer, options=options)
    return dict(model), dict(state)


def load_full_states(
    net: nn.Module, optimizer: torch.optim.Optimizer, model: dict[str, Any], state: dict[str, Any]
) -> None:
    """Put what `full_states` gave into a sharded net and its optimizer."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_state_dict

    options = StateDictOptions(full_state_dict=True)
    set_state_dict(net, optimizer, model_state_dict=model, optim_state_dict=state, options=options)


def whole(value: Tensor) -> Tensor:
    """A tensor, or all of one that is sharded; then all processes have to call it."""
    gathered: Tensor = value.full_tensor() if hasattr(value, "full_tensor") else value
    return gathered


def copy_whole(target: Tensor, value: Tensor) -> None:
    """Copy a whole tensor into one that may be sharded."""
    if not hasattr(target, "full_tensor"):
        target.copy_(value)
        return
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(target, DTensor)
    target.copy_(distribute_tensor(value.to(target.device), target.device_mesh, target.placements))
