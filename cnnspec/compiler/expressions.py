"""The value of an expression at one point of a network.

Values are Python's int, float, bool, str, None, tuple and list; layers and blocks, some with arguments; and the values of
the network that have names, which can be handed on and compared with `none`, no more. Evaluation has no effects, always
ends and is bounded: sizes are checked before `**`, `*` and `range` are carried out. A mistake is reported once and gives
UNKNOWN, which every operation accepts silently.
"""

from __future__ import annotations

from itertools import chain

from cnnspec import layers
from cnnspec.compiler.names import (
    SHAPE_NAMES,
    Block,
    Deferred,
    Function,
    Measure,
    Partial,
    Scope,
    stated_parameter,
    target_name,
)
from cnnspec.compiler.operators import binary, wrong_operand
from cnnspec.compiler.place import Place, spread
from cnnspec.compiler.values import (
    Failed,
    describe,
    has_unknown,
    is_network_value,
    is_number,
    weigh,
)
from cnnspec.declare import UNKNOWN, Argument
from cnnspec.diagnostics import Diagnostic, codes, did_you_mean, note
from cnnspec.layers import Layer
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from cnnspec.diagnostics import Suggestion
    from cnnspec.source import Span


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
    place.meter.operation(node.span, place.sink)
    try:
        value = _operation(node, place)
        if value.__class__ is list or value.__class__ is tuple:
            place.meter.operations += weigh(value)
        return value
    except Failed as failed:
        helps = tuple(map(note, failed.helps))
        place.sink.add(Diagnostic(failed.code, failed.facts, node.span, (), helps))
        return UNKNOWN


def _operation(node: tree.Expression, place: Place) -> Any:
    match node:
        case tree.Sequence():
            items = [evaluate(item, place) for item in node.items]
            value = items if node.is_list else tuple(items)
            place.written[id(value)] = value, node
            return value
        case tree.Conditional():
            test = truth(evaluate(node.test, place), node.test.span, place)
            return UNKNOWN if test is None else evaluate(node.then if test else node.otherwise, place)
        case tree.Unary():
            return _unary(node, place)
        case tree.Chain():
            if node.operators[0] in ("and", "or"):
                return _logical(node, place)
            if node.operators[0] in _COMPARISONS:
                return _comparison(node, place)
            return _arithmetic(node, place)
        case tree.Access():
            return _access(node, place)
        case tree.Comprehension():
            return _comprehension(node, place)
        case tree.Call():
            return _call(node, place)
    raise TypeError(f"no rule for {type(node).__name__}")


def truth(value: Any, span: Span, place: Place) -> bool | None:
    """Whether a condition holds; None where that is not known. A value of the network is neither true nor false."""
    if is_network_value(value):
        place.sink.report(codes.VALUE_IN_EXPRESSION, span, use="be a condition", helps=_COMPARED)
        return None
    return None if has_unknown(value) else bool(value)


_COMPARED = ("a value can be compared with `none`, no more",)


# --- names ---


def _name(node: tree.Name, place: Place) -> Any:
    name = node.id
    if name in SHAPE_NAMES:
        return _size_here(node, place)
    found = place.scope.find(name)
    if found is None:
        _report_unknown(node, place)
        return UNKNOWN
    if isinstance(found.value, Deferred):
        return constant(found.value, node.span, place)
    if isinstance(found.value, Function):
        fix = (f"call it: `{name}(...)`",)
        place.sink.report(codes.FUNCTION_AS_VALUE, node.span, helps=fix, name=name)
        return UNKNOWN
    return found.value


def _report_unknown(node: tree.Name, place: Place) -> None:
    place.sink.report(codes.UNKNOWN_NAME, node.span, helps=lambda: _similar(node, place), name=node.id)


def _similar(node: tree.Name, place: Place) -> Iterable[Suggestion | str]:
    """The names that an unknown one may mean."""
    if node.id == "_":
        return ("`_` stands for a size in `-> [...]` only",)
    if node.id in ("output", "out_shape", "output_shape", "shape"):
        return ("`-> [...]` behind a statement checks the shape that it gives; `in_shape` is the shape here",)
    names = (name for name, found in place.scope.visible() if not getattr(found.value, "is_model", False))
    layer_names = layers.names() if node.id[0].isupper() else ()
    return did_you_mean(node.id, chain(SHAPE_NAMES, ("true", "false", "none"), layer_names, names))


def constant(found: Deferred, span: Span, place: Place) -> Any:
    """The value of a `let` at the top of a file. It sees the file, and no network."""
    if found not in place.constants:
        place.constants[found] = UNKNOWN
        value = _apart(found.name, found.definition.value, Scope(found.scope), span, place)
        place.constants[found] = value
    elif found.name in place.calling:
        _report_cycle(found.name, span, place)
    return place.constants[found]


