"""The commands that need torch: `train`, `evaluate` and `predict`. Torch is imported when one of them runs."""

from __future__ import annotations

import sys
from pathlib import Path

from cnnspec.cli.common import FINDINGS, INTERRUPTED, Command, UsageError, add_definitions, definitions, read
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.suggest import closest, did_you_mean
from cnnspec.files import split_model
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence
    from typing import Any

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data


def _train_options(parser: ArgumentParser) -> None:
    parser.add_argument("spec", metavar="FILE[:MODEL]", help="a .cnn file, or file.cnn:Model")
    add_definitions(parser)
    parser.add_argument("--recipe", metavar="NAME", help="settings that go by a name, in place of the file's: d2l")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE", help=_SET)
    parser.add_argument("--data", metavar="PATH|NAME", help="where the data is, or another data set")
    parser.add_argument("--download", action="store_true", help="fetch data that is missing")
    parser.add_argument(
        "--skip-broken", action="store_true", help="leave out images that can't be read, and count them"
    )
    parser.add_argument("--out", metavar="FOLDER", help="the run's folder; runs/MODEL-N where it is left out")
    parser.add_argument(
        "--resume", nargs="?", const="", metavar="FOLDER", help="go on with a run, by default the last one"
    )
    _add_device(parser)
    parser.add_argument(
        "--nproc", type=_positive, metavar="N", help="start N processes here, each with a part of every batch"
    )
    parser.add_argument("--shard", action="store_true", help="share the weights among the processes (FSDP2)")
    parser.add_argument("--sync-batch-norm", action="store_true", help="batch norm over all processes")
    parser.add_argument(
        "--deterministic", action="store_true", help="allow only algorithms that give the same bits again"
    )
    parser.add_argument("--tune", action="store_true", help="measure layouts and torch.compile first, take the fastest")
    parser.add_argument(
        "--overfit-one-batch", action="store_true", help="train on a single batch: its loss has to fall to 0"
    )
    parser.add_argument("--dry-run", action="store_true", help="one step: tells memory and time to expect")
    parser.add_argument("--tensorboard", action="store_true", help="write event files for TensorBoard as well")


def _evaluate_options(parser: ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="a run's folder, or a checkpoint")
    parser.add_argument("--data", metavar="PATH", help="where the data is")
    parser.add_argument("--last", action="store_true", help="the last weights instead of the best")
    _add_device(parser)


def _predict_options(parser: ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="a run's folder, or a checkpoint")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image files, or folders of them")
    parser.add_argument("--top", type=_positive, default=3, metavar="N", help="classes to name for each image")
    parser.add_argument("--sheet", metavar="FILE", help="draw the images with their labels into an SVG file")
    parser.add_argument("--last", action="store_true", help="the last weights instead of the best")
    _add_device(parser)


_SET = "put a setting of the recipe in place, such as optimizer.lr=0.1"
_SETTINGS = "Settings are options too: --epochs 3 --optimizer.lr 0.1 --optimizer 'Adam(lr=0.01)'."


