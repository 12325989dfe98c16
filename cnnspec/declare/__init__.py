"""Declared arguments: what a layer (later an optimizer, a loss, a data set) takes, and the check of what is written.

A class that derives from `Declared` lists its arguments as annotated fields, in order, with PyTorch's names and defaults:

    class MaxPool2d(Layer):
        kernel_size: Sizes
        stride: Sizes | None = None

`bind` matches written arguments with the fields and reports every mistake with the span of the argument. Values keep the
form in which they were written (`3` stays `3` where `(3, 3)` is meant too); lists become tuples.
"""

from cnnspec.diagnostics import Label, Sink, codes
from cnnspec.diagnostics.suggest import did_you_mean, listing
from cnnspec.diagnostics.suggestions import OPTION
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from cnnspec.diagnostics import Suggestion
    from cnnspec.source import Span

    Helps: TypeAlias = tuple[Suggestion, ...]

OK, WRONG_RANGE, WRONG_TYPE = range(3)


class Unknown:
    """The value of an expression that is wrong: reported once where it stands, accepted silently everywhere else."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Kind:
    """What values a field takes. `rank` is the number of spatial dimensions of the class that declares the field."""

    keeps_lists = False
    """Lists stay lists instead of becoming tuples."""

    def accepts(self, value: object, rank: int) -> int:
        """OK, WRONG_RANGE (the right type with a value outside of the range) or WRONG_TYPE."""
        raise NotImplementedError

    def describe(self, rank: int) -> str:
        raise NotImplementedError

    def __or__(self, other: object) -> "Kind":
        return Either((self, kind_of(other)))

    def __ror__(self, other: object) -> "Kind":
        return Either((kind_of(other), self))


class Number(Kind):
    """A number in a range; with `whole`, an integer. `true` and `false` are no numbers."""

    def __init__(
        self, low: float | None = None, high: float | None = None, *, whole: bool = False, above: bool = False
    ):
        self.low, self.high, self.whole, self.above = low, high, whole, above

    def accepts(self, value: object, rank: int) -> int:
        if value.__class__ is not int and (self.whole or value.__class__ is not float):
            return WRONG_TYPE
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


class Bool(Kind):
    def accepts(self, value: object, rank: int) -> int:
        return OK if value.__class__ is bool else WRONG_TYPE

    def describe(self, rank: int) -> str:
        return "`true` or `false`"


class Null(Kind):
    def accepts(self, value: object, rank: int) -> int:
        return OK if value is None else WRONG_TYPE

    def describe(self, rank: int) -> str:
        return "`none`"


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


class Either(Kind):
    """Any of several kinds."""

    def __init__(self, kinds: "tuple[Kind, ...]") -> None:
        parts = [kind.kinds if isinstance(kind, Either) else (kind,) for kind in kinds]
        self.kinds: tuple[Kind, ...] = tuple(kind for part in parts for kind in part)

    def accepts(self, value: object, rank: int) -> int:
        return min(kind.accepts(value, rank) for kind in self.kinds)

    def describe(self, rank: int) -> str:
        parts = [kind.describe(rank) for kind in self.kinds]
        return ", ".join(parts[:-1]) + " or " + parts[-1]


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


@record
class Field:
    """One declared argument. `required` fields have no default."""

    name: str
    kind: Kind
    default: object
    required: bool


class Argument:
    """One written argument: `value` at `span`, by keyword or, with `name` None, by position."""

    __slots__ = ("name", "name_span", "span", "value")

    def __init__(self, name: str | None, value: object, span: "Span", name_span: "Span | None" = None) -> None:
        self.name, self.value, self.span, self.name_span = name, value, span, name_span


class Bound:
    """Arguments matched with fields: the values given, where each stands, and whether all of them were right."""

    __slots__ = ("complete", "spans", "values")

    def __init__(self, values: dict[str, object], spans: "dict[str, Span]", complete: bool) -> None:
        self.values, self.spans, self.complete = values, spans, complete


class Declared:
    """Base of the classes whose annotated attributes declare arguments.

    `Class(*args, **kwargs)` builds one in Python code and raises TypeError or ValueError for a wrong argument.
    """

    fields: dict[str, Field] = {}
    rank: int = 0
    extra: dict[str, Kind] = {}
    """Names that may be given by keyword beyond the fields, with their kinds."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        fields = dict(cls.fields)
        for name, annotation in cls.__annotations__.items():
            if isinstance(annotation, str):
                raise TypeError(
                    f"{cls.__name__}.{name} is declared as text: leave out `from __future__ import annotations` and quotes"
                )
            if type(annotation).__name__ == "UnionType":
                raise TypeError(f"{cls.__name__}.{name}: use Bool() instead of bool in a union")
            if isinstance(annotation, Kind) or annotation is bool:
                required = not hasattr(cls, name)
                fields[name] = Field(name, kind_of(annotation), getattr(cls, name, None), required)
        cls.fields = fields

    def __init__(self, *args: object, **kwargs: object) -> None:
        names = list(self.fields)
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} arguments, {len(args)} given")
        values = dict(zip(names, args)) | kwargs
        for name, value in values.items():
            self._check(name, value)
        missing = [field.name for field in self.fields.values() if field.required and field.name not in values]
        if missing:
            raise TypeError(f"{type(self).__name__} needs {listing(missing)}")
        self.__dict__.update({name: as_tuple(value) for name, value in values.items()})

    def _check(self, name: str, value: object) -> None:
        field = self.fields.get(name)
        kind = field.kind if field else self.extra.get(name)
        if kind is None:
            raise TypeError(f"{type(self).__name__} has no parameter {name!r}")
        if kind.accepts(as_tuple(value), self.rank):
            raise ValueError(f"{name} of {type(self).__name__} has to be {kind.describe(self.rank)}, not {value!r}")

    @classmethod
    def build(cls, values: dict[str, object]) -> "Declared":
        """An instance from values that `bind` has checked."""
        built = cls.__new__(cls)
        built.__dict__.update(values)
        return built

    @property
    def given(self) -> dict[str, object]:
        """The arguments that were given, by name."""
        return self.__dict__


