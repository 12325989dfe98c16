"""Training a compiled spec: data, augmentation, the loop, what a run tells and keeps.

The package can be called: `cnnspec.train(spec, recipe, data)` is `cnnspec.train.api.train`. Importing it imports no torch.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Package(ModuleType):
    """A module that trains when it is called, so that `cnnspec.train` can be a folder and a function."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """See `cnnspec.train.api.train`."""
        from cnnspec.train.api import train

        return train(*arguments, **options)


sys.modules[__name__].__class__ = _Package
