"""The command `data`: what a data set holds, and a sheet of its samples as they are and as a net sees them."""

from __future__ import annotations

import os

from cnnspec.cli.common import FINDINGS, OK, Command, UsageError, print_text
from cnnspec.files import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.data.load import Data
    from cnnspec.training.data.survey import Survey


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument(
        "data", metavar="DATA", help="a folder, an .npz or .csv file, or a data set as a recipe writes it"
    )
    parser.add_argument("--augment", default="[]", metavar="LIST", help="augmentations for the sheet, as in a recipe")
    parser.add_argument(
        "--sheet", metavar="FILE", help="where an SVG of samples before and after augmentation is written"
    )
    parser.add_argument("--download", action="store_true", help="fetch data that is missing")


def run(options: Namespace) -> int:
    """Tell what a data set holds."""
    from cnnspec.cli.train import needs_torch

    needs_torch("looking at data")
    from cnnspec.training.data.load import load_data
    from cnnspec.training.data.survey import survey
    from cnnspec.training.report.samples import draw_samples

    recipe = _recipe(options)
    if recipe is None:
        return FINDINGS
    data = load_data(recipe.data, download=options.download, skip_broken=True)
    for line in _lines(data, survey(data)):
        print_text(line)
    if options.sheet:
        write_atomic(options.sheet, draw_samples(data, recipe))
        print_text(f"drawn in {options.sheet}")
    return FINDINGS if data.skipped else OK


def _recipe(options: Namespace) -> Recipe | None:
    """The data and the augmentations as settings of a recipe; None where mistakes were printed."""
    from cnnspec.compiler.names import Scope
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.recipe.recipe import resolve
    from cnnspec.training.data.guess import guess
    from cnnspec.training.settings import setting

    sink = Sink()
    text = options.data
    if os.path.exists(text):
        text = guess(text)
    settings = [
        setting("data", text, sink, option="DATA"),
        setting("augment", options.augment, sink, option="--augment"),
    ]
    recipe = None if sink.has_errors else resolve(settings, Scope(), sink)
    if recipe is None:
        raise UsageError(render_all(sink.diagnostics))
    return recipe


def _lines(data: Data, found: Survey) -> list[str]:
    """The survey in words."""
    from cnnspec.training.data.several import shapes_of

    inputs = " and ".join(
        f"{dtype} {' x '.join(map(str, shape))}" for dtype, shape in zip(data.dtypes, shapes_of(data.shape))
    )
    lines = [f"{data.name} from {data.origin}: {inputs}, {' and '.join(one.kind for one in data.all_targets)} each"]
    names = list(data.classes) if len(next(iter(found.counts.values()))) > 1 else ["samples"]
    wide = max(map(len, (*names, "samples")))
    lines.append(" " * wide + "".join(f"{split:>12}" for split in found.counts))
    rows = list(zip(names, *found.counts.values()))
    if len(names) > 1:
        rows.append(("samples", *(sum(counts) for counts in found.counts.values())))
    lines += [f"{name:<{wide}}" + "".join(f"{count:>12,}" for count in counts) for name, *counts in rows]
    for mean, deviation in found.statistics:
        if 0 < len(mean) <= 4:
            lines.append(
                f"mean {', '.join(f'{value:.4f}' for value in mean)}, deviation "
                f"{', '.join(f'{value:.4f}' for value in deviation)}"
            )
    lines += [
        f"{count:,} of {split} are in train as well" if split != "train" else f"{count:,} are twice in train"
        for split, count in found.repeated.items() if count
    ]  # fmt: skip
    if data.skipped:
        lines.append(f"{len(data.skipped):,} files can't be read, the first: {data.skipped[0].splitlines()[0]}")
    return lines


COMMANDS = {"data": Command("tell what a data set holds, and draw samples of it", options_of, run)}
