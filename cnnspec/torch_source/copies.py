"""Copies of values, as copy.deepcopy() makes them."""

from __future__ import annotations

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.values import Instance, Tensor


def copied(m: Machine, value: object, place: Place, *, deep: bool) -> object:
    """A copy: of the object alone, or with `deep` of everything in it as well."""
    if not deep:
        if isinstance(value, list):
            return list(value)
        if isinstance(value, dict):
            return dict(value)
        if isinstance(value, Instance):
            return _shell(value)
        return value
    return _deep(m, value, place, {})


def _shell(value: Instance) -> Instance:
    new = Instance(value.cls, value.made, value.frame)
    new.layer, new.touched, new.name, new.wrapped = value.layer, value.touched, value.name, value.wrapped
    new.arguments = value.arguments
    new.attributes, new.children = dict(value.attributes), dict(value.children)
    return new


def _deep(m: Machine, value: object, place: Place, known: dict[int, object]) -> object:
    if id(value) in known:
        return known[id(value)]
    m.step()
    if isinstance(value, Instance):
        new = known[id(value)] = _shell(value)
        new.attributes = {name: _deep(m, part, place, known) for name, part in value.attributes.items()}
        new.children = {name: _deep(m, part, place, known) for name, part in value.children.items()}
        return new
    if isinstance(value, Tensor):
        known[id(value)] = Tensor(value.shape, value.kind, parameter=value.parameter, made=value.made)
        return known[id(value)]
    if isinstance(value, list):
        m.spend(len(value), place)
        items: list[object] = []
        known[id(value)] = items
        items.extend(_deep(m, part, place, known) for part in value)
        return items
    if isinstance(value, dict):
        m.spend(len(value), place)
        entries: dict[object, object] = {}
        known[id(value)] = entries
        entries.update({key: _deep(m, part, place, known) for key, part in value.items()})
        return entries
    if type(value) is tuple:
        return tuple(_deep(m, part, place, known) for part in value)
    return value
