"""The findings of a run as text: for people (full, concise) and for machines (json, github, gitlab, sarif, junit).

A `Report` goes in, the whole text comes out; nothing is printed here. Machine formats hold findings alone. What came from a
user is escaped in every one of them: control and bidirectional characters reach no terminal and break no line.
"""

from __future__ import annotations

from cnnspec.errors import UsageError
from cnnspec.report.formats import Format, Style
from cnnspec.resources import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.report.findings import Report


def names() -> list[str]:
    """The formats: the files of `formats`, those for people first."""
    import os

    from cnnspec.report import formats

    folder = os.path.dirname(formats.__file__)
    try:
        files = os.listdir(folder)
    except OSError:
        # In a zip file; pkgutil takes longer to import than a report to write.
        from pkgutil import iter_modules

        files = [f"{found.name}.py" for found in iter_modules(formats.__path__)]
    found = {file.partition(".")[0] for file in files if file.endswith((".py", ".pyc")) and not file.startswith("_")}
    return sorted(found, key=lambda name: (name != "full", name))


def find_format(name: str) -> Format:
    """The format of a name. UsageError where there is none."""
    if name != "full" and name not in names():
        raise UsageError(f"there is no output format {name!r}: there is {', '.join(names())}")
    found: Format = load(f"cnnspec.report.formats.{name}").FORMAT
    return found


def write(report: Report, name: str, *, color: bool = False, quiet: bool = False, statistics: bool = False) -> str:
    """The report in one of the formats, with a line end behind its last line; "" where there is nothing to say.

    `color` and `quiet` are for full alone; `statistics` counts the findings by code, where the format can say so.
    """
    return find_format(name).write(report, Style(color, quiet, statistics))
