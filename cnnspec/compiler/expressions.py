"""The value of an expression at one point of a network.

Values are Python's int, float, bool, str, None, tuple and list, and blocks and layers under their names. Evaluation has no
effects, always ends and is bounded: sizes are checked before `**`, `*` and `range` are carried out. A mistake is reported
once and gives UNKNOWN, which every operation accepts silently.
"""

from __future__ import annotations

from cnnspec.compiler.functions import FUNCTIONS, problem
from cnnspec.compiler.names import SHAPE_NAMES
from cnnspec.compiler.values import Failed, bounded, check_length, describe, has_unknown, is_number, show_shape, weigh
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import Diagnostic, Sink, codes, note
from cnnspec.diagnostics.suggest import did_you_mean
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from cnnspec.compiler.names import Scope
    from cnnspec.source import Span
else:
    Protocol = object


class Stop(Exception):
    """Ends the expansion of a model: a bound is reached, and it is reported already."""


class Place(Protocol):
    """What an expression may see: names, and the shape at that point (None where it is not known)."""

    scope: Scope
    sink: Sink
    meter: Meter
    awaits_input: bool

    @property
    def shape(self) -> tuple[int, ...] | None: ...


class Meter:
    """Counts what the expansion of a model costs, against the limits."""

    def __init__(self) -> None:
        self.operations = 0
        self.steps = 0
        self.expansions = 0
        self.layers = 0

    def operation(self, span: Span, sink: Sink) -> None:
        self.operations += 1
        if self.operations > LIMITS.operations:
            self._stop(LIMITS.operations, "operations", span, sink)

    def step(self, span: Span, sink: Sink) -> None:
        self.steps += 1
        if self.steps > LIMITS.steps:
            self._stop(LIMITS.steps, "statements", span, sink)

    def expansion(self, span: Span, sink: Sink) -> None:
        self.expansions += 1
        if self.expansions > LIMITS.expansions:
            self._stop(LIMITS.expansions, "different uses of blocks", span, sink)

    def _stop(self, limit: int, what: str, span: Span, sink: Sink) -> None:
        sink.report(codes.TOO_MANY_STEPS, span, limit=limit, what=what)
        raise Stop

    def add_layers(self, count: int, span: Span, sink: Sink) -> None:
        self.layers += count
        if self.layers > LIMITS.layers:
            sink.report(codes.TOO_MANY_LAYERS, span, limit=LIMITS.layers, found=f"{self.layers:,}")
            raise Stop


def evaluate(node: tree.Expression, place: Place) -> Any:
    """The value of `node`, or UNKNOWN."""
    match node:
        case tree.Literal():
            return node.value
        case tree.Name():
            return _name(node, place)
        case tree.Invalid():
            return UNKNOWN
        case tree.Group():
            return evaluate(node.value, place)
        case tree.Conditional():
            test = evaluate(node.test, place)
            if test is UNKNOWN:
                return UNKNOWN
            return evaluate(node.then if test else node.otherwise, place)
    place.meter.operation(node.span, place.sink)
    try:
        value = _operation(node, place)
        if value.__class__ is list or value.__class__ is tuple:
            place.meter.operations += weigh(value)
        return value
    except Failed as failed:
        place.sink.add(Diagnostic(failed.code, failed.facts, node.span))
        return UNKNOWN


def _operation(node: tree.Expression, place: Place) -> Any:
    match node:
        case tree.Sequence():
            items = [evaluate(item, place) for item in node.items]
            return items if node.is_list else tuple(items)
        case tree.Unary():
            return _unary(node, evaluate(node.operand, place))
        case tree.Chain():
            if node.operators[0] in ("and", "or"):
                return _logical(node, place)
            if node.operators[0] in _COMPARISONS:
                return _comparison(node, place)
            return _arithmetic(node, place)
        case tree.Access():
            return _index(node, place)
        case tree.Call():
            return _call(node, place)
    raise Failed(codes.WRONG_OPERAND, operator="for", operands="a list")


