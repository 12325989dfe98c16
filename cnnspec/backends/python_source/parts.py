"""The classes that written Python brings along where torch lacks them: their text, out of our own files."""

from __future__ import annotations

import ast

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

IMPORTS = {
    "OrderedDict": "from collections import OrderedDict",
    "Iterable": "from collections.abc import Iterable",
    "Any": "from typing import Any",
    "torch": "import torch",
    "Tensor": "from torch import Tensor",
    "nn": "from torch import nn",
    "F": "from torch.nn import functional as F",
}
"""What the names that written Python may use are imported with."""


@record
class Part:
    """A class, its text without examples, and the names that it uses."""

    name: str
    text: str
    uses: frozenset[str]


def all_parts() -> dict[str, Part]:
    """The classes by their names; of two of one name that which is written for this."""
    from importlib.resources import files

    folder = files("cnnspec")
    written = _parts(folder.joinpath("backends", "python_source", "written.py"))
    return {**_parts(folder.joinpath("nn", "layers.py")), **written}


def _parts(path: Traversable) -> dict[str, Part]:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    return {
        node.name: Part(node.name, _text(node, lines), names_in(node))
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
    }


def _text(node: ast.ClassDef, lines: list[str]) -> str:
    """The lines of a class without the examples in its docstring."""
    start, end = node.lineno - 1, node.end_lineno or 0
    first = node.body[0]
    last = first.end_lineno or 0
    about = lines[first.lineno - 1 : last]
    example = next((number for number, line in enumerate(about) if line.strip().startswith(">>>")), None)
    if example is None:
        return "\n".join(lines[start:end])
    about = about[:example]
    while not about[-1].strip():
        about.pop()
    ending = [f'{about[0]}"""'] if len(about) == 1 else [*about, '    """']
    return "\n".join([*lines[start : first.lineno - 1], *ending, *lines[last:end]])


def names_in(tree: ast.AST) -> frozenset[str]:
    """The plain names that Python uses."""
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def with_parts(text: str, parts: dict[str, Part]) -> tuple[list[str], list[str]]:
    """The lines of imports and the texts of the parts that a text needs."""
    used = names_in(ast.parse(text))
    needed: dict[str, None] = {}

    def need(names: frozenset[str]) -> None:
        for name, part in parts.items():
            if name in names and name not in needed:
                need(part.uses)
                needed[name] = None

    need(used)
    used = used.union(*[parts[name].uses for name in needed])
    return _imports(used), [parts[name].text for name in needed]


def _imports(used: frozenset[str]) -> list[str]:
    """The imports, those of Python's own library first."""
    lines = [line for name, line in IMPORTS.items() if name in used and name not in ("Tensor", "nn")]
    own = [line for line in lines if "torch" not in line]
    rest = [line for line in lines if line not in own]
    names = ", ".join(name for name in ("Tensor", "nn") if name in used)
    from_torch = [f"from torch import {names}"] if names else []
    position = sum(line == "import torch" for line in rest)
    rest[position:position] = from_torch
    return [*own, *([""] if own else []), *rest]
