"""How long a picture of a network takes, beside torchview, which runs the network and hands a graph to graphviz.

    pip install torchview graphviz && python -m benchmarks.pictures [--rounds 5]

Cold is a fresh process from the file to the end, imports included; warm is one picture more in a process that has drawn.
torchview builds its graph only: laying it out by graphviz comes on top, and is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

SPECS = Path(__file__).parent.parent / "specs"
OURS = """
import time
import cnnspec
def draw():
    return cnnspec.load({path!r}).draw()
"""
THEIRS = """
import time
import cnnspec, torch, torchview
spec = cnnspec.load({path!r})
net = spec.compile(device="cpu").eval()
def draw():
    return torchview.draw_graph(net, input_size=(1, *spec.input), device="cpu", graph_name="net", depth=10)
"""
TIMED = "draw()\nstart = time.perf_counter()\ndraw()\nprint(time.perf_counter() - start)\n"


def seconds(script: str, rounds: int) -> tuple[float, float]:
    """Medians of a cold process and of a second picture in it."""
    cold, warm = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"{script}draw()\n"], check=True, capture_output=True)
        cold.append(time.perf_counter() - start)
        run = subprocess.run([sys.executable, "-c", script + TIMED], check=True, capture_output=True, text=True)
        warm.append(float(run.stdout))
    return statistics.median(cold), statistics.median(warm)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{'':24} {'ours cold':>10} {'warm':>8} {'torchview cold':>15} {'warm':>8} {'times':>6} {'warm':>6}")
    for name in ("lenet.cnn", "resnet.cnn:ResNet50"):
        path = str(SPECS / name)
        ours, theirs = seconds(OURS.format(path=path), rounds), seconds(THEIRS.format(path=path), rounds)
        times = [theirs[0] / ours[0], theirs[1] / ours[1]]
        print(
            f"{name:24} {ours[0]:9.3f}s {ours[1]:7.3f}s {theirs[0]:14.3f}s {theirs[1]:7.3f}s {times[0]:6.1f} {times[1]:6.1f}"
        )


if __name__ == "__main__":
    main()
