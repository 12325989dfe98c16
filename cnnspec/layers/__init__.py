"""The layers. Each file here but `base` and those with a leading underscore defines some; the classes register themselves."""

from cnnspec.layers.base import Call, Layer, Reject, Shape, find, names

__all__ = ["Call", "Layer", "Reject", "Shape", "find", "names"]


def _load_all() -> None:
    """Import every layer file. `pkgutil` lists them in a checkout, a wheel and a zip alike."""
    import os

    folder = os.path.dirname(__file__)
    from importlib import import_module

    for file in sorted(os.listdir(folder)):
        if file.endswith(".py") and not file.startswith("_") and file != "base.py":
            import_module(f"{__name__}.{file[:-3]}")


_load_all()