# --- names ---

# What each name of a size reads from a shape: the axis, and the number of dimensions it needs.
_SIZES: dict[str, tuple[int, tuple[int, ...]]] = {
    "in_channels": (0, (1, 2, 3, 4)),
    "in_features": (-1, (1, 2, 3, 4)),
    "in_length": (1, (2,)),
    "in_depth": (1, (4,)),
    "in_height": (-2, (3, 4)),
    "in_width": (-1, (3, 4)),
}


def _name(node: tree.Name, place: Place) -> Any:
    name = node.id
    if name in _SIZES or name == "in_shape":
        return _size(node, place)
    found = place.scope.find(name)
    if found is None:
        if name == "_":
            place.sink.report(
                codes.UNKNOWN_NAME, node.span, name=name, helps=("`_` stands for a size in `-> [...]` only",)
            )
            return UNKNOWN
        known = [*place.scope.names(), *SHAPE_NAMES, "true", "false", "none"]
        place.sink.report(codes.UNKNOWN_NAME, node.span, helps=did_you_mean(name, known), name=name)
        return UNKNOWN
    return found.value


def _size(node: tree.Name, place: Place) -> Any:
    shape = place.shape
    if shape is None:
        if place.awaits_input:
            why = "stands in front of `input`"
            place.sink.report(codes.NO_SUCH_SIZE, node.span, name=node.id, shape="not known yet", why=why)
        return UNKNOWN
    if node.id == "in_shape":
        return list(shape)
    axis, ranks = _SIZES[node.id]
    if len(shape) not in ranks:
        why = f"{node.id} needs {' or '.join(map(str, ranks))} dimensions"
        place.sink.report(codes.NO_SUCH_SIZE, node.span, name=node.id, shape=show_shape(shape), why=why)
        return UNKNOWN
    return shape[axis]


# --- operators ---


def _unary(node: tree.Unary, value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN
    if node.operator == "not":
        return not value
    if not is_number(value):
        raise Failed(codes.WRONG_OPERAND, operator=node.operator, operands=describe(value))
    return -value if node.operator == "-" else value


def _logical(node: tree.Chain, place: Place) -> Any:
    stops_at = node.operators[0] == "or"
    value: Any = None
    for operand in node.operands:
        value = evaluate(operand, place)
        if value is UNKNOWN or bool(value) == stops_at:
            return value
    return value


def _order(operator: str, left: Any, right: Any) -> bool:
    comparable = (is_number(left) and is_number(right)) or (
        type(left) is type(right) and isinstance(left, (str, list, tuple))
    )
    if not comparable:
        raise Failed(codes.WRONG_OPERAND, operator=operator, operands=f"{describe(left)} and {describe(right)}")
    try:
        return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator])
    except TypeError:
        raise Failed(codes.WRONG_OPERAND, operator=operator, operands="these items") from None


_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def _comparison(node: tree.Chain, place: Place) -> Any:
    left = evaluate(node.operands[0], place)
    for operator, operand in zip(node.operators, node.operands[1:]):
        right = evaluate(operand, place)
        _charge(place, left, right)
        if has_unknown(left) or has_unknown(right):
            return UNKNOWN
        if operator in ("==", "!="):
            result = (left == right) == (operator == "==")
        else:
            result = _order(operator, left, right)
        if not result:
            return False
        left = right
    return True


def _arithmetic(node: tree.Chain, place: Place) -> Any:
    value = evaluate(node.operands[0], place)
    for operator, operand in zip(node.operators, node.operands[1:]):
        place.meter.operation(node.span, place.sink)
        right = evaluate(operand, place)
        if value is UNKNOWN or right is UNKNOWN:
            value = UNKNOWN
            continue
        if operator in ("/", "//", "%") and is_number(right) and right == 0:
            place.sink.report(codes.DIVISION_BY_ZERO, operand.span)
            return UNKNOWN
        value = _binary(operator, value, right)
    return value


