"""The operators of numbers that depend on sizes, in terms of sums, products, quotients and comparisons."""

from __future__ import annotations

from cnnspec.declare import AnySize
from cnnspec.limits import LIMITS
from cnnspec.sizes.region import Entangled, Truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Number(AnySize):
    """What functions of sizes have in common: the operators, in terms of a few of them."""

    grid: Any

    __hash__ = object.__hash__

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: object) -> Any:
        return self

    def __add__(self, other: Any) -> Any:
        return self._plus(other)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self._times(-1)

    def __pos__(self) -> Any:
        return self

    def __sub__(self, other: Any) -> Any:
        return self._plus(-other)

    def __rsub__(self, other: Any) -> Any:
        return (-self)._plus(other)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, float):
            return Ratio(self._times(other.as_integer_ratio()[0]), other.as_integer_ratio()[1])
        return self._times(other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return self._over(other)

    def __mod__(self, other: Any) -> Any:
        return self - self._over(other) * other

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def _no(self, *_: object) -> Any:
        raise Entangled

    __truediv__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __pow__ = __rpow__ = __float__ = _no
    __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = __invert__ = _no

    def __trunc__(self) -> Any:
        return self

    __floor__ = __ceil__ = __trunc__

    # --- questions ---

    def compare(self, operator: str, other: Any) -> Truth | bool:
        """For which sizes `self operator other` holds."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not self.grid.asks or not isinstance(other, int):
            return False
        return bool(self.grid.answer(self.compare("==", other)))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: int) -> bool:
        return bool(self.grid.answer(self.compare("<", other)))

    def __le__(self, other: int) -> bool:
        return not self > other

    def __gt__(self, other: int) -> bool:
        return bool(self.grid.answer(self.compare(">", other)))

    def __ge__(self, other: int) -> bool:
        return not self < other

    def __bool__(self) -> bool:
        return not self.grid.answer(self.compare("==", 0))

    # --- words ---

    def __str__(self) -> str:
        return "_" if self.grid.quiet else self.formula()

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return str(self)

    if TYPE_CHECKING:

        def _plus(self, other: Any) -> Any: ...

        def _times(self, other: Any) -> Any: ...

        def _over(self, other: Any) -> Any: ...

        def formula(self) -> str:
            """The number as shapes show it: `H`, `H // 2`, `(H + 1) // 2`; `_` where there is no short formula."""


class Ratio:
    """A size over a whole number, before it is rounded: what `scale_factor` gives."""

    def __init__(self, size: Any, divisor: int) -> None:
        if divisor > LIMITS.grid:
            # Other factors are no short fractions: torch rounds the product of two floats, which does not repeat.
            raise Entangled
        self.size, self.divisor = size, divisor

    def __trunc__(self) -> Any:
        return self.size // self.divisor

    def __lt__(self, other: int) -> bool:
        return bool(self.size < other * self.divisor)

    def __gt__(self, other: int) -> bool:
        return bool(self.size > other * self.divisor)
