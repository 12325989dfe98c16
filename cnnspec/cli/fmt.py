"""The command `fmt`: canonical text for specs, on disk or from stdin, and the checked shapes as annotations.

A file is replaced whole or not at all, and never where it has syntax errors.
"""

from __future__ import annotations

import os
import sys

from cnnspec.diagnostics import Sink
from cnnspec.record import record
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.read import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Iterator
    from typing import Any

    from cnnspec.graph.nodes import Graph

    Shape = tuple[int, ...]
    Shapes = dict[int, set[Shape]]
    """The shapes behind each statement, by the offset at which it begins."""
    Variations = list[tuple[Any, Shapes]]
    """Values of a parameter, and the shapes that each gives."""


def add_command(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Declare the command and its options."""
    fmt = commands.add_parser("fmt", help="lay specs out in the one canonical way")
    fmt.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="a .cnn file, a folder, or - for stdin")
    fmt.add_argument("--check", action="store_true", help="change nothing; exit 1 if something would change")
    fmt.add_argument("--diff", action="store_true", help="change nothing; print what would change")
    fmt.add_argument("--annotate", action="store_true", help="write the checked shape behind the statements of models")
    fmt.add_argument("--stdin-filename", metavar="PATH", help="what to take the text from stdin for")
    fmt.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour the output")
    fmt.set_defaults(run=run)


# --- files ---


@record
class _Result:
    path: str
    before: bytes
    after: bytes | None
    """None where the text has mistakes."""

    @property
    def changed(self) -> bool:
        return self.after is not None and self.after != self.before


def run(options: Namespace) -> int:
    """Format what is asked for and give the exit code."""
    from cnnspec.cli.main import FINDINGS, OK

    results = [_formatted(path, options) for path in _paths(options.paths)]
    for result in results:
        _hand_over(result, options)
    if options.paths != ["-"] and not options.diff:
        _print_total(results, options)
    failed = any(result.after is None for result in results)
    changes = options.check and any(result.changed for result in results)
    return FINDINGS if failed or changes else OK


def _paths(paths: list[str]) -> Iterator[str]:
    from cnnspec.cli.main import UsageError, files_of

    seen: set[str] = set()
    for path, model in (found for given in paths for found in files_of(given)):
        if model is not None:
            raise UsageError(f"fmt takes whole files: {path}, not {path}:{model}")
        if path not in seen:
            seen.add(path)
            yield path


def _read(path: str) -> bytes:
    from cnnspec.cli.main import UsageError
    from cnnspec.diagnostics.render import clean
    from cnnspec.limits import LIMITS

    if path == "-":
        return sys.stdin.buffer.read(LIMITS.file_bytes + 1)
    try:
        with open(path, "rb") as file:
            return file.read(LIMITS.file_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"can't read {clean(path)}: {reason.lower()}") from None


def _formatted(path: str, options: Namespace) -> _Result:
    """The canonical text of a file; its mistakes are printed."""
    from cnnspec.cli.main import wants_color
    from cnnspec.diagnostics.render import render_all
    from cnnspec.format.formatter import format_source

    before = _read(path)
    shown = (options.stdin_filename or "<stdin>") if path == "-" else os.path.normpath(path)
    sink = Sink()
    source: Source | None = decode(before, shown, sink)
    if options.annotate and not sink.has_errors and source is not None:
        source = annotated(source, sink)
    text = None if source is None or sink.has_errors else format_source(source, sink)
    if text is None:
        errors = [found for found in sink.diagnostics if found.severity == "error"]
        print(render_all(errors, color=wants_color(options.color, sys.stderr)), file=sys.stderr)
    return _Result(path, before, None if text is None else text.encode())


def _hand_over(result: _Result, options: Namespace) -> None:
    """Print or write one result, as the options say."""
    if result.after is None:
        return
    if options.diff:
        _print_diff(result, options)
    elif options.check:
        return
    elif result.path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(result.after)
        sys.stdout.buffer.flush()
    elif result.changed:
        _replace(result.path, result.after)


def _replace(path: str, data: bytes) -> None:
    """Write a file whole or not at all, with the rights that it had."""
    from pathlib import Path

    from cnnspec.cli.main import UsageError
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import write_atomic

    target = Path(os.path.realpath(path))
    try:
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")
        mode = target.stat().st_mode & 0o7777
        write_atomic(target, data)
        target.chmod(mode)
    except OSError as error:
        raise UsageError(f"can't write {clean(path)}: {(error.strerror or str(error)).lower()}") from None


def _print_diff(result: _Result, options: Namespace) -> None:
    """Print a unified diff, which `patch -p1` applies. On a terminal no character of the file acts on it."""
    from difflib import unified_diff

    from cnnspec.cli.main import print_text
    from cnnspec.diagnostics.render import clean

    path = (options.stdin_filename or "<stdin>") if result.path == "-" else os.path.normpath(result.path)
    name = clean(path.replace(os.sep, "/").lstrip("/"))
    old, new = (_lines(data) for data in (result.before, result.after or b""))
    for line in unified_diff(old, new, f"a/{name}", f"b/{name}"):
        text = line.removesuffix("\n")
        print_text(clean(text) if sys.stdout.isatty() else text)
        if not line.endswith("\n"):
            print_text("\\ No newline at end of file")


def _lines(data: bytes) -> list[str]:
    *lines, last = data.decode("utf-8-sig").split("\n")
    return [*(f"{line}\n" for line in lines), *filter(None, [last])]


def _print_total(results: list[_Result], options: Namespace) -> None:
    from cnnspec.cli.main import print_text
    from cnnspec.diagnostics.render import clean

    changed = [result for result in results if result.changed]
    verb = "would change" if options.check else "changed"
    for result in changed:
        print_text(f"{verb} {clean(result.path)}")
    same = sum(result.after == result.before for result in results)
    failed = sum(result.after is None for result in results)
    numbers = [(len(changed), verb), (same, "unchanged"), (failed, "with errors")]
    print_text(", ".join(f"{n:,} {'file' if n == 1 else 'files'} {what}" for n, what in numbers if n))


# --- shapes ---


def annotated(source: Source, sink: Sink) -> Source | None:
    """The text with the shape behind every statement of every model body; None where it has mistakes.

    Annotations of plain numbers are made true; others have to hold. A size that changes with a parameter of the model is
    written with the parameter (`width`, `2 * width`, `size // 4`) where that is so, and as `_` elsewhere.
    """
    from cnnspec.format.formatter import FormatterBug
    from cnnspec.pipeline import check
    from cnnspec.syntax.parser import parse

    parsed = parse(source, sink)
    if sink.has_errors:
        return None
    plain = _without_numbers(source, parsed)
    graphs = _checked(plain, sink)
    if graphs is None:
        # The text as it is explains better; it may also be right only with its annotations.
        check(source, shown := Sink())
        for diagnostic in shown.diagnostics if shown.has_errors else ():
            sink.add(diagnostic)
        return None
    edits = list(_edits(parsed, graphs, plain))
    result = Source(source.path, _apply(source.text, edits))
    check(result, after := Sink())
    if after.has_errors:
        raise FormatterBug(f"{source.path}: an annotation that was written does not hold")
    return result


def _checked(source: Source, sink: Sink) -> list[Graph] | None:
    from cnnspec.pipeline import check

    graphs = check(source, found := Sink())
    if not found.has_errors:
        return graphs
    for diagnostic in found.diagnostics:
        sink.add(diagnostic)
    return None


def _statements(body: tree.Body) -> Iterator[tree.Layer | tree.Residual | tree.Merge]:
    """The statements of a body and those nested in it that have a shape behind them."""
    for statement in body.statements:
        if isinstance(statement, tree.Layer | tree.Residual | tree.Merge):
            yield statement
        for inner in _bodies(statement):
            yield from _statements(inner)


def _bodies(statement: tree.Statement) -> list[tree.Body]:
    match statement:
        case tree.Repeat() | tree.For():
            return [statement.body]
        case tree.If():
            found = [body for _, body in statement.arms]
            return [*found, statement.otherwise] if statement.otherwise else found
        case tree.Residual():
            return [statement.body, statement.shortcut] if statement.shortcut else [statement.body]
        case tree.Merge():
            return list(statement.branches or ())
    return []


def _numbers(statement: tree.Layer | tree.Residual | tree.Merge) -> Shape | None:
    """The annotation of a statement if it is one of plain numbers on one line."""
    annotation = statement.tail.annotation
    if annotation is None or "\n" in annotation.span.text:
        return None
    values = [item.value if isinstance(item, tree.Literal) else None for item in annotation.items]
    return tuple(v for v in values if isinstance(v, int)) if all(v.__class__ is int for v in values) else None


def _arrow(statement: tree.Layer | tree.Residual | tree.Merge) -> tuple[int, int]:
    """Where the annotation of a statement begins, with its arrow, and ends."""
    assert statement.tail.annotation is not None
    span = statement.tail.annotation.span
    return span.source.text.rindex("->", 0, span.start), span.end


def _without_numbers(source: Source, parsed: tree.Tree) -> Source:
    """The text with blanks in place of annotations of plain numbers, so that every offset stays."""
    edits = []
    for item in parsed.items:
        for statement in _statements(item.body) if isinstance(item, tree.Model | tree.Block) else ():
            if _numbers(statement) is not None:
                start, end = _arrow(statement)
                edits.append((start, end, " " * (end - start)))
    return Source(source.path, _apply(source.text, edits))


def _apply(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, new in sorted(edits):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _shapes(graphs: list[Graph], source: Source) -> Shapes:
    from cnnspec.graph.nodes import walk

    found: Shapes = {}
    for graph in graphs:
        for _, node in walk(graph.root):
            if node.span.source is source and node.output is not None:
                found.setdefault(node.span.start, set()).add(node.output)
    return found


def _edits(parsed: tree.Tree, graphs: list[Graph], source: Source) -> Iterator[tuple[int, int, str]]:
    """What to write where."""
    shapes = _shapes(graphs, source)
    by_name = {graph.name: graph for graph in graphs}
    for item in parsed.items:
        if not isinstance(item, tree.Model | tree.Block):
            continue
        graph = by_name.get(item.name.id) if isinstance(item, tree.Model) else None
        varied = list(_varied(graph, source, set(_bound(item.body)))) if graph else []
        for statement in _statements(item.body):
            found = shapes.get(statement.span.start, set())
            stated = _numbers(statement)
            text = _common(found)
            if len(found) == 1 and graph:
                text = ", ".join(_named(next(iter(found)), statement.span.start, varied))
            if stated is not None and found and found != {stated}:
                yield (*_arrow(statement), f"-> [{text}]" if text else "")
            elif statement.tail.annotation is None and graph and len(found) == 1 and text.strip("_, "):
                yield statement.span.end, statement.span.end, f" -> [{text}]"


def _common(shapes: set[Shape]) -> str:
    """The sizes that all shapes share, `_` for others; "" where their numbers of axes differ."""
    if len(set(map(len, shapes))) > 1:
        return ""
    return ", ".join(str(sizes[0]) if len(set(sizes)) == 1 else "_" for sizes in zip(*sorted(shapes)))


def _bound(body: tree.Body) -> Iterator[str]:
    """Names that statements of a body and those nested in it bind."""
    for statement in body.statements:
        if isinstance(statement, tree.Let):
            yield statement.name.id
        elif isinstance(statement, tree.For):
            yield from (target.id for target in statement.targets)
        for inner in _bodies(statement):
            yield from _bound(inner)


def _varied(graph: Graph, source: Source, bound: set[str]) -> Iterator[tuple[str, Any, Variations]]:
    """For each parameter that may decide sizes its value, and other values with which the model checks.

    The value is None for a name that means something else in some body: no size is spelled with it.
    """
    from cnnspec.pipeline import check

    for name, value in graph.values.items():
        found = []
        for other in _others(value):
            sink = Sink()
            graphs = check(Source(source.path, source.text), sink, model=graph.name, parameters={name: other})
            if not sink.has_errors and graphs:
                found.append((other, _shapes(graphs, graphs[0].source)))
        yield name, None if name in bound else value, found


def _others(value: object) -> list[object]:
    """Values near another value of a parameter."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 2 * value]
    if isinstance(value, list | tuple) and value and all(item.__class__ is int for item in value):
        return [type(value)(item + 1 for item in value), type(value)(2 * item for item in value)]
    return []


def _named(shape: Shape, start: int, varied: list[tuple[str, Any, Variations]]) -> list[str]:
    """The sizes of a shape as text that holds for other values of the parameters as well."""
    texts = [str(size) for size in shape]
    for name, value, variations in varied:
        for axis, size in enumerate(shape):
            others = [(other, _sizes(shapes.get(start, {shape}), axis, len(shape))) for other, shapes in variations]
            if any(sizes != {size} for _, sizes in others):
                texts[axis] = _spelled(size, name, value, others) if texts[axis] == str(size) else "_"
    return texts


def _sizes(shapes: set[Shape], axis: int, rank: int) -> set[int]:
    return {shape[axis] if len(shape) == rank else -1 for shape in shapes}


def _spelled(size: int, name: str, value: object, others: list[tuple[Any, set[int]]]) -> str:
    """A size that follows a parameter: the parameter, a multiple or part of it, or `_`."""
    if isinstance(value, bool) or not isinstance(value, int) or not value or not size:
        return "_"
    if size % value == 0 and all(sizes == {size // value * other} for other, sizes in others):
        return name if size == value else f"{size // value} * {name}"
    if value % size == 0 and all(sizes == {other // (value // size)} for other, sizes in others):
        return f"{name} // {value // size}"
    return "_"
