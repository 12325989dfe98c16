"""What ends the run of a statement: a stop of ours, an exception of the code that is followed, a jump."""

from __future__ import annotations

from cnnspec.torch_source.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics import Code
    from cnnspec.source import Span
    from cnnspec.torch_source.script import Place
    from cnnspec.torch_source.values import Instance


class Stop(Exception):
    """The code can't be followed further: `what` says why, in words that go on after "can't follow"."""

    def __init__(self, what: str, place: Place | None = None, *, reported: bool = False) -> None:
        super().__init__(what)
        self.what, self.place, self.reported = what, place, reported
        self.inside = False
        """Whether a method of the file was left half-way, which may have changed its object."""

    def value(self) -> Unknown:
        """The value of an expression that stopped."""
        return Unknown(self.what, self.place, reported=self.reported)


def stop_at(value: Unknown, place: Place | None = None) -> Stop:
    """The stop where an unknown value is needed."""
    return Stop(value.what, value.place or place, reported=value.reported)


class Raised(Exception):
    """The code itself raises an exception of that name."""

    def __init__(
        self,
        name: str,
        text: str,
        place: Place | None,
        *,
        deliberate: bool = False,
        lacks: tuple[str, Instance] | None = None,
    ) -> None:
        super().__init__(name, text)
        self.name, self.text, self.place, self.deliberate = name, text, place, deliberate
        self.lacks = lacks
        """An attribute, and the module that has none of that name."""


class Refusal(Exception):
    """Torch refuses an operation: the code with its facts, and the value to go on with as if it had been right.

    `span` is the place to blame where it is another one than the operation itself.
    """

    def __init__(
        self,
        code: Code,
        facts: dict[str, object],
        value: object = None,
        *,
        field: str = "",
        span: Span | None = None,
    ) -> None:
        super().__init__(code.id)
        self.code, self.facts, self.value, self.field, self.span = code, facts, value, field, span


class Return(Exception):
    """A function gives its value."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


class Break(Exception):
    """A loop ends."""


class Continue(Exception):
    """A loop goes on with the next item."""
