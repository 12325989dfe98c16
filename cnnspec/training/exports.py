"""A trained net as a file for others: what prepares its inputs is inside, the names of its classes beside the weights.

An exported net takes images as they are stored, uint8 [n, channels, height, width] of the size that reaches the net, or the
numbers that it was trained on, and gives what the net gives. It is compared with the run on samples of its data.
"""

from __future__ import annotations

import io

import torch
from torch import Tensor, nn

from cnnspec._version import __version__
from cnnspec.backends.exports import MARK
from cnnspec.errors import TrainError
from cnnspec.record import record
from cnnspec.training.augment.pipeline import Pipeline
from cnnspec.training.data.several import Several, parts_of, run, shapes_of
from cnnspec.training.evaluate import data_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cnnspec.graph.nodes import Graph
    from cnnspec.training.results import Model

FORMATS = ("onnx", "pt2", "safetensors")
_DTYPES = {"uint8": torch.uint8, "int64": torch.int64, "float32": torch.float32}
SAMPLES = 8
"""Samples of the data on which a file is compared with the run."""


@record
class Exported:
    """A file, and how far what it gives is from what the run gives: None where nothing could be compared.

    `samples` of the data were compared, 0 where the data is not here and drawn inputs were taken.
    """

    content: bytes
    difference: float | None
    samples: int


class Prepared(nn.Module):
    """A net behind the preparation of its inputs: of each, what is taken away and by what is divided; None for neither."""

    def __init__(self, net: nn.Module, constants: Sequence[tuple[Tensor, Tensor] | None]) -> None:
        super().__init__()
        self.net, self.prepared = net, [pair is not None for pair in constants]
        for index, pair in enumerate(constants):
            if pair is not None:
                self.register_buffer(f"mean{index}", pair[0])
                self.register_buffer(f"scale{index}", pair[1])

    def forward(self, *inputs: Tensor) -> Any:
        ready = [
            (one.float() - getattr(self, f"mean{index}")) / getattr(self, f"scale{index}") if prepared else one
            for index, (one, prepared) in enumerate(zip(inputs, self.prepared))
        ]
        return self.net(*ready)


def constants_of(model: Model) -> list[tuple[Tensor, Tensor] | None]:
    """Of each input, what its preparation subtracts and divides by, as tensors [channels, 1, ...]; None for tokens."""
    found: list[tuple[Tensor, Tensor] | None] = []
    for pipeline, shape, dtype in zip(model.prepare.pipelines, shapes_of(model.shape), model.dtypes):
        if isinstance(pipeline, Pipeline):
            mean, deviation = pipeline.constants
            pair = (torch.tensor(mean) * 255, torch.tensor(deviation) * 255)
        elif pipeline.statistics is None:
            found.append(None if dtype != "uint8" else (torch.zeros(1), torch.ones(1)))
            continue
        else:
            pair = (torch.tensor(pipeline.statistics[0]), torch.tensor(pipeline.statistics[1]))
        found.append(tuple(value.view(-1, *(1,) * (len(shape) - 1)) for value in pair))  # type: ignore[arg-type]
    return found


def export_run(model: Model, graph: Graph, kind: str) -> Exported:
    """The best weights of a run as a file of a kind of `FORMATS`. Raises TrainError where they differ from the run."""
    net = model.net.cpu().eval()
    constants = constants_of(model)
    if kind == "safetensors":
        return Exported(_safetensors(model, graph, constants), None, 0)
    samples, real = _samples(model)
    content = _onnx(model, graph, constants) if kind == "onnx" else _program(net, model, constants, samples)
    with torch.no_grad():
        expected = run(net, model.prepare.inputs(samples))
    moved = [_moved(one, part) for one, part in zip(model.prepare.pipelines, parts_of(samples))]
    given = _run_onnx(content, moved) if kind == "onnx" else _run_program(content, moved)
    if given is None:
        return Exported(content, None, 0)
    pairs = list(zip(parts_of(expected), given))
    difference = max(float((one - other).abs().max()) for one, other in pairs)
    size = max(float(one.abs().max()) for one, _ in pairs)
    if not difference <= 1e-3 * max(1.0, size):
        raise TrainError(f"the exported net differs from the run by {difference:.3g}: nothing was written")
    return Exported(content, difference, len(samples) if real else 0)


