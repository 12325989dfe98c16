"""Methods of Python's strings, lists, dicts and tuples, each bounded before it is carried out."""

from __future__ import annotations

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operators import SCALARS, is_plain, join
from cnnspec.torch_source.stops import Raised, Stop
from cnnspec.torch_source.values import Builtin, Unknown, depends_on_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.torch_source.script import Place

_STRING = frozenset(
    ["lower", "upper", "title", "capitalize", "split", "rsplit", "strip", "lstrip", "rstrip", "startswith", "endswith",
     "replace", "isdigit", "find", "index", "count", "removeprefix", "removesuffix", "partition", "rpartition", "isalpha",
     "splitlines", "isupper", "islower"]
)  # fmt: skip


def method_of(m: Machine, owner: object, name: str, place: Place) -> object:
    """The method of a constant, or None where there is no such method that can be followed."""
    if isinstance(owner, str):
        if name in ("format", "join"):
            return Builtin(name, _bound(_format if name == "format" else _join, owner))
        return Builtin(name, _bound(_string(name), owner)) if name in _STRING else None
    if isinstance(owner, list):
        return _method(_LIST, owner, name)
    if isinstance(owner, dict):
        return _method(_DICT, owner, name)
    if isinstance(owner, tuple):
        return _method(_TUPLE, owner, name)
    if isinstance(owner, set):
        return _method(_SET, owner, name)
    if isinstance(owner, float) and name == "is_integer":
        return Builtin(name, lambda *_: owner.is_integer())
    return None


def _method(table: dict[str, Callable[..., object]], owner: object, name: str) -> object:
    return Builtin(name, _bound(table[name], owner)) if name in table else None


def _bound(function: Callable[..., object], owner: object) -> Callable[..., object]:
    def call(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        try:
            return function(m, place, owner, arguments, keywords)
        except (TypeError, IndexError, KeyError, ValueError) as error:
            raise Raised(type(error).__name__, str(error)[:100], place) from None

    return call


# --- strings ---


def _string(name: str) -> Callable[..., object]:
    def call(m: Machine, place: Place, owner: str, arguments: list[object], keywords: dict[str, object]) -> object:
        plain = all(isinstance(one, SCALARS) or is_plain(one, 50) for one in arguments)
        if keywords or not plain:
            return Unknown(f"the text {place.text}", place)
        growth = max([len(one) for one in arguments if isinstance(one, str)], default=0) if name == "replace" else 0
        m.spend(len(owner) * max(1, growth), place)
        functions: dict[str, Callable[..., object]] = {
            "lower": owner.lower, "upper": owner.upper, "title": owner.title, "capitalize": owner.capitalize,
            "split": owner.split, "rsplit": owner.rsplit, "strip": owner.strip, "lstrip": owner.lstrip,
            "rstrip": owner.rstrip, "startswith": owner.startswith, "endswith": owner.endswith, "replace": owner.replace,
            "isdigit": owner.isdigit, "find": owner.find, "index": owner.index, "count": owner.count,
            "removeprefix": owner.removeprefix, "removesuffix": owner.removesuffix, "partition": owner.partition,
            "rpartition": owner.rpartition, "isalpha": owner.isalpha, "splitlines": owner.splitlines,
            "isupper": owner.isupper, "islower": owner.islower,
        }  # fmt: skip
        return functions[name](*arguments)

    return call


def _format(m: Machine, place: Place, owner: str, arguments: list[object], keywords: dict[str, object]) -> object:
    return join(m, owner, arguments, keywords, place)


def _join(m: Machine, place: Place, owner: str, arguments: list[object], keywords: dict[str, object]) -> object:
    parts = m.iterate(arguments[0], place)
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) != len(parts):
        return Unknown(f"the text {place.text}", place)
    m.spend(sum(map(len, texts)) + len(owner) * len(texts), place)
    return owner.join(texts)


# --- lists ---


