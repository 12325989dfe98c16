"""The commands `diff` and `digest`: what changed between two networks, and a fingerprint of one."""

from __future__ import annotations

import sys

from cnnspec.cli.common import (
    FINDINGS,
    OK,
    Command,
    UsageError,
    add_color,
    add_definitions,
    add_input,
    print_text,
)
from cnnspec.cli.graphs import add_network, graphs_of, print_errors
from cnnspec.files import split_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.diff import Comparison
    from cnnspec.graph.nodes import Graph

WATCHED = ("weights", "output", "budget")


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="A", help="a .cnn file, file.cnn:Model or model.py:Net")
    parser.add_argument("other", metavar="B", nargs="?", help="what it became: the same")
    parser.add_argument("--against", metavar="REV", help="compare a git revision of A with A as it is")
    parser.add_argument(
        "--fail-on", metavar="WHAT", action="append", default=[],
        help="exit with 1 where old weights do not load (weights), shapes of inputs or outputs change (output), or "
        "parameters or MACs grow (budget); several with commas",
    )  # fmt: skip
    parser.add_argument("--output-format", choices=("text", "markdown", "json"), default="text", help="how to print")
    add_definitions(parser)
    add_input(parser.add_argument_group("PyTorch source"))
    add_color(parser)


def run(options: Namespace) -> int:
    """Print what changed in every model that both have, and which models are new or gone."""
    watched = [name for text in options.fail_on for name in text.split(",")]
    for name in watched:
        if name not in WATCHED:
            raise UsageError(f"--fail-on takes {', '.join(WATCHED)}, not {name!r}")
    sides = _sides(options)
    if sides is None:
        return FINDINGS
    before, after = sides
    from cnnspec.diff import compare

    if len(before) == len(after) == 1:
        pairs = [(*before.values(), *after.values())]
    else:
        pairs = [(before[name], after[name]) for name in after if name in before]
    found = [compare(one, other) for one, other in pairs]
    lone = len(before) == len(after) == 1
    gone = [] if lone else [name for name in before if name not in after]
    new = [] if lone else [name for name in after if name not in before]
    _print(found, gone, new, options.output_format)
    failed = any(one.fails(name) for one in found for name in watched) or (bool(gone) and bool(watched))
    return FINDINGS if failed else OK


def _sides(options: Namespace) -> tuple[dict[str, Graph], dict[str, Graph]] | None:
    """The models before and after, by their names; None where one of them is wrong."""
    if (options.other is None) == (options.against is None):
        raise UsageError("diff takes two files, or one and --against REV")
    if options.against is None:
        before, after = _models(options.path, options), _models(options.other, options)
    else:
        from tempfile import TemporaryDirectory

        from cnnspec.cli.revisions import checked_out

        path, model = split_model(options.path)
        with TemporaryDirectory() as folder:
            old = checked_out(path, options.against, folder)
            before = _models(f"{old}:{model}" if model else old, options, f"{path} in {options.against}")
        after = _models(options.path, options)
    return None if before is None or after is None else (before, after)


def _models(path: str, options: Namespace, shown_as: str | None = None) -> dict[str, Graph] | None:
    """The models of FILE[:MODEL] by their names; None where one of them is wrong, which has been printed then."""
    from cnnspec.diagnostics import Sink

    sink = Sink()
    graphs = graphs_of(options, path, sink, exact=True, shown_as=shown_as and split_model(path)[0])
    if not sink.has_errors:
        return {graph.name: graph for graph in graphs}
    if shown_as:
        print(f"cnnspec: {shown_as}:", file=sys.stderr)
    print_errors(options, sink)
    return None


def _print(found: list[Comparison], gone: list[str], new: list[str], form: str) -> None:
    from cnnspec.report.comparison import as_json, as_markdown, as_text

    if form == "json":
        import json

        document = {"version": 1, "models": list(map(as_json, found)), "gone": gone, "new": new}
        print_text(json.dumps(document, indent=2))
        return
    if form == "markdown":
        told = [*map(as_markdown, found), *(f"### {name}\n\nNew." for name in new)]
        print_text("\n\n".join([*told, *(f"### {name}\n\nGone." for name in gone)]))
        return
    told = [*map(as_text, found), *(f"{name}: new" for name in new), *(f"{name}: gone" for name in gone)]
    print_text("\n\n".join(told))


# --- digest ---


def _digest_options(parser: ArgumentParser) -> None:
    add_network(parser)
    add_color(parser)


def _digest(options: Namespace) -> int:
    """Print a fingerprint of every model: equal where two compute the same with the same keys."""
    from cnnspec.graph.digest import digest_of

    models = _models(options.path, options)
    if models is None:
        return FINDINGS
    for name, graph in models.items():
        print_text(f"{digest_of(graph)}  {name}")
    return OK


COMMANDS = {
    "diff": Command("tell what changed between two networks, and whether old weights load", options_of, run),
    "digest": Command("print a fingerprint of what a network computes and of its keys", _digest_options, _digest),
}
