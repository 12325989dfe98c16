"""The situations that people are in when a check fails, each with its reason and its own fix.

A situation is a function from a case to candidates, or to their costs and what makes them where that takes trials of its own;
`situation` registers it. Those whose facts fit are tried together with
single edits, in the order of their costs.
"""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module

from cnnspec.repair.situations.base import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.repair.case import Candidate, Case, Option


def of(case: Case) -> Iterator[Option]:
    """The fixes of every situation that fits, with their costs."""
    for rule in RULES:
        for one in rule(case):
            yield one if isinstance(one, tuple) else (one.cost, partial(_same, one))


def _same(candidate: Candidate) -> Candidate:
    return candidate


for _file in sorted(os.listdir(os.path.dirname(__file__))):
    if _file.endswith(".py") and not _file.startswith("_"):
        import_module(f"{__name__}.{_file[:-3]}")
