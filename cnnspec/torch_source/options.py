"""argparse: the options that a script declares, with their defaults."""

from __future__ import annotations

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Stop
from cnnspec.torch_source.values import Builtin, Record, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Parser:
    """An argparse.ArgumentParser with what was added to it so far."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: dict[str, object] = {}


def parser_attribute(parser: Parser, name: str, place: Place) -> object:
    """A method of a parser."""
    methods: dict[str, Callable[..., object]] = {
        "add_argument": _add_argument,
        "parse_args": lambda parser, *_: Record(dict(parser.values)),
        "parse_known_args": lambda parser, *_: (Record(dict(parser.values)), []),
        "add_argument_group": lambda parser, *_: parser,
        "add_mutually_exclusive_group": lambda parser, *_: parser,
        "set_defaults": _set_defaults,
    }
    if name not in methods:
        raise Stop(f"`.{name}` of a parser of options", place)
    method = methods[name]
    return Builtin(name, lambda m, at, arguments, keywords: method(parser, at, arguments, keywords))


def _set_defaults(parser: Parser, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    parser.values.update(keywords)
    return None


def _add_argument(parser: Parser, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    flags = [flag for flag in arguments if isinstance(flag, str)]
    if not flags:
        raise Stop("an option whose name is not known", place)
    long = next((flag for flag in flags if flag.startswith("--")), flags[0])
    name = str(keywords.get("dest") or long.lstrip("-").replace("-", "_"))
    action = keywords.get("action")
    if "default" in keywords:
        value = keywords["default"]
    elif action in ("store_true", "store_false"):
        value = action == "store_false"
    elif keywords.get("required") or not flags[0].startswith("-"):
        value = Unknown(f"the option `{flags[0]}`, which has no default: give it with -D NAME.{name}=VALUE", place)
    else:
        value = None
    kind = keywords.get("type")
    if isinstance(kind, Builtin) and isinstance(value, str) and kind.name in ("int", "float"):
        try:
            value = int(value) if kind.name == "int" else float(value)
        except ValueError:
            value = Unknown(f"the default of `{flags[0]}`", place)
    parser.values[name] = value
    return Record({"dest": name})


def new_parser(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return Parser()
