"""From terms to text, laid out as formatters of Python do."""

from __future__ import annotations

from cnnspec.backends.python_source.terms import (
    Argument,
    Attribute,
    Body,
    Call,
    Chain,
    Child,
    Counted,
    Expression,
    Literal,
    Loop,
    Optional,
    Weight,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cnnspec.backends.python_source.classes import Class

WIDTH = 88
STEP = "    "


# --- expressions ---


def literal(value: object) -> str:
    """A value as Python writes it."""
    if isinstance(value, str):
        return '"' + ascii(value)[1:-1].replace('"', '\\"').replace("\\'", "'") + '"'
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(literal, value))
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner}{',' if len(value) == 1 else ''})"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    raise TypeError(f"{value!r} can't be written")


def flat(term: Any) -> str:
    """A term on one line."""
    match term:
        case Literal():
            return literal(term.value)
        case Expression():
            return term.text
        case Counted():
            start = flat(term.start)
            return ("" if start == "0" else f"{start} + ") + ("i" if term.step == 1 else f"{term.step} * i")
        case Call():
            return f"{term.target}({', '.join(map(_flat_argument, _written(term)))})"
        case Chain():
            return f"nn.Sequential({_flat_children(term)})"
        case Child(term=Optional() as inner):
            return f"*([{flat(inner.term)}] if {_test(inner)} else [])"
        case Child():
            return flat(term.term)
        case Loop():
            return _flat_loop(term)
        case Optional():
            return f"{flat(term.term)} if {flat(term.test)} else None"
    raise TypeError(f"{type(term).__name__} is no expression")


def _test(maybe: Optional) -> str:
    """When a part is there: where a test holds, or where the module that it is has been given."""
    test = flat(maybe.test)
    return f"{test} is not None" if maybe.test == maybe.term else test


def _flat_argument(argument: Argument) -> str:
    return flat(argument.value) if argument.name is None else f"{argument.name}={flat(argument.value)}"


def _written(call: Call) -> list[Argument]:
    """The arguments of a call without those that have their default."""
    defaults = dict(call.defaults)
    return [
        argument
        for argument in call.arguments
        if argument.name not in defaults
        or not isinstance(argument.value, Literal)
        or not _is_default(argument.value.value, defaults[argument.name])
    ]


def _is_default(value: object, default: object) -> bool:
    return value.__class__ is default.__class__ and value == default


def is_labelled(chain: Chain) -> bool:
    """Whether a sequence has children with names."""
    return any(isinstance(child, Child) and child.label is not None for child in chain.children)


def _flat_children(chain: Chain) -> str:
    if not is_labelled(chain):
        return ", ".join(map(flat, chain.children))
    pairs = [f'("{key}", {flat(child)})' for key, child in _keyed(chain)]
    return f"OrderedDict([{', '.join(pairs)}])"


def _keyed(chain: Chain) -> list[tuple[str, Child]]:
    children = [child for child in chain.children if isinstance(child, Child)]
    return [(child.label or str(index), child) for index, child in enumerate(children)]


def _flat_loop(loop: Loop) -> str:
    heads = _loop_head(loop)
    if len(loop.children) == 1:
        return f"*[{flat(loop.children[0])} {heads}]"
    return f"*[layer {heads} for layer in ({', '.join(map(flat, loop.children))})]"


def _loop_head(loop: Loop) -> str:
    values = flat(loop.values)
    runs_over = f"range({values})" if loop.variables in (("_",), ("i",)) else values
    return f"for {', '.join(loop.variables)} in {runs_over}"


# --- layout ---


def has_shapes(term: Any) -> bool:
    """Whether a term is a sequence that tells shapes, each on a line."""
    if isinstance(term, Chain):
        return any(has_shapes(child) or bool(getattr(child, "shape", "")) for child in term.children)
    if isinstance(term, Loop):
        return len(term.children) > 1 and any(child.shape or has_shapes(child) for child in term.children)
    if isinstance(term, Child):
        return has_shapes(term.term)
    if isinstance(term, Call):
        return any(has_shapes(argument.value) for argument in term.arguments)
    return isinstance(term, Optional) and has_shapes(term.term)


