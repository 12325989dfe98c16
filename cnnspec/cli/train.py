"""`cnnspec train`. Torch is imported when it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cnnspec.cli.common import FINDINGS, INTERRUPTED, Command, UsageError, add_definitions, definitions, read
from cnnspec.cli.overrides import names_data, overrides, with_own_files
from cnnspec.diagnostics import Sink
from cnnspec.files import reason_of, split_model, write_atomic
from cnnspec.training.settings import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data
    from cnnspec.training.folder import NewFolder
    from cnnspec.training.options import Options
    from cnnspec.training.results import Run
    from cnnspec.training.signals import StopSignal

RUNS = Path("runs")


def _train_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "spec", metavar="FILE[:MODEL]", nargs="?", help="a .cnn file, or file.cnn:Model; --resume has its own"
    )
    add_definitions(parser)
    parser.add_argument("--recipe", metavar="NAME", help="settings that go by a name, in place of the file's: d2l")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE", help=_SET)
    parser.add_argument("--data", metavar="PATH|NAME", help="where the data is, or another data set")
    parser.add_argument("--download", action="store_true", help="fetch data that is missing")
    parser.add_argument(
        "--skip-broken", action="store_true", help="leave out images that can't be read; they are named and counted"
    )
    parser.add_argument("--out", metavar="FOLDER", help="the run's folder; runs/MODEL-N where it is left out")
    parser.add_argument(
        "--resume", nargs="?", const="", metavar="FOLDER", help="go on with a run, by default the last one"
    )
    add_device(parser)
    parser.add_argument(
        "--nproc", type=positive, metavar="N", help="start N processes here, each with a part of every batch"
    )
    parser.add_argument("--shard", action="store_true", help="share the weights among the processes (FSDP2)")
    parser.add_argument("--sync-batch-norm", action="store_true", help="batch norm over all processes")
    parser.add_argument("--deterministic", action="store_true", help="the same bits again: algorithms and threads")
    parser.add_argument("--threads", type=positive, metavar="N", help="threads of torch; measured where it is left out")
    parser.add_argument("--workers", type=positive, metavar="N", help="processes that read images; up to 4 by default")
    parser.add_argument("--save-every", type=positive, metavar="N", help="steps between two checkpoints in an epoch")
    parser.add_argument("--tune", action="store_true", help="measure layouts and torch.compile first, take the fastest")
    parser.add_argument(
        "--overfit-one-batch", action="store_true", help="train on a single batch: its loss has to fall to 0"
    )
    parser.add_argument("--dry-run", action="store_true", help="one step: tells memory and time to expect")
    parser.add_argument(
        "--find-lr", action="store_true", help="steps at ever higher learning rates: tells which one to begin with"
    )
    parser.add_argument("--profile", action="store_true", help="a few steps: tells where their time goes")
    parser.add_argument("--tensorboard", action="store_true", help="write event files for TensorBoard as well")


_SET = "put a setting of the recipe in place, such as optimizer.lr=0.1"
_SETTINGS = "Settings are options too: --epochs 3 --optimizer.lr 0.1 --optimizer 'Adam(lr=0.01)'."


def add_device(parser: ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:N, mps or xpu")


def positive(text: str) -> int:
    """A whole number from 1, as argparse reads it."""
    from argparse import ArgumentTypeError

    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


# --- what is to be trained ---


def _spec_and_recipe(options: Namespace, kept: dict[str, Any] | None) -> tuple[Spec, Recipe] | None:
    """The checked spec and its recipe, or those of a run that goes on; None where mistakes were printed."""
    from cnnspec.diagnostics.render import render_all
    from cnnspec.recipe.recipe import recipe_of
    from cnnspec.spec import Spec, the_only

    sink = Sink()
    if options.spec is None:
        from cnnspec.training.restore import graph_of

        graph = None if kept is None else graph_of(kept)
    else:
        path, model = split_model(options.spec)
        own = {} if kept is None else kept["spec"]["values"]
        graph = the_only(read(path, sink), model, own | definitions(options.define), sink)
    # A run goes on with its own recipe; what the command line says comes on top.
    base = [] if kept is None else written(kept["recipe"], sink)
    recipe = None
    if graph is not None and not sink.has_errors:
        given = base + overrides(options)
        if kept is None:
            given = with_own_files(options.data, graph, given)
        recipe = recipe_of(graph, sink, given)
    if graph is None or recipe is None or sink.has_errors:
        errors = [found for found in sink.diagnostics if found.severity == "error"]
        print(render_all(errors), file=sys.stderr)
        return None
    if sink.diagnostics and os.environ.get("RANK", "0") == "0":
        print(render_all(sink.diagnostics), file=sys.stderr)
    return Spec(graph, sink.diagnostics), recipe


def _load(recipe: Recipe, options: Namespace, kept: dict[str, Any] | None) -> Data:
    from cnnspec.training.data.load import load_data

    before = {} if kept is None else kept["data"]
    path = before.get("path") if options.data is None else None if names_data(options.data) else options.data
    skip_broken = options.skip_broken or bool(before.get("skipped"))
    return load_data(
        recipe.data, path=path, download=options.download, skip_broken=skip_broken, workers=options.workers
    )


def load_named(recipe: Recipe, named: str | None) -> Data:
    """The data of a recipe, from the path that is named; the name of a data set is in the recipe already."""
    from cnnspec.training.data.load import load_data

    return load_data(recipe.data, path=None if names_data(named) else named)


def _folder(options: Namespace) -> Path | None:
    """The folder that is named: to go on with, by default the last one, or to begin in."""
    from cnnspec.training.folder import numbered

    if options.resume is None:
        return None if options.out is None else Path(options.out)
    if options.out is not None:
        raise UsageError("--resume goes on in the run's own folder: leave out --out")
    if options.resume:
        return Path(options.resume)
    if options.spec is None:
        raise UsageError("say which run goes on: --resume FOLDER, or the spec that it trains")
    name = split_model(options.spec)[1] or _model_name(options)
    runs = numbered(RUNS, name)
    if not runs:
        raise UsageError(f"there is no run of {name} in {RUNS}/ to go on with")
    return runs[-1][1]


def _model_name(options: Namespace) -> str:
    """The name of the only model of a file; "*" where the check will tell what is wrong with it."""
    from cnnspec.spec import the_only

    graph = the_only(read(split_model(options.spec)[0], sink := Sink()), None, definitions(options.define), sink)
    return graph.name if graph is not None else "*"


# --- commands ---


def needs_torch(command: str) -> None:
    """Say what to install where torch is missing."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise UsageError(f"{command} needs PyTorch: pip install 'cnnspec[torch]'")
    # Threads that wait for each other by spinning make a busy machine many times slower. Read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _train(options: Namespace) -> int:
    needs_torch("training")
    if options.resume is not None and options.spec is not None and ".cnn" not in options.spec:
        _give_back(options)
    if options.spec is None and options.resume is None:
        raise UsageError("say what to train: cnnspec train FILE.cnn")
    if options.nproc and (options.find_lr or options.profile):
        raise UsageError(f"{'--find-lr' if options.find_lr else '--profile'} looks at one process: leave out --nproc")
    if options.nproc:
        from cnnspec.cli.processes import start

        return start(options.nproc)
    if os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0" and options.resume is None:
        _go_on(options)
    folder = _folder(options)
    from cnnspec.training.signals import StopSignal

    with StopSignal() as stop:
        return _train_run(options, folder, stop)


