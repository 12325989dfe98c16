"""The situations that people are in when a check fails, each with its reason and its own fix.

A situation is a function from a case to candidates; `situation` registers it. Those whose facts fit are tried together with
single edits, in the order of their costs.
"""

from __future__ import annotations

import os
from importlib import import_module

from cnnspec.repair.situations.base import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.repair.case import Candidate, Case


def of(case: Case) -> Iterator[Candidate]:
    """The fixes of every situation that fits."""
    for rule in RULES:
        yield from rule(case)


for _file in sorted(os.listdir(os.path.dirname(__file__))):
    if _file.endswith(".py") and not _file.startswith("_"):
        import_module(f"{__name__}.{_file[:-3]}")
