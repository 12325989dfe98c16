"""Where the files that come with the package are: inside it when installed, beside it in a checkout."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


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