def _go_on(options: Namespace) -> None:
    """What torchrun starts again after a process was lost goes on from the last checkpoint, where there is one."""
    from cnnspec.training.checkpoint import LAST
    from cnnspec.training.folder import numbered

    folder = options.out
    if folder is None and (runs := numbered(RUNS, split_model(options.spec)[1] or _model_name(options))):
        folder = str(runs[-1][1])
    if folder is not None and os.path.exists(os.path.join(folder, LAST)):
        options.resume, options.out = folder, None


def _give_back(options: Namespace) -> None:
    """Where a run goes on without a spec, the parser takes the value of a setting for one: `--resume RUN --epochs 3`."""
    rest: list[str] = options.rest
    for at, word in enumerate(rest):
        follows = rest[at + 1] if at + 1 < len(rest) else "--"
        if word.startswith("--") and "=" not in word and follows.startswith("--"):
            rest.insert(at + 1, options.spec)
            options.spec = None
            return


def _train_run(options: Namespace, folder: Path | None, stop: StopSignal) -> int:
    from cnnspec.training import checkpoint

    kept = None if options.resume is None or folder is None else checkpoint.load(checkpoint.find(folder))
    checked = _spec_and_recipe(options, kept)
    if checked is None:
        return FINDINGS
    spec, recipe = checked
    if options.resume is None and folder is not None and os.path.exists(folder / checkpoint.LAST):
        raise UsageError(f"{folder} holds a run already: --resume {folder} goes on with it")
    data = _load(recipe, options, kept)
    if spec.declared.sizes is not None:
        from cnnspec.spec import Spec
        from cnnspec.training.start import for_data

        spec = Spec(for_data(spec.declared, recipe, data), spec.warnings)
    if options.dry_run:
        return _dry_run(spec, recipe, data, options)
    if options.find_lr:
        return _find_rate(spec, recipe, data, options)
    if options.profile:
        return _profile(spec, recipe, data, options)
    run = _run(spec, recipe, data, options, _own_folder(spec.name, folder, options), stop)
    if options.overfit_one_batch:
        print(_verdict(run))
    return INTERRUPTED if run.reason == "interrupted" else 0


