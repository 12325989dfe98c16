"""Arguments as written, and as matched with what is declared."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.source import Span


class Argument:
    """One written argument: `value` at `span`, by keyword or, with `name` None, by position."""

    __slots__ = ("name", "name_span", "span", "value")

    def __init__(self, name: str | None, value: object, span: Span, name_span: Span | None = None) -> None:
        self.name, self.value, self.span, self.name_span = name, value, span, name_span


class Bound:
    """Arguments matched with fields: the values given, where each stands, and whether all of them were right."""

    __slots__ = ("complete", "spans", "values")

    def __init__(self, values: dict[str, object], spans: dict[str, Span], complete: bool) -> None:
        self.values, self.spans, self.complete = values, spans, complete
