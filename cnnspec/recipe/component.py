"""What all parts of a recipe have in common: a class of torch's under torch's name, with the arguments that are given."""

from cnnspec.declare import OK, WRONG_TYPE, Declared, Kind, Named, Number, spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    NonNegative: TypeAlias = float
    Above: TypeAlias = float
else:
    NonNegative = Number(0)
    Above = Number(0, above=True)


class Keys(Kind):
    """Keys of modules, as many as one likes."""

    def accepts(self, value: object, rank: int) -> int:
        right = isinstance(value, tuple) and all(item.__class__ is str for item in value)
        return OK if right else WRONG_TYPE

    def describe(self, rank: int) -> str:
        return 'a list of keys, such as `["stem", "layer1"]`'


class Factors(Kind):
    """Keys of modules, each with a factor of at least 0."""

    def accepts(self, value: object, rank: int) -> int:
        right = isinstance(value, tuple) and all(isinstance(item, tuple) and len(item) == 2 for item in value)
        if not right or any(key.__class__ is not str for key, _ in value):  # type: ignore[attr-defined]
            return WRONG_TYPE
        return max((NonNegative.accepts(factor, rank) for _, factor in value), default=OK)  # type: ignore[attr-defined]

    def describe(self, rank: int) -> str:
        return 'a list of keys and factors, such as `[("layer4", 0.1)]`'


class Component(Named, family=True):
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
