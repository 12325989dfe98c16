"""The command `init`: a spec that comes along, copied with the blocks that it imports, to begin with."""

from __future__ import annotations

import os

from cnnspec.cli.common import OK, Command, UsageError, print_text, write_result
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a network, such as lenet; without one, all are listed")
    parser.add_argument("-o", "--output", metavar="FOLDER", default=".", help="where to write, by default here")
    parser.add_argument("--force", action="store_true", help="replace files that are there")


def run(options: Namespace) -> int:
    """Copy a spec, or list those that there are."""
    from cnnspec.diagnostics.render import clean
    from cnnspec.diagnostics.similar_names import closest

    specs = _specs()
    if options.name is None:
        print_text("\n".join(f"{name:<16}{_about(path)}" for name, path in specs.items()))
        return OK
    if options.name not in specs:
        near = closest(options.name, specs)
        hint = f", did you mean {near}?" if near else "; `cnnspec init` lists those that there are"
        raise UsageError(f"no network {options.name!r} comes along{hint}")
    texts = _texts(specs[options.name])
    targets = {os.path.join(options.output, name): text for name, text in texts.items()}
    other = [path for path, text in targets.items() if os.path.lexists(path) and not _holds(path, text)]
    if other and not options.force:
        raise UsageError(f"{other[0]} is there already, and is another file: --force replaces it")
    for path, text in targets.items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        write_result(path, text)
        print_text(f"wrote {clean(path)}")
    print_text(f"check it with `cnnspec check {clean(next(iter(targets)))}`")
    return OK


def _specs() -> dict[str, Path]:
    """The specs that come along by their names."""
    from pathlib import Path

    from cnnspec.resources import resource

    folder = Path(str(resource("specs")))
    return {path.stem: path for path in sorted(folder.glob("*.cnn"))}


def _about(path: Path) -> str:
    """What the comment at the top of a spec says, or the one above its model, as much as fits on a line."""
    from itertools import takewhile

    lines = path.read_text(encoding="utf-8").splitlines()
    top = list(takewhile(lambda line: line.startswith("#"), lines))
    if not top or lines[len(top)].startswith("block"):
        start = next(number for number, line in enumerate(lines) if line.startswith("model"))
        top = list(takewhile(lambda line: line.startswith("#"), lines[start - 1 :: -1]))[::-1] if start else []
    text = " ".join(line.lstrip("# ") for line in top)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 4].rpartition(" ")[0] + " ..."


_WIDTH = 100


def _texts(path: Path) -> dict[str, str]:
    """A spec and what it imports, by their paths below the folder of the specs."""
    from cnnspec.diagnostics import Sink
    from cnnspec.syntax.read import read_source
    from cnnspec.training.spec_files import collect

    return collect(read_source(str(path), Sink()))


def _holds(path: str, text: str) -> bool:
    """Whether a file is there with this text."""
    from pathlib import Path

    from cnnspec.files import read_regular

    try:
        return read_regular(Path(path), LIMITS.file_bytes) == text.encode()
    except (OSError, ValueError):
        return False


COMMANDS = {"init": Command("copy a network that comes along, to begin with", options_of, run)}
