"""Families of declared classes that users call by name: layers, optimizers, losses, data sets and their like.

    class Optimizer(Named, family=True):
        ...

    class SGD(Optimizer):
        ...

`Optimizer.find("SGD")` is the class. A class registers itself by its definition; one whose name begins with an underscore
is a base of others and none to be called.
"""

from __future__ import annotations

from cnnspec.declare.declared import Declared
from cnnspec.resources import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    N = TypeVar("N", bound="Named")


class Named(Declared):
    """Base of the classes of a family. `members` are those of the family that a class belongs to, by name.

    `homes` are the modules of members that need not be imported before somebody asks for them.
    """

    members = {}  # type: dict[str, type[Named]]
    homes = {}  # type: dict[str, str]

    def __init_subclass__(cls, *, family: bool = False) -> None:
        super().__init_subclass__()
        if family:
            cls.members, cls.homes = {}, {}
        elif not cls.__name__.startswith("_"):
            cls.register()

    @classmethod
    def register(cls) -> None:
        """Make the class known under its name. Raises TypeError where the name is taken."""
        name = cls.__name__
        if name in cls.members or cls.homes.get(name, cls.__module__) != cls.__module__:
            raise TypeError(f"there is a {name!r} already: give yours another name")
        cls.members[name] = cls

    @classmethod
    def find(cls: type[N], name: str) -> type[N] | None:
        """The class of the family that users call `name`, or None."""
        found = cls.members.get(name)
        if found is None and name in cls.homes:
            load(cls.homes[name])
            found = cls.members[name]
        return found if found is not None and issubclass(found, cls) else None

    @classmethod
    def table(cls: type[N]) -> dict[str, type[N]]:
        """The classes of the family by name, in the order of their definition."""
        for home in dict.fromkeys(cls.homes.values()):
            load(home)
        members = {name: cls.members[name] for name in cls.homes} | cls.members
        return {name: member for name, member in members.items() if issubclass(member, cls)}

    @classmethod
    def names(cls) -> list[str]:
        """The names of the family, sorted."""
        return sorted(cls.homes.keys() | cls.members.keys())
