"""What a trained net is worth, and what it says about new inputs: `evaluate` and `predict`, for a run or its folder."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from cnnspec.errors import TrainError
from cnnspec.training.data.images import read_picture
from cnnspec.training.data.several import Several, arranged, parts_of, run, shape_of, shapes_of
from cnnspec.training.device import layout_of
from cnnspec.training.distributed import Group
from cnnspec.training.measure import examples, measure
from cnnspec.training.metrics.choose import BY_CLASS
from cnnspec.training.plan import listed
from cnnspec.training.report.task_pictures import draw_task
from cnnspec.training.restore import open_model
from cnnspec.training.results import Evaluation, Model, Prediction, evaluation_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypeAlias

    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data
    from cnnspec.training.data.several import Shapes, Values
    from cnnspec.training.results import Run

    Inputs: TypeAlias = Tensor | str | os.PathLike[str] | Sequence[str | Path] | Sequence[Tensor]

__all__ = ["Evaluation", "Prediction", "evaluate", "open_model", "predict"]


def evaluate(
    run_or_path: Run | str | os.PathLike[str], data: Data | None = None, *, spec: Spec | None = None,
    which: str = "best", device: str = "auto", batch: int = 256,
) -> Evaluation:  # fmt: skip
    """Loss and metrics of a run on the test split of `data`, by default that of its recipe.

    `which` is `best` or `last` weights; a path is a run folder or a checkpoint. The spec is the one in the checkpoint unless
    `spec` is given. Raises CheckpointError for a checkpoint that can't be read or does not fit, TrainError for data of
    another shape or number of classes.
    """
    return evaluate_model(open_model(run_or_path, spec=spec, which=which, device=device), data, batch=batch)


def evaluate_model(model: Model, data: Data | None = None, *, batch: int = 256) -> Evaluation:
    """The same for a model that is open."""
    found = data if data is not None else data_of(model)
    check_shape(found.shape, model)
    if model.task.kind in BY_CLASS and len(found.classes) != len(model.classes):
        raise TrainError(f"the data has {len(found.classes)} classes, the model was trained on {len(model.classes)}")
    split = found.test if found.test is not None else found.train
    layout = layout_of(model.device, _shapes(model)[0])
    measured = measure(
        model.net, split.batches(torch.arange(len(split)), batch), model.prepare, model.task,
        device=model.device, group=Group(), layout=layout,
    )  # fmt: skip

    def pictures() -> dict[str, str]:
        seen = examples(model.net, split, model.prepare, device=model.device, layout=layout)
        try:
            return draw_task(model.name, model.task, *seen)
        except ImportError:  # Pillow makes the images.
            return {}

    return evaluation_of(model, measured, pictures)


def predict(
    run_or_path: Run | Model | str | os.PathLike[str], inputs: Inputs, *,
    spec: Spec | None = None, which: str = "best", device: str = "auto", top: int = 3, batch: int = 256,
) -> list[Prediction]:  # fmt: skip
    """What a run says about inputs: for each its class and the `top` most probable, or its values.

    `inputs` are the path of a picture, paths of several, or one tensor as the data had it, for images uint8 [n, channels,
    height, width]; for a model of several inputs a tuple of tensors. Pictures are scaled to cover the size that the model
    takes, and their middle is cut out.

    Raises CheckpointError as `evaluate`, TrainError for inputs of another type or shape than the model takes and for
    pictures that can't be read.
    """
    model = run_or_path
    if not isinstance(model, Model):
        model = open_model(model, spec=spec, which=which, device=device)
    given = _given(inputs, model)
    types = tuple(str(part.dtype).removeprefix("torch.") for part in parts_of(given))
    if types != model.dtypes or any(part.dim() != len(one) + 1 for part, one in zip(parts_of(given), _shapes(model))):
        found_ones = " and ".join(f"{kind} {list(part.shape)}" for kind, part in zip(types, parts_of(given)))
        raise TrainError(f"predict takes paths of pictures or {_wanted(model)}, not {found_ones}")
    check_shape(shape_of(given), model)
    found: list[Prediction] = []
    for outputs in outputs_of(model, given, batch):
        found += model.task.told(outputs, top)
    return found


def _given(inputs: Any, model: Model) -> Values:
    if isinstance(inputs, Tensor):
        return inputs
    if isinstance(inputs, tuple | list) and inputs and all(isinstance(one, Tensor) for one in inputs):
        return Several(inputs)
    return read_inputs(inputs, model)


def _shapes(model: Model) -> list[tuple[int, ...]]:
    return shapes_of(model.shape)


def _wanted(model: Model) -> str:
    """The tensors that a model takes, in words."""
    each = [f"{kind} tensor [{', '.join(map(str, ('n', *one)))}]" for kind, one in zip(model.dtypes, _shapes(model))]
    return f"one {each[0]}" if len(each) == 1 else f"a tuple of one {' and one '.join(each)}"


def read_inputs(paths: str | os.PathLike[str] | Sequence[str | Path], model: Model) -> Tensor:
    """Pictures as one uint8 tensor of the shape that the model takes."""
    listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not listed or model.picture is None:
        raise TrainError("predict takes paths of pictures" if model.picture else "the model takes no pictures")
    channels, height, width = model.picture
    return torch.stack([read_picture(path, channels, (height, width)) for path in listed])


@torch.no_grad()
def outputs_of(model: Model, inputs: Values, batch: int) -> Iterable[Values]:
    """What the net gives, a batch at a time."""
    mode = model.net.training
    model.net.eval()
    try:
        for part in inputs.split(batch):
            ready = model.prepare.inputs(part.to(model.device))
            yield run(model.net, arranged(ready, layout_of(model.device, parts_of(ready)[0].shape[1:])))
    finally:
        model.net.train(mode)


def check_shape(shape: Shapes, model: Model) -> None:
    """Raise TrainError where inputs are not of the shape that the model was trained on."""
    if tuple(shape) != model.shape:
        raise TrainError(f"the images are {listed(shape)}, the model was trained on {listed(model.shape)}")


def data_of(model: Model) -> Data:
    """The data that a model was trained on, loaded where it is only declared."""
    from cnnspec.recipe.datasets import DataSet
    from cnnspec.training.data.load import load_data

    if isinstance(model.data, DataSet):
        return load_data(model.data, path=model.path, skip_broken=model.skip_broken)
    return model.data
