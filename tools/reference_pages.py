"""Pages of the documentation that are made of what they describe: layers, networks, settings, data sets, commands, schemas."""

from __future__ import annotations

import inspect
import itertools
import json
from pathlib import Path

from cnnspec import layers
from cnnspec.analysis.cost import Costs
from cnnspec.backends.draw.picture import draw
from cnnspec.backends.draw.words import show
from cnnspec.backends.page.arithmetic import worked
from cnnspec.cli.main import COMMANDS, build_parser
from cnnspec.declare import spell
from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Graph
from cnnspec.graph.walk import walk
from cnnspec.layers import Layer
from cnnspec.pipeline import check
from cnnspec.recipe.settings import SETTINGS
from cnnspec.source import Source
from cnnspec.syntax.read import read_source

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("[16, 28, 28]", "[16, 28]", "[16, 8, 16, 16]", "[400]", "[49, 64]")
VALUES = ("3", "2", "8", "1", "0.5", "(1, 1)", "((1, 1), (1, 1))", "[8]", "[16, 28, 28]", "8, 8")


def all_pages() -> dict[str, str]:
    """Every page and picture by its path in the sources of the site."""
    return {
        **layer_pages(),
        **network_pages(),
        "reference/settings.md": settings_page(),
        "reference/options.md": options_page(),
        "reference/schemas.md": schemas_page(),
        "reference/api.md": api_page(),
    }


# --- layers ---


def layer_pages() -> dict[str, str]:
    """A page for each file of layers, a section for each layer, a picture for each that can be drawn alone."""
    found: dict[str, str] = {}
    families: dict[str, list[type[Layer]]] = {}
    for name in layers.names():
        layer = layers.find(name)
        assert layer is not None
        families.setdefault(layer.__module__.rpartition(".")[2], []).append(layer)
    index = ["# Layers", "", "Names, parameters and defaults are those of `torch.nn`.", ""]
    for family, members in families.items():
        title = family.replace("_", " ").capitalize()
        module = inspect.getmodule(members[0])
        about = (module.__doc__ or "").strip().split("\n\n")[0] if module else ""
        parts = [f"# {title}", "", about]
        for layer in members:
            parts += ["", *_layer(layer, found)]
        found[f"reference/layers/{family}.md"] = "\n".join(parts) + "\n"
        links = ", ".join(f"[{layer.__name__}]({family}.md#{layer.__name__.lower()})" for layer in members)
        index += [f"**[{title}]({family}.md)**: {links}", ""]
    index += ["```{toctree}", ":hidden:", "", *families, "```"]
    found["reference/layers/index.md"] = "\n".join(index) + "\n"
    return found


def _layer(layer: type[Layer], files: dict[str, str]) -> list[str]:
    """The section of a layer."""
    name = layer.__name__
    doc = "\n".join(line.strip() for line in (layer.__doc__ or "").strip().splitlines())
    parts = [f"## {name}", "", f"`{name}({layer.signature.text})`", "", doc, ""]
    if layer.fields:
        parts += ["| parameter | takes | default |", "| --- | --- | --- |"]
        for field in layer.fields.values():
            default = "required" if field.required else f"`{spell(field.default)}`"
            parts.append(
                f"| `{field.name}` | {field.kind.describe(layer.rank).replace('|', chr(92) + '|')} | {default} |"
            )
        parts.append("")
    parts.append(
        f"Compiles to `{layer.target()}`." + (f" `{layer.inferred}` follows from the input." if layer.inferred else "")
    )
    example = example_of(layer)
    if example is not None:
        text, graph = example
        parts += ["", "```cnn", text.strip(), "```", ""]
        node = next(node for _, node in walk(graph.root) if node.title == name)
        sums = worked(node, Costs(graph).of(node).macs)
        parts += [f"- {what}: {how}{' = ' if how else ''}**{result}**" for what, how, result in sums]
        files[f"pictures/layers/{name}.svg"] = str(draw(graph))
        parts += ["", f"![{name} of {show(graph.takes)} gives {show(graph.output)}](../../pictures/layers/{name}.svg)"]
    return parts


def example_of(layer: type[Layer]) -> tuple[str, Graph] | None:
    """A network of one layer that is right, with the first arguments that are; None where there is none so simple."""
    required = [field.name for field in layer.fields.values() if field.required]
    choices = [("8",) if "channels" in name or "features" in name else VALUES for name in required[:3]]
    for shape, *values in itertools.product(INPUTS, *choices):
        given = [f"{name}={value}" for name, value in zip(required, values)]
        arguments = f"({', '.join(given)})" if given else ""
        text = f"model Example {{\n    input {shape}\n    {layer.__name__}{arguments}\n}}\n"
        sink = Sink()
        graphs = check(Source("example.cnn", text), sink)
        if graphs and not sink.diagnostics and graphs[0].output is not None and graphs[0].complete:
            return text, graphs[0]
    return None


# --- networks ---


