"""How `cnnspec check model.py` fares on public files, with torch run in a subprocess as the truth.

    python -m benchmarks.torch_source FILES.tsv FOLDER [--cache CACHE.json] [--show] [--only TEXT]

A row of FILES.tsv is repository, commit, path, entry, input and more; FOLDER holds each repository under `owner+name`. Every
file is checked with seven inputs. The truth is what torch 2.13 makes of the same module with batches of 3 samples, and of 5
where it accepts what the check refuses: output shapes and the number of parameters, or that it refuses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from cnnspec.diagnostics import Sink
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.inputs import parse_shapes
from cnnspec.torch_source.outcome import Outcome
from cnnspec.torch_source.values import BATCH, Record, Tensor

TRUTH = r"""
import importlib, importlib.util, json, os, signal, sys, types, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
for name in ("kaiming_uniform_", "uniform_", "normal_", "xavier_uniform_", "kaiming_normal_", "orthogonal_", "trunc_normal_"):
    setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)

class Absent(types.ModuleType):
    # A library that is not installed here: importing it works, using it in a model does not.
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name)
    def __call__(self, *_, **__):
        if os.environ.get("LOADED"):
            raise RuntimeError("a library that is absent")
        return Absent("value")
    def __mro_entries__(self, bases):
        return ()

class Finder:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in ABSENT:
            return importlib.util.spec_from_loader(name, self)
    def create_module(self, spec):
        return Absent(spec.name)
    def exec_module(self, module):
        pass

ABSENT = set("torchvision matplotlib tqdm cv2 pandas sklearn tensorboardX skimage librosa einops timm visdom scipy "
             "tensorflow seaborn wandb torchlibrosa torchaudio albumentations nltk torchsummary thop h5py ptflops "
             "torchsummaryX torchinfo pytorch_lightning lightning fvcore soundfile transformers gym PyQt5 torchtext".split())
sys.meta_path.append(Finder())

def shapes(value):
    if isinstance(value, torch.Tensor):
        return list(value.shape)
    if isinstance(value, dict):
        return [shapes(one) for one in value.values()]
    if isinstance(value, (tuple, list)):
        return [shapes(one) for one in value]
    return type(value).__name__