def laid_out(term: Any, indent: str, prefix: str = "", suffix: str = "", shape: str = "") -> list[str]:
    """The lines of a term: one where it fits, else one for each of its parts."""
    comment = f"  # {shape}" if shape else ""
    line = f"{indent}{prefix}{flat(term)}{suffix}{comment}"
    if isinstance(term, Literal) and isinstance(term.value, list) and len(line) > WIDTH:
        return _list_lines(term.value, indent, prefix, suffix + comment)
    if not has_shapes(term) and (len(line) <= WIDTH or not _has_parts(term)):
        return [line]
    inner = indent + STEP
    match term:
        case Call():
            lines = [f"{indent}{prefix}{term.target}("]
            for argument in _written(term):
                name = "" if argument.name is None else f"{argument.name}="
                lines += laid_out(argument.value, inner, name, ",")
        case Chain():
            lines = [f"{indent}{prefix}nn.Sequential(", *children_lines(term, inner)]
        case Loop():
            return [f"{indent}{prefix}*[", *_loop_lines(term, inner), f"{indent}]{suffix}{comment}"]
        case Child(term=Optional() as maybe):
            body = laid_out(maybe.term, inner + STEP, "", ",")
            body = [f"{inner}[", *body, f"{inner}]"] if len(body) > 1 else [f"{inner}[{flat(maybe.term)}]"]
            return [
                f"{indent}*(",
                *body,
                f"{inner}if {flat(maybe.test)}",
                f"{inner}else []",
                f"{indent}){suffix}{comment}",
            ]
        case Child():
            return laid_out(term.term, indent, prefix, suffix, shape)
        case Optional():
            open_, close = ("", suffix) if prefix.endswith("(") else ("(", ")" + suffix)
            lines = [f"{indent}{prefix}{open_}"] if prefix + open_ else []
            lines += laid_out(term.term, inner)
            lines += [f"{inner}if {flat(term.test)}", f"{inner}else None", f"{indent}{close}"]
            return lines
        case _:
            return [line]
    return [*lines, f"{indent}){suffix}{comment}"]


def _list_lines(values: list[Any], indent: str, prefix: str, suffix: str) -> list[str]:
    """A list with an item on each line."""
    return [f"{indent}{prefix}[", *[f"{indent}{STEP}{literal(value)}," for value in values], f"{indent}]{suffix}"]


def _has_parts(term: Any) -> bool:
    if isinstance(term, Child):
        return _has_parts(term.term)
    if isinstance(term, Call):
        return bool(_written(term))
    return isinstance(term, (Loop, Optional)) or (isinstance(term, Chain) and bool(term.children))


def children_lines(chain: Chain, indent: str) -> list[str]:
    """The children of a sequence, each on a line of its own."""
    if not is_labelled(chain):
        return [
            line
            for child in chain.children
            for line in laid_out(
                child, indent, "", ",", child.shape if isinstance(child, Child) else _loop_shape(child)
            )
        ]
    lines = [f"{indent}OrderedDict(", f"{indent}{STEP}["]
    for key, child in _keyed(chain):
        deep = indent + STEP * 2
        one = f'{deep}("{key}", {flat(child)}),' + (f"  # {child.shape}" if child.shape else "")
        if len(one) <= WIDTH and not has_shapes(child):
            lines.append(one)
            continue
        lines += [f"{deep}(", f'{deep}{STEP}"{key}",', *laid_out(child, deep + STEP, "", ",", child.shape), f"{deep}),"]
    return [*lines, f"{indent}{STEP}]", f"{indent})"]


def _loop_shape(loop: Loop) -> str:
    return loop.children[0].shape if len(loop.children) == 1 else ""


def _loop_lines(loop: Loop, indent: str) -> list[str]:
    head = [f"{indent}{_loop_head(loop)}"]
    if len(head[0]) > WIDTH and isinstance(loop.values, Literal) and isinstance(loop.values.value, list):
        head = _list_lines(loop.values.value, indent, f"for {', '.join(loop.variables)} in ", "")
    if len(loop.children) == 1:
        return [*laid_out(loop.children[0], indent), *head]
    lines = [f"{indent}layer", *head, f"{indent}for layer in ("]
    for child in loop.children:
        lines += laid_out(child, indent + STEP, "", ",", child.shape)
    return [*lines, f"{indent})"]


# --- classes ---


def docstring(text: str, indent: str) -> list[str]:
    """A text of the spec as a docstring: nothing in it can end it, or act on a terminal."""
    kept = "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
    kept = kept.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    rows = [row.rstrip() for row in kept.strip().split("\n")]
    if any(len(indent + row) > WIDTH for row in rows):
        rows = [row for paragraph in kept.strip().split("\n\n") for row in [*_wrapped(paragraph, indent), ""]][:-1]
    if rows[-1].endswith('"'):
        rows[-1] += " "
    if len(rows) == 1 and len(f'{indent}"""{rows[0]}"""') > WIDTH:
        rows = _wrapped(rows[0] + "   ", indent)
    if len(rows) == 1:
        return [f'{indent}"""{rows[0]}"""']
    return [f'{indent}"""{rows[0]}', *[f"{indent}{row}" if row else "" for row in rows[1:]], f'{indent}"""']


def _wrapped(paragraph: str, indent: str) -> list[str]:
    """A paragraph whose lines are too long, filled anew."""
    from textwrap import wrap

    rows = [row.rstrip() for row in paragraph.split("\n")]
    if len(rows) > 1 and all(len(indent + row) <= WIDTH for row in rows):
        return rows
    # Three characters less, for the quotes in front of the first line.
    return wrap(" ".join(row.strip() for row in rows), WIDTH - len(indent) - 3) or [""]