def network_pages() -> dict[str, str]:
    """A page for each spec that comes along: its picture, what it costs, its text."""
    found: dict[str, str] = {}
    rows = ["# Networks", "", "Specs that come along: `cnnspec init NAME` copies one to begin with.", ""]
    rows += ["| network | model | input → output | parameters |", "| --- | --- | --- | --- |"]
    names = []
    for path in sorted((ROOT / "specs").glob("*.cnn")):
        sink = Sink()
        graphs = check(read_source(str(path), sink), sink)
        names.append(path.stem)
        text = path.read_text(encoding="utf-8")
        parts = [f"# {path.stem}", ""]
        for graph in graphs:
            typical = graph.typical
            sides = f"{show(typical.takes)} → {show(typical.output)}"
            rows.append(f"| [{path.stem}]({path.stem}.md) | {graph.name} | {sides} | {graph.parameters:,} |")
            macs = Costs(typical).total.macs
            parts += [f"{graph.name}: {sides}, {graph.parameters:,} parameters, {macs:,} multiply-accumulates.", ""]
        if graphs:
            found[f"pictures/networks/{path.stem}.svg"] = str(draw(graphs[0].typical))
            parts += [f"![{graphs[0].name}](../../pictures/networks/{path.stem}.svg)", ""]
        parts += ["```cnn", text.rstrip(), "```"]
        found[f"reference/networks/{path.stem}.md"] = "\n".join(parts) + "\n"
    rows += ["", "```{toctree}", ":hidden:", "", *names, "```"]
    found["reference/networks/index.md"] = "\n".join(rows) + "\n"
    return found


# --- recipes ---


def settings_page() -> str:
    """What a recipe may name: every choice of every setting with its arguments."""
    parts = [
        "# Choices of a recipe",
        "",
        "The settings themselves are listed in [training](../training.md#settings). Here is what may stand behind those that "
        "take a name, with the arguments and their defaults.",
    ]
    for name, setting in SETTINGS.items():
        if not isinstance(setting.takes, dict):
            continue
        parts += ["", f"## {name}", "", f"{setting.meaning.capitalize()}.", ""]
        for choice, cls in setting.takes.items():
            doc = " ".join((cls.__doc__ or "").split())
            parts.append(f"- `{choice}({cls.signature.text})`" + (f": {doc}" if doc else ""))
            parts += [f"    - `{field.name}`: {field.kind.describe(0)}" for field in cls.fields.values()]
    return "\n".join(parts) + "\n"


# --- commands, schemas ---


def options_page() -> str:
    """What `--help` says of every command."""
    parts = ["# Options of the commands", "", "What each is for: [commands](../commands.md)."]
    subparsers = next(
        action.choices for action in build_parser()._actions if isinstance(action.choices, dict) and action.choices
    )
    for name in COMMANDS:
        text = subparsers[name].format_help().rstrip()
        parts += ["", f"## cnnspec {name}", "", "```text", text, "```"]
    return "\n".join(parts) + "\n"


def schemas_page() -> str:
    """The fields of the JSON documents."""
    parts = ["# JSON documents", "", "The schemas are part of the package, in `cnnspec/schemas`."]
    for path in sorted((ROOT / "cnnspec" / "schemas").glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        parts += ["", f"## {path.name}", "", schema.get("description", "").split("\n\n")[0], ""]
        for title, part in {"the document": schema, **schema.get("$defs", {})}.items():
            if "properties" not in part:
                continue
            required = part.get("required", ())
            parts += [f"**{title}**", "", "| field | type | meaning |", "| --- | --- | --- |"]
            for name, field in part["properties"].items():
                told = f"`{name}`" + ("" if name in required else ", may be left out")
                about = field.get("description", "").replace("\n", " ").replace("|", "\\|")
                parts.append(f"| {told} | {_type(field)} | {about} |")
            parts.append("")
        parts += ["", "```json", path.read_text(encoding="utf-8").rstrip(), "```"]
    return "\n".join(parts) + "\n"


def api_page() -> str:
    """The Python interface, from its docstrings."""
    parts = ["# Python", "", "`import cnnspec` imports nothing else: each name is loaded when it is first used.", ""]
    parts += ["How they go together: [in Python](../python.md), [in notebooks](../notebooks.md).", ""]
    parts += ["```{eval-rst}"]
    functions = ("load", "loads", "train", "evaluate", "predict", "load_weights")
    parts += [f".. autofunction:: cnnspec.{name}\n" for name in functions]
    parts += [f".. autoclass:: cnnspec.{name}\n   :members:\n" for name in ("Spec", "SpecError")]
    results = ("Run", "Evaluation", "Prediction", "Model")
    parts += [f".. autoclass:: cnnspec.training.results.{name}()\n   :members:\n" for name in results]
    events = ("Callback", "Start", "Step", "Epoch", "Notice", "End")
    parts += [f".. autoclass:: cnnspec.training.events.{name}()\n   :members:\n" for name in events]
    parts += [".. automodule:: cnnspec.errors\n   :members:\n", "```"]
    return "\n".join(parts) + "\n"


def _type(field: dict[str, object]) -> str:
    """A type of a schema in a word."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    choices = field.get("anyOf")
    if isinstance(choices, list):
        return " or ".join(_type(choice) for choice in choices)
    items = field.get("items")
    kind = str(field.get("type", "any"))
    return f"{kind} of {_type(items)}" if isinstance(items, dict) else kind
