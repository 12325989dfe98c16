"""Statements as the text of a spec."""

from __future__ import annotations

from cnnspec.backends.cnn_source.statements import (
    Again,
    Argument,
    Arriving,
    Branches,
    Call,
    Code,
    Const,
    If,
    Learned,
    Loop,
    Merge,
    Name,
    Residual,
    Statement,
    Use,
    label_of,
)
from cnnspec.declare import spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnspec.backends.cnn_source.blocks import Block

INDENT = "    "


def block_lines(block: Block) -> Iterator[str]:
    """The lines of a block."""
    yield from comment_lines(block.comment)
    listed = [name if default is None else f"{name} = {_value(default)}" for name, default in block.parameters]
    yield f"block {block.name}({', '.join(listed)}) {{" if listed else f"block {block.name} {{"
    yield from body_lines(block.statements, 1)
    yield "}"


def comment_lines(comment: str) -> Iterator[str]:
    """A comment, line by line."""
    for line in comment.splitlines():
        yield f"# {line}".rstrip()


def body_lines(statements: Sequence[Statement], depth: int) -> Iterator[str]:
    """The lines of statements."""
    space = INDENT * depth
    for one in statements:
        for line in _lines(one):
            yield f"{space}{line}" if line else ""


def _lines(one: Statement) -> Iterator[str]:
    tail = f" as {label_of(one)}" if label_of(one) else ""
    match one:
        case Call():
            yield one.name + _arguments(one.arguments) + tail
        case Residual():
            yield "residual {"
            yield from body_lines(one.body, 1)
            if one.shortcut:
                yield "} shortcut {"
                yield from body_lines(one.shortcut, 1)
            yield "}" + tail
        case Branches():
            short = [" ".join(["branch {", *body_lines(branch, 0), "}"]) for branch in one.branches]
            if (
                all(len(branch) < 2 for branch in one.branches)
                and len("  ".join(short)) < 70
                and "\n" not in "".join(short)
            ):
                yield f"{one.kind}{_arguments(one.arguments)} {{ {'; '.join(short)} }}{tail}"
                return
            yield f"{one.kind}{_arguments(one.arguments)} {{"
            for branch in one.branches:
                lines = list(body_lines(branch, 0))
                if len(lines) < 2 and len("".join(lines)) < 70:
                    yield f"{INDENT}branch {{ {''.join(lines)} }}" if lines else f"{INDENT}branch {{ }}"
                    continue
                yield f"{INDENT}branch {{"
                yield from body_lines(branch, 2)
                yield f"{INDENT}}}"
            yield "}" + tail
        case Merge():
            operands = [_value(operand) for operand in one.operands]
            yield f"{one.kind}({', '.join([*operands, *map(_argument, one.arguments)])}){tail}"
        case Use():
            parts = ", ".join(map(_part, one.names))
            yield f"use {parts}" if one.single else f"use ({parts})"
        case Arriving():
            yield f"input as {one.names[0]}" if len(one.names) == 1 else f"input as ({', '.join(one.names)})"
        case Again():
            yield f"again {one.name}{tail}"
        case Learned():
            yield f"weight {_value(one.shape)} = 0{tail}"
        case Loop():
            yield from _loop(one, tail)
        case If():
            yield f"if {one.condition} {{"
            yield from body_lines(one.body, 1)
            yield "}"


def _loop(one: Loop, tail: str) -> Iterator[str]:
    names = one.names[0] if len(one.names) == 1 else f"({', '.join(one.names)})"
    head = f"for {names} in {_value(one.items)}" if one.names else f"repeat {_value(one.items)}"
    lines = list(body_lines(one.body, 0))
    if len(lines) == 1 and len(head) + len(lines[0]) < 90:
        yield f"{head} {{ {lines[0]} }}{tail}"
        return
    yield f"{head} {{"
    yield from body_lines(one.body, 1)
    yield "}" + tail


def _arguments(arguments: Sequence[Argument]) -> str:
    return f"({', '.join(map(_argument, arguments))})" if arguments else ""


def _argument(argument: Argument) -> str:
    value = _value(argument.value)
    return f"{argument.name}={value}" if argument.name else value


def _value(value: Const | Code | Name) -> str:
    return spell(value.value) if isinstance(value, Const) else value.text


def _part(part: object) -> str:
    if isinstance(part, Name):
        return part.text
    assert isinstance(part, tuple)
    return "(" + ", ".join(map(_part, part)) + (",)" if len(part) == 1 else ")")
