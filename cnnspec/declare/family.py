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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    N = TypeVar("N", bound="Named")


class Named(Declared):
    """Base of the classes of a family. `members` are those of the family that a class belongs to, by name."""

    members = {}  # type: dict[str, type[Named]]

    def __init_subclass__(cls, *, family: bool = False) -> None:
        super().__init_subclass__()
        if family:
            cls.members = {}
        elif not cls.__name__.startswith("_"):
            cls.register()

    @classmethod
    def register(cls) -> None:
        """Make the class known under its name. Raises TypeError where the name is taken."""
        if cls.__name__ in cls.members:
            raise TypeError(f"there is a {cls.__name__!r} already: give yours another name")
        cls.members[cls.__name__] = cls

    @classmethod
    def find(cls: type[N], name: str) -> type[N] | None:
        """The class of the family that users call `name`, or None."""
        found = cls.members.get(name)
        return found if found is not None and issubclass(found, cls) else None

    @classmethod
    def table(cls: type[N]) -> dict[str, type[N]]:
        """The classes of the family by name, in the order of their definition."""
        return {name: member for name, member in cls.members.items() if issubclass(member, cls)}

    @classmethod
    def names(cls) -> list[str]:
        """The names of the family, sorted."""
        return sorted(name for name, member in cls.members.items() if issubclass(member, cls))
