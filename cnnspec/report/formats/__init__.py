"""A file a format, by its name, with a `FORMAT`."""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.report.findings import Report


@record
class Style:
    """How a report is to look."""

    color: bool = False
    quiet: bool = False
    """Nothing but findings."""
    statistics: bool = False
    """The findings counted by code."""


@record
class Format:
    """What writes a report as a whole text."""

    write: Callable[[Report, Style], str]
    counts: bool = False
    """Whether it can count findings by code."""
