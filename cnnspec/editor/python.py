"""What an editor shows of PyTorch source: findings, and the shape of the tensor that each line of a forward pass makes."""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.editor.analysis import Analysis, Hint
from cnnspec.lint.suppress import suppress
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.describe import show_output
from cnnspec.torch_source.trace import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.source import Span
    from cnnspec.torch_source.trace import Step

_MOST_SHAPES = 3


def analyse(path: str, text: str, *, fixes: bool = False) -> Analysis:
    """Check a text as if it were the file at `path`; nothing of it is run."""
    source, sink = Source(path, text), Sink()
    outcomes = check_python(source, path, sink, Options(), fixes=fixes)
    suppress(source, sink, unseen=(), whole=False)
    found = [one for one in sink.diagnostics if one.span.source.path == path]
    runs = [one.trace.root for one in outcomes if one.trace is not None and one.trace.root is not None]
    hints = _hints(source, [(span, show_output(step.output)) for run in runs for span, step in _steps(run, path)])
    return Analysis(source, tuple(found), (), (), (), tuple(hints))


def _steps(run: Run, path: str) -> Iterator[tuple[Span, Step | Run]]:
    waiting: list[Run | Step] = list(run.steps)
    while waiting:
        step = waiting.pop()
        if isinstance(step, Run):
            waiting += step.steps
        if step.place is not None and step.place.span.source.path == path and step.output is not None:
            yield step.place.span, step


def _hints(source: Source, made: list[tuple[Span, str]]) -> Iterator[Hint]:
    """At the end of each line the shapes of the outermost expression in it."""
    outermost: dict[int, Span] = {}
    for span, _ in made:
        known = outermost.get(span.line)
        if known is None or span.end - span.start > known.end - known.start:
            outermost[span.line] = span
    shapes: dict[int, dict[str, None]] = {}
    for span, shape in reversed(made):
        if span == outermost[span.line]:
            shapes.setdefault(span.line, {})[shape] = None
    for line, found in sorted(shapes.items()):
        end = source.position(outermost[line].end)[0]
        offset = source.line_starts[end - 1] + len(source.line(end).rstrip())
        several = [*list(found)[:_MOST_SHAPES], *(["..."] if len(found) > _MOST_SHAPES else [])]
        yield Hint(offset, f"-> {' | '.join(several)}")
