"""What names outside of the project stand for: the classes of torch.nn, constants, and the rest by its dotted path."""

from __future__ import annotations

import math

from cnnspec.torch_source.values import External, Opaque, TorchClass

_NUMBERS = {"math.pi": math.pi, "math.e": math.e, "math.inf": math.inf}
_NUMBERS |= {
    path.replace("math", library): number for path, number in _NUMBERS.items() for library in ("numpy", "torch")
}
_MODULES = frozenset(
    ["torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.nn.modules", "torch.nn.parameter",
     "torch.nn.parallel", "torch.nn.quantized"]
)  # fmt: skip
_DTYPES = frozenset(
    ["float32", "float", "float16", "float64", "bfloat16", "half", "double", "long", "int64", "int32", "int", "short",
     "int16", "int8", "uint8", "bool", "complex64", "strided", "channels_last", "contiguous_format", "preserve_format"]
)  # fmt: skip
_MIXINS = frozenset(["PyTorchModelHubMixin"])


def external(path: str) -> object:
    """The value of a dotted name of a library."""
    if path in _NUMBERS:
        return _NUMBERS[path]
    last = path.rpartition(".")[2]
    if path.startswith("torch.nn.") and path not in _MODULES and last[:1].isupper() and "functional" not in path:
        return TorchClass(last)
    if path.startswith("torch.nn.modules.") and last.startswith("_") and last[1:2].isupper():
        return TorchClass(last)
    if path.startswith("torch.") and last in _DTYPES and path.count(".") == 1:
        return Opaque(path)
    if path in ("pytorch_lightning.LightningModule", "lightning.LightningModule", "torch.jit.ScriptModule") or (
        path.endswith(".LightningModule")
    ):
        return TorchClass("Module")
    if path.startswith(("timm.", "torchvision.ops.")) and last in ("DropPath", "StochasticDepth"):
        return TorchClass(last)
    if last in _MIXINS:
        return TorchClass("object", module=False)
    if path.startswith("typing.") and last not in ("cast", "NamedTuple", "TYPE_CHECKING"):
        return Opaque(path)
    if path == "typing.TYPE_CHECKING":
        return False
    return External(path)