def _apart(name: str, node: tree.Expression, scope: Scope, span: Span, place: Place) -> Any:
    """The value of an expression that stands in no network, on behalf of the one at `span`."""
    if len(place.calling) > LIMITS.nesting:
        place.sink.report(codes.NESTED_TOO_DEEPLY, span, limit=LIMITS.nesting)
        return UNKNOWN
    outer = place.scope, place.in_function
    place.scope, place.in_function = scope, name
    place.calling.append(name)
    try:
        return evaluate(node, place)
    finally:
        place.calling.pop()
        place.scope, place.in_function = outer


def _report_cycle(name: str, span: Span, place: Place) -> None:
    chain = [*place.calling[place.calling.index(name) :], name]
    fix = "let one of them be worked out without the others; what comes several times, a loop or comprehension says"
    words = " uses ".join(f"`{link}`" for link in chain)
    place.sink.report(codes.NAMES_IN_CIRCLE, span, helps=(fix,), name=name, chain=words)


def _size_here(node: tree.Name, place: Place) -> Any:
    from cnnspec.compiler.sizes_of import size_of

    if place.in_function:
        fix = (f"hand it over as an argument: `{place.in_function}({node.id})`",)
        place.sink.report(codes.SHAPE_IN_FUNCTION, node.span, helps=fix, name=node.id)
        return UNKNOWN
    if place.awaits_input:
        why = "stands in front of `input`"
        place.sink.report(codes.NO_SUCH_SIZE, node.span, name=node.id, shape="not known yet", why=why)
        return UNKNOWN
    return size_of(place.flow, node.id.removeprefix("in_"), node.id, node.span, place)


# --- operators ---


def _unary(node: tree.Unary, place: Place) -> Any:
    value = evaluate(node.operand, place)
    if node.operator == "not":
        answer = truth(value, node.operand.span, place)
        return UNKNOWN if answer is None else not answer
    if value is UNKNOWN:
        return UNKNOWN
    if not is_number(value):
        raise wrong_operand(node.operator, value)
    return -value if node.operator == "-" else value


def _logical(node: tree.Chain, place: Place) -> Any:
    stops_at = node.operators[0] == "or"
    value: Any = None
    for operand in node.operands:
        value = evaluate(operand, place)
        answer = truth(value, operand.span, place)
        if answer is None:
            return UNKNOWN
        if answer == stops_at:
            return value
    return value


_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def _comparison(node: tree.Chain, place: Place) -> Any:
    left = evaluate(node.operands[0], place)
    for operator, operand in zip(node.operators, node.operands[1:]):
        right = evaluate(operand, place)
        _charge(place, left, right)
        if has_unknown(left) or has_unknown(right):
            return UNKNOWN
        with_value = (is_network_value(left) and right is not None) or (is_network_value(right) and left is not None)
        if with_value and operator in ("==", "!="):
            raise wrong_operand(operator, left, right)
        if not place.compare(operator, left, right, node.span):
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
        value = binary(operator, value, right)
    return value


def _charge(place: Place, *values: Any) -> None:
    """Count the work of going through sequences."""
    for value in values:
        if value.__class__ is list or value.__class__ is tuple:
            place.meter.operations += weigh(value) // 8


# --- parts ---


def _access(node: tree.Access, place: Place) -> Any:
    from cnnspec.compiler.parts import inner_of, item_of, slice_of

    value = evaluate(node.value, place)
    steps = list(node.steps)
    while steps:
        step = steps.pop(0)
        if isinstance(step, tree.Member):
            path = [step.name]
            while steps and isinstance(steps[0], tree.Member):
                path.append(steps.pop(0).name)  # type: ignore[union-attr]
            value = inner_of(value, path, node, place)
        elif isinstance(step, tree.Item):
            value = item_of(value, evaluate(step.index, place), step, place)
        else:
            ends = [None if end is None else evaluate(end, place) for end in (step.start, step.stop)]
            value = slice_of(value, ends, step, place)
        if value is UNKNOWN:
            return UNKNOWN
    return value


def _comprehension(node: tree.Comprehension, place: Place) -> Any:
    values = evaluate(node.values, place)
    if values is UNKNOWN:
        return UNKNOWN
    if not isinstance(values, (list, tuple)):
        wants = "a list, such as `range(3)`"
        found = describe(values)
        place.sink.report(codes.WRONG_VALUE, node.values.span, what="what `for` runs over", value=found, wants=wants)
        return UNKNOWN
    outer, found_items = place.scope, []
    try:
        for value in values:
            place.meter.operation(node.span, place.sink)
            place.scope = Scope(outer)
            spread(node.targets, value, unpacks=node.unpacks, scope=place.scope, place=place)
            keep = (
                True if node.condition is None else truth(evaluate(node.condition, place), node.condition.span, place)
            )
            if keep is None:
                return UNKNOWN
            if keep:
                found_items.append(evaluate(node.item, place))
    finally:
        place.scope = outer
    return found_items


# --- functions ---


