"""The state of one run over a file, its bounds, and what the parts of the interpreter ask each other for.

The parts (statements, expressions, calls, operations) know this class alone; `interpreter` puts them together.
"""

from __future__ import annotations

from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Stop, stop_at
from cnnspec.torch_source.values import Frame, Function, Instance, Scope, Shape, Tensor, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from cnnspec.diagnostics import Sink
    from cnnspec.torch_source.script import Script
    from cnnspec.torch_source.stops import Refusal
    from cnnspec.torch_source.trace import Trace

STEPS = 250_000
"""Statements and expressions that one run may follow."""
CELLS = 2_000_000
"""Items of all lists, strings and tuples that one run may build."""
SEQUENCE = 100_000
"""Items of one list, string or tuple."""
DEPTH = 120
"""Calls inside of each other."""
BITS = 2048
"""Length of an integer."""
RANK = 32
"""Dimensions of a tensor."""


class Machine:
    """One run: what has been found, what has been executed, and how much of it is still allowed."""

    def __init__(self, sink: Sink, trace: Trace, settings: Mapping[str, object], *, training: bool = False) -> None:
        self.sink, self.trace, self.settings, self.training = sink, trace, settings, training
        self.steps = 0
        self.cells = 0
        self.depth = 0
        self.changes = 0
        """How often an object was changed: a statement that stops half-way may be passed over only where none was."""
        self.frame: Frame | None = None
        self.running: list[Instance] = []
        """The modules whose forward is being followed, the innermost last."""
        self.guarded = 0
        """Depth of `try` statements that would catch an exception."""
        self.caller: Function | None = None
        self.causes: dict[tuple[str, int], Any] = {}
        """What led to each finding, by its code and place: what a repair needs to know."""
        self.wanted: Shape | None = None
        """What the first layer declares of the input, where it refuses it: (rank, channels) of a map, or (features,)."""

    # --- what the parts offer each other ---

    evaluate: Callable[[ast.expr, Scope], object]
    execute: Callable[[Sequence[ast.stmt], Scope], None]
    assign: Callable[[ast.expr, object, Scope], None]
    call: Callable[[object, list[object], dict[str, object], Place], object]
    attribute: Callable[[object, str, Place], object]
    set_attribute: Callable[[object, str, object, Place], None]
    iterate: Callable[[object, Place], list[object]]
    truth: Callable[[object, Place], bool]
    binary: Callable[[type[ast.AST], object, object, Place], object]
    imported: Callable[[ast.Import | ast.ImportFrom, Scope], None]
    script_of: Callable[[Scope], Script]
    described: Callable[[str], object]
    """What is known of a library by its dotted name, or None."""
    refuse: Callable[[Refusal, Place, Instance | None, Sequence[object]], object]

    # --- bounds ---

    def step(self, count: int = 1) -> None:
        """Account for a statement or an expression, or for something that takes as long as `count` of them."""
        self.steps += count
        if self.steps > STEPS:
            raise Stop(f"this: it takes more than {STEPS:,} steps")

    def spend(self, cells: int, place: Place | None = None) -> None:
        """Account for a list or a string of that length, before it is built."""
        if cells > SEQUENCE:
            raise Stop(f"a sequence of more than {SEQUENCE:,} items", place)
        self.cells += cells
        if self.cells > CELLS:
            raise Stop(f"this: its lists and strings hold more than {CELLS:,} items", place)

    # --- helpers ---

    @property
    def in_forward(self) -> bool:
        return bool(self.running)

    def place(self, node: ast.AST, scope: Scope) -> Place:
        return Place(self.script_of(scope), node)

    def known(self, value: object, place: Place | None = None) -> object:
        """The value, where it and its parts are known; stops otherwise."""
        budget = 10_000
        waiting = [value]
        while waiting:
            part = waiting.pop()
            budget -= 1
            if budget < 0:
                raise Stop("a value with more than 10,000 parts", place)
            if isinstance(part, Unknown):
                raise stop_at(part, place)
            if isinstance(part, (list, tuple, set)):
                waiting.extend(part)
            elif isinstance(part, dict):
                waiting.extend(part.values())
        return value

    def tensor(self, shape: Sequence[int], place: Place | None, *inputs: object, kind: str = "float") -> Tensor:
        """A new tensor of that shape, made at `place`."""
        if len(shape) > RANK:
            raise Stop(f"a tensor of more than {RANK} dimensions", place)
        return Tensor(tuple(shape), kind, made=place)
