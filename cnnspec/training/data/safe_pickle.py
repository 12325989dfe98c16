"""Pickles read as data: nothing in them is ever imported, called or built.

`load` gives the numbers, strings, lists, tuples and dicts of a pickle as they are; where it asks for a call, it gets a
`Call` that says which. Only the names that an array of numpy needs may stand in it at all. So much reads the python
version of CIFAR, which was never published otherwise.
"""

from __future__ import annotations

import pickletools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ADMITTED = frozenset(
    {
        "numpy.core.multiarray _reconstruct",
        "numpy._core.multiarray _reconstruct",
        "numpy ndarray",
        "numpy dtype",
        "_codecs encode",
    }
)


class Unreadable(Exception):
    """Not a pickle, or one that holds something else than data."""


class Call:
    """What a pickle asks for: `name` with `args`, and the `state` that it wants to give to the result."""

    __slots__ = ("args", "name", "state")

    def __init__(self, name: object, args: object) -> None:
        self.name, self.args, self.state = name, args, None


class _Mark:
    """Where the items of a list, tuple or dict begin on the stack."""


_MARK = _Mark()


def load(content: bytes | bytearray) -> Any:
    """The value of a pickle. Strings of Python 2 are read as Latin-1. Raises Unreadable."""
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(bytes(content)):
            if opcode.name == "STOP":
                return machine.stack.pop()
            machine.run(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError, Warning) as error:
        raise Unreadable(str(error) or type(error).__name__) from None
    raise Unreadable("it has no end")


_VALUES = frozenset(
    {
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
        "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
        "BINBYTES8",
    }
)  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], object]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Machine:
    """The stack and the memo of a pickle, and the operations on them that make data."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, name: str, argument: Any) -> None:
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            self.stack[-_TUPLES[name] :] = [tuple(self.stack[-_TUPLES[name] :])]
        elif name == "MARK":
            self.stack.append(_MARK)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif name not in ("PROTO", "FRAME"):
            self._build(name, argument)

    def _build(self, name: str, argument: Any) -> None:
        match name:
            case "LIST":
                self.stack.append(self._to_mark())
            case "TUPLE":
                self.stack.append(tuple(self._to_mark()))
            case "DICT":
                items = self._to_mark()
                self.stack.append({})
                self._set(items)
            case "APPEND":
                self._extend([self.stack.pop()])
            case "APPENDS":
                self._extend(self._to_mark())
            case "SETITEM":
                value, key = self.stack.pop(), self.stack.pop()
                self._set([key, value])
            case "SETITEMS":
                self._set(self._to_mark())
            case "GLOBAL":
                self.stack.append(_admitted(argument))
            case "STACK_GLOBAL":
                attribute, module = self.stack.pop(), self.stack.pop()
                self.stack.append(_admitted(f"{module} {attribute}"))
            case "REDUCE":
                args, called = self.stack.pop(), self.stack.pop()
                self.stack.append(_bytes(args) if called == "_codecs encode" else Call(called, args))
            case "BUILD":
                state = self.stack.pop()
                self.stack[-1].state = state
            case _:
                raise Unreadable(f"it uses {name}, which plain arrays and lists don't")

    def _to_mark(self) -> list[Any]:
        """The items above the last mark, which goes too."""
        for position in reversed(range(len(self.stack))):
            if self.stack[position] is _MARK:
                items = self.stack[position + 1 :]
                del self.stack[position:]
                return items
        raise Unreadable("a list has no beginning")

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise Unreadable("items for something that is no list")
        target.extend(items)

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        # Keys of other types could be nested so deeply that to hash them overflows the stack of the process.
        if not isinstance(target, dict) or not all(isinstance(key, (str, bytes, int)) for key in items[::2]):
            raise Unreadable("keys for something that is no dict, or that are no strings")
        target.update(zip(items[::2], items[1::2]))


def _bytes(args: object) -> bytes:
    """Bytes as protocols before 3 write them: a string and the name of its encoding."""
    match args:
        case (str(text), "latin1" | "latin-1"):
            return text.encode("latin-1")
    raise Unreadable("it holds a string in an encoding that is not used for bytes")


def _admitted(name: str) -> str:
    if name not in ADMITTED:
        raise Unreadable(f"it asks for `{name.replace(' ', '.')}`, which data doesn't need")
    return name