def _own_folder(model: str, folder: Path | None, options: Namespace) -> Path | NewFolder | None:
    from cnnspec.training.folder import NewFolder

    if options.overfit_one_batch:
        return None
    return NewFolder(RUNS, model) if folder is None else folder


def _dry_run(spec: Spec, recipe: Recipe, data: Data, options: Namespace) -> int:
    from cnnspec.training.dry_run import dry_run
    from cnnspec.training.report.console import duration

    found = dry_run(spec, recipe, data, device=options.device, options=_chosen(options))
    if os.environ.get("RANK", "0") != "0":
        return 0
    print(f"{spec.name} on {found.device}: the first step works, its loss is {found.loss:.4f}")
    print(f"{found.steps:,} steps an epoch, {found.step_seconds * 1000:.1f} ms each")
    whole = recipe.epochs * found.epoch_seconds
    epochs = f"{recipe.epochs} epoch{'' if recipe.epochs == 1 else 's'}"
    print(f"about {duration(found.epoch_seconds)} an epoch, {duration(whole)} for {epochs}, without tests")
    each = f" in each of {found.processes} processes" if found.processes > 1 else ""
    print(f"{found.memory / 1e6:,.0f} MB of memory at the peak{each}")
    if recipe.optimizer.memory:
        print(_tensors(spec, recipe, found.processes))
    return 0