def _append(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    (item,) = arguments
    m.spend(1, place)
    m.spend(0 if len(owner) < 100_000 else 100_001, place)
    m.changes += 1
    owner.append(item)
    return None


def _extend(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    items = list(m.iterate(arguments[0], place))
    m.spend(len(items) + len(owner), place)
    m.changes += 1
    owner.extend(items)
    return None


def _insert(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    position, item = arguments
    if not isinstance(position, int):
        raise Stop("insert() at this place", place)
    m.spend(1, place)
    m.changes += 1
    owner.insert(position, item)
    return None


def _pop(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    m.changes += 1
    position = arguments[0] if arguments else -1
    if not isinstance(position, int):
        raise Stop("pop() of this place", place)
    return owner.pop(position)


def _reverse(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    m.changes += 1
    owner.reverse()
    return None


def _clear(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    m.changes += 1
    owner.clear()
    return None


def _copy(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    m.spend(len(owner), place)
    return owner.copy()


def _index(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    wanted = arguments[0]
    if not isinstance(wanted, SCALARS) or depends_on_batch(wanted):
        raise Stop("index() of this", place)
    for number, item in enumerate(owner):
        if isinstance(item, SCALARS) and item == wanted:
            return number
    raise Raised("ValueError", "the item is not in the list", place)


def _count(m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: object) -> object:
    if not isinstance(arguments[0], SCALARS):
        raise Stop("count() of this", place)
    return sum(isinstance(item, SCALARS) and item == arguments[0] for item in owner)


def _sort(
    m: Machine, place: Place, owner: list[object], arguments: list[object], keywords: dict[str, object]
) -> object:
    if (
        "key" in keywords
        or not all(isinstance(one, (int, float)) for one in owner)
        or any(map(depends_on_batch, owner))
    ):
        raise Stop("sort() of these values", place)
    m.spend(len(owner), place)
    m.changes += 1
    numbers = [one for one in owner if isinstance(one, (int, float))]
    owner[:] = sorted(numbers, reverse=m.truth(keywords.get("reverse", False), place))
    return None


_LIST: dict[str, Callable[..., object]] = {
    "sort": _sort,
    "append": _append, "extend": _extend, "insert": _insert, "pop": _pop, "reverse": _reverse, "clear": _clear,
    "copy": _copy, "index": _index, "count": _count,
}  # fmt: skip
_TUPLE: dict[str, Callable[..., object]] = {"index": _index, "count": _count}


# --- sets ---


def _add(m: Machine, place: Place, owner: set[object], arguments: list[object], keywords: object) -> object:
    if not is_plain(arguments[0], 50):
        raise Stop("add() of this", place)
    m.spend(1, place)
    m.changes += 1
    owner.add(arguments[0])
    return None


_SET: dict[str, Callable[..., object]] = {"add": _add}


# --- dicts ---


def _key(key: object, place: Place) -> object:
    if isinstance(key, tuple) and not is_plain(key, 200):
        raise Stop("a key like this", place)
    return key


def _get(m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: object) -> object:
    if isinstance(arguments[0], Unknown):
        return arguments[0]
    return owner.get(_key(arguments[0], place), arguments[1] if len(arguments) > 1 else None)


def _set_default(
    m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: object
) -> object:
    m.spend(1, place)
    m.changes += 1
    return owner.setdefault(_key(m.known(arguments[0], place), place), arguments[1] if len(arguments) > 1 else None)


def _take(m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: object) -> object:
    m.changes += 1
    return owner.pop(_key(m.known(arguments[0], place), place), *arguments[1:2])


def _update(
    m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: dict[str, object]
) -> object:
    m.changes += 1
    if arguments and not isinstance(arguments[0], dict):
        raise Stop("update() with this", place)
    more = arguments[0] if arguments else {}
    assert isinstance(more, dict)
    m.spend(len(more) + len(keywords), place)
    owner.update(more)
    owner.update(keywords)
    return None


def _keys(m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: object) -> object:
    m.spend(len(owner), place)
    return list(owner)


def _values(m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: object) -> object:
    m.spend(len(owner), place)
    return list(owner.values())


def _items(m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: object) -> object:
    m.spend(len(owner), place)
    return list(owner.items())


def _copy_dict(
    m: Machine, place: Place, owner: dict[object, object], arguments: list[object], keywords: object
) -> object:
    m.spend(len(owner), place)
    return dict(owner)


_DICT: dict[str, Callable[..., object]] = {
    "get": _get, "setdefault": _set_default, "pop": _take, "update": _update, "keys": _keys, "values": _values,
    "items": _items, "copy": _copy_dict,
}  # fmt: skip
