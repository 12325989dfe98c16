"""Public PyTorch files imported as specs, and each compared with its own module: parameters, and outputs with its weights.

    python -m benchmarks.torch_source_import FILES.tsv FOLDER [--only TEXT] [--show]

Rows and folder are those of benchmarks.torch_source. The module of the file and the module of the spec run in a process of
their own: its state dict is carried over by the map of keys, statistics and weights are random.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.torch_source import TRUTH
from cnnspec.diagnostics import Sink
from cnnspec.importers.torch_source import import_module, same_in_training
from cnnspec.record import replace
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.inputs import parse_shapes

COMPARE = (
    TRUTH[: TRUTH.index("stdout = os.dup(1)")]
    + r"""
def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [part for one in value for part in flat(one)] if isinstance(value, (list, tuple)) else []

def verdict(job):
    import cnnspec
    net = cnnspec.load(job["spec"]).compile()
    sys.path[:0] = job["path"]
    os.chdir(job["path"][0])
    sys.argv = ["model.py"]
    try:
        theirs = made(job, load(job)).eval()
    except BaseException as error:
        return f"torch can't say: {error}"[:150]
    torch.manual_seed(0)
    state = {}
    for key, value in theirs.state_dict().items():
        if value.is_floating_point():
            value = torch.rand_like(value) * 0.2 + 0.9 if "var" in key else torch.randn_like(value) * 0.1
        state[key] = value
    theirs.load_state_dict(state)
    prefixes = sorted(job["keys"].items(), key=lambda pair: -len(pair[0]))
    carried = {}
    for key in net.state_dict():
        ours, own = next(pair for pair in prefixes if key == pair[0] or key.startswith(pair[0] + "."))
        carried[key] = state[own + key[len(ours):]]
    net.load_state_dict(carried)
    net.eval()
    values = [torch.rand(2, *shape) for shape in job["inputs"][0]]
    if job["whole"]:
        values = [(value * 10).long() for value in values]
    with torch.no_grad():
        first = flat(theirs(*[value.clone() for value in values]))
        second = flat(net(*[value.clone() for value in values]))
    if [one.shape for one in first] != [one.shape for one in second]:
        return "wrong shapes"
    worst = max(((one - other).abs().max() / (1 + one.abs().max())).item() for one, other in zip(first, second))
    count = sum(one.numel() for one in theirs.parameters())
    unused = count - sum(one.numel() for one in net.parameters())
    if worst != worst or worst > 1e-5:
        return f"wrong values {worst}"
    same = all(torch.equal(one, other) for one, other in zip(first, second))
    return ("equal bits" if same else "equal within 1e-5") + (f", {unused} parameters unused" if unused else "")

stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
signal.alarm(150)
job = json.loads(sys.stdin.read())
try:
    text = verdict(job)
except BaseException as error:
    text = f"failed: {type(error).__name__}: {error}"[:300]
os.write(stdout, text.encode())
"""
)


def compare(row: list[str], root: Path, spec: str, keys: dict[str, str], shapes: tuple[tuple[int, ...], ...]) -> str:
    file = root / row[2]
    module = ".".join(file.relative_to(root).with_suffix("").parts).replace("-", "_")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.cnn"
        path.write_text(spec)
        job = {
            "file": str(file), "entry": row[3], "inputs": [shapes], "module": module, "training": False,
            "path": [str(root), str(file.parent), str(root / "src")], "whole": "int" in "".join(row[8:9]),
            "spec": str(path), "keys": keys,
        }  # fmt: skip
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        run = subprocess.run(
            [sys.executable, "-c", COMPARE], input=json.dumps(job), capture_output=True, text=True, check=False,
            env=environment,
        )  # fmt: skip
    return run.stdout or f"failed: {run.stderr[-200:]}"


def main() -> None:
    arguments = sys.argv[1:]
    rows = [line.split("\t") for line in Path(arguments[0]).read_text().splitlines()[1:] if line]
    folder = Path(arguments[1])
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    totals: dict[str, int] = {}
    for row in rows:
        root = folder / row[0].replace("/", "+")
        file = root / row[2]
        shapes = parse_shapes(row[4].replace(" ", "").replace("+", ","))
        if only not in " ".join(row) or not file.exists() or shapes is None:
            continue
        options = Options(row[3], shapes, (), False, str(root))
        source = Source(str(file), file.read_text(encoding="utf-8", errors="replace"))
        sink = Sink()
        outcomes = check_python(source, str(file), sink, options)
        if sink.has_errors or len(outcomes) != 1 or outcomes[0].stop:
            kind, text = "not followed", ""
        else:
            found = import_module(outcomes[0], sink)
            if found is None:
                kind, text = (
                    "refused",
                    "; ".join(sorted({one.message for one in sink.diagnostics if one.severity == "error"})),
                )
            else:
                kind = compare(row, root, found.text, dict(found.keys), shapes)
                text = f"{found.text.count(chr(10))} lines"
                if not same_in_training(
                    outcomes[0], check_python(source, str(file), Sink(), replace(options, training=True))
                ):
                    text += ", differs in training"
        totals[kind.partition(",")[0].partition(":")[0]] = totals.get(kind.partition(",")[0].partition(":")[0], 0) + 1
        if "--show" in arguments or kind.startswith(("wrong", "failed", "refused")):
            print(f"{kind}: {row[0]} {row[2]} {row[3]}  {text}"[:400], flush=True)
    print(dict(sorted(totals.items())))


if __name__ == "__main__":
    main()
