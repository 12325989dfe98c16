"""The command `weights`: which tensors of a file fit a network, key by key."""

from __future__ import annotations

from cnnspec.cli.common import (
    FINDINGS,
    OK,
    Command,
    add_color,
    print_text,
)
from cnnspec.cli.graphs import add_network, exact_graph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.graph.matching import Matching


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument("weights", metavar="WEIGHTS", help="a state dict: .safetensors, or what torch.save wrote")
    add_color(parser)


def run(options: Namespace) -> int:
    """Print what fits, and what does not; nothing is changed."""
    from cnnspec.diagnostics.render import clean
    from cnnspec.errors import WeightsError
    from cnnspec.graph.matching import match
    from cnnspec.graph.state import side_by_side, state_of

    graph = exact_graph(options, options.path)
    if graph is None:
        return FINDINGS
    try:
        from cnnspec.weights import read_state
    except ModuleNotFoundError as error:
        raise WeightsError(f"reading weights needs {error.name}: pip install 'cnnspec[torch]'") from None
    state = read_state(options.weights)
    shapes = {key: list(shape) for key, shape in state_of(graph.root).items()}
    found = match(shapes, {key: tuple(value.shape) for key, value in state.items()}, side_by_side(graph.root))
    print_text(f"{graph.name} <- {clean(options.weights)}")
    print_text("\n".join(_rows(found, shapes)))
    return OK if found.is_whole else FINDINGS


def _rows(found: Matching, shapes: dict[str, list[int]]) -> list[str]:
    from cnnspec.diagnostics.render import clean

    keys = [one.key for one in found.matches] + [one.key or "-" for one in found.problems]
    width = max(map(len, keys), default=0)
    rows = [
        f"  {one.key:{width}} <- {clean(one.other)}  {shapes[one.key]}" + ("" if one.by == "name" else "  by order")
        for one in found.matches
    ]
    rows += [
        f"  {one.key or '-':{width}} !! {clean(one.other)}{': ' * bool(one.other)}{one.reason}"
        for one in found.problems
    ]
    named = sum(one.by == "name" for one in found.matches)
    counted = (
        f"{len(found.matches)} of {len(shapes)} tensors fit, {named} by name, {len(found.matches) - named} by order"
    )
    return [*rows, counted + (f"; {len(found.problems)} do not" if found.problems else "")]


COMMANDS = {"weights": Command("tell which weights of a file fit a network", options_of, run)}