def _samples(model: Model) -> tuple[Any, bool]:
    """Some samples of the data of a run, or drawn ones where it is not here; whether they are real."""
    try:
        data = data_of(model)
    except TrainError:
        drawn = [
            torch.randint(256 if dtype == "uint8" else 2, (SAMPLES, *shape)).to(_DTYPES[dtype])
            for shape, dtype in zip(shapes_of(model.shape), model.dtypes)
        ]
        return (drawn[0] if len(drawn) == 1 else Several(drawn)), False
    split = data.test if data.test is not None and len(data.test) else data.train
    return next(iter(split.batches(torch.arange(min(SAMPLES, len(split))), SAMPLES)))[0], True


def _moved(pipeline: Any, part: Tensor) -> Tensor:
    """Images of the size that reaches the net."""
    return pipeline.moved(part) if isinstance(pipeline, Pipeline) else part


def _about(model: Model, graph: Graph) -> dict[str, str]:
    return {
        "cnnspec": __version__, "model": graph.name, "task": model.task.name, "classes": "\n".join(model.classes),
        "spec": graph.source.text,
    }  # fmt: skip


def _onnx(model: Model, graph: Graph, constants: Sequence[tuple[Tensor, Tensor] | None]) -> bytes:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from cnnspec.backends.onnx import onnx_of

    state = {key: value.cpu().numpy() for key, value in model.net.state_dict().items()}
    found = onnx.load_from_string(onnx_of(graph, state))
    nodes = []
    inputs = [one for one in found.graph.input if one.name not in {own.name for own in found.graph.initializer}]
    for given, pair, dtype in zip(inputs, constants, model.dtypes):
        if pair is None:
            continue
        names = [f"{given.name}/{step}" for step in ("float", "centred", "ready", "mean", "scale")]
        for node in found.graph.node:
            node.input[:] = [names[2] if name == given.name else name for name in node.input]
        if dtype == "uint8":
            given.type.tensor_type.elem_type = TensorProto.UINT8
        found.graph.initializer.extend(
            numpy_helper.from_array(value[None].numpy(), name) for value, name in zip(pair, names[3:])
        )
        nodes += [
            helper.make_node("Cast", [given.name], [names[0]], to=TensorProto.FLOAT),
            helper.make_node("Sub", [names[0], names[3]], [names[1]]),
            helper.make_node("Div", [names[1], names[4]], [names[2]]),
        ]
    for node in reversed(nodes):
        found.graph.node.insert(0, node)
    helper.set_model_props(found, _about(model, graph))
    onnx.checker.check_model(found)
    content: bytes = found.SerializeToString()
    return content


def _run_onnx(content: bytes, inputs: Sequence[Tensor]) -> list[Tensor] | None:
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    named = {one.name: values.numpy() for one, values in zip(session.get_inputs(), inputs)}
    return [torch.from_numpy(values) for values in session.run(None, named)]


def _program(net: nn.Module, model: Model, constants: Sequence[tuple[Tensor, Tensor] | None], samples: Any) -> bytes:
    batch = torch.export.Dim("batch", min=1)
    examples = tuple(
        _moved(pipeline, part[:1].repeat(2, *(1,) * (part.dim() - 1)))
        for pipeline, part in zip(model.prepare.pipelines, parts_of(samples))
    )
    program = torch.export.export(
        Prepared(net, constants).eval(), examples, dynamic_shapes=(tuple({0: batch} for _ in examples),)
    )
    file = io.BytesIO()
    extra = {f"{MARK.decode()}.txt": f"{model.name}\n{model.task.name}\n", "classes.txt": "\n".join(model.classes)}
    torch.export.save(program, file, extra_files=extra)
    return file.getvalue()


def _run_program(content: bytes, inputs: Sequence[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        return list(parts_of(run(torch.export.load(io.BytesIO(content)).module(), Several(inputs))))


def _safetensors(model: Model, graph: Graph, constants: Sequence[tuple[Tensor, Tensor] | None]) -> bytes:
    from safetensors.torch import save

    state = {key: value.detach().cpu().contiguous().clone() for key, value in model.net.state_dict().items()}
    told = [[values.flatten().tolist() for values in pair] if pair is not None else None for pair in constants]
    return save(state, metadata=_about(model, graph) | {"mean and divisor of inputs": repr(told)})