def load(job):
    name = job["module"]
    for end in range(1, name.count(".") + 1):
        package = ".".join(name.split(".")[:end])
        try:
            importlib.import_module(package)
        except BaseException:
            holder = types.ModuleType(package)
            holder.__path__ = [os.path.join(job["path"][0], *package.split("."))]
            sys.modules[package] = holder
    spec = importlib.util.spec_from_file_location(name, job["file"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    source = open(job["file"], encoding="utf-8", errors="replace").read()
    exec(compile(source, job["file"], "exec"), module.__dict__)
    return module

def made(job, module):
    net = eval(job["entry"], module.__dict__)
    net = net() if isinstance(net, type) else net
    return net.train(job["training"])

def answer(job):
    sys.path[:0] = job["path"]
    os.chdir(job["path"][0])
    sys.argv = ["model.py"]
    out = {"load": "", "results": []}
    try:
        module = load(job)
        net = made(job, module)
    except BaseException as error:
        out["load"] = f"{type(error).__name__}: {error}"[:300]
        return out
    os.environ["LOADED"] = "1"
    lazy = "Lazy" in str(net)
    for inputs in job["inputs"]:
        try:
            net = made(job, module) if lazy else net
            fill = torch.zeros if job["whole"] else torch.rand
            values = [fill(job["batch"], *shape) for shape in inputs]
            values = [value.long() for value in values] if job["whole"] else values
            with torch.no_grad():
                result = net(*values)
            count = sum(one.numel() for one in net.parameters())
            out["results"].append({"shapes": shapes(result), "parameters": count})
        except BaseException as error:
            out["results"].append({"refused": f"{type(error).__name__}: {error}"[:300]})
    return out

stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
for line in sys.stdin:
    job = json.loads(line)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(150)
        with os.fdopen(write, "w") as pipe:
            json.dump(answer(job), pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    os.write(stdout, ((text or json.dumps({"load": "timeout", "results": []})) + "\n").encode())
"""


_server: list[subprocess.Popen] = []


def variants(shapes: tuple[tuple[int, ...], ...]) -> list[tuple[tuple[int, ...], ...]]:
    """The input itself and six others: smaller, larger, odd, of other channels, of another rank."""

    def all_of(change):
        return tuple(tuple(change(shape)) for shape in shapes)

    return [
        shapes,
        all_of(lambda s: (s[0], *(max(1, size // 2) for size in s[1:])) if len(s) > 1 else (s[0] + 1,)),
        all_of(lambda s: (s[0], *(size + 1 for size in s[1:])) if len(s) > 1 else (s[0] * 2,)),
        all_of(lambda s: (s[0], *(size + 13 for size in s[1:])) if len(s) > 1 else (1,)),
        all_of(lambda s: (s[0] + 1, *s[1:])),
        all_of(lambda s: s[:-1] if len(s) > 1 else (s[0], s[0])),
        all_of(lambda s: (s[0], *(9 for _ in s[1:])) if len(s) > 1 else (s[0], 1)),
    ]


def ours(
    file: Path, root: Path, entry: str, shapes: tuple[tuple[int, ...], ...], training: bool
) -> tuple[Outcome | None, Sink, float]:
    text = file.read_text(encoding="utf-8", errors="replace")
    sink = Sink()
    begin = time.process_time()
    outcomes = check_python(Source(str(file), text), str(file), sink, Options(entry, shapes, (), training, str(root)))
    return (outcomes[0] if outcomes else None), sink, time.process_time() - begin


def shapes_of(value: object, batch: int) -> object:
    if isinstance(value, Tensor):
        return [size // BATCH * batch if size % BATCH == 0 else size for size in value.shape]
    if isinstance(value, Record):
        return [shapes_of(one, batch) for one in value.values.values()]
    if isinstance(value, dict):
        return [shapes_of(one, batch) for one in value.values()]
    if isinstance(value, (tuple, list)):
        return [shapes_of(one, batch) for one in value]
    return type(value).__name__


def truth(file: Path, root: Path, entry: str, inputs: list, batch: int, training: bool, whole: bool) -> dict:
    relative = file.relative_to(root).with_suffix("")
    module = ".".join(relative.parts).replace("-", "_")
    job = {
        "file": str(file), "entry": entry, "inputs": inputs, "batch": batch, "module": module, "training": training,
        "path": [str(root), str(file.parent), str(root / "src")], "whole": whole,
    }  # fmt: skip
    if not _server:
        command = [sys.executable, "-c", TRUTH]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
        _server.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        )
    server = _server[0]
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(job) + "\n")
    server.stdin.flush()
    found: dict = json.loads(server.stdout.readline())
    return found


def compare(outcome: Outcome | None, sink: Sink, real: dict, batch: int = 3) -> str:
    refused = sink.has_errors
    if outcome is None:
        return "refused by both" if refused and "refused" in real else "no outcome"
    if not refused and outcome.stop:
        return "not followed"
    if refused and "refused" in real:
        return "refused by both"
    if refused:
        return "false alarm"
    if "refused" in real:
        return "missed"
    if shapes_of(outcome.output, batch) != real["shapes"]:
        return "wrong shape"
    if outcome.parameters != real["parameters"]:
        return "wrong count"
    return "equal"


def main() -> None:
    arguments = sys.argv[1:]
    rows = [line.split("\t") for line in Path(arguments[0]).read_text().splitlines()[1:] if line]
    folder = Path(arguments[1])
    cache_path = Path(arguments[arguments.index("--cache") + 1]) if "--cache" in arguments else None
    cache = json.loads(cache_path.read_text()) if cache_path and cache_path.exists() else {}
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    totals: dict[str, int] = {}
    files: dict[str, int] = {}
    times = []
    for row in rows:
        repository, _, path, entry, given = row[:5]
        if only not in repository + path + entry:
            continue
        root = folder / repository.replace("/", "+")
        file = root / path
        if not file.exists():
            continue
        text = given.replace(" ", "").replace("+", ",")
        training = "train" in "".join(row[8:9])
        whole = "int" in "".join(row[8:9])
        shapes = parse_shapes(text)
        if shapes is None:
            print("bad input", row)
            continue
        inputs = variants(shapes)
        key = f"{repository} {path} {entry} {given}"
        if key not in cache:
            cache[key] = truth(file, root, entry, inputs, 3, training, whole)
            if cache_path:
                cache_path.write_text(json.dumps(cache))
        real = cache[key]
        verdicts = []
        for number, shape in enumerate(inputs):
            outcome, sink, seconds = ours(file, root, entry, shape, training)
            if number == 0:
                times.append(seconds)
            result = real["results"][number] if number < len(real["results"]) else {"refused": real["load"]}
            verdict = compare(outcome, sink, result)
            if verdict == "false alarm":
                second = f"{key} {number} 5"
                if second not in cache:
                    cache[second] = truth(file, root, entry, [shape], 5, training, whole)
                    if cache_path:
                        cache_path.write_text(json.dumps(cache))
                if "refused" in (cache[second]["results"] or [{"refused": ""}])[0]:
                    verdict = "refused by both"
            unclear = ("memory", "absent", "timeout", "No module")
            if verdict == "missed" and (real["load"] or any(word in result["refused"] for word in unclear)):
                verdict = "torch can't say"
            totals[verdict] = totals.get(verdict, 0) + 1
            verdicts.append(verdict)
            bad = verdict not in ("equal", "refused by both")
            if "--show" in arguments and bad:
                told = [f"{found.span.line}: {found.message}" for found in sink.diagnostics]
                mine = (shapes_of(outcome.output, 3), outcome.parameters, outcome.stop) if outcome else None
                place = outcome.stopped_at.span if outcome and outcome.stopped_at else None
                where = f"{place.source.path}:{place.line}" if place else ""
                print(
                    f"  {verdict}: {key} {shape}\n     ours {mine} {where} {told[:3]}\n     torch {str(result)[:400]}"
                )
                if verdict == "not followed":
                    break
        first = verdicts[0]
        worst = next((one for one in verdicts if one in ("false alarm", "missed", "wrong shape", "wrong count")), first)
        files[worst] = files.get(worst, 0) + 1
    print("files:", dict(sorted(files.items())))
    print("cases:", dict(sorted(totals.items())))
    times.sort()
    if times:
        print(
            f"median {1000 * times[len(times) // 2]:.0f} ms, 90% {1000 * times[len(times) * 9 // 10]:.0f} ms of CPU a file"
        )


if __name__ == "__main__":
    main()
