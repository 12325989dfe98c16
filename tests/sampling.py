"""How much of what is drawn at random a run tries: a sample of fixed seed, or all of it where CNNSPEC_FULL=1 is set."""

from __future__ import annotations

import os

FULL = os.environ.get("CNNSPEC_FULL", "0") not in ("", "0")


def amount(sample: int, full: int) -> int:
    """The number of cases to try: `sample` in the usual run, `full` in that of `tools/check --full`."""
    return full if FULL else sample
