"""Where the bodies of a graph come from: the class or function, and the arguments that it was made with."""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@record
class Origin:
    """What made a module: a name for its block, arguments by their names, the defaults among them, and a comment."""

    name: str
    arguments: Mapping[str, object]
    defaults: Mapping[str, object]
    comment: str = ""


NOWHERE = Origin("", {}, {})
