"""What a rule about Python source is, and what it looks at."""

from __future__ import annotations

from cnnspec.diagnostics import Code, Sink
from cnnspec.record import record
from cnnspec.torch_source.trace import Run, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnspec.torch_source.script import Script
    from cnnspec.torch_source.values import Instance

    Check = Callable[["Followed", Sink], None]

RULES: list[tuple[Code, Check]] = []


@record
class Followed:
    """A module whose forward was followed to its end: the module, its outermost run, what it gave, the file."""

    module: Instance
    run: Run
    output: object
    script: Script

    def steps(self) -> Iterator[Step]:
        """All operations in the order in which they ran."""
        waiting: list[Run | Step] = [self.run]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Run):
                waiting.extend(reversed(part.steps))
            else:
                yield part


def rule(code: Code) -> Callable[[Check], Check]:
    """Makes a function the rule of a code."""

    def register(check: Check) -> Check:
        RULES.append((code, check))
        return check

    return register
