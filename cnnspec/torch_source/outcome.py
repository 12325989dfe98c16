"""What became of a module that was checked."""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.torch_source.script import Place
    from cnnspec.torch_source.trace import Trace
    from cnnspec.torch_source.values import Instance, Shape


@record
class Outcome:
    """What became of one module. `stop` says why it was not followed to its end, "" where it was."""

    name: str
    place: Place
    inputs: tuple[Shape, ...]
    output: object
    parameters: int | None
    stop: str = ""
    stopped_at: Place | None = None
    assumed: bool = False
    """Whether the input was chosen here, as one that fits."""
    trace: Trace | None = None
    module: Instance | None = None
