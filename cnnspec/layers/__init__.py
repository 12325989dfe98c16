"""The layers. Each file here but `base` and those with a leading underscore defines some; the classes register themselves."""

from cnnspec.declare import Reject
from cnnspec.layers.base import Call, Layer, Shape

__all__ = ["Call", "Layer", "Reject", "Shape", "find", "names"]


def _files() -> list[str]:
    """The names of the modules here, in a checkout, a wheel and a zip alike."""
    import os

    try:
        return [file[:-3] for file in os.listdir(os.path.dirname(__file__)) if file.endswith(".py")]
    except NotADirectoryError:
        # Inside of a zip. `pkgutil` would find them anywhere, but takes as long to import as all the layers.
        from pkgutil import iter_modules

        return [module.name for module in iter_modules(__path__)]


def _load_all() -> None:
    from importlib import import_module

    for name in sorted(_files()):
        if not name.startswith("_") and name != "base":
            import_module(f"{__name__}.{name}")


_load_all()
find, names = Layer.find, Layer.names
