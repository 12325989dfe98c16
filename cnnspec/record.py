"""Frozen slotted records for the tree, the graph and the diagnostics.

`record` is `dataclasses.dataclass(frozen=True, slots=True)` for the classes that this package needs: a body of fields and
methods, no fields in a base. What such a dataclass refuses is refused, and what `record` can't do as well; see
tests/test_record.py. Type checkers see the real dataclass. Importing `dataclasses` and building the classes with it would
cost a third of the time of a cold `cnnspec check`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass
    from dataclasses import replace as replace
    from typing import TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    def record(cls: type[T]) -> type[T]:
        return dataclass(frozen=True)(cls)
else:

    def record(cls):
        """A class of records, with the fields that the body of `cls` annotates; ValueError or TypeError for a bad body."""
        names, own = tuple(cls.__annotations__), dict(cls.__dict__)
        defaults = {name: own.pop(name) for name in names if name in own}
        _refuse(cls, names, defaults)
        for name in ("__dict__", "__weakref__"):
            own.pop(name, None)
        if "__eq__" in own and own.get("__hash__", ()) is None:  # The interpreter's doing, not the author's.
            del own["__hash__"]
        members = _METHODS | {"__match_args__": names} | own | {"__slots__": names}
        built = type(cls.__name__, cls.__bases__, members)
        built.__qualname__ = cls.__qualname__
        built._setters = tuple(built.__dict__[name].__set__ for name in names)
        built._defaults = defaults
        least, last = len(names) - len(defaults), tuple(defaults.values())
        built._tails = {least + given: last[given:] for given in range(len(last) + 1)}
        if "__init__" not in own and len(names) in _INITS:
            built.__init__ = _INITS[len(names)](*built._setters)
        return built

    def replace(record, /, **changes):
        """The record with other values in some of its fields; TypeError for a field that it does not have."""
        cls = type(record)
        if not hasattr(cls, "_setters"):
            raise TypeError(f"replace() takes a record, not {cls.__name__}")
        values = [changes.pop(name) if name in changes else getattr(record, name) for name in cls.__slots__]
        return cls(*values, **changes)

    def _refuse(cls, names, defaults):
        """Raise for what a dataclass would refuse or do otherwise."""
        if hasattr(cls, "_setters"):
            raise TypeError(f"{cls.__name__} extends a record")
        for name in cls.__dict__.keys() & {"__slots__", "__setattr__", "__delattr__", "__post_init__"}:
            raise TypeError(f"{cls.__name__} is a record and can't define {name}")
        for name, default in defaults.items():
            if type(default).__hash__ is None:
                raise ValueError(f"{cls.__name__}.{name} has a mutable default, {default!r}")
        kinds = str(cls.__annotations__)
        if "ClassVar" in kinds or "InitVar" in kinds or "KW_ONLY" in kinds:
            raise TypeError(f"{cls.__name__} has a field that is no plain one")
        last = ""
        for name in names:
            if last and name not in defaults:
                raise TypeError(f"{cls.__name__}.{name} has no default but follows {last}, which has one")
            last = name if name in defaults else last

    def _init(self, *args, **kwargs):
        setters, tail = self._setters, None if kwargs else self._tails.get(len(args))
        if tail is not None:
            for setter, value in zip(setters, args + tail):
                setter(self, value)
            return
        names = self.__slots__
        values = self._defaults | dict(zip(names, args)) | kwargs
        if len(args) > len(names) or len(values) != len(names) or kwargs.keys() & set(names[: len(args)]):
            raise TypeError(_mistake(self, args, kwargs))
        try:
            for name, setter in zip(names, setters):
                setter(self, values[name])
        except KeyError:
            raise TypeError(_mistake(self, args, kwargs)) from None

    def _init_of_two(one, two):
        """`_init` of a record with so many fields, without its loop: a check of a long text makes very many."""

        def __init__(self, *args, **kwargs):
            if len(args) == 2 and not kwargs:
                one(self, args[0])
                two(self, args[1])
            else:
                _init(self, *args, **kwargs)

        return __init__

    def _init_of_three(one, two, three):
        def __init__(self, *args, **kwargs):
            if len(args) == 3 and not kwargs:
                one(self, args[0])
                two(self, args[1])
                three(self, args[2])
            else:
                _init(self, *args, **kwargs)

        return __init__

    def _init_of_four(one, two, three, four):
        def __init__(self, *args, **kwargs):
            if len(args) == 4 and not kwargs:
                one(self, args[0])
                two(self, args[1])
                three(self, args[2])
                four(self, args[3])
            else:
                _init(self, *args, **kwargs)

        return __init__

    def _init_of_five(one, two, three, four, five):
        def __init__(self, *args, **kwargs):
            if len(args) == 5 and not kwargs:
                one(self, args[0])
                two(self, args[1])
                three(self, args[2])
                four(self, args[3])
                five(self, args[4])
            else:
                _init(self, *args, **kwargs)

        return __init__

    _INITS = {2: _init_of_two, 3: _init_of_three, 4: _init_of_four, 5: _init_of_five}

    def _mistake(self, args, kwargs):
        """What is wrong with the arguments of a record."""
        names, title = self.__slots__, type(self).__name__
        if len(args) > len(names):
            return f"{title} takes {len(names)} values, not {len(args)}"
        for name in kwargs:
            if name not in names:
                return f"{title} has no field {name}"
            if name in names[: len(args)]:
                return f"{title} is given {name} twice"
        missing = [name for name in names[len(args) :] if name not in kwargs and name not in self._defaults]
        return f"{title} wants {', '.join(missing)}"

    def _values(self):
        return tuple([getattr(self, name) for name in self.__slots__])

    def _repr(self):
        values = zip(self.__slots__, _values(self))
        return f"{type(self).__qualname__}({', '.join([f'{name}={value!r}' for name, value in values])})"

    def _setattr(self, name, value=None):
        raise AttributeError(f"{type(self).__name__} is frozen: can't set {name}")

    def _eq(self, other):
        return _values(self) == _values(other) if type(self) is type(other) else NotImplemented

    _METHODS = {
        "__init__": _init,
        "__eq__": _eq,
        "__hash__": lambda self: hash(_values(self)),
        "__repr__": _repr,
        "__setattr__": _setattr,
        "__delattr__": _setattr,
        "__replace__": replace,
        "__reduce__": lambda self: (type(self), _values(self)),
    }
