"""Where a run runs: the device, the layout of images, the precision, and glibc's memory thresholds.

A device that was asked for and isn't there is an error; only `auto` chooses, and says what it took and why.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

import torch
from torch import Tensor, nn

from cnnspec.errors import DeviceError, TrainError
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")
_DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@record
class ChosenDevice:
    """A device, and how it was chosen as one sentence."""

    device: torch.device
    why: str


def choose_device(name: str = "auto") -> ChosenDevice:
    """The device of a name: `auto`, `cpu`, `cuda`, `cuda:N`, `mps` or `xpu`.

    `auto` takes the accelerator that torch finds, otherwise the CPU. Raises DeviceError for a name that isn't one of these
    and for a device that isn't there.

    >>> choose_device("cpu").device
    device(type='cpu')
    """
    kind, _, index = name.partition(":")
    if kind not in DEVICES or (index and (kind not in ("cuda", "xpu") or not index.isdecimal())):
        raise DeviceError(f"there is no device {name!r}: a device is auto, cpu, cuda, cuda:N, mps or xpu")
    if kind == "auto":
        return _best()
    if kind != "cpu":
        _demand(kind, int(index or 0), name)
    return ChosenDevice(torch.device(name), f"{name}, as asked for")


def _best() -> ChosenDevice:
    found = torch.accelerator.current_accelerator(check_available=True)
    if found is None:
        return ChosenDevice(torch.device("cpu"), "cpu: torch finds no accelerator on this machine")
    return ChosenDevice(torch.device(found.type), f"{found.type}: the accelerator that torch finds on this machine")


def _demand(kind: str, index: int, name: str) -> None:
    """Raise DeviceError unless the device is there. torch's own errors differ in class from device to device."""
    backend = {"cuda": torch.cuda, "mps": torch.mps, "xpu": torch.xpu}[kind]
    try:
        available = torch.backends.mps.is_available() if kind == "mps" else backend.is_available()
        count = backend.device_count() if available else 0
    except Exception:
        count = 0
    if count <= index:
        there = f"it finds {count} of this kind" if count else "it finds none of this kind"
        raise DeviceError(f"device {name} isn't there: this torch ({torch.__version__}) says that {there}")


# --- memory ---


def keep_memory() -> bool:
    """Tell glibc's malloc to keep freed memory instead of giving it back to the kernel; False where there is no glibc.

    Without it every step of a LeNet takes thousands of page faults: each activation is a fresh mapping. It holds for the
    whole process, whose peak memory it does not raise.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        libc = ctypes.CDLL(None)
        if not hasattr(libc, "gnu_get_libc_version"):
            return False
        trim_threshold, mmap_threshold = -1, -3
        return bool(libc.mallopt(mmap_threshold, 1 << 30)) and bool(libc.mallopt(trim_threshold, (1 << 31) - 1))
    except (OSError, AttributeError):
        return False


# --- layout ---


def layout_of(device: torch.device, image: tuple[int, ...]) -> torch.memory_format:
    """The layout that pays by rule: channels last for 2-D images on the CPU and on CUDA, torch's own otherwise."""
    if len(image) == 3 and device.type in ("cpu", "cuda"):
        return torch.channels_last
    return torch.contiguous_format


def laid(net: nn.Module, layout: torch.memory_format) -> nn.Module:
    """The net itself with its weights in a layout."""
    moved: nn.Module = net.to(memory_format=layout)  # type: ignore[call-overload]
    return moved


def laid_out(tensor: Tensor, layout: torch.memory_format) -> Tensor:
    """The tensor in a layout, where it has the four dimensions that channels last needs."""
    return tensor.contiguous(memory_format=layout) if tensor.dim() == 4 else tensor


# --- precision ---


def check_precision(precision: str, device: torch.device) -> None:
    """Raise TrainError for a precision that the device hasn't or that would be many times slower than float32."""
    if precision == "float32":
        return
    if device.type == "cpu" and precision == "float16":
        raise TrainError("precision float16 needs an accelerator: on the CPU take float32")
    if device.type == "cpu" and not _cpu_has_bfloat16():
        raise TrainError(
            "precision bfloat16 would be 4 to 11 times slower than float32 here: this CPU has neither AVX512_BF16 nor AMX"
        )
    if device.type == "cuda" and precision == "bfloat16" and not torch.cuda.is_bf16_supported():
        raise TrainError("this GPU has no bfloat16: take float16 or float32")


def _cpu_has_bfloat16() -> bool:
    cpu = torch.cpu
    return bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context in which the forward pass and the loss run."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=_DTYPES[precision])


def scaler_for(precision: str, device: torch.device) -> torch.amp.GradScaler | None:
    """What scales the loss so that float16 gradients do not vanish; None where nothing has to."""
    return torch.amp.GradScaler(device.type) if precision == "float16" else None


# --- determinism ---


@contextlib.contextmanager
def algorithms(*, deterministic: bool) -> Iterator[None]:
    """The fastest algorithms inside, or only deterministic ones; torch raises where an operation has none.

    The fastest on CUDA: convolutions are measured, and float32 products are rounded as TF32, to 10 bits behind the point.
    """
    before, warn = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark, precision = torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision()
    torch.backends.cudnn.benchmark = not deterministic
    if deterministic:
        # Read when cuBLAS begins, without which its products are refused.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    elif torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn)
        torch.backends.cudnn.benchmark = benchmark
        torch.set_float32_matmul_precision(precision)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
