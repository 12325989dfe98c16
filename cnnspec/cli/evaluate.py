"""`cnnspec evaluate` and `cnnspec predict`. Torch is imported when one of them runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cnnspec.cli.common import FINDINGS, OK, USAGE, Command, UsageError, complain
from cnnspec.cli.train import add_device, needs_torch, positive
from cnnspec.errors import Unreadable
from cnnspec.files import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from cnnspec.training.data.archives import DataError
    from cnnspec.training.report.contact_sheet import Tile
    from cnnspec.training.results import Model, Prediction


def _evaluate_options(parser: ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="a run's folder, or a checkpoint")
    parser.add_argument("--data", metavar="PATH", help="other data; where it is not divided, all of it is taken")
    parser.add_argument("--last", action="store_true", help="the last weights instead of the best")
    parser.add_argument("--skip-broken", action="store_true", help="leave out images that can't be read")
    add_device(parser)


def _predict_options(parser: ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="a run's folder, or a checkpoint")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image files, or folders of them")
    parser.add_argument("--top", type=positive, default=3, metavar="N", help="classes to name for each image")
    parser.add_argument("--format", choices=("text", "csv", "json"), default="text", help="json is a line an image")
    parser.add_argument("--sheet", metavar="FILE", help="draw the images with their labels into an SVG file")
    parser.add_argument("--out", metavar="FOLDER", help="where masks or images that the net gives are written, as PNG")
    parser.add_argument("--batch", type=positive, default=64, metavar="N", help="images that are read at a time")
    parser.add_argument("--skip-broken", action="store_true", help="images that can't be read are no failure")
    parser.add_argument("--last", action="store_true", help="the last weights instead of the best")
    add_device(parser)


def _evaluate(options: Namespace) -> int:
    needs_torch("evaluation")
    from cnnspec.cli.overrides import own_files
    from cnnspec.recipe.datasets import DataSet
    from cnnspec.training.data.load import load_data
    from cnnspec.training.evaluate import data_of, evaluate_model, open_model
    from cnnspec.training.report.confusion import confusion_table, draw_confusion

    model = open_model(options.run_folder, which="last" if options.last else "best", device=options.device)
    if options.data is None:
        data = data_of(model)
    else:
        skip = options.skip_broken or model.skip_broken
        assert isinstance(model.data, DataSet)
        declared = own_files(options.data, model.picture) if model.data.packed else model.data
        data = load_data(declared, path=options.data, skip_broken=skip, whole=True, classes=model.classes)
    found = evaluate_model(model, data)
    told = "".join(f", {name} {value:.3f}" for name, value in found.metrics.items())
    print(f"{found.images:,} images of {data.name} from {data.origin}: loss {found.loss:.4f}{told}")
    if data.skipped:
        print(f"left out, {len(data.skipped):,} in all, the first: {data.skipped[0].splitlines()[0]}")
    if found.confusion is not None:
        counts = found.confusion.tolist()
        print(f"\n{confusion_table(counts, found.classes)}")
        folder = Path(options.run_folder)
        if folder.is_dir():
            write_atomic(folder / "evaluation.svg", draw_confusion(model.name, counts, found.classes))
            print(f"\ndrawn in {folder / 'evaluation.svg'}")
    return 0


def _predict(options: Namespace) -> int:
    needs_torch("prediction")
    from cnnspec.training.evaluate import open_model, predict

    model = open_model(options.run_folder, which="last" if options.last else "best", device=options.device)
    if options.format == "csv":
        print("file,label,probability")
    tiles: list[Tile] = []
    failed: list[DataError] = []
    read = 0
    for paths, images, broken in _batches(list(_image_files(options.images)), model, options.batch):
        failed += broken
        read += len(paths)
        if options.out and paths:
            _write_images(Path(options.out), paths, images, model)
        for path, image, prediction in zip(paths, images, predict(model, images, top=options.top) if paths else ()):
            print(_line(path, prediction, options.format))
            if options.sheet:
                tiles.append(_tile(path, image, prediction, model.classes))
    if options.sheet and tiles:
        from cnnspec.training.report.contact_sheet import draw_sheet

        write_atomic(options.sheet, draw_sheet(f"{model.name}: predictions", tiles))
        print(f"drawn in {options.sheet}", file=sys.stderr)
    if failed:
        complain(f"{len(failed):,} of {len(failed) + read:,} images can't be read")
    if not failed or (options.skip_broken and read):
        return OK
    return USAGE if any(isinstance(error, Unreadable) for error in failed) else FINDINGS


def _write_images(folder: Path, paths: Sequence[Path], images: Tensor, model: Model) -> None:
    """What the net gives for pictures, where that is images: masks as grey values by class, images as they are."""
    from cnnspec.recipe.tasks import IMAGE_TO_IMAGE, SEGMENTATION
    from cnnspec.training.data.several import parts_of
    from cnnspec.training.evaluate import outputs_of
    from cnnspec.training.metrics.classification import chosen
    from cnnspec.training.report.contact_sheet import png
    from cnnspec.training.report.task_pictures import picture_of

    if model.task.kind not in (SEGMENTATION, IMAGE_TO_IMAGE):
        raise UsageError(f"--out is for nets that give images, and this one is for {model.task.name}")
    folder.mkdir(parents=True, exist_ok=True)
    (outputs,) = outputs_of(model, images, len(images))
    for path, output in zip(paths, parts_of(outputs)[0].cpu()):
        if model.task.kind == SEGMENTATION:
            step = 255 // max(1, len(model.classes) - 1)
            output = (chosen(output[None], model.task.criterion) * step).byte()
        write_atomic(folder / f"{path.stem}.png", png(picture_of(output)))


def _batches(paths: Sequence[Path], model: Model, size: int) -> Iterator[tuple[list[Path], Tensor, list[DataError]]]:
    """Pictures in batches, and why others of each can't be read: that is told."""
    import torch

    from cnnspec.training.data.archives import DataError
    from cnnspec.training.data.images import pillow, read_picture

    pillow()
    if model.picture is None:
        raise UsageError(f"predict reads pictures, and this model takes inputs of {list(model.shape)}")
    channels, height, width = model.picture
    for start in range(0, len(paths), size):
        part = paths[start : start + size]
        kept, images, broken = [], [], []
        for path in part:
            try:
                images.append(read_picture(path, channels, (height, width)))
                kept.append(path)
            except DataError as error:
                complain(str(error).splitlines()[0])
                broken.append(error)
        yield kept, torch.stack(images) if images else torch.empty(0), broken


