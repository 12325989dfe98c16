"""Where the files that come with the package are: inside it when installed, beside it in a checkout; modules of a folder."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable
    from types import ModuleType


def resource(*parts: str) -> Traversable:
    """A file or folder of `grammars/` or `specs/`. FileNotFoundError where the installation is broken."""
    from importlib.resources import files
    from pathlib import Path

    packaged = files("cnnspec").joinpath(*parts)
    if packaged.is_file() or packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parent.parent.joinpath(*parts)
    if checkout.exists():
        return checkout
    raise FileNotFoundError(f"{os.path.join(*parts)} is missing: neither {packaged} nor {checkout} exists")


def load(module: str) -> ModuleType:
    """A module of this package, imported by its name."""
    # `importlib` takes as long to import as ten modules of ours.
    __import__(module)
    return sys.modules[module]


def import_all(package: str, path: Sequence[str], *, leave_out: Sequence[str] = ()) -> None:
    """Import the modules of a package whose names do not begin with an underscore: in a checkout, a wheel and a zip alike."""
    try:
        names = [file[:-3] for file in os.listdir(path[0]) if file.endswith(".py")]
    except NotADirectoryError:
        # Inside of a zip. `pkgutil` would find them anywhere, but takes as long to import as all of them.
        from pkgutil import iter_modules

        names = [module.name for module in iter_modules(path)]
    for name in sorted(names):
        if not name.startswith("_") and name not in leave_out:
            load(f"{package}.{name}")
