"""What values an argument takes: kinds of numbers, choices, tuples, and their unions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

OK, WRONG_RANGE, WRONG_TYPE = range(3)


class AnySize(int):
    """A size that depends on that of the input; as a plain int it is that of one input. See `cnnspec.sizes`."""


class Kind:
    """What values a field takes. `rank` is the number of spatial dimensions of the class that declares the field."""

    keeps_lists = False
    """Lists stay lists instead of becoming tuples."""

    def accepts(self, value: object, rank: int) -> int:
        """OK, WRONG_RANGE (the right type with a value outside of the range) or WRONG_TYPE."""
        raise NotImplementedError

    def describe(self, rank: int) -> str:
        raise NotImplementedError

    def samples(self, rank: int) -> tuple[object, ...]:
        """A few values of the kind, no two alike; for `bool` and choices all of them. Empty where none is typical."""
        return ()

    def __or__(self, other: object) -> Kind:
        return Either((self, kind_of(other)))

    def __ror__(self, other: object) -> Kind:
        return Either((kind_of(other), self))


class Number(Kind):
    """A number in a range; with `whole`, an integer. `true` and `false` are no numbers."""

    def __init__(
        self, low: float | None = None, high: float | None = None, *, whole: bool = False, above: bool = False
    ):
        self.low, self.high, self.whole, self.above = low, high, whole, above

    def accepts(self, value: object, rank: int) -> int:
        if value.__class__ is not int and (self.whole or value.__class__ is not float):
            return OK if isinstance(value, AnySize) else WRONG_TYPE
        assert isinstance(value, (int, float))
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return WRONG_RANGE
        return WRONG_RANGE if self.high is not None and value > self.high else OK

    def describe(self, rank: int) -> str:
        noun = "a whole number" if self.whole else "a number"
        if self.low is not None and self.high is not None:
            return f"{noun} from {self.low} to {self.high}"
        if self.low is not None:
            return f"{noun} above {self.low}" if self.above else f"{noun} of at least {self.low}"
        return noun

    def samples(self, rank: int) -> tuple[object, ...]:
        usual = (1, 2, 3, 5, 0) if self.whole else (0.5, 0.1, 1.0, 2.0)
        return tuple(value for value in usual if not self.accepts(value, rank))


class Bool(Kind):
    def accepts(self, value: object, rank: int) -> int:
        return OK if value.__class__ is bool else WRONG_TYPE

    def describe(self, rank: int) -> str:
        return "`true` or `false`"

    def samples(self, rank: int) -> tuple[object, ...]:
        return (False, True)


class Null(Kind):
    def accepts(self, value: object, rank: int) -> int:
        return OK if value is None else WRONG_TYPE

    def describe(self, rank: int) -> str:
        return "`none`"

    def samples(self, rank: int) -> tuple[object, ...]:
        return (None,)


class Choice(Kind):
    """One of some strings."""

    def __init__(self, *options: str) -> None:
        self.options = options

    def accepts(self, value: object, rank: int) -> int:
        if value.__class__ is not str:
            return WRONG_TYPE
        return OK if value in self.options else WRONG_RANGE

    def describe(self, rank: int) -> str:
        options = [f'"{option}"' for option in self.options]
        return options[0] if len(options) == 1 else ", ".join(options[:-1]) + " or " + options[-1]

    def samples(self, rank: int) -> tuple[object, ...]:
        return self.options


class Text(Kind):
    """Any string."""

    def accepts(self, value: object, rank: int) -> int:
        return OK if value.__class__ is str else WRONG_TYPE

    def describe(self, rank: int) -> str:
        return "a string"


class Tuple(Kind):
    """A tuple or list of `length` items: a number, `"rank"` for one an axis, `"sides"` for two an axis, None for any."""

    def __init__(self, item: Kind, length: int | str | None = "rank") -> None:
        self.item, self.length = item, length

    def size(self, rank: int) -> int | None:
        return {"rank": rank, "sides": 2 * rank}[self.length] if isinstance(self.length, str) else self.length

    def accepts(self, value: object, rank: int) -> int:
        if not isinstance(value, tuple):
            return WRONG_TYPE
        size = self.size(rank)
        if not value or (size is not None and len(value) != size):
            return WRONG_RANGE
        return max(self.item.accepts(item, rank) for item in value)

    def describe(self, rank: int) -> str:
        size = self.size(rank)
        item = self.item.describe(rank).removeprefix("a ")
        if size == 1:
            return f"a tuple of one {item}"
        return f"a tuple of {'' if size is None else f'{size} '}{_plural(item)}"

    def samples(self, rank: int) -> tuple[object, ...]:
        size = self.size(rank)
        lengths = (1, 2) if size is None else (size,) if size else ()
        return tuple((item,) * length for length in lengths for item in self.item.samples(rank))


class Either(Kind):
    """Any of several kinds."""

    def __init__(self, kinds: tuple[Kind, ...]) -> None:
        parts = [kind.kinds if isinstance(kind, Either) else (kind,) for kind in kinds]
        self.kinds: tuple[Kind, ...] = tuple(kind for part in parts for kind in part)

    def accepts(self, value: object, rank: int) -> int:
        return min(kind.accepts(value, rank) for kind in self.kinds)

    def describe(self, rank: int) -> str:
        parts = [kind.describe(rank) for kind in self.kinds]
        return ", ".join(parts[:-1]) + " or " + parts[-1]

    def samples(self, rank: int) -> tuple[object, ...]:
        return _distinct(value for kind in self.kinds for value in kind.samples(rank))


def _distinct(values: Iterable[object]) -> tuple[object, ...]:
    # Python takes 1, 1.0 and True for the same.
    return tuple({repr(value): value for value in values}.values())


def _plural(noun: str) -> str:
    head, separator, rest = noun.partition("number")
    return f"{head}numbers{rest}" if separator else noun


def kind_of(annotation: object) -> Kind:
    """The kind behind a field's annotation."""
    if isinstance(annotation, Kind):
        return annotation
    if annotation is bool:
        return Bool()
    if annotation is None:
        return Null()
    raise TypeError(f"a field can't be declared as {annotation!r}: use the kinds of cnnspec.declare")


# Each name is a type to a type checker and a Kind at run time.
if TYPE_CHECKING:
    Count: TypeAlias = int
    Whole: TypeAlias = int
    Integer: TypeAlias = int
    Real: TypeAlias = float
    Unit: TypeAlias = float
    Positive: TypeAlias = float
    Sizes: TypeAlias = int | tuple[int, ...]
    Paddings: TypeAlias = int | tuple[int, ...]
else:
    Count = Number(1, whole=True)
    Whole = Number(0, whole=True)
    Integer = Number(whole=True)
    Real = Number()
    Unit = Number(0, 1)
    Positive = Number(0, above=True)
    Sizes = Count | Tuple(Count)
    Paddings = Whole | Tuple(Whole)
