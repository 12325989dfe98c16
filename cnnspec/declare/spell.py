"""Values as one writes them in a spec."""

from __future__ import annotations


class Unknown:
    """The value of an expression that is wrong: reported once where it stands, accepted silently everywhere else."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


def spell(value: object) -> str:
    """A value as one writes it in a spec."""
    if value is None or value is True or value is False:
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    if isinstance(value, tuple):
        return "(" + ", ".join(map(spell, value)) + (",)" if len(value) == 1 else ")")
    if isinstance(value, list):
        return "[" + ", ".join(map(spell, value)) + "]"
    if isinstance(value, (int, float)):
        return str(value)
    # A layer or a part of a recipe, which is the value of an argument.
    if hasattr(value, "given") and not isinstance(value, type):
        return str(value)
    name = value.__name__ if isinstance(value, type) else getattr(value, "name", value)
    return str(getattr(name, "id", name))
