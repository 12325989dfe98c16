"""`cnnspec sweep`: many runs with different settings, and which of them was the best."""

from __future__ import annotations

import sys
from pathlib import Path

from cnnspec.cli.common import FINDINGS, INTERRUPTED, OK, Command, UsageError, add_definitions, definitions, read
from cnnspec.cli.overrides import names_data, override, pairs, with_own_files
from cnnspec.cli.train import RUNS, add_device, load_named, needs_torch, positive
from cnnspec.diagnostics import Sink
from cnnspec.files import split_model, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.syntax import tree
    from cnnspec.training.events import Epoch
    from cnnspec.training.results import Run
    from cnnspec.training.sweep import Space, Sweep, Tried

_SETTINGS = (
    "Settings are options, with several values or a range: --optimizer.lr 0.1,0.01 --batch 32,64, --optimizer.lr 1e-4..0.1. "
    "Of choices alone every combination is run; with ranges Optuna chooses. Needs Optuna: pip install 'cnnspec[tune]'."
)


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("spec", metavar="FILE[:MODEL]", help="a .cnn file, or file.cnn:Model")
    add_definitions(parser)
    parser.add_argument(
        "--trials", type=positive, metavar="N", help="runs: all combinations, or 20 where there are ranges"
    )
    parser.add_argument("--data", metavar="PATH|NAME", help="where the data is, or another data set")
    parser.add_argument(
        "--out", metavar="FOLDER", help="the folder of the sweep; runs/MODEL-sweep where it is left out"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the sweep in that folder")
    parser.add_argument("--threads", type=positive, metavar="N", help="threads of torch")
    add_device(parser)


def run(options: Namespace) -> int:
    """Run the trials that are missing: a line each, then the table, the best one, and a picture."""
    needs_torch("a sweep")
    from cnnspec.recipe.tasks import TASKS
    from cnnspec.training.data.load import Data
    from cnnspec.training.sweep import TRIALS, Sweep, count_of

    spaces, fixed = _asked(options)
    graph = _graph(options, sink := Sink())
    if graph is not None and not sink.has_errors:
        fixed = with_own_files(options.data, graph, fixed)
    recipe = None if graph is None else _recipe(graph, sink, fixed)
    if graph is None or recipe is None or not _can_be_tried(graph, sink, spaces, fixed):
        return _complain(sink)
    folder = Path(options.out) if options.out else RUNS / f"{graph.name}-sweep"
    _demand_free(folder, resume=options.resume)
    falls = recipe.best == "loss" or any(recipe.best in task.less for task in TASKS)
    try:
        sweep = Sweep(folder, spaces, seed=recipe.seed, falls=falls)
    except ModuleNotFoundError as error:
        raise UsageError(f"sweep needs {error.name}: pip install 'cnnspec[tune]'") from None
    loaded: dict[str, Data] = {}

    def train(settings: dict[str, str], out: Path, watch: Sequence[object]) -> Run:
        from cnnspec.training.options import Options
        from cnnspec.training.report.run_folder import RunFiles
        from cnnspec.training.start import train

        own = _recipe(
            graph, Sink(), [*fixed, *(override(f"--{name}", name, "=", text) for name, text in settings.items())]
        )
        assert own is not None
        # Trials share their data, unless it is what they try.
        key = repr(own.data)
        if key not in loaded:
            loaded.clear()
            loaded[key] = load_named(own, options.data)
        return train(
            graph, own, loaded[key], out=out, device=options.device, callbacks=[*watch, RunFiles()],
            options=Options(threads=options.threads),
        )  # fmt: skip

    def value_of(event: Epoch) -> float:
        return event.judged_loss if recipe.best == "loss" else event.judged_metrics[recipe.best]

    every = count_of(spaces)
    trials = options.trials or every or TRIALS
    try:
        sweep.run(
            trials if every is None else min(trials, every), train, value_of, lambda one: print(_line(one, recipe.best))
        )
    except KeyboardInterrupt:
        _finish(sweep, graph.name, recipe.best)
        print(f"interrupted: --resume goes on with the sweep in {folder}")
        return INTERRUPTED
    _finish(sweep, graph.name, recipe.best)
    return OK if sweep.best is not None else FINDINGS


def _asked(options: Namespace) -> tuple[dict[str, Space], list[tree.Setting]]:
    """What is tried, by setting, and the settings that are the same in every run."""
    from cnnspec.training.sweep import space_of

    spaces: dict[str, Space] = {}
    fixed = [override("--data", "data", "=", options.data)] if names_data(options.data) else []
    for option, name, separator, text in pairs(options.rest):
        space = space_of(text)
        if space is None:
            fixed.append(override(option, name, separator, text))
        else:
            spaces[name.replace("-", "_")] = space
    # An optimizer comes before what its arguments are changed to.
    spaces = dict(sorted(spaces.items(), key=lambda item: "." in item[0]))
    if not spaces:
        raise UsageError("say what is to be tried: --optimizer.lr 0.1,0.01 or --optimizer.lr 1e-4..0.1")
    return spaces, fixed


def _graph(options: Namespace, sink: Sink) -> Graph | None:
    from cnnspec.spec import the_only

    path, model = split_model(options.spec)
    return the_only(read(path, sink), model, definitions(options.define), sink)


def _recipe(graph: Graph, sink: Sink, settings: list[tree.Setting]) -> Recipe | None:
    from cnnspec.recipe.recipe import recipe_of

    found = None if sink.has_errors else recipe_of(graph, sink, settings)
    return None if sink.has_errors else found


def _can_be_tried(graph: Graph, sink: Sink, spaces: dict[str, Space], fixed: list[tree.Setting]) -> bool:
    """Whether every value makes a recipe: what does not is told before anything is run."""
    for name, space in spaces.items():
        for text in space.samples:
            if _recipe(graph, sink, [*fixed, override(f"--{name}", name, "=", text)]) is None:
                return False
    return True


def _complain(sink: Sink) -> int:
    from cnnspec.diagnostics.render import render_all

    print(render_all([found for found in sink.diagnostics if found.severity == "error"]), file=sys.stderr)
    return FINDINGS


def _demand_free(folder: Path, *, resume: bool) -> None:
    import os

    from cnnspec.training.sweep import JOURNAL

    there = os.path.exists(folder / JOURNAL)
    if there and not resume:
        raise UsageError(f"{folder} holds a sweep already: --resume goes on with it, --out names another folder")
    if resume and not there:
        raise UsageError(f"there is no sweep in {folder} to go on with")


def _line(tried: Tried, judged_by: str) -> str:
    value = "-" if tried.value is None else f"{tried.value:.4f}"
    settings = "  ".join(f"{name}={text}" for name, text in tried.settings.items())
    state = "" if tried.state == "complete" else f"  {tried.problem or tried.state}"
    return f"trial {tried.number}: {judged_by} {value}  {settings}{state}"


def _finish(sweep: Sweep, model: str, judged_by: str) -> None:
    from cnnspec.training.report.measured import draw_sweep, sweep_lines

    print("\n" + "\n".join(sweep_lines(sweep.tried, judged_by, falls=sweep.falls)))
    path = sweep.folder / "sweep.svg"
    write_atomic(path, draw_sweep(model, sweep.tried, judged_by, falls=sweep.falls))
    if sweep.best is not None:
        words = " ".join(f"--{name} {text}" for name, text in sweep.best.settings.items())
        print(f"\nthe best: {words}; its run is in {sweep.folder / f'trial-{sweep.best.number}'}")
    print(f"drawn in {path}")


COMMANDS = {
    "sweep": Command(
        "train with many settings and tell the best", options_of, run, _SETTINGS, takes_settings=True, runs_long=True
    ),
}
