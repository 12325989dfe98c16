"""What the parser on lark's tables gains over lark itself: cold start and time a layer, as ratios within one run.

    python benchmarks/parse.py [rounds]

Run from a checkout: the reference parser is the one of the tests.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.check import cpu_seconds, stack  # noqa: E402
from cnnspec.diagnostics import Sink  # noqa: E402
from cnnspec.source import Source  # noqa: E402
from cnnspec.syntax.parser import parse  # noqa: E402
from tests.reference_parser import parse_with_lark  # noqa: E402

OURS = "from cnnspec.syntax import parser, source; from cnnspec.diagnostics import Sink"
LARK = "from tools.make_tables import load_grammar; load_grammar()"


def seconds(function, *arguments: object) -> float:
    """Process time of one call."""
    gc.collect()
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    cold: dict[str, list[float]] = {"nothing": [], "ours": [], "lark": []}
    for _ in range(rounds):
        for name, code in (("nothing", "pass"), ("ours", OURS), ("lark", LARK)):
            cold[name].append(cpu_seconds([sys.executable, "-c", code]))
    ready = {name: statistics.median(times) - statistics.median(cold["nothing"]) for name, times in cold.items()}
    print(
        f"ready to parse, CPU ms over an empty program: ours {ready['ours'] * 1000:.0f}, lark {ready['lark'] * 1000:.0f}"
    )
    for layers in (1_000, 10_000):
        source = Source("deep.cnn", stack(layers))
        parse_with_lark(source)
        ours = statistics.median(seconds(parse, source, Sink()) for _ in range(rounds))
        lark = statistics.median(seconds(parse_with_lark, source) for _ in range(rounds))
        print(f"{layers:>6,} layers: ours {ours / layers * 1e6:.1f} us a layer, lark {lark / ours:.1f} times that")


if __name__ == "__main__":
    main()
