"""What a forward pass did: operations in order, inside of the modules that ran them, each with its tensors."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnspec.torch_source.script import Place
    from cnnspec.torch_source.values import Instance


def _as_it_is(value: object) -> object:
    """A list as it is now: what is appended later was not handed over."""
    return list(value) if type(value) is list else value


class Step:
    """One operation: a layer, where `module` is not None, or a function of torch under the last part of its name."""

    __slots__ = ("arguments", "keywords", "module", "name", "output", "place")

    def __init__(
        self,
        name: str,
        module: Instance | None,
        arguments: tuple[object, ...],
        keywords: Mapping[str, object],
        output: object,
        place: Place,
    ) -> None:
        self.name, self.module, self.keywords = name, module, keywords
        self.arguments = tuple(map(_as_it_is, arguments))
        self.output, self.place = output, place

    @property
    def inputs(self) -> tuple[object, ...]:
        """All arguments, in the order in which they are written."""
        return (*self.arguments, *self.keywords.values())


class Run:
    """One run of a module's forward: what came in, what it did, what came out."""

    __slots__ = ("inputs", "module", "output", "place", "steps")

    def __init__(self, module: Instance, inputs: tuple[object, ...], place: Place | None) -> None:
        self.module, self.inputs, self.place = module, tuple(map(_as_it_is, inputs)), place
        self.steps: list[Step | Run] = []
        self.output: object = None


class Trace:
    """All runs of one check; the outermost one is `root`."""

    def __init__(self) -> None:
        self.root: Run | None = None
        self.length = 0
        """How many operations and runs have been written down."""
        self._open: list[Run] = []

    def enter(self, module: Instance, inputs: tuple[object, ...], place: Place | None) -> None:
        self.length += 1
        run = Run(module, inputs, place)
        if self._open:
            self._open[-1].steps.append(run)
        elif self.root is None:
            self.root = run
        self._open.append(run)

    def gave(self, value: object) -> Step | None:
        """The operation that gave a value."""
        waiting: list[Run | Step] = [self.root] if self.root is not None else []
        while waiting:
            part = waiting.pop()
            if isinstance(part, Run):
                waiting += part.steps
            elif part.output is value:
                return part
        return None

    def leave(self, output: object) -> None:
        self._open.pop().output = output

    def add(self, step: Step) -> None:
        if self._open:
            self.length += 1
            self._open[-1].steps.append(step)
