"""How much CPU a cold check costs beside a bare interpreter and `import torch`, remembered or not, and how it grows.

    python benchmarks/check.py [rounds]

Every figure is the user and system time of a process of its own. Each round runs all commands once, in turn, and what is
printed are medians and ratios within the same rounds: this machine's absolute times vary by a third.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LENET = str(ROOT / "specs" / "lenet.cnn")


SCRIPT = "import sys\nfrom cnnspec.cli.main import entry\nsys.exit(entry())\n"
"""What installing puts on the PATH as `cnnspec`."""
SMALL = "model Net {{\n    input [3, 32, 32]\n    Conv2d({}, 3)\n    ReLU\n    Flatten\n    Linear(10)\n}}\n"


def cpu_seconds(command: list[str], cache: str = "") -> float:
    """User and system time of one run, with the cache in that folder; "" for none."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"CNNSPEC_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime


def stack(layers: int) -> str:
    """A network of that many layers, written out."""
    lines = [f"    Conv2d({16 + i % 8}, 3, padding=1)" if i % 2 == 0 else "    ReLU" for i in range(layers)]
    return "\n".join(["model Deep {", "    input [3, 32, 32]", *lines, "}", ""])


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        cache, script, many = os.path.join(folder, "cache"), Path(folder) / "cnnspec", Path(folder) / "many"
        script.write_text(SCRIPT, encoding="utf-8")
        many.mkdir()
        for number in range(2_000):
            (many / f"net{number}.cnn").write_text(SMALL.format(8 + number % 50), encoding="utf-8")
        commands = {
            "python -c pass": ([python, "-c", "pass"], ""),
            "cnnspec check lenet.cnn": ([python, str(script), "check", LENET], ""),
            "the same, unchanged": ([python, str(script), "check", LENET], cache),
            "2,000 files, unchanged": ([python, str(script), "check", str(many)], cache),
        }
        for layers in (1_000, 2_500, 5_000, 10_000):
            path = Path(folder) / f"deep{layers}.cnn"
            path.write_text(stack(layers), encoding="utf-8")
            commands[f"cnnspec check, {layers:,} layers"] = ([python, str(script), "check", str(path)], "")
        commands["python -c 'import lark'"] = ([python, "-c", "import lark"], "")
        commands["python -c 'import torch'"] = ([python, "-c", "import torch"], "")
        times: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            cpu_seconds(*command)
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(cpu_seconds(*command))
    torch, bare = (statistics.median(times[f"python -c {what}"]) for what in ("'import torch'", "pass"))
    print(f"{'command':<32} {'CPU ms':>8} {'of python':>10} {'of import torch':>16}")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:<32} {median * 1000:>8.0f} {median / bare:>10.1f} {median / torch:>16.3f}")


if __name__ == "__main__":
    main()