def _call(node: tree.Call, place: Place) -> Any:
    from cnnspec.compiler.functions import FUNCTIONS
    from cnnspec.compiler.sizes_of import SIZE_FUNCTIONS

    name = node.name.id
    found = place.scope.find(name)
    value = found.value if found is not None else None
    if isinstance(value, Deferred):
        value = constant(value, node.name.span, place)
    if isinstance(value, Function):
        return _called(value, node, place)
    if isinstance(value, Measure):
        return value.work(node, place)
    if isinstance(value, (Block, Partial)) or (isinstance(value, type) and issubclass(value, Layer)):
        return partial(value, node.arguments, place)
    if name in FUNCTIONS or name in SIZE_FUNCTIONS:
        return _built_in(node, place)
    for argument in node.arguments:
        evaluate(argument.value, place)
    if value is not UNKNOWN:
        # A layer may be meant, which another one is given.
        layer_names = layers.names() if name[0].isupper() else ()
        known = chain(FUNCTIONS, SIZE_FUNCTIONS, layer_names, place.scope.names())
        place.sink.report(codes.UNKNOWN_NAME, node.name.span, helps=lambda: did_you_mean(name, known), name=name)
    return UNKNOWN


def _built_in(node: tree.Call, place: Place) -> Any:
    from cnnspec.compiler.functions import FUNCTIONS, problem
    from cnnspec.compiler.sizes_of import SIZE_FUNCTIONS, size_of

    name = node.name.id
    arguments = _positional(node, name, place)
    _charge(place, *arguments)
    if any(map(has_unknown, arguments)):
        return UNKNOWN
    if name in SIZE_FUNCTIONS:
        if len(arguments) != 1 or not is_network_value(arguments[0]):
            given = ", ".join(map(describe, arguments)) or "nothing"
            raise Failed(codes.WRONG_CALL, function=name, problem=f"takes a value of the network; given {given}")
        known = arguments[0].flow
        return size_of(known, name, f"{name}({arguments[0].name})", node.span, place)
    try:
        return place.choose(lambda: FUNCTIONS[name](*arguments))
    except (TypeError, ValueError, OverflowError) as error:
        raise Failed(codes.WRONG_CALL, function=name, problem=problem(name, arguments)) from error


def _positional(node: tree.Call, name: str, place: Place) -> list[Any]:
    for argument in node.arguments:
        if argument.name is not None or argument.stated is not None:
            raise Failed(codes.WRONG_CALL, function=name, problem="takes its arguments by position")
    return [evaluate(argument.value, place) for argument in node.arguments]


def _called(function: Function, node: tree.Call, place: Place) -> Any:
    arguments = _positional(node, function.name, place)
    parameters = function.definition.parameters
    if len(arguments) != len(parameters):
        takes = f"takes {len(parameters)} argument{'' if len(parameters) == 1 else 's'}; given {len(arguments)}"
        raise Failed(codes.WRONG_CALL, function=function.name, problem=takes)
    if function.name in place.calling:
        _report_cycle(function.name, node.span, place)
        return UNKNOWN
    scope = Scope(function.scope)
    for parameter, value in zip(parameters, arguments):
        scope.bind(parameter.id, value, parameter.span)
    return _apart(function.name, function.definition.value, scope, node.span, place)


# --- arguments of layers and blocks ---


def partial(target: Block | Partial | type[Layer], written: tuple[tree.Argument, ...], place: Place) -> Partial:
    """A layer or block with the arguments that are written, the rest still to be given."""
    if isinstance(target, Partial):
        return Partial(target.target, (*target.arguments, *arguments(target.target, written, place)))
    return Partial(target, tuple(arguments(target, written, place)))


def arguments(target: Block | type[Layer], written: tuple[tree.Argument, ...], place: Place) -> list[Argument]:
    """The values of the arguments of a layer or block, as they are written; `in -> out` gives two."""
    return _written(written, target_name(target), list(target.signature.fields), stated_parameter(target), place)


def plain_arguments(written: tuple[tree.Argument, ...], name: str, place: Place) -> list[Argument]:
    """The values of the arguments of anything else, which has the name `name`."""
    return _written(written, name, [], "", place)


def _written(
    written: tuple[tree.Argument, ...], name: str, order: list[str], inferred: str, place: Place
) -> list[Argument]:
    found: list[Argument] = []
    named = False
    for position, argument in enumerate(written):
        value = evaluate(argument.value, place)
        value = UNKNOWN if has_unknown(value) else value
        span = argument.value.span
        if argument.name is not None:
            named = True
            found.append(Argument(argument.name.id, value, span, argument.name.span))
            continue
        if named:
            place.sink.report(codes.POSITIONAL_AFTER_KEYWORD, argument.span)
            meant = order[position : position + 1]
            if not any(other.name is not None and other.name.id in meant for other in written):
                found += [Argument(parameter, UNKNOWN, argument.span) for parameter in meant]
            continue
        if argument.stated is not None:
            stated = evaluate(argument.stated, place)
            if inferred and position == 0:
                found.append(Argument(inferred, stated, argument.stated.span))
            else:
                place.sink.report(codes.NO_INFERRED, argument.span, layer=name)
                value = UNKNOWN
        found.append(Argument(None, value, span))
    return found
