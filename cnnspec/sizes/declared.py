"""The sizes that a model's input is declared for, and the model at one of them."""

from __future__ import annotations

from cnnspec.record import record
from cnnspec.sizes.sets import Box, boxes, contains, nearest, smallest_of
from cnnspec.sizes.size import Grid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_TYPICAL = 1024
"""A size at which warnings are looked for: what is so at the smallest that work is often meant."""


@record
class DeclaredSizes:
    """The names of the sizes and what `where` admits: the region of `grid`. `make` gives the graph for one size of each."""

    grid: Grid
    make: Callable[[Mapping[str, int]], Any]

    @property
    def names(self) -> tuple[str, ...]:
        return self.grid.names

    @property
    def boxes(self) -> list[Box]:
        return boxes(self.grid.region)

    @property
    def smallest(self) -> dict[str, int]:
        """The smallest sizes that are admitted."""
        return dict(zip(self.names, smallest_of(self.boxes)))

    @property
    def typical(self) -> dict[str, int]:
        """Admitted sizes that are no extremes."""
        return dict(zip(self.names, nearest(self.boxes, (_TYPICAL,) * len(self.names))))

    def admits(self, sizes: Mapping[str, int]) -> bool:
        return contains(self.boxes, tuple(sizes[name] for name in self.names))

    def of_shapes(self, declared: Sequence[Any], found: Sequence[Any]) -> dict[str, int] | None:
        """The sizes with which inputs of declared shapes have the shapes `found`; None where they can't, or where the sizes
        are not admitted."""
        sizes: dict[str, int] = {}
        for one, other in zip(declared, found, strict=True):
            if len(one) != len(other):
                return None
            for wanted, size in zip(one, other):
                name = str(wanted)
                if name in self.names:
                    if sizes.setdefault(name, size) != size:
                        return None
                elif wanted != size:
                    return None
        return sizes if len(sizes) == len(self.names) and self.admits(sizes) else None

    def at(self, sizes: Mapping[str, int]) -> Any:
        """The graph for one size of each name, with numbers for all sizes."""
        return self.make(sizes)
