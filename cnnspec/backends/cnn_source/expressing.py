"""Numbers that differ between the uses of a block as expressions of its parameters."""

from __future__ import annotations

from cnnspec.backends.cnn_source.naming import clean_name
from cnnspec.backends.cnn_source.statements import Code, Const
from cnnspec.declare import spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnspec.backends.cnn_source.origins import Origin

_FACTORS = range(2, 9)


class Parameters:
    """The parameters of one block over its uses. A column is the value of something in each of them."""

    def __init__(self, origins: Sequence[Origin], taken: Sequence[str], arriving: Sequence[int | None] = ()) -> None:
        self.origins = origins
        self.count = len(origins)
        self.columns: dict[str, list[object]] = {}
        """Those that are used, by name."""
        self.defaults: dict[str, object] = {}
        self.taken = set(taken)
        known = dict(self._known())
        # What the input says is asked for last.
        self._arguments = {name: column for name, column in known.items() if column != list(arriving)}
        self._arguments |= known

    def _known(self) -> Iterator[tuple[str, list[object]]]:
        for name in self.origins[0].arguments if self.origins else ():
            values = [origin.arguments.get(name, _ABSENT) for origin in self.origins]
            if all(_is_plain(value) for value in values) and clean_name(name) == name:
                yield name, values

    def express(self, constants: Sequence[Const | None], wish: str) -> Const | Code:
        """A column, None where it is not there, as a constant or an expression."""
        present = [number for number, one in enumerate(constants) if one is not None]
        given = [one for one in constants if one is not None]
        values = [one.value for one in given]
        if all(_same(value, values[0]) for value in values):
            if wish in self._arguments and all(map(_same, self._column(wish, present), values)) and self._varies(wish):
                return Code(self._use(wish))
            return Const(values[0], given[0].width)
        widths = [one.width for one in given]
        found = (
            self._as_argument(values, present)
            or self._of_width(values, widths)
            or self._of_both(values, widths, present)
            or self._computed(values, present)
        )
        return found or Code(self._new(values, present, wish))

    def _varies(self, name: str) -> bool:
        return any(not _same(value, self._arguments[name][0]) for value in self._arguments[name])

    def _column(self, name: str, present: list[int]) -> list[object]:
        column = self.columns[name] if name in self.columns else self._arguments[name]
        return [column[number] for number in present]

    def _use(self, name: str) -> str:
        """An argument of the source becomes a parameter."""
        if name not in self.columns:
            self.columns[name] = self._arguments[name]
            if all(name in origin.defaults for origin in self.origins):
                self.defaults[name] = self.origins[0].defaults[name]
        return name

    def _names(self) -> list[str]:
        return [*self.columns, *(name for name in self._arguments if name not in self.columns)]

    def _as_argument(self, values: list[object], present: list[int]) -> Code | None:
        for name in self._names():
            if all(map(_same, self._column(name, present), values)):
                return Code(self._use(name) if name in self._arguments else name)
        return None

    def _of_width(self, values: list[object], widths: list[int | None]) -> Code | None:
        numbers = _whole(values)
        given = _whole(widths)
        if numbers is None or given is None:
            return None
        if numbers == given:
            return Code("in_channels")
        for factor in _FACTORS:
            if numbers == [factor * width for width in given]:
                return Code(f"{factor} * in_channels")
            if all(width == factor * number for number, width in zip(numbers, given)):
                return Code(f"in_channels // {factor}")
        return None

    def _of_both(self, values: list[object], widths: list[int | None], present: list[int]) -> Code | None:
        """A product of what arrives with a parameter."""
        numbers, given = _whole(values), _whole(widths)
        if numbers is None or given is None:
            return None
        for name in self._names():
            column = _whole(self._column(name, present))
            if column is None or not any(one > 1 for one in column):
                continue
            if numbers == [one * width for one, width in zip(column, given)]:
                return Code(f"{self._take(name)} * in_channels")
        return None

    def _computed(self, values: list[object], present: list[int]) -> Code | None:
        numbers = _whole(values)
        if numbers is None:
            return None
        columns = {name: _whole(self._column(name, present)) for name in self._names()}
        known = {name: column for name, column in columns.items() if column is not None}
        for name, column in known.items():
            for factor in _FACTORS:
                if numbers == [factor * one for one in column]:
                    return Code(f"{factor} * {self._take(name)}")
            for factor in (2, 3, 4, 8, 16):
                if numbers == [one // factor for one in column]:
                    return Code(f"{self._take(name)} // {factor}")
        for name, column in known.items():
            for other, second in known.items():
                if numbers == [one * two for one, two in zip(column, second)] and name != other:
                    return Code(f"{self._take(name)} * {self._take(other)}")
                if numbers == [one + two for one, two in zip(column, second)] and name < other:
                    return Code(f"{self._take(name)} + {self._take(other)}")
        return None

    def _has_default(self, name: str) -> bool:
        return all(name in origin.defaults for origin in self.origins)

    def _take(self, name: str) -> str:
        return self._use(name) if name in self._arguments else name

    def _new(self, values: list[object], present: list[int], wish: str) -> str:
        name, number = wish, 2
        while name in self.taken or name in self.columns or name in self._arguments:
            name, number = f"{wish}{number}", number + 1
        # Uses without this statement take the commonest value, which becomes the default.
        commonest = max(values, key=lambda value: sum(_same(value, other) for other in values))
        column = [commonest] * self.count
        for position, value in zip(present, values):
            column[position] = value
        self.columns[name] = column
        if len(present) < self.count:
            self.defaults[name] = commonest
        return name

    # --- conditions ---

    def condition(self, there: Sequence[bool], widths: Sequence[int | None], wish: str) -> str:
        """What holds in the uses that a statement is in, and in no other."""
        wanted = list(there)
        atoms = list(self._atoms(wanted, widths))
        for text, column in atoms:
            if column == wanted:
                return self._said(text)
        for number, (first, one) in enumerate(atoms):
            for second, two in atoms[number + 1 :]:
                if [a or b for a, b in zip(one, two)] == wanted:
                    return f"{self._said(first)} or {self._said(second)}"
        return self._new(list(wanted), list(range(self.count)), wish)

    def _said(self, text: str) -> str:
        for name in self._arguments:
            if name in text.replace("(", " ").replace(")", " ").split():
                self._use(name)
        return text

    def _atoms(self, wanted: list[bool], widths: Sequence[int | None]) -> Iterator[tuple[str, list[bool]]]:
        every = list(range(self.count))
        columns = {name: self._column(name, every) for name in self._names()}
        switches = [name for name, column in columns.items() if all(isinstance(value, bool) for value in column)]
        for name in switches:
            yield name, [bool(value) for value in columns[name]]
            yield f"not {name}", [not value for value in columns[name]]
        by_default = sorted((one for one in columns if one not in switches), key=lambda one: not self._has_default(one))
        for name in by_default:
            column = columns[name]
            out = [value for value, there in zip(column, wanted) if not there]
            if out and all(_same(value, out[0]) for value in out) and not isinstance(out[0], (list, tuple)):
                yield f"{name} != {spell(out[0])}", [not _same(value, out[0]) for value in column]
        given = _whole(list(widths))
        if given is None:
            return
        for name in self._names():
            numbers = _whole(self._column(name, list(range(self.count))))
            if numbers is None:
                continue
            for factor in (1, *_FACTORS):
                text = name if factor == 1 else f"{factor} * {name}"
                yield f"in_channels != {text}", [width != factor * one for width, one in zip(given, numbers)]


class _Absent:
    """No value at all."""


_ABSENT = _Absent()


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(part) for part in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _whole(values: Sequence[object]) -> list[int] | None:
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    return numbers if len(numbers) == len(values) else None
