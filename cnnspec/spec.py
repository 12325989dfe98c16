"""Specs in Python: `load` and `loads` check a text and give a `Spec`, which compiles to torch.

Nothing here imports torch before `Spec.compile` is called.
"""

from __future__ import annotations

import os

from cnnspec.diagnostics import Diagnostic, Sink, codes
from cnnspec.diagnostics.render import render_all
from cnnspec.diagnostics.suggestions import listing
from cnnspec.files import split_model
from cnnspec.graph.nodes import Graph
from cnnspec.pipeline import check
from cnnspec.source import Source, Span
from cnnspec.syntax.read import read_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any, Protocol

    import torch
    from torch import nn

    from cnnspec.backends.summary_page import Summary

    class Readable(Protocol):
        def read(self) -> str | bytes: ...


class SpecError(ValueError):
    """A spec has mistakes. The text of the error shows them as `cnnspec check` does; `diagnostics` holds them."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("\n" + render_all(diagnostics))
        self.diagnostics = diagnostics

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback."""
        return [render_all(self.diagnostics, color=not os.environ.get("NO_COLOR"))]


class Spec:
    """A network that has been checked.

    `declared` holds the shape of every value, in which sizes may have names; `warnings` what is legal and hardly meant.
    """

    def __init__(self, graph: Graph, warnings: list[Diagnostic]) -> None:
        self.declared = graph
        self.warnings = warnings
        self._numbers: Graph | None = None

    def __repr__(self) -> str:
        shapes = f"{self.declared.takes} -> {self.declared.output or ()}"
        return f"<Spec {self.declared.name}: {shapes}, {self.parameters:,} parameters>"

    @property
    def graph(self) -> Graph:
        """The shape of every value in numbers: of sizes by name, at the smallest that are admitted."""
        if self._numbers is None:
            self._numbers = self.declared.numbers
        return self._numbers

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.declared.name

    @property
    def input(self) -> tuple[int, ...]:
        """Shape of the input without the batch; of several inputs, a tuple with the shape of each.

        Sizes by name are the smallest that are admitted; `load(..., H=224)` gives others.
        """
        return self.graph.takes

    @property
    def output(self) -> tuple[int, ...]:
        """Shape of the output without the batch; of several outputs, a tuple with the shape of each."""
        return self.graph.output or ()

    @property
    def parameters(self) -> int:
        """Number of learnable values."""
        return self.declared.parameters

    def compile(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> nn.Sequential:
        """The network as a `torch.nn.Sequential` with freshly initialised weights.

        Children, state-dict keys and defaults are those of a Sequential written by hand: children without a name are
        numbered, those with `as name` carry it, and a block is a Sequential of its own. Raises ModuleNotFoundError where
        torch is not installed.
        """
        try:
            from cnnspec.backends.torch_module import build
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise ModuleNotFoundError("compiling needs PyTorch: pip install 'cnnspec[torch]'", name="torch") from None
        return build(self.declared, device=device, dtype=dtype)

    def draw(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        style: str = "blocks",
        depth: int | None = None,
        open: Collection[str] = (),
        only: str = "",
        scheme: str = "auto",
    ) -> str:
        """The network as SVG: values as volumes with `style="blocks"`, layers as boxes with "stack".

        `depth` opens all blocks that are less deep, `open` those with these keys, `only` draws one module alone. With
        `path`, the picture is written there, as its ending says: .svg, .png, .mmd (Mermaid) or .txt. Raises UsageError for a
        key that no module has and where a PNG can't be made, OSError where the file can't be written. Sizes by name are
        typical ones.

        >>> import cnnspec
        >>> cnnspec.load("specs/lenet.cnn").draw()[:4]
        '<svg'
        """
        from cnnspec.backends.draw.picture import draw, form_of

        def picture(form: str) -> str | bytes:
            return draw(self.declared, form, style=style, depth=depth, wanted=open, only=only, scheme=scheme)

        if path is not None:
            from cnnspec.files import write_atomic

            write_atomic(path, picture(form_of(os.fspath(path))))
        return str(picture("svg"))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: picture and table, the picture alone where no HTML can be shown, or a line of text."""
        from cnnspec.backends.notebook import html_of

        return {"text/plain": repr(self), "text/html": html_of(self.declared), "image/svg+xml": self.draw()}

    def summary(self, batch: int = 1, *, dtype: str = "float32", optimizer: str | None = None) -> Summary:
        """What the network costs: a text that a notebook shows as a table.

        Per module its output shape, parameters, multiply-accumulates, receptive field. With `optimizer` ("SGD", "momentum",
        "Adam", "AdamW") the memory of a training step of `batch` samples, too.
        """
        from cnnspec.backends.summary_page import summary_of

        return summary_of(self.graph, batch, dtype, optimizer)


class ImportedSpec(Spec):
    """A network that was imported: `text` is its spec, `keys` the map from the keys of its modules and weights to those of
    the source."""

    def __init__(self, graph: Graph, text: str, keys: Mapping[str, str]) -> None:
        super().__init__(graph, [])
        self.text, self.keys = text, keys

    def carry(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """A state dict of the source under the keys of this spec, for `compile().load_state_dict`.

        Raises KeyError for a weight that it has not.
        """
        from cnnspec.graph.state import state_of

        known = dict(self.keys)
        found = {}
        for key, shape in state_of(self.graph.root).items():
            own = key
            while own not in known:
                own = own.rpartition(".")[0]
            found[key] = state[known[own] + key[len(own) :]].reshape(shape)
        return found


def from_torch(
    net: nn.Module, input_shape: tuple[int, ...] | tuple[tuple[int, ...], ...], *, mode: str | None = None
) -> ImportedSpec:
    """The spec of a live module, by torch.fx, for an input of a shape without the batch, or for several.

    With the weights carried over, it gives the same outputs. `mode`, "eval" or "train", says what is meant where the module
    does something else in training. Raises SpecError with the list of places for what a spec can't say.
    """
    from cnnspec.importers.live import import_live

    shapes = input_shape if isinstance(input_shape[0], tuple) else (input_shape,)
    sink = Sink()
    found = import_live(net, shapes, sink, mode)
    if found is None or sink.has_errors:
        raise SpecError([one for one in sink.diagnostics if one.severity == "error"])
    return ImportedSpec(found.graph, found.text, found.keys)


def load(path_or_file: str | os.PathLike[str] | Readable, model: str | None = None, **parameters: Any) -> Spec:
    """Read and check a spec from a path, `path.cnn:Model`, or an open file.

    `parameters` override the defaults of the model's parameters. Raises SpecError for a spec with mistakes, OSError for a
    file that can't be read, TypeError for a parameter value that a spec can't hold.

    >>> import cnnspec
    >>> cnnspec.load("specs/lenet.cnn", num_classes=26).output
    (26,)
    """
    sink = Sink()
    if isinstance(path_or_file, (str, os.PathLike)):
        path, selected = split_model(os.fspath(path_or_file))
        return _spec(read_source(path, sink), model or selected, parameters, sink)
    from cnnspec.syntax.read import decode

    if not hasattr(path_or_file, "read"):
        raise TypeError(f"load takes a path or an open file, not {path_or_file!r}; loads takes the text itself")
    content = path_or_file.read()
    name = str(getattr(path_or_file, "name", "<file>"))
    source = decode(content, name, sink) if isinstance(content, bytes) else Source(name, content)
    return _spec(source, model, parameters, sink)


def loads(text: str, model: str | None = None, **parameters: Any) -> Spec:
    """Check a spec that is given as text; its imports are relative to the current folder. Otherwise as `load`.

    >>> import cnnspec
    >>> cnnspec.loads("model Tiny { input [784]; Linear(10) }").parameters
    7850
    """
    if not isinstance(text, str):
        raise TypeError(f"loads takes text, not {text!r}; load takes a path or an open file")
    return _spec(Source("<text>", text), model, parameters, Sink())


def _spec(source: Source, model: str | None, parameters: dict[str, Any], sink: Sink) -> Spec:
    for name, value in parameters.items():
        if not _can_hold(value):
            raise TypeError(
                f"{name} can't be {value!r}: a spec holds numbers, strings, booleans, None, lists and tuples"
            )
    graph = the_only(source, model, parameters, sink)
    if graph is None or sink.has_errors:
        raise SpecError([found for found in sink.diagnostics if found.severity == "error"])
    return Spec(graph, sink.diagnostics)


def the_only(
    source: Source, model: str | None, parameters: dict[str, Any], sink: Sink, *, fixes: bool = False
) -> Graph | None:
    """The graph of the model that is asked for, or of the only one; reports where there is none or several."""
    graphs = check(source, sink, model=model, parameters=parameters, fixes=fixes)
    if len(graphs) > 1:
        names = listing(graph.name for graph in graphs)
        sink.report(codes.SEVERAL_MODELS, Span(source, 0, 0), known=f"choose one of {names}")
    if not graphs and not sink.has_errors:
        sink.report(codes.NO_MODEL, Span(source, 0, 0))
    return graphs[0] if len(graphs) == 1 else None


def _can_hold(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_can_hold, value))
    return value is None or value.__class__ in (int, float, bool, str)
