"""What a machine does in the time, to compare machines and loads by."""

from __future__ import annotations

import time


def work() -> float:
    """CPU seconds of work that is always the same."""
    before = time.process_time()
    table = {}
    for i in range(400_000):
        table[i % 1_000] = str(i)
    return time.process_time() - before