def as_tuple(value: object) -> object:
    """Lists, which users may write for tuples, as tuples."""
    return tuple(map(as_tuple, value)) if isinstance(value, (list, tuple)) else value


def bind(
    declared: type[Declared],
    arguments: "Iterable[Argument]",
    name: str,
    span: "Span",
    sink: Sink,
    hints: "Helps" = (),
) -> Bound:
    """Match `arguments` with the fields of `declared`, called `name` at `span` in the spec. Reports; never raises.

    `hints` go to mistakes that come from a wrong order of arguments.
    """
    fields, extra, rank = declared.fields, declared.extra, declared.rank
    order = list(fields)
    values: dict[str, object] = {}
    spans: dict[str, Span] = {}
    complete, misnamed, position = True, False, 0
    for argument in arguments:
        target = argument.name
        if target is None:
            if position >= len(order):
                _report_too_many(declared, argument, name, hints, sink)
                misnamed = True
                continue
            target = order[position]
            position += 1
        if target in values:
            earlier = [Label(spans[target], "given here first")]
            sink.report(codes.DUPLICATE_ARGUMENT, argument.span, labels=earlier, layer=name, name=target)
            misnamed = True
            continue
        kind = fields[target].kind if target in fields else extra.get(target)
        if kind is None:
            _report_unknown(declared, argument, name, sink)
            misnamed = True
            continue
        value = argument.value if kind.keeps_lists else as_tuple(argument.value)
        spans[target] = argument.span
        values[target] = value
        if value is UNKNOWN:
            complete = False
        elif verdict := kind.accepts(value, rank):
            _report_value(kind, verdict, argument, target, name, rank, hints, sink)
            values[target] = UNKNOWN
            complete = False
    missing = [field.name for field in fields.values() if field.required and field.name not in values]
    if missing and not misnamed:
        _report_missing(declared, missing, name, span, sink)
    return Bound(values, spans, complete and not misnamed and not missing)


def signature(declared: type[Declared]) -> str:
    """The arguments as PyTorch's documentation lists them."""
    parts = [
        field.name if field.required else f"{field.name}={spell(field.default)}" for field in declared.fields.values()
    ]
    return ", ".join(parts)


def spell(value: object) -> str:
    """A value as one writes it in a spec."""
    if value is None or value is True or value is False:
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    if isinstance(value, tuple):
        return "(" + ", ".join(map(spell, value)) + (",)" if len(value) == 1 else ")")
    if isinstance(value, list):
        return "[" + ", ".join(map(spell, value)) + "]"
    if isinstance(value, (int, float)):
        return str(value)
    name = value.__name__ if isinstance(value, type) else getattr(value, "name", value)
    return str(getattr(name, "id", name))


def _report_too_many(declared: type[Declared], argument: Argument, name: str, hints: "Helps", sink: Sink) -> None:
    takes = f"takes no more than `{name}({signature(declared)})`" if declared.fields else "takes no arguments"
    sink.report(codes.TOO_MANY_ARGUMENTS, argument.span, helps=hints, layer=name, takes=takes)


def _report_unknown(declared: type[Declared], argument: Argument, name: str, sink: Sink) -> None:
    known = list(declared.fields) + list(declared.extra)
    assert argument.name is not None
    sink.report(
        codes.UNKNOWN_PARAMETER,
        argument.name_span or argument.span,
        helps=did_you_mean(argument.name, known),
        layer=name,
        name=argument.name,
        takes=f"takes {listing(known)}" if known else "takes no arguments",
    )


def _report_missing(declared: type[Declared], missing: "Sequence[str]", name: str, span: "Span", sink: Sink) -> None:
    sink.report(
        codes.MISSING_ARGUMENT,
        span,
        layer=name,
        missing=listing(missing),
        signature=f"{name}({signature(declared)})",
    )


def _report_value(
    kind: Kind, verdict: int, argument: Argument, target: str, name: str, rank: int, hints: "Helps", sink: Sink
) -> None:
    value = argument.value
    helps = hints if argument.name is None and verdict == WRONG_TYPE else ()
    if isinstance(kind, (Choice, Either)) and isinstance(value, str):
        options = [option for part in getattr(kind, "kinds", (kind,)) for option in getattr(part, "options", ())]
        helps = did_you_mean(value, options, OPTION)
    code = codes.WRONG_TYPE if verdict == WRONG_TYPE else codes.OUT_OF_RANGE
    sink.report(
        code,
        argument.span,
        helps=helps,
        layer=name,
        name=target,
        wants=_length(kind, verdict, value, rank) or kind.describe(rank),
        value=spell(value),
    )


def _length(kind: Kind, verdict: int, value: object, rank: int) -> str:
    """What a tuple of the wrong length has to be; "" for any other mistake."""
    if verdict != WRONG_RANGE or not isinstance(value, (tuple, list)):
        return ""
    for part in getattr(kind, "kinds", (kind,)):
        size = part.size(rank) if isinstance(part, Tuple) else None
        if size is not None and size != len(value):
            return f"{kind.describe(rank)}; this has {len(value)} item{'' if len(value) == 1 else 's'}"
    return ""
