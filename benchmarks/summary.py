"""Summaries beside torchinfo, fvcore and torchview, cold and warm; and predicted memory beside what torch really takes.

    python -m benchmarks.summary [rounds] [--memory]

Peers that are not installed are left out. Cold is the CPU time of a process of its own that reads or builds the network and
makes its summary; warm the best of further calls in the same process. Ratios are theirs to ours in the same round: the times
of this machine vary by a third. With `--memory`: the bytes in use at the peak of a training step, as `cnnspec memory` and
torchinfo's "Estimated Total Size" predict them, beside those that a dispatch mode of torch counts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEEP = 10_000
WARM = 3
LONGEST = 300
"""Seconds after which a tool is not waited for any longer."""


def stack(layers: int) -> str:
    """A network of that many convolutions, written out."""
    lines = [f"    Conv2d({16 + i % 8}, 3, padding=1)" for i in range(layers)]
    return "\n".join(["model Deep {", "    input [3, 32, 32]", *lines, "}", ""])


def networks(folder: Path) -> dict[str, str]:
    """What is summarised: a path, or path:Model."""
    deep = folder / "deep.cnn"
    deep.write_text(stack(DEEP), encoding="utf-8")
    specs = ROOT / "specs"
    return {"LeNet": f"{specs}/lenet.cnn", "ResNet-50": f"{specs}/resnet.cnn:ResNet50", f"{DEEP:,} layers": str(deep)}


# --- one tool on one network, in a process of its own ---


def ours(path: str):
    from cnnspec.backends.summary import Account
    from cnnspec.backends.summary_text import summarize
    from cnnspec.spec import load

    graph = load(path).graph
    return lambda: summarize(Account(graph))


def module(path: str):
    import torch

    import cnnspec

    torch.set_num_threads(1)
    spec = cnnspec.load(path)
    return spec.compile().eval(), (1, *spec.input)


def torchinfo(path: str):
    import torchinfo as tool

    net, shape = module(path)
    return lambda: str(tool.summary(net, shape, device="cpu", verbose=0, depth=9))


def fvcore(path: str):
    import logging

    import torch
    from fvcore.nn import FlopCountAnalysis, flop_count_table

    logging.disable(logging.WARNING)
    net, shape = module(path)
    return lambda: flop_count_table(FlopCountAnalysis(net, torch.zeros(shape)), max_depth=9)


def torchview(path: str):
    import torchview as tool

    net, shape = module(path)
    return lambda: tool.draw_graph(net, input_size=shape, device="meta", depth=9)


TOOLS = {"cnnspec": ours, "torchinfo": torchinfo, "fvcore": fvcore, "torchview": torchview}


def one(tool: str, path: str, repeats: int) -> None:
    """Run a tool, and print the CPU time of the process so far and of the best of further calls."""
    warnings.filterwarnings("ignore")
    sys.setrecursionlimit(100_000)
    call = TOOLS[tool](path)
    call()
    cold, best = time.process_time(), float("inf")
    for _ in range(repeats):
        started = time.process_time()
        call()
        best = min(best, time.process_time() - started)
    print(json.dumps([cold, best]))


def measured(tool: str, path: str, repeats: int) -> tuple[float, float] | None:
    command = [sys.executable, "-m", "benchmarks.summary", "--one", tool, path, str(repeats)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        print(f"  {tool} took more than {LONGEST} s")
        return None
    if run.returncode:
        print(f"  {tool} failed: {run.stderr.strip().splitlines()[-1] if run.stderr.strip() else run.returncode}")
        return None
    cold, warm = json.loads(run.stdout.splitlines()[-1])
    return cold, warm


def compare(rounds: int) -> None:
    tools = [name for name in TOOLS if name == "cnnspec" or importlib.util.find_spec(name) is not None]
    print(f"{'network':<15}{'tool':<11}{'cold s':>9}{'warm ms':>11}{'cold ratio':>12}{'warm ratio':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in networks(Path(folder)).items():
            found: dict[str, list[tuple[float, float]]] = {}
            for _ in range(1 if "layers" in name else rounds):
                for tool in tools:
                    times = measured(tool, path, 1 if "layers" in name else WARM)
                    if times is not None:
                        found.setdefault(tool, []).append(times)
            for tool, times in found.items():
                cold, warm = (statistics.median(column) for column in zip(*times))
                ratios = [(a / c, b / d) for (a, b), (c, d) in zip(times, found["cnnspec"])]
                both = [statistics.median(column) for column in zip(*ratios)]
                print(
                    f"{name:<15}{tool:<11}{cold:>9.2f}{warm * 1000:>11.1f}{both[0]:>12.1f}{both[1]:>12.1f}", flush=True
                )


def beside_check(rounds: int) -> None:
    """The CPU time of `cnnspec summary` of ResNet-152 beside that of its check."""
    path = f"{ROOT}/specs/resnet.cnn:ResNet152"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ratios = []
    for _ in range(2 * rounds + 1):
        times = []
        for command in ("check", "summary"):
            run = subprocess.Popen(
                [sys.executable, "-m", "cnnspec", command, path], stdout=subprocess.DEVNULL, env=environment, cwd=ROOT
            )
            _, _, usage = os.wait4(run.pid, 0)
            times.append(usage.ru_utime + usage.ru_stime)
        ratios.append(times[1] / times[0])
    print(f"summary of ResNet-152: {statistics.median(ratios):.2f} of its check")


# --- memory ---

STEPS = (
    ("lenet.cnn", 64, "SGD"), ("lenet.cnn", 256, "Adam"), ("alexnet.cnn", 4, "momentum"), ("resnet.cnn:ResNet18", 4, "Adam"),
    ("resnet.cnn:ResNet50", 2, "momentum"), ("mobilenet_v2.cnn", 4, "SGD"), ("unet.cnn", 1, "Adam"),
)  # fmt: skip


def memory() -> None:
    """Predicted bytes beside those of a real step."""
    import torch

    import cnnspec
    from cnnspec.analysis.memory import training_step
    from tests.torch.live_bytes import Training

    has_torchinfo = importlib.util.find_spec("torchinfo") is not None
    print(f"{'network':<22}{'batch':>6} {'optimizer':<10}{'real MB':>10}{'cnnspec':>10}{'torchinfo':>11}")
    for name, batch, optimizer in STEPS:
        spec = cnnspec.load(ROOT / "specs" / name)
        net = spec.compile()
        predicted = training_step(spec.graph, batch, optimizer=optimizer, watched=True).peak
        real = Training(net, [torch.zeros(batch, *spec.input)], optimizer).peak()
        other = ""
        if has_torchinfo:
            import torchinfo as tool

            found = tool.summary(net, (batch, *spec.input), verbose=0, device="cpu")
            total = found.total_input + found.total_output_bytes + found.total_param_bytes
            other = f"{(total / real - 1) * 100:+.0f} %"
        print(
            f"{name:<22}{batch:>6} {optimizer:<10}{real / 1e6:>10.1f}{(predicted / real - 1) * 100:>+9.2f} %{other:>11}"
        )


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["--one"]:
        one(words[1], words[2], int(words[3]))
        return
    if "--memory" in words:
        memory()
        return
    rounds = int(words[0]) if words else 3
    compare(rounds)
    beside_check(rounds)


if __name__ == "__main__":
    main()
