"""Classes that declare arguments, and the signature of one as data."""

from __future__ import annotations

from cnnspec.declare.kinds import Kind, kind_of
from cnnspec.declare.spell import spell
from cnnspec.diagnostics.suggestions import listing
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@record
class Field:
    """One declared argument. `required` fields have no default."""

    name: str
    kind: Kind
    default: object
    required: bool


@record
class Signature:
    """The arguments that a layer, a block or a part of a recipe takes, in their order."""

    fields: Mapping[str, Field]
    extra: Mapping[str, Kind]
    """Names that may be given by keyword beyond the fields, with their kinds."""
    rank: int = 0
    by_name: int = 0
    """How many of the fields, the last ones, are given by name alone."""
    inferred: str = ""
    """The name in `extra` that PyTorch's order begins with, and that the input determines."""
    arrow: bool = False
    """Whether `in -> out` states it in front of the first field."""

    @property
    def positions(self) -> int:
        """How many of the fields may be given by position, the first ones."""
        return len(self.fields) - self.by_name

    @property
    def text(self) -> str:
        """The arguments as PyTorch's documentation lists them."""
        parts = [
            field.name if field.required else f"{field.name}={spell(field.default)}" for field in self.fields.values()
        ]
        if self.by_name:
            parts.insert(self.positions, "*")
        return ", ".join(parts)


class Once:
    """An attribute of classes that is worked out when it is first read, for each class anew.

    A check imports many classes and asks few of them for their fields.
    """

    def __init__(self, name: str, made: str) -> None:
        self.name, self.made = name, made

    def __get__(self, instance: object, cls: type) -> object:
        value = getattr(cls, self.made)()
        setattr(cls, self.name, value)
        return value


class Declared:
    """Base of the classes whose annotated attributes declare arguments.

    `Class(*args, **kwargs)` builds one in Python code and raises TypeError or ValueError for a wrong argument.
    """

    fields: dict[str, Field] = {}
    rank: int = 0
    signature = Signature({}, {})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, annotation in cls.__annotations__.items():
            if isinstance(annotation, str):
                raise TypeError(
                    f"{cls.__name__}.{name} is declared as text: leave out `from __future__ import annotations` and quotes"
                )
            if type(annotation).__name__ == "UnionType":
                raise TypeError(f"{cls.__name__}.{name}: use Bool() instead of bool in a union")
        cls.fields = _FIELDS  # type: ignore[assignment]
        cls.signature = _SIGNATURE  # type: ignore[assignment]

    @classmethod
    def _fields(cls) -> dict[str, Field]:
        fields = dict(next(base for base in cls.__mro__[1:] if issubclass(base, Declared)).fields)
        for name, annotation in cls.__annotations__.items():
            if isinstance(annotation, Kind) or annotation is bool:
                required = not hasattr(cls, name)
                fields[name] = Field(name, kind_of(annotation), getattr(cls, name, None), required)
        return fields

    @classmethod
    def _signature(cls) -> Signature:
        return Signature(cls.fields, {}, cls.rank)

    def __init__(self, *args: object, **kwargs: object) -> None:
        names = list(self.fields)[: self.signature.positions]
        if len(args) > len(names):
            where = " by position" if self.signature.by_name else ""
            raise TypeError(f"{type(self).__name__} takes {len(names)} arguments{where}, {len(args)} given")
        values = dict(zip(names, args)) | kwargs
        for name, value in values.items():
            self._check(name, value)
        missing = [field.name for field in self.fields.values() if field.required and field.name not in values]
        if missing:
            raise TypeError(f"{type(self).__name__} needs {listing(missing)}")
        self.__dict__.update({name: as_tuple(value) for name, value in values.items()})

    def _check(self, name: str, value: object) -> None:
        field = self.fields.get(name)
        kind = field.kind if field else self.signature.extra.get(name)
        if kind is None:
            raise TypeError(f"{type(self).__name__} has no parameter {name!r}")
        if kind.accepts(as_tuple(value), self.rank):
            raise ValueError(f"{name} of {type(self).__name__} has to be {kind.describe(self.rank)}, not {value!r}")

    def __repr__(self) -> str:
        given = [f"{name}={spell(value)}" for name, value in self.given.items()]
        return f"{type(self).__name__}({', '.join(given)})" if given else type(self).__name__

    @classmethod
    def build(cls, values: dict[str, object]) -> Declared:
        """An instance from values that `bind` has checked."""
        built = cls.__new__(cls)
        built.__dict__.update(values)
        return built

    @property
    def given(self) -> dict[str, object]:
        """The arguments that were given, by name."""
        return self.__dict__


_FIELDS, _SIGNATURE = Once("fields", "_fields"), Once("signature", "_signature")


def as_tuple(value: object) -> object:
    """Lists, which users may write for tuples, as tuples."""
    return tuple(map(as_tuple, value)) if isinstance(value, (list, tuple)) else value
