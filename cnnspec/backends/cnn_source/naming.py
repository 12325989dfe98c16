"""Names in a body: labels from the keys of modules, and those that values need."""

from __future__ import annotations

import re

from cnnspec.compiler.module_names import problem_of
from cnnspec.layers import Layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Node, StackNode

_WORDS = frozenset(
    """and as else false for if in none not or true model block train from import repeat residual shortcut add multiply
    concat matmul tuple branch use again weight input let assert where min max abs round int float ceil floor sqrt log2 len
    sum range zip enumerate size channels parameters macs receptive_field memory in_channels in_features in_length in_depth
    in_height in_width in_size in_shape""".split()
)


def clean_name(name: str) -> str:
    """A name of a spec that is as near to this one as can be; "" where there is nothing to go by."""
    parts = [part for part in name.split(".") if not part.isdigit()]
    found = re.sub(r"\W", "_", parts[-1] if parts else "", flags=re.ASCII).strip("_")
    if not found or found[0].isdigit():
        return ""
    if found in _WORDS or problem_of(found) or Layer.find(found) is not None:
        return found + "_"
    return found


class Names:
    """The names of one body, each taken once."""

    def __init__(self, node: StackNode) -> None:
        self.taken: set[str] = set()
        self._weights = [self.take(clean_name(weight.label) or "learned") for weight in node.weights]
        self._numbered = {id(child) for child in node.children if (child.label or "0").rpartition(".")[2].isdigit()}

    def take(self, wish: str) -> str:
        """The name, or the name with a number behind it that nobody has."""
        name, number = wish, 2
        while name in self.taken:
            name, number = f"{wish}{number}", number + 1
        self.taken.add(name)
        return name

    def take_if_free(self, wish: str) -> str:
        """The name, or "" where another has it."""
        if not wish or wish in self.taken:
            return ""
        self.taken.add(wish)
        return wish

    def label_of(self, node: Node) -> str:
        """A label from the key of a module; "" for one of a list."""
        return "" if id(node) in self._numbered else clean_name(node.label or "")

    def weight(self, index: int) -> str:
        return self._weights[index]
