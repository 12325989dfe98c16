"""Settings of a recipe from the command line: --recipe, --data, --set and --NAME VALUE."""

from __future__ import annotations

import os
import sys

from cnnspec.cli.common import UsageError
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.render import clean
from cnnspec.diagnostics.similar_names import closest
from cnnspec.training.settings import named, setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.datasets import DataSet
    from cnnspec.syntax import tree


def overrides(options: Namespace) -> list[tree.Setting]:
    """Settings of the command line, later ones over earlier ones: --recipe, --data, --set and --NAME VALUE."""
    found = [] if options.recipe is None else named(options.recipe)
    texts = [("--data", "data", "=", options.data)] if names_data(options.data) else []
    texts += [("--set", *text.partition("=")) for text in options.settings] + list(pairs(options.rest))
    return found + [override(option, name, separator, value) for option, name, separator, value in texts]


def names_data(text: str | None) -> bool:
    """Whether --data names a data set, `MNIST` or `ImageFolder(path="photos")`, and no path."""
    from cnnspec.recipe.datasets import DATA_SETS

    return text is not None and text.partition("(")[0] in DATA_SETS


def pairs(rest: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """`--name value` and `--name=value` of the options that argparse does not know."""
    words = iter(rest)
    for word in words:
        if not word.startswith("--"):
            raise UsageError(f"{word!r} can't stand here: an option begins with --")
        name, separator, value = word[2:].partition("=")
        if not separator:
            value = next(words, "")
        if not value:
            raise UsageError(f"--{name} needs a value")
        yield f"--{name}", name, "=", value


def override(option: str, name: str, separator: str, value: str) -> tree.Setting:
    """One setting from the command line, checked to be an expression."""
    from cnnspec.diagnostics.render import render_all
    from cnnspec.recipe.recipe import ELSEWHERE, SETTINGS

    name = name.strip().replace("-", "_")
    head, _, argument = name.partition(".")
    if not separator or not head.isidentifier() or (argument and not argument.isidentifier()):
        raise UsageError(f"{option} takes NAME=VALUE, not {name!r}")
    if head not in SETTINGS:
        near = ELSEWHERE.get(head) or closest(head, SETTINGS)
        raise UsageError(f"there is no option or setting --{name}{f', did you mean --{near}?' if near else ''}")
    sink = Sink()
    found = setting(name, value, sink, option=f"--{name}")
    if sink.has_errors:
        raise UsageError(f"--{name}: the value can't be read\n{render_all(sink.diagnostics)}")
    return found


def with_own_files(path: str | None, graph: Graph, given: list[tree.Setting]) -> list[tree.Setting]:
    """The settings, with the data set that reads the files at `path` where the recipe names none that could.

    Raises DataError where the files do not tell which it is.
    """
    from cnnspec.recipe.recipe import recipe_of

    if path is None or names_data(path):
        return given
    recipe = recipe_of(graph, Sink(), given, compare=False)
    if recipe is None or not recipe.data.packed:
        return given
    from cnnspec.training.data.guess import guess, picture_of

    text = guess(path, *picture_of(graph, recipe.augment))
    if os.environ.get("RANK", "0") == "0":
        print(f"{clean(path)} is read as {clean(text)}", file=sys.stderr)
    return [*given, override("--data", "data", "=", text)]


def own_files(path: str, picture: tuple[int, int, int] | None) -> DataSet:
    """The data set that reads the files at `path`, pictures as [channels, height, width]."""
    from cnnspec.compiler.names import Scope
    from cnnspec.recipe.recipe import resolve
    from cnnspec.training.data.guess import guess

    text = guess(path) if picture is None else guess(path, picture[0], (picture[1], picture[2]))
    recipe = resolve([override("--data", "data", "=", text)], Scope(), Sink())
    assert recipe is not None
    found: DataSet = recipe.data
    return found
