"""Settings of a recipe that come from elsewhere than its text: by the name of a recipe, from the command line, from Python."""

from __future__ import annotations

from cnnspec.declare import Kind, spell
from cnnspec.declare.kinds import WRONG_TYPE
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.similar_names import closest
from cnnspec.errors import UsageError
from cnnspec.recipe.recipe import NAMED, SETTINGS
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def settings_in(text: str, name: str, sink: Sink) -> list[tree.Setting]:
    """The settings of a text that holds `train { ... }`; mistakes go to `sink`."""
    items = parse(Source(name, text), sink).items
    return [setting for item in items if isinstance(item, tree.Train) for setting in item.settings]


def named(name: str) -> list[tree.Setting]:
    """The settings of a recipe that goes by a name. Raises UsageError where there is none."""
    if name not in NAMED:
        near = closest(name, NAMED)
        meant = f", did you mean `{near}`?" if near else ""
        raise UsageError(f"there is no recipe {name!r}{meant}: there is {', '.join(NAMED)}")
    return settings_in(NAMED[name], f"<{name}>", Sink())


def written(texts: Mapping[str, str], sink: Sink) -> list[tree.Setting]:
    """The settings of a recipe as `recipe.describe` writes it."""
    lines = [f"    {name} = {value}" for name, value in texts.items()]
    return settings_in("\n".join(["train {", *lines, "}", ""]), "<recipe>", sink)


def setting(name: str, value: object, sink: Sink, *, option: str = "") -> tree.Setting:
    """One setting: a string is text of the language, anything else is a value. Findings show the `option` it came from.

    On a command line a setting that takes strings is given one as it is: `--weights net.pt`, not `'"net.pt"'`.
    """
    text = value if isinstance(value, str) else spell(list(value) if isinstance(value, (list, tuple)) else value)
    source = Source(option or "<recipe>", text if option else f"{name} = {text}")
    span = Span(source, 0, len(text if option else name))
    if option and _takes_text(name):
        expression = parse_expression(source, own := Sink())
        if own.has_errors or not isinstance(expression, tree.Literal):
            expression = tree.Literal(text, span)
    else:
        expression = parse_expression(source if option else Source(f"<{name}>", text), sink)
    return tree.Setting(tree.Name(name, span), None, expression, span)


def _takes_text(name: str) -> bool:
    takes = SETTINGS[name].takes if name in SETTINGS else None
    return isinstance(takes, Kind) and takes.accepts("", 0) != WRONG_TYPE
