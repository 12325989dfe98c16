"""How a rule refuses arguments: with facts, never with prose."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics.codes import Code


class Reject(Exception):
    """Raised by a rule: the field that is to blame ("" for the input itself), the code and its facts. Never prose."""

    def __init__(self, field: str, code: Code, **facts: object) -> None:
        super().__init__(field, code.id)
        self.field, self.code, self.facts = field, code, facts


def sizes(value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """A size for each of `rank` axes, from one number for all of them or one for each."""
    return value if isinstance(value, tuple) else (value,) * rank
