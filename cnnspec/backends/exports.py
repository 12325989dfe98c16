"""What a graph can be written as: the formats, by name and by the suffix of a file."""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.graph.nodes import Graph


@record
class Format:
    """A format: its name for `--to`, the ending of its files, what it is, and what makes the bytes."""

    name: str
    suffix: str
    about: str
    write: Callable[[Graph], bytes]


def _python(graph: Graph) -> bytes:
    from cnnspec.backends.python_source import source_of

    return source_of(graph).encode()


FORMATS = {found.name: found for found in (Format("py", ".py", "Python that needs torch alone", _python),)}


def format_of(path: str) -> Format | None:
    """The format of a file, by the ending of its name."""
    return next((found for found in FORMATS.values() if path.endswith(found.suffix)), None)


MARK = b"cnnspec"


def is_ours(content: bytes) -> bool:
    """Whether a file was written here: all formats name their writer near the beginning or the end."""
    return MARK in content
