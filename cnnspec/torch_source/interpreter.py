"""The interpreter: the parts put together, operators on tensors, and what becomes of a refusal."""

from __future__ import annotations

import ast

from cnnspec.torch_source import attributes, calls, expressions, statements
from cnnspec.torch_source.findings import report
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operations import OPERATIONS, Op, broadcast
from cnnspec.torch_source.operators import SIGNS, calculate
from cnnspec.torch_source.project import File, import_names
from cnnspec.torch_source.script import Place, Script
from cnnspec.torch_source.stops import Raised, Refusal, Stop
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Instance, Record, Scope, Tensor, TorchClass, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnspec.diagnostics import Sink
    from cnnspec.torch_source.trace import Trace


class Interpreter(Machine):
    """A machine with all of its parts."""

    def __init__(self, sink: Sink, trace: Trace, settings: Mapping[str, object], *, training: bool = False) -> None:
        super().__init__(sink, trace, settings, training=training)
        self.evaluate = lambda node, scope: expressions.evaluate(self, node, scope)
        self.execute = lambda body, scope: statements.execute(self, body, scope)
        self.assign = lambda target, value, scope: statements.assign(self, target, value, scope)
        self.call = lambda function, arguments, keywords, place: calls.call(self, function, arguments, keywords, place)
        self.attribute = lambda owner, name, place: attributes.attribute(self, owner, name, place)
        self.set_attribute = lambda owner, name, value, place: attributes.set_attribute(self, owner, name, value, place)
        self.iterate = lambda value, place: attributes.iterate(self, value, place)
        self.truth = lambda value, place: attributes.truth(self, value, place)
        self.binary = self._binary
        self.imported = lambda statement, scope: import_names(self, statement, scope)
        self.script_of = _script_of
        self.refuse = self._refuse

    def _binary(self, kind: type[ast.AST], left: object, right: object, place: Place) -> object:
        """`left` operator `right`."""
        for value in (left, right):
            if isinstance(value, Unknown):
                return value
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            try:
                result = _on_tensors(self, kind, left, right, place)
            except Refusal as refusal:
                return self._refuse(refusal, place, None, [left, right])
            if self.running:
                self.trace.add(Step(SIGNS.get(kind, "?"), None, (left, right), {}, result, place))
            return result
        if isinstance(left, Instance) and kind is ast.Add and left.is_module:
            joined = Instance(TorchClass(left.torch_name), place, self.frame)
            parts = [*left.children.values(), *self.iterate(right, place)]
            joined.children = {str(number): part for number, part in enumerate(parts)}
            return joined
        if isinstance(left, Record) and left.order:
            left = tuple(left.values[name] for name in left.order)
        if isinstance(left, dict) and isinstance(right, dict) and kind is ast.BitOr:
            self.spend(len(left) + len(right), place)
            return left | right
        return calculate(self, kind, left, right, place)

    def _refuse(self, refusal: Refusal, place: Place, instance: Instance | None, inputs: Sequence[object]) -> object:
        """What torch refuses becomes a finding, and the run goes on with what was meant; under `try` it is an exception."""
        if self.guarded:
            raise Raised("RuntimeError", refusal.code.id, place)
        report(self, refusal, place, instance, inputs)
        if refusal.value is None:
            return Unknown(f"the value of {place.text}", place, reported=True)
        return refusal.value


def _on_tensors(m: Machine, kind: type[ast.AST], left: object, right: object, place: Place) -> object:
    op = Op(m, SIGNS.get(kind, "?"), place)
    if kind is ast.MatMult:
        return OPERATIONS["matmul"](op, left, right)
    for value in (left, right):
        if isinstance(value, (list, tuple, str, dict, type(None))):
            name = "None" if value is None else f"a {type(value).__name__.lower()}"
            raise Raised("TypeError", f"a tensor {op.name} {name}", place)
        if not isinstance(value, (Tensor, int, float)):
            raise Stop(f"`{op.name}` of these values", place)
    first, second = op.tensor(left), op.tensor(right)
    shape = broadcast(op, first.shape, second.shape)
    like = first if first.shape == shape else second
    whole = first.kind == second.kind == "int" or (
        like.kind == "int" and isinstance(left if like is second else right, int)
    )
    return op.result(shape, like, "int" if whole and kind is not ast.Div else "float")


def _script_of(scope: Scope) -> Script:
    assert isinstance(scope.top, File)
    return scope.top.script
