"""What every test gets: no torch outside tests/torch, and one thread a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TORCH_TESTS = Path(__file__).parent / "torch"

# Nets of tests are too small for threads, which take turns where processes run side by side. What a test starts inherits it.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# What a test checks is looked at; tests/test_cache.py has a cache of its own.
os.environ["CNNSPEC_CACHE_DIR"] = ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A process that is done takes tests over from the others: few of ours take long, and they stand together."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getvalue("dist") == "load" else None


@pytest.fixture(autouse=True)
def _torch_is_missing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Outside tests/torch, `import torch` fails as where it is not installed, whatever ran before in this process."""
    if TORCH_TESTS in request.path.parents:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        yield
