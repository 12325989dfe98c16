"""cnnspec: convolutional networks as declarative text, checked without torch and compiled to it.

    spec = cnnspec.load("lenet.cnn")
    net = spec.compile(device="cpu")    # a torch.nn.Sequential

Importing the package imports nothing else; names are loaded when they are first used.
"""

from cnnspec._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers import Layer as Layer
    from cnnspec.spec import Spec as Spec
    from cnnspec.spec import SpecError as SpecError
    from cnnspec.spec import from_torch as from_torch
    from cnnspec.spec import load as load
    from cnnspec.spec import loads as loads
    from cnnspec.training.api import train as train
    from cnnspec.training.evaluate import evaluate as evaluate
    from cnnspec.training.evaluate import predict as predict
    from cnnspec.weights import load_weights as load_weights

_HOMES = {
    "Spec": "cnnspec.spec",
    "SpecError": "cnnspec.spec",
    "from_torch": "cnnspec.spec",
    "load": "cnnspec.spec",
    "loads": "cnnspec.spec",
    "Layer": "cnnspec.layers",
    "evaluate": "cnnspec.training.evaluate",
    "predict": "cnnspec.training.evaluate",
    "train": "cnnspec.training.api",
    "load_weights": "cnnspec.weights",
    "load_ipython_extension": "cnnspec.editor.magic",
}

__all__ = [
    "Layer",
    "Spec",
    "SpecError",
    "__version__",
    "evaluate",
    "from_torch",
    "load",
    "load_weights",
    "loads",
    "predict",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnnspec' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
