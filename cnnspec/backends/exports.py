"""What a graph can be written as: the formats, by name and by the suffix of a file."""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from cnnspec.graph.nodes import Graph


@record
class Format:
    """A format: its name for `--to`, the ending of its files, what it is, and what makes the bytes.

    `write` is given the graph, and the network with its weights where the format `holds_weights`.
    """

    name: str
    suffix: str
    about: str
    write: Callable[..., bytes]
    holds_weights: bool = False


def _python(graph: Graph) -> bytes:
    from cnnspec.backends.python_source import source_of

    return source_of(graph).encode()


def _json(graph: Graph) -> bytes:
    from cnnspec.backends.graph_document import document_of

    return document_of(graph).encode()


def _onnx(graph: Graph, net: nn.Module) -> bytes:
    from cnnspec.backends.onnx import onnx_of

    return onnx_of(graph, {key: value.numpy() for key, value in net.state_dict().items()})


def _pt2(graph: Graph, net: nn.Module) -> bytes:
    from cnnspec.backends.torch_files import exported_program

    return exported_program(graph, net)


def _safetensors(graph: Graph, net: nn.Module) -> bytes:
    from cnnspec.backends.torch_files import safetensors_of

    return safetensors_of(graph, net)


_ALL = (
    Format("py", ".py", "Python that needs torch alone", _python),
    Format("json", ".json", "the graph as JSON, which cnnspec reads back", _json),
    Format("onnx", ".onnx", "ONNX, with weights", _onnx, True),
    Format("pt2", ".pt2", "a program of torch.export, with weights", _pt2, True),
    Format("safetensors", ".safetensors", "weights, with the spec beside them", _safetensors, True),
)
FORMATS = {found.name: found for found in _ALL}


def format_of(path: str) -> Format | None:
    """The format of a file, by the ending of its name."""
    return next((found for found in FORMATS.values() if path.endswith(found.suffix)), None)


MARK = b"cnnspec"


def is_ours(content: bytes) -> bool:
    """Whether a file was written here: all formats name their writer near the beginning or the end."""
    return MARK in content
