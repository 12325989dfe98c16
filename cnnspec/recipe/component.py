"""What all parts of a recipe have in common: a class of torch's under torch's name, with the arguments that are given."""

from cnnspec.declare import Declared, Number, spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias, TypeVar

    D = TypeVar("D", bound=Declared)
    NonNegative: TypeAlias = float
    Above: TypeAlias = float
else:
    NonNegative = Number(0)
    Above = Number(0, above=True)


class Component(Declared):
    """Something that a recipe names: a class of torch with the arguments that the recipe gives."""

    @property
    def name(self) -> str:
        return type(self).__name__

    def validate(self) -> None:
        """Raise Reject where the arguments are wrong together."""

    def arguments(self) -> dict[str, object]:
        """Every argument of torch's class, defaults included."""
        return {name: getattr(self, name) for name in self.fields}


def spelled(component: Declared) -> str:
    """A component as a recipe writes it, without defaults."""
    given = [f"{name}={spell(value)}" for name, value in component.given.items()]
    name = type(component).__name__
    return f"{name}({', '.join(given)})" if given else name


def table_of(base: "type[D]") -> "dict[str, type[D]]":
    """The public classes under a base, by name: the class is the entry."""
    found: dict[str, type[D]] = {}
    for child in base.__subclasses__():
        if not child.__name__.startswith("_"):
            found[child.__name__] = child
        found |= table_of(child)
    return found
