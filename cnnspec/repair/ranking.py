"""How likely a number is what its author meant: usual values by what the number is for. Costs; 0 is the most usual."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.declare import OK
from cnnspec.repair.costs import COSTS, STEPS, TRIED
from cnnspec.repair.sites import HALF, POWER, Site, fields_of, numbers
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = {
    "k": "kernel",
    "kernel": "kernel",
    "kernel_size": "kernel",
    "s": "stride",
    "stride": "stride",
    "padding": "padding",
    "p": "padding",
    "dilation": "dilation",
    "groups": "groups",
    "output_padding": "padding",
    "scale_factor": "stride",
    "depth": "count",
    "n": "count",
    HALF: "two",
    POWER: "two",
}
"""What a number is for, by the name that it is given to: those of torch's arguments, and those that authors use."""


def role_of(site: Site) -> str:
    """What a number is for: kernel, pool, stride, padding, dilation, groups, count, divisor, two or width."""
    if site.kind == "where":
        return "divisor"
    role = next((ROLES[use] for use in sorted(site.uses) if use in ROLES), "") or ROLES.get(site.field, "width")
    name = site.owner.name.id if isinstance(site.owner, tree.Layer) else ""
    return "pool" if role == "kernel" and "Pool" in name else role


def values_for(site: Site, wanted: set[int]) -> list[int]:
    """The numbers that may have been meant: usual ones, those of the error, and what a slip makes this number of."""
    value = site.node.value
    assert isinstance(value, int)
    found = {value - 1, value + 1, value * 2, value // 2, value * 2 + 1}
    role = role_of(site)
    found |= set(TRIED.get(role, ()))
    if role == "width":
        found |= wanted
    least = 0 if role in ("padding", "divisor") or site.field == "" or _may_be_zero(site) else 1
    return sorted(number for number in found if number >= least and number != value)


def _may_be_zero(site: Site) -> bool:
    """Whether a number is an argument that 0 is allowed for, such as an index."""
    layer = layers.find(site.owner.name.id) if isinstance(site.owner, tree.Layer) else None
    field = layer.fields.get(site.field) if layer is not None else None
    return layer is not None and field is not None and field.kind.accepts(0, layer.rank) == OK


def change_cost(site: Site, value: int, seen: Mapping[int, int], wanted: set[int]) -> float:
    """What a number costs in place of the one that is written, wherever it stands; below 0 where it is more usual."""
    old = site.node.value
    assert isinstance(old, int)
    role = role_of(site)
    given = site.owner.shape.items[:1] if isinstance(site.owner, tree.Input) else ()
    if site.node in given and {old, value} == {1, 3}:
        # Grey or colour: both are usual.
        gain = 0.0
    elif role == "width" or role == "count":
        gain = _width(value, seen.get(value, 0), wanted) - _width(old, seen.get(old, 1) - 1, set())
    else:
        gain = STEPS[role].get(value, COSTS["rare"]) - STEPS[role].get(old, COSTS["rare"])
    return gain + _together(site, value) - _together(site, old) + _slip(old, value)


def _width(value: int, seen: int, wanted: set[int]) -> float:
    """Numbers of channels are powers of two or multiples of them, and most of them occur more than once."""
    if seen > 0:
        return 0.0
    near = COSTS["wanted width"] if value in wanted else COSTS["new width"]
    if value & (value - 1) == 0 or value in (10, 100, 1000):
        return near - 0.2
    return near + (0.0 if value % 16 == 0 else 0.1 if value % 8 == 0 else 0.25 if value % 2 == 0 else 0.4)


def _slip(old: int, value: int) -> float:
    """Small changes first; halves and doubles are small."""
    return 0.0 if abs(old - value) == 1 or value in (2 * old, old // 2) else COSTS["no slip"]


def _together(site: Site, value: int) -> float:
    """How unusual the arguments of a layer are together, with `value` in place of the number of the site."""
    if not isinstance(site.owner, tree.Layer) or site.kind != "argument":
        return 0.0
    given = _given(site)
    given[site.field] = value
    kernel = given.get("kernel_size")
    cost = COSTS["windows apart"] if kernel is not None and given.get("stride", 1) > max(kernel, 2) else 0.0
    if kernel is not None and "padding" in given:
        spans = given.get("dilation", 1) * (kernel - 1) + 1
        cost += 0.0 if given["padding"] in (0, (spans - 1) // 2) else COSTS["padding fits no kernel"]
    return cost


def _given(site: Site) -> dict[str, int]:
    """The first number of each argument of the layer."""
    assert isinstance(site.owner, tree.Layer)
    assert site.part is not None
    names, _ = fields_of(site.owner.name.id, site.part)
    found: dict[str, int] = {}
    for position, argument in enumerate(site.owner.arguments):
        field = argument.name.id if argument.name else names[position] if position < len(names) else ""
        for node, name in numbers(argument.value, field):
            if name and node.value.__class__ is int:
                found.setdefault(name, int(node.value or 0))
                break
    return found


def square(site: Site, value: int) -> float:
    """Images are square more often than not: a side that differs from the others, set to what they are."""
    if site.kind != "input" or not isinstance(site.owner, tree.Input) or site.node in site.owner.shape.items[:1]:
        return 0.0
    others = [one.value for one in site.owner.shape.items[1:] if isinstance(one, tree.Literal) and one is not site.node]
    return COSTS["square"] if others and set(others) == {value} else 0.0


def parity(site: Site, off: int) -> float:
    """Maps that differ by one: a window of an even size rather than one of an odd size, which padding fits."""
    if off != 1 or role_of(site) != "kernel" or not isinstance(site.node.value, int):
        return 0.0
    return 0.0 if site.node.value % 2 == 0 else COSTS["odd window"]