def class_lines(cls: Class) -> list[str]:
    """A class with its docstring, its `__init__` and its forward."""
    base = "nn.Sequential" if isinstance(cls.term, Chain) else "nn.Module"
    lines = [f"class {cls.name}({base}):"]
    if cls.documentation:
        lines += [*docstring(cls.documentation, STEP), ""]
    lines += _signature("__init__", ["self", *[_parameter(parameter) for parameter in cls.parameters]], "None")
    deep = STEP * 2
    if isinstance(cls.term, Chain):
        return (
            [*lines, f"{deep}super().__init__(", *children_lines(cls.term, deep + STEP), f"{deep})"]
            if (cls.term.children)
            else [*lines, f"{deep}super().__init__()"]
        )
    lines.append(f"{deep}super().__init__()")
    for attribute in cls.term.attributes:
        lines += _attribute(attribute, deep)
    for weight in cls.term.weights:
        lines += _weight(weight, deep)
    return [*lines, "", *_forward(cls.term)]


def _parameter(parameter: Any) -> str:
    default = "" if parameter.default is None else f" = {literal(parameter.default.value)}"
    return f"{parameter.name}: {parameter.type}{default}"


def _signature(name: str, parameters: Sequence[str], returns: str) -> list[str]:
    line = f"{STEP}def {name}({', '.join(parameters)}) -> {returns}:"
    if len(line) <= WIDTH:
        return [line]
    inside = f"{STEP * 2}{', '.join(parameters)}"
    rows = [inside] if len(inside) <= WIDTH else [f"{STEP * 2}{parameter}," for parameter in parameters]
    return [f"{STEP}def {name}(", *rows, f"{STEP}) -> {returns}:"]


def _attribute(attribute: Attribute, indent: str) -> list[str]:
    if attribute.name:
        return laid_out(attribute.term, indent, f"self.{attribute.name} = ")
    line = f'{indent}self.add_module("{attribute.key}", {flat(attribute.term)})'
    if len(line) <= WIDTH and not has_shapes(attribute.term):
        return [line]
    call = Call("self.add_module", (Argument(None, Literal(attribute.key, "")), Argument(None, attribute.term)))
    return laid_out(call, indent)


def _weight(weight: Weight, indent: str) -> list[str]:
    shape = literal((1, *weight.shape))
    if isinstance(weight.start, tuple):
        name, arguments = weight.start
        given = "".join(f", {key}={literal(value)}" for key, value in arguments.items())
        return [
            f"{indent}self.{weight.name} = nn.Parameter(torch.empty{shape})",
            f"{indent}nn.init.{name}_(self.{weight.name}{given})",
        ]
    return [f"{indent}self.{weight.name} = nn.Parameter(torch.full({shape}, {literal(float(weight.start))}))"]


def _forward(body: Body) -> list[str]:
    forward = body.forward
    parameters = ["self", *[f"{name}: {kind}" for name, kind in forward.parameters]]
    lines = _signature("forward", parameters, forward.returns)
    deep = STEP * 2
    for line in forward.lines:
        kind = f": {line.kind}" if line.kind else ""
        lines += _statement(deep, f"{line.target}{kind} = ", line.expression, line.shape)
    return [*lines, *_statement(deep, "return ", forward.result, "")]


def _statement(indent: str, head: str, expression: str, shape: str) -> list[str]:
    """A statement on one line, without the shape where that is too much, or broken up."""
    line = f"{indent}{head}{expression}"
    comment = f"  # {shape}" if shape else ""
    if len(line) <= WIDTH:
        return [line + comment if len(line + comment) <= WIDTH else line]
    inner = indent + STEP
    if len(parts := split(expression, ", ")) > 1:
        return [f"{indent}{head}(", *[f"{inner}{part}," for part in parts], f"{indent})"]
    for sign in (" + ", " * "):
        if len(parts := split(expression, sign)) > 1:
            rest = [f"{inner}{sign.lstrip()}{part}" for part in parts[1:]]
            return [f"{indent}{head}(", f"{inner}{parts[0]}", *rest, f"{indent})"]
    callee, _, arguments = expression.partition("(" if not expression.startswith("self.get_submodule(") else ")(")
    callee += ")(" if expression.startswith("self.get_submodule(") else "("
    inside = arguments[:-1]
    rows = [inner + inside] if len(inner + inside) <= WIDTH else [f"{inner}{part}," for part in split(inside, ", ")]
    return [f"{indent}{head}{callee}", *rows, f"{indent})"]


def split(expression: str, separator: str) -> list[str]:
    """The parts of an expression between separators that stand in no brackets."""
    parts, depth, start = [], 0, 0
    for position, char in enumerate(expression):
        depth += (char in "([") - (char in ")]")
        if depth == 0 and expression.startswith(separator, position):
            parts.append(expression[start:position])
            start = position + len(separator)
    return [*parts, expression[start:]]