def _binary(operator: str, left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return _numeric(operator, left, right)
    if operator == "+" and type(left) is type(right) and isinstance(left, (str, list, tuple)):
        check_length(len(left) + len(right))
        return left + right
    if operator == "*" and isinstance(left, (str, list, tuple)) and right.__class__ is int:
        check_length(len(left) * right)
        return left * right
    if operator == "*" and isinstance(right, (str, list, tuple)) and left.__class__ is int:
        return _binary("*", right, left)
    raise Failed(codes.WRONG_OPERAND, operator=operator, operands=f"{describe(left)} and {describe(right)}")


def _charge(place: Place, *values: Any) -> None:
    """Count the work of going through sequences."""
    for value in values:
        if value.__class__ is list or value.__class__ is tuple:
            place.meter.operations += weigh(value) // 8


def _numeric(operator: str, left: Any, right: Any) -> Any:
    match operator:
        case "+":
            return bounded(left + right)
        case "-":
            return bounded(left - right)
        case "*":
            return bounded(left * right)
        case "**":
            return _power(left, right)
        case "/":
            return bounded(left / right)
        case "//":
            return bounded(left // right)
    return left % right


def _power(base: Any, exponent: Any) -> Any:
    whole = base.__class__ is int and exponent.__class__ is int and exponent >= 0
    if whole and abs(base) > 1 and exponent * (abs(base).bit_length() - 1) > 64:
        raise Failed(codes.INTEGER_TOO_LARGE, limit=LIMITS.integer)
    if base == 0 and exponent < 0:
        raise Failed(codes.DIVISION_BY_ZERO)
    try:
        result = base**exponent if whole else float(base) ** float(exponent)
    except OverflowError:
        raise Failed(codes.INTEGER_TOO_LARGE, limit=LIMITS.integer) from None
    if isinstance(result, complex):
        raise Failed(codes.WRONG_OPERAND, operator="**", operands="a negative number and a fraction")
    return bounded(result)


def _index(node: tree.Access, place: Place) -> Any:
    value = evaluate(node.value, place)
    for part in node.steps:
        if not isinstance(part, tree.Item):
            raise Failed(
                codes.WRONG_OPERAND, operator="[:]" if isinstance(part, tree.Slice) else ".", operands=describe(value)
            )
        index = evaluate(part.index, place)
        if value is UNKNOWN or index is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, (list, tuple, str)) or index.__class__ is not int:
            raise Failed(codes.WRONG_OPERAND, operator="[ ]", operands=f"{describe(value)} with {describe(index)}")
        if not -len(value) <= index < len(value):
            place.sink.report(codes.INDEX_OUT_OF_RANGE, part.index.span, index=index, length=len(value))
            return UNKNOWN
        value = value[index]
    return value


# --- functions ---


def _call(node: tree.Call, place: Place) -> Any:
    function = FUNCTIONS.get(node.name.id)
    if function is None:
        _report_no_function(node.name, place)
        return UNKNOWN
    for argument in node.arguments:
        if argument.name is not None or argument.stated is not None:
            raise Failed(codes.WRONG_CALL, function=node.name.id, problem="takes its arguments by position")
    arguments = [evaluate(argument.value, place) for argument in node.arguments]
    _charge(place, *arguments)
    if any(map(has_unknown, arguments)):
        return UNKNOWN
    try:
        return function(*arguments)
    except (TypeError, ValueError, OverflowError) as error:
        raise Failed(codes.WRONG_CALL, function=node.name.id, problem=problem(node.name.id, arguments)) from error


def _report_no_function(name: tree.Name, place: Place) -> None:
    helps = did_you_mean(name.id, FUNCTIONS)
    if place.scope.find(name.id) is not None:
        helps = (note("a layer or block is used as a statement of its own, not inside of an expression"),)
    place.sink.report(codes.UNKNOWN_NAME, name.span, helps=helps, name=name.id)
