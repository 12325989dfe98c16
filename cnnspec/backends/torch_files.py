"""A network as files of torch: a program of torch.export, and weights that say what they are weights of."""

from __future__ import annotations

import io

import torch
from torch import nn

from cnnspec._version import __version__
from cnnspec.graph.digest import digest_of
from cnnspec.graph.nodes import Graph


def exported_program(graph: Graph, net: nn.Module) -> bytes:
    """What `torch.export` makes of a network in evaluation, for any number of samples."""
    graph = graph.numbers
    batch = torch.export.Dim("batch", min=1)
    inputs = tuple(
        torch.zeros(2, *(entry.shape or ()), dtype=torch.int64 if entry.integers else torch.float32)
        for entry in graph.inputs
    )
    # Every input of a network has the same number of samples; the modules take them as `input, *values`.
    shapes = tuple({0: batch} for _ in inputs)
    one = len(inputs) == 1
    program = torch.export.export(net.eval(), inputs, dynamic_shapes=shapes if one else (shapes[0], shapes[1:]))
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={"cnnspec.txt": _about(graph)})
    return file.getvalue()


def safetensors_of(graph: Graph, net: nn.Module) -> bytes:
    """The weights of a network, with the text of its spec and its digest as metadata."""
    from safetensors.torch import save

    state = {key: value.detach().contiguous() for key, value in net.state_dict().items()}
    about = {"cnnspec": __version__, "model": graph.name, "digest": digest_of(graph), "spec": graph.source.text}
    return save(state, metadata=about)


def _about(graph: Graph) -> str:
    return f"cnnspec {__version__} {graph.name} {digest_of(graph)}\n"