def _add_device(parser: ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:N, mps or xpu")


def _positive(text: str) -> int:
    """A whole number from 1, as argparse reads it."""
    from argparse import ArgumentTypeError

    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


# --- what is to be trained ---


def _overrides(options: Namespace) -> list[tree.Setting]:
    """Settings of the command line, later ones over earlier ones: --recipe, --data, --set and --NAME VALUE."""
    from cnnspec.recipe.datasets import DATA_SETS
    from cnnspec.recipe.recipe import NAMED

    found: list[tree.Setting] = []
    if options.recipe is not None:
        if options.recipe not in NAMED:
            near = "".join(f", {hint}" for hint in did_you_mean(options.recipe, NAMED))
            raise UsageError(f"there is no recipe {options.recipe!r}{near}: there is {', '.join(NAMED)}")
        named = parse(Source(f"--recipe {options.recipe}", NAMED[options.recipe]), Sink())
        found += [setting for item in named.items if isinstance(item, tree.Train) for setting in item.settings]
    texts = [("--set", *text.partition("=")) for text in options.settings] + list(_pairs(options.rest))
    if options.data in DATA_SETS:
        texts.append(("--data", "data", "=", options.data))
    return found + [_setting(option, name, separator, value) for option, name, separator, value in texts]


def _pairs(rest: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """`--name value` and `--name=value` of the options that argparse does not know."""
    words = iter(rest)
    for word in words:
        if not word.startswith("--"):
            raise UsageError(f"{word!r} can't stand here: an option begins with --")
        name, separator, value = word[2:].partition("=")
        if not separator:
            value = next(words, "")
        if not value:
            raise UsageError(f"--{name} needs a value")
        yield f"--{name}", name, "=", value


def _setting(option: str, name: str, separator: str, value: str) -> tree.Setting:
    """One setting from the command line, checked to be an expression."""
    from cnnspec.diagnostics.render import render_all
    from cnnspec.recipe.recipe import ELSEWHERE, SETTINGS

    name = name.strip().replace("-", "_")
    head, _, argument = name.partition(".")
    if not separator or not head.isidentifier() or (argument and not argument.isidentifier()):
        raise UsageError(f"{option} takes NAME=VALUE, not {name!r}")
    if head not in SETTINGS:
        near = ELSEWHERE.get(head) or closest(head, SETTINGS)
        raise UsageError(f"there is no option or setting --{name}{f', did you mean --{near}?' if near else ''}")
    source, sink = Source(f"--{name}", value), Sink()
    expression = parse_expression(source, sink)
    if sink.has_errors:
        raise UsageError(f"--{name}: the value can't be read\n{render_all(sink.diagnostics)}")
    span = Span(source, 0, len(value))
    return tree.Setting(tree.Name(name, span), None, expression, span)


def _spec_and_recipe(options: Namespace) -> tuple[Spec, Recipe] | None:
    """The checked spec and its recipe; None where mistakes were printed."""
    from cnnspec.diagnostics.render import render_all
    from cnnspec.recipe.recipe import recipe_of
    from cnnspec.spec import Spec, the_only

    path, model = split_model(options.spec)
    sink = Sink()
    graph = the_only(read(path, sink), model, definitions(options.define), sink)
    recipe = None if graph is None or sink.has_errors else recipe_of(graph, sink, _overrides(options))
    if graph is None or recipe is None or sink.has_errors:
        errors = [found for found in sink.diagnostics if found.severity == "error"]
        print(render_all(errors), file=sys.stderr)
        return None
    return Spec(graph, sink.diagnostics), recipe


def _load(recipe: Recipe, options: Namespace) -> Data:
    from cnnspec.recipe.datasets import DATA_SETS
    from cnnspec.training.data.load import load_data

    path = None if options.data in DATA_SETS else options.data
    return load_data(recipe.data, path=path, download=options.download, skip_broken=options.skip_broken)


def _run_folder(model: str, options: Namespace) -> Path:
    """The folder of the run: the one that is named, the last one to go on with, or a new one."""
    named = options.resume or options.out
    if named:
        folder = Path(named)
        if options.resume is None and (folder / "last.pt").exists():
            raise UsageError(f"{folder} holds a run already: --resume {folder} goes on with it")
        return folder
    runs = sorted(Path("runs").glob(f"{model}-*"), key=lambda path: int(path.name.rpartition("-")[2] or 0))
    if options.resume is None:
        last = int(runs[-1].name.rpartition("-")[2]) if runs else 0
        return Path("runs") / f"{model}-{last + 1}"
    if not runs:
        raise UsageError(f"there is no run of {model} in runs/ to go on with")
    return runs[-1]


# --- commands ---


def needs_torch(command: str) -> None:
    """Say what to install where torch is missing."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise UsageError(f"{command} needs PyTorch: pip install 'cnnspec[torch]'")


def _train(options: Namespace) -> int:
    if options.nproc:
        return _start_processes(options.nproc)
    needs_torch("training")
    checked = _spec_and_recipe(options)
    if checked is None:
        return FINDINGS
    spec, recipe = checked
    data = _load(recipe, options)
    if options.dry_run:
        return _dry_run(spec, recipe, data, options.device)
    return _train_run(spec, recipe, data, options)


def _dry_run(spec: Spec, recipe: Recipe, data: Data, device: str) -> int:
    from cnnspec.training.dry_run import dry_run
    from cnnspec.training.report.console import duration

    found = dry_run(spec, recipe, data, device=device)
    print(f"{spec.name} on {found.device}: the first step works, its loss is {found.loss:.4f}")
    print(f"{found.steps:,} steps an epoch, {found.step_seconds * 1000:.1f} ms each")
    whole = recipe.epochs * found.epoch_seconds
    print(
        f"about {duration(found.epoch_seconds)} an epoch, {duration(whole)} for {recipe.epochs} epochs, without tests"
    )
    print(f"{found.memory / 1e6:,.0f} MB of memory at the peak")
    return 0


def _train_run(spec: Spec, recipe: Recipe, data: Data, options: Namespace) -> int:
    from cnnspec.training.report.console import Console
    from cnnspec.training.report.run_folder import RunFiles, TensorBoard
    from cnnspec.training.report.run_record import SnapshotFile
    from cnnspec.training.start import Ways, train

    folder = None if options.overfit_one_batch else _run_folder(spec.name, options)
    ways = Ways(
        tune=options.tune,
        sync_batch_norm=options.sync_batch_norm,
        shard=options.shard,
        overfit_one_batch=options.overfit_one_batch,
    )
    with Console() as console:
        callbacks: list[Any] = [console, RunFiles(console.on_notice), SnapshotFile(spec, data.origin)]
        if options.tensorboard:
            callbacks.append(TensorBoard())
        run = train(
            spec,
            recipe,
            data,
            out=folder,
            device=options.device,
            callbacks=callbacks,
            resume=options.resume is not None,
            ways=ways,
            exact=options.deterministic,
        )
    return INTERRUPTED if run.reason == "interrupted" else 0


def _start_processes(count: int) -> int:
    """Run the same command in several processes under torchrun."""
    import subprocess

    needs_torch("training")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    # torchrun takes --nproc behind the command for an option of its own.
    words = [word for word in sys.argv[1:] if not word.startswith("--nproc=")]
    if "--nproc" in words:
        at = words.index("--nproc")
        del words[at : at + 2]
    return subprocess.run([*launcher, "-m", "cnnspec", *words], check=False).returncode


def _evaluate(options: Namespace) -> int:
    needs_torch("evaluation")
    from cnnspec.files import write_atomic
    from cnnspec.training.data.load import load_data
    from cnnspec.training.evaluate import evaluate, open_model
    from cnnspec.training.report.confusion import confusion_table, draw_confusion

    which = "last" if options.last else "best"
    model = open_model(options.run_folder, which=which, device=options.device)
    data = load_data(model.data, path=options.data)
    found = evaluate(options.run_folder, data, which=which, device=options.device)
    counts = found.confusion.tolist()
    print(f"{found.images:,} images of {data.name}: loss {found.loss:.4f}, accuracy {found.accuracy:.3f}\n")
    print(confusion_table(counts, found.classes))
    folder = Path(options.run_folder)
    if folder.is_dir():
        write_atomic(folder / "evaluation.svg", draw_confusion(f"accuracy {found.accuracy:.3f}", counts, found.classes))
        print(f"\ndrawn in {folder / 'evaluation.svg'}")
    return 0


def _predict(options: Namespace) -> int:
    needs_torch("prediction")
    import torch

    from cnnspec.training.data.images import read_picture
    from cnnspec.training.evaluate import open_model, predict

    which = "last" if options.last else "best"
    model = open_model(options.run_folder, which=which, device=options.device)
    channels, height, width = model.shape
    paths = list(_image_files(options.images))
    images = torch.stack([read_picture(path, channels, (height, width)) for path in paths])
    found = predict(options.run_folder, images, which=which, device=options.device, top=options.top)
    width_of_names = max(len(str(path)) for path in paths)
    for path, prediction in zip(paths, found):
        ranked = ", ".join(f"{label} {probability:.3f}" for label, probability in prediction.top)
        print(f"{path!s:<{width_of_names}}  {ranked}")
    if options.sheet:
        _draw_sheet(Path(options.sheet), paths, images, found)
    return 0


def _draw_sheet(target: Path, paths: Sequence[Path], images: Any, found: Sequence[Any]) -> None:
    from cnnspec.files import write_atomic
    from cnnspec.training.report.contact_sheet import Picture, Prediction, draw_sheet

    shown = []
    for path, image, prediction in zip(paths, images, found):
        channels, height, width = image.shape
        pixels = bytes(image.permute(1, 2, 0).contiguous().flatten().tolist())
        picture = Picture(pixels, width, height, channels)
        shown.append(Prediction(picture, prediction.label, prediction.probability, None, path.name))
    write_atomic(target, draw_sheet("Predictions", shown))
    print(f"drawn in {target}")


def _image_files(names: Sequence[str]) -> Iterator[Path]:
    """The files that are named, and those in folders that are named."""
    kinds = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm", ".ppm", ".tif", ".tiff"}
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in kinds)
            if not inside:
                raise UsageError(f"there is no image in {name}")
            yield from inside
        elif path.exists():
            yield path
        else:
            raise UsageError(f"can't read {name}: no such file or directory")


COMMANDS = {
    "train": Command(
        "train a network as its recipe says", _train_options, _train, _SETTINGS, takes_settings=True, runs_long=True
    ),
    "evaluate": Command("loss, accuracy and confusion matrix of a run", _evaluate_options, _evaluate, runs_long=True),
    "predict": Command("what a run says about images", _predict_options, _predict, runs_long=True),
}
