"""A node of ONNX with its values, and the table of what each operator does as a line of PyTorch."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    Array = np.ndarray[Any, Any]
    Rule = Callable[["Node"], list["Value"]]

    class Reader(Protocol):
        batch: int

        def value(self, name: str) -> Value: ...
        def module(self, made: str, arrays: Mapping[str, Array]) -> str: ...
        def parameter(self, array: Array) -> str: ...
        def rank(self, name: str) -> int: ...
        def bias_behind(self, product: NodeProto, count: int) -> Array | None: ...


class Unread(Exception):
    """What is not read of a node."""


@record
class Value:
    """A value of the graph: an expression of Python, or an array that the file holds; neither for one that is left out."""

    text: str = ""
    array: Array | None = None
    is_list: bool = False
    """Whether the expression is a list of sizes."""

    @property
    def said(self) -> str:
        """The value in an expression."""
        if self.text:
            return self.text
        if self.array is None:
            raise Unread("a value that is left out")
        if self.array.size == 1:
            return repr(self.array.reshape(-1)[0].item())
        raise Unread("a constant of several numbers")


class Node:
    """A node with its values and attributes."""

    def __init__(self, reader: Reader, node: NodeProto) -> None:
        self.reader, self.proto = reader, node
        self.attributes: dict[str, Any] = {one.name: helper.get_attribute_value(one) for one in node.attribute}

    def get(self, name: str, default: Any = None) -> Any:
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def value(self, number: int) -> Value:
        names = self.proto.input
        return self.reader.value(names[number]) if number < len(names) and names[number] else Value()

    @property
    def rank(self) -> int:
        """How many dimensions the first value has behind batch and channels; a batch of vectors counts as one of rows."""
        return max(1, self.reader.rank(self.proto.input[0]) - 2)

    def tensor(self, number: int = 0) -> str:
        """A value that the network works out."""
        value = self.value(number)
        if not value.text or value.is_list:
            raise Unread("a constant that something is worked out from")
        return value.text

    def array(self, number: int) -> Array:
        """A value that the file holds."""
        found = self.value(number).array
        if found is None:
            raise Unread(f"weights or arguments of `{self.proto.op_type}` that the network works out")
        return found

    def numbers(self, number: int, name: str = "") -> list[int] | None:
        """Whole numbers that an input holds, or an attribute; None where they are left out."""
        value = self.value(number)
        if value.array is not None:
            return [int(one) for one in value.array.reshape(-1)]
        if value.text:
            raise Unread(f"arguments of `{self.proto.op_type}` that the network works out")
        given = self.get(name) if name else None
        return None if given is None else [int(one) for one in given]

    def module(self, made: str, arrays: Mapping[str, Array], x: str) -> list[Value]:
        name = self.reader.module(made, arrays)
        return [Value(text=f"self.get_submodule({name!r})({x})")]


NODES: dict[str, Rule] = {}


def node(*names: str) -> Callable[[Rule], Rule]:
    """Register a function as the reading of these operators."""

    def register(rule: Rule) -> Rule:
        NODES.update(dict.fromkeys(names, rule))
        return rule

    return register


def said(text: str) -> list[Value]:
    return [Value(text=text)]


def per_axis(numbers: list[int] | tuple[int, ...]) -> str:
    """Numbers of the axes, as one where they are equal."""
    return repr(numbers[0] if len(set(numbers)) == 1 else tuple(numbers))


def real(value: float) -> str:
    """A float32 as a person writes it."""
    return repr(float(f"{value:.7g}"))


def padded(at: Node, rank: int, fill: str = "") -> tuple[str, list[int]]:
    """What arrives, padded before where the padding differs at both ends, and the padding that is left for the layer."""
    pads = list(at.get("pads", [0] * 2 * rank))
    if at.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise Unread("padding that depends on the size (auto_pad)")
    if pads[:rank] == pads[rank:]:
        return at.tensor(), pads[:rank]
    flat = [pads[axis + end * rank] for axis in reversed(range(rank)) for end in (0, 1)]
    return f"F.pad({at.tensor()}, {tuple(flat)}{fill})", [0] * rank