def _line(path: Path, prediction: Prediction, form: str) -> str:
    import json

    if form == "json":
        return json.dumps({"file": str(path), "label": prediction.label, "top": dict(prediction.top)})
    if form == "csv":
        cells = (str(path), prediction.label)
        return ",".join([*('"' + cell.replace('"', '""') + '"' for cell in cells), f"{prediction.probability:.6f}"])
    return f"{path}  " + ", ".join(f"{label} {value:.3f}" for label, value in prediction.top)


def _tile(path: Path, image: Tensor, prediction: Prediction, classes: Sequence[str]) -> Tile:
    """A picture of the sheet. The folder of a picture is its class where it has the name of one."""
    from cnnspec.training.report.contact_sheet import Picture, Tile

    channels, height, width = image.shape
    picture = Picture(image.permute(1, 2, 0).contiguous().numpy().tobytes(), width, height, channels)
    right = path.parent.name if path.parent.name in classes else None
    return Tile(picture, prediction.label, prediction.probability, right, "/".join(path.parts[-2:]))


def _image_files(names: Sequence[str]) -> Iterator[Path]:
    """The files that are named, and those in folders that are named."""
    from cnnspec.training.data.images import SUFFIXES

    for name in names:
        path = Path(name)
        if os.path.isdir(path):
            inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
            if not inside:
                raise Unreadable(f"there is no image in {name}")
            yield from inside
        else:
            yield path


COMMANDS = {
    "evaluate": Command("loss, metrics and confusion matrix of a run", _evaluate_options, _evaluate, runs_long=True),
    "predict": Command("what a run says about images", _predict_options, _predict, runs_long=True),
}
