"""Frozen slotted records for the tree, the graph and the diagnostics.

`record` is `dataclasses.dataclass(frozen=True, slots=True)` as far as this package needs it: positional and keyword
construction, defaults, equality, hash, repr, `match`. Type checkers see the real dataclass. Importing `dataclasses`
and building thirty classes with it would cost a third of the time of a cold `cnnspec check`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass
    from typing import TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    def record(cls: type[T]) -> type[T]:
        return dataclass(frozen=True)(cls)
else:

    def record(cls):
        names = tuple(cls.__annotations__)
        defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        members = {
            name: value
            for name, value in cls.__dict__.items()
            if name not in defaults and name not in ("__dict__", "__weakref__")
        }
        members |= {"__slots__": names, "__match_args__": names, **_METHODS}
        built = type(cls.__name__, cls.__bases__, members)
        built._setters = tuple(built.__dict__[name].__set__ for name in names)
        built._defaults = defaults
        return built

    def _init(self, *args, **kwargs):
        setters = self._setters
        if len(args) == len(setters) and not kwargs:
            for setter, value in zip(setters, args):
                setter(self, value)
            return
        names = self.__slots__
        values = self._defaults | dict(zip(names, args)) | kwargs
        if len(args) > len(names) or len(values) != len(names) or kwargs.keys() & set(names[: len(args)]):
            raise TypeError(f"{type(self).__name__} takes {', '.join(names)}")
        for name, setter in zip(names, setters):
            setter(self, values[name])

    def _values(self):
        return tuple(getattr(self, name) for name in self.__slots__)

    def _setattr(self, name, value):
        raise AttributeError(f"{type(self).__name__} is frozen")

    _METHODS = {
        "__init__": _init,
        "__eq__": lambda self, other: type(self) is type(other) and _values(self) == _values(other),
        "__hash__": lambda self: hash(_values(self)),
        "__repr__": lambda self: f"{type(self).__name__}({', '.join(map(repr, _values(self)))})",
        "__setattr__": _setattr,
        "__delattr__": _setattr,
        "__reduce__": lambda self: (type(self), _values(self)),
    }