def _tensors(spec: Spec, recipe: Recipe, processes: int) -> str:
    """What of the memory of a step are its tensors, with the losses and the precision of the recipe."""
    from cnnspec.analysis.memory import mixed_peak, training_step
    from cnnspec.backends.summary_text import size
    from cnnspec.recipe.fit import Written, matched
    from cnnspec.recipe.outputs import outputs_of

    graph, optimizer = spec.graph.numbers, recipe.optimizer.memory
    pairs = matched(recipe, outputs_of(graph), graph.name, Written((), graph.span), Sink())
    losses = [loss.compared for _, loss, _ in pairs]
    batch = -(-recipe.batch // (recipe.accumulate * processes))
    if recipe.precision == "float32":
        peak = training_step(graph, batch, optimizer=optimizer, losses=losses).peak
        return f"{size(peak)} of them are tensors of a step of {batch} samples: `cnnspec memory` shows where"
    peak = mixed_peak(graph, batch, optimizer=optimizer, dtype=recipe.precision, losses=losses)
    return f"about {size(peak)} of them are tensors of a step of {batch} samples in {recipe.precision}"


def _find_rate(spec: Spec, recipe: Recipe, data: Data, options: Namespace) -> int:
    from cnnspec.training.find_rate import find_rate
    from cnnspec.training.options import Options
    from cnnspec.training.report.measured import draw_rates, rate_lines

    found = find_rate(spec, recipe, data, device=options.device, options=Options(threads=options.threads))
    print("\n".join(rate_lines(found)))
    print(f"drawn in {_beside_runs(options, spec.name, 'rates.svg', draw_rates(spec.name, found))}")
    return 0


def _profile(spec: Spec, recipe: Recipe, data: Data, options: Namespace) -> int:
    from cnnspec.training.options import Options
    from cnnspec.training.profile import profile_steps
    from cnnspec.training.report.measured import profile_lines

    trace = _beside_runs(options, spec.name, "trace.json", "")
    chosen = Options(threads=options.threads, layout=None)
    found = profile_steps(spec, recipe, data, device=options.device, options=chosen, trace=trace)
    print("\n".join(profile_lines(found)))
    print(f"the trace of every operation is in {trace}: open it in chrome://tracing or Perfetto")
    return 0


def _beside_runs(options: Namespace, model: str, name: str, text: str) -> Path:
    """Write what was measured into the folder that is named, or beside the runs; the path."""
    folder = RUNS if options.out is None else Path(options.out)
    path = folder / (f"{model}-{name}" if options.out is None else name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except OSError as error:
        raise UsageError(f"can't write {path}: {reason_of(error)}") from None
    return path


def _run(
    spec: Spec, recipe: Recipe, data: Data, options: Namespace, folder: Path | NewFolder | None, stop: StopSignal
) -> Run:
    from cnnspec.training.report.console import Console
    from cnnspec.training.report.run_folder import RunFiles, TensorBoard
    from cnnspec.training.report.run_record import SnapshotFile
    from cnnspec.training.start import train

    with Console() as console:
        callbacks: list[Any] = [console, RunFiles(console.on_notice), SnapshotFile(spec, data)]
        if options.tensorboard:
            callbacks.append(TensorBoard())
        return train(
            spec, recipe, data, out=folder, device=options.device, callbacks=callbacks,
            resume=options.resume is not None, options=_chosen(options), stop=stop,
        )  # fmt: skip


def _chosen(options: Namespace) -> Options:
    from cnnspec.training.options import Options

    return Options(
        tune=options.tune,
        sync_batch_norm=options.sync_batch_norm,
        shard=options.shard,
        overfit_one_batch=options.overfit_one_batch,
        deterministic=options.deterministic,
        threads=options.threads,
        save_steps=options.save_every,
    )


def _verdict(run: Run) -> str:
    """What overfitting a batch has shown."""
    if not run.history:
        return "nothing was trained"
    first, last = run.history[0].train_loss, run.history[-1].train_loss
    if last < 0.05 * first or last < 0.01:
        return f"the batch was learnt: its loss fell from {first:.4f} to {last:.4f}, so net, loss and optimizer work"
    if last < 0.5 * first:
        return (
            f"the batch is being learnt: its loss fell from {first:.4f} to {last:.4f}; more --epochs will show the rest"
        )
    return (
        f"the batch was not learnt: its loss went from {first:.4f} to {last:.4f}; look at the learning rate, the last layer "
        "and the loss before training on more"
    )


COMMANDS = {
    "train": Command(
        "train a network as its recipe says", _train_options, _train, _SETTINGS, takes_settings=True, runs_long=True
    ),
}
