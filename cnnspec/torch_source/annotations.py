"""Shapes that type hints of jaxtyping state: `x: Float[Tensor, "batch 3 height width"]`, checked where a function is called.

A number has to be the size, a name stands for one size in the whole call, `...` and `*names` for any dimensions, `_` for any
size. What is calculated in a hint is not looked at.
"""

from __future__ import annotations

import ast

from cnnspec.diagnostics import codes
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.values import Function, Tensor, show_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 200


class Stated:
    """The sizes that names of one call stand for."""

    def __init__(self, m: Machine, function: Function) -> None:
        self.m, self.function = m, function
        self.sizes: dict[str, int] = {}

    def arguments(self, values: Mapping[str, object]) -> None:
        """Compare the arguments of a call with their hints."""
        spec = self.function.node.args
        for one in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
            value = values.get(one.arg)
            if one.annotation is not None and isinstance(value, Tensor):
                self._compare(one.annotation, value, f"`{one.arg}`")

    def result(self, value: object) -> None:
        """Compare what a call gives with the hint behind the arrow."""
        hint = getattr(self.function.node, "returns", None)
        if isinstance(hint, ast.expr) and isinstance(value, Tensor):
            self._compare(hint, value, f"what `{self.function.name}` returns")

    def _compare(self, hint: ast.expr, value: Tensor, what: str) -> None:
        words = _words(hint)
        if words is None or self._fits(words, value.shape):
            return
        place = Place(self.m.script_of(self.function.scope), hint)
        stated = " ".join(words)
        self.m.sink.report(
            codes.SHAPE_STATED, place.span, what=what, found=show_shape(value.shape), stated=f"[{stated}]"
        )

    def _fits(self, words: list[str], shape: tuple[int, ...]) -> bool:
        open_ended = [number for number, word in enumerate(words) if word == "..." or word.startswith("*")]
        if len(open_ended) > 1:
            return True
        if open_ended:
            first = open_ended[0]
            behind = len(words) - first - 1
            if len(shape) < len(words) - 1:
                return False
            pairs = [*zip(words[:first], shape), *zip(words[first + 1 :], shape[len(shape) - behind :])]
        elif len(words) != len(shape):
            return False
        else:
            pairs = list(zip(words, shape))
        return all(self._is(word, size) for word, size in pairs)

    def _is(self, word: str, size: int) -> bool:
        name = word.lstrip("#?").partition("=")[2] or word.lstrip("#?")
        if word.startswith("#") and size == 1:
            return True
        if name.isdigit():
            return int(name) == size
        return not name.isidentifier() or name.startswith("_") or self.sizes.setdefault(name, size) == size


def _words(hint: ast.expr) -> list[str] | None:
    """The words of a hint such as Float[Tensor, "batch 3"]; None for any other."""
    if not isinstance(hint, ast.Subscript) or not isinstance(hint.slice, ast.Tuple) or len(hint.slice.elts) != 2:
        return None
    text = hint.slice.elts[1]
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str) or len(text.value) > _LONGEST:
        return None
    return text.value.split()
