"""The check of a Python file: its modules made, their forward passes followed, findings and outcomes."""

from __future__ import annotations

import ast
import sys

from cnnspec.diagnostics import Sink, codes
from cnnspec.lint import lint
from cnnspec.record import record, replace
from cnnspec.source import Source, Span
from cnnspec.torch_source import entries, inputs
from cnnspec.torch_source.containers import blank_markdown
from cnnspec.torch_source.entries import Entry
from cnnspec.torch_source.findings import Cause
from cnnspec.torch_source.fitting import Fitting, Tried, fit
from cnnspec.torch_source.interpreter import Interpreter
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.module_methods import walk
from cnnspec.torch_source.outcome import Outcome
from cnnspec.torch_source.project import File, NotPython, Project, parse, root_of
from cnnspec.torch_source.repair import other_attributes, repair
from cnnspec.torch_source.rules import RULES, Followed
from cnnspec.torch_source.script import Place, Script
from cnnspec.torch_source.stops import Raised, Refusal, Return, Stop
from cnnspec.torch_source.trace import Trace
from cnnspec.torch_source.values import (
    BATCH,
    Class,
    Instance,
    Record,
    Scope,
    Shape,
    Tensor,
    TorchClass,
    Unknown,
)
from cnnspec.torch_source.weights import count_parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from cnnspec.diagnostics import Diagnostic

    Again: TypeAlias = tuple[list[Diagnostic], dict[tuple[str, int], Cause]]

_RECURSION = 12_000
_TRIED_STEPS = 400_000
"""The steps that may go into trying fixes, two fixes in any case."""


@record
class Options:
    """How a file is checked. `inputs` are shapes without the batch, `settings` values by dotted names."""

    entry: str = ""
    inputs: tuple[Shape, ...] = ()
    settings: tuple[tuple[str, object], ...] = ()
    training: bool = False
    root: str = ""
    select: tuple[str, ...] = ()
    """Warnings, or their first signs, that are off by default and wanted."""


def check_python(
    source: Source, path: str, sink: Sink, options: Options, *, fixes: bool = False, shown: Source | None = None
) -> list[Outcome]:
    """Check the modules of a Python file; what torch would refuse goes to `sink`.

    `shown` is the text that findings stand in, where `source` is that text with parts of it blanked out.
    """
    try:
        script = parse(source, path)
        script.source = shown or source
    except NotPython as error:
        starts = source.line_starts
        start = starts[min(max(error.line, 1), len(starts)) - 1]
        span = Span(source, start, start + len(source.line(max(1, min(error.line, len(starts))))))
        sink.report(codes.NOT_PYTHON, span, problem=error.problem)
        return []
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        run = _Check(script, sink, options)
        outcomes = run.run()
        if fixes and sink.has_errors:
            trials = max(2, _TRIED_STEPS // max(run.steps, 1))
            repair(script.source, sink, run.causes, run.again(path, outcomes), trials)
        return outcomes
    finally:
        sys.setrecursionlimit(limit)


class _Check:
    """One check of one file."""

    def __init__(self, script: Script, sink: Sink, options: Options) -> None:
        self.script, self.sink, self.options = script, sink, options
        self.causes: dict[tuple[str, int], Cause] = {}
        self._machines: list[Interpreter] = []
        self.root = options.root or (root_of(script.path) if script.path else "")

    @property
    def steps(self) -> int:
        """What following the modules has cost."""
        return sum(machine.steps for machine in self._machines)

    def again(self, path: str, outcomes: list[Outcome]) -> Callable[[str], Again]:
        """The same check of another text, with the inputs that were chosen."""
        blanked = self.script.source.path.endswith(".md")
        chosen = {one.inputs for one in outcomes if one.inputs}
        shapes = chosen.pop() if len(chosen) == 1 and not self.options.inputs else self.options.inputs
        options = replace(self.options, inputs=shapes, root=self.root)

        def check(text: str) -> Again:
            sink = Sink()
            try:
                edited = Source(self.script.source.path, text)
                script = parse(Source(edited.path, blank_markdown(text)) if blanked else edited, path)
                script.source = edited
            except NotPython:
                return self.sink.diagnostics, self.causes
            run = _Check(script, sink, options)
            run.run()
            return sink.diagnostics, run.causes

        return check

    def run(self) -> list[Outcome]:
        given = self.options.inputs or inputs.from_comment(self.script.source, self.sink) or ()
        machine, file = self._machine(Sink())
        chosen, open_ended = self._entries(machine, file)
        outcomes = [self._follow(entry, given) for entry in chosen]
        for entry in open_ended:
            way = f"ask for it as {self.script.source.path}:'{entry.name}(...)'"
            stop = f"`{entry.name}`, whose arguments have no defaults: {way}"
            outcomes.append(Outcome(entry.name, entry.place, (), None, None, stop, entry.place))
        return outcomes

    def _machine(self, sink: Sink) -> tuple[Interpreter, File]:
        project = Project(self.root or ".")
        machine = Interpreter(sink, Trace(), dict(self.options.settings), training=self.options.training)
        machine.causes = self.causes
        machine.described = project.described
        self._machines.append(machine)
        return machine, project.add(self.script)

    def _entries(self, machine: Interpreter, file: File) -> tuple[list[Entry], list[Entry]]:
        if not self.options.entry:
            try:
                return entries.entries_of(machine, file)
            except (Stop, Raised, RecursionError):
                return [], []
        entry = entries.named(self.options.entry)
        names = [part.id for part in ast.walk(entry.node) if isinstance(part, ast.Name)] if entry else []
        if entry is None or not names or not (file.binds(names[0]) or file.lookup(machine, names[0]) is not None):
            known = [statement.name for statement in self.script.tree.body if isinstance(statement, ast.ClassDef)]
            listed = f"the file has `{'`, `'.join(known)}`" if known else "the file has no classes"
            self.sink.report(codes.NO_SUCH_CLASS, Span(self.script.source, 0, 0), name=self.options.entry, known=listed)
            return [], []
        return [entry], []

    # --- one module ---

    def _follow(self, entry: Entry, given: tuple[Shape, ...]) -> Outcome:
        sink = Sink()
        machine, file = self._machine(sink)
        module = self._make(machine, file, entry)
        if not isinstance(module, Instance):
            self._take(sink)
            return module
        self._take(sink)
        if given:
            return self._forward(machine, entry, module, given, assumed=False)
        found = self._fitting(file, entry, module)
        if found.shapes is None:
            for error in found.errors:
                self.sink.add(error)
            way = "give it as --input 3x32x32, or in the file as `# cnnspec: input 3x32x32`"
            stop = f"`{entry.name}` without the shape of its input: {way}"
            return Outcome(
                entry.name, entry.place, (), None, count_parameters(module), stop, entry.place, False, None, module
            )
        made = self._make(*self._machine(Sink()), entry)
        module = made if isinstance(made, Instance) else module
        return self._forward(machine, entry, module, found.shapes, assumed=not found.named)

    def _make(self, machine: Interpreter, file: File, entry: Entry) -> Instance | Outcome:
        """The module that an entry makes, or the outcome where that can't be followed."""
        try:
            scope = Scope(file)
            value = machine.evaluate(entry.node, scope)
            if isinstance(value, (Class, TorchClass)):
                value = machine.call(value, [], {}, entry.place)
            if isinstance(value, Unknown):
                raise Stop(value.what, value.place, reported=value.reported)
            if not isinstance(value, Instance) or not value.is_module:
                raise Stop(f"`{entry.name}`, which is no module", entry.place)
            return value
        except Stop as stop:
            return _stopped(entry, stop.what, stop.place, reported=stop.reported)
        except Raised as raised:
            unfit = raised.name == "TypeError" and " needs `" in raised.text
            if (raised.deliberate or unfit) and not entry.asked:
                return _stopped(entry, f"`{entry.name}`, which raises {raised.name} as it is made here", raised.place)
            self._raised(raised, entry)
            return _stopped(entry, "", raised.place, reported=True)
        except RecursionError:
            return _stopped(entry, "code that is nested so deeply", entry.place)
        except (Refusal, Return):
            return _stopped(entry, "this code", entry.place)

    def _forward(
        self, machine: Interpreter, entry: Entry, module: Instance, shapes: tuple[Shape, ...], *, assumed: bool
    ) -> Outcome:
        machine.sink = sink = Sink()
        machine.trace = Trace()
        output, stop = run_forward(machine, module, shapes, entry.place)
        self._take(sink)
        where: Place | None = None
        reason = ""
        parameters = count_parameters(module)
        if isinstance(stop, Raised):
            if stop.deliberate and stop.name == "NotImplementedError":
                reason, where = f"`{entry.name}`, whose forward raises NotImplementedError", stop.place
            else:
                self._raised(stop, entry)
                reason, where = "?", stop.place
        elif isinstance(stop, Stop):
            reason, where = ("?" if stop.reported else stop.what), stop.place
        elif sink.has_errors:
            reason = "?"
        outcome = Outcome(
            entry.name, entry.place, shapes, output, parameters, reason, where, assumed, machine.trace, module
        )
        if not reason and machine.trace.root is not None:
            self._warn(Followed(module, machine.trace.root, output, self.script), outcome)
        return outcome

    def _fitting(self, file: File, entry: Entry, module: Instance) -> Fitting:
        """An input for a module that nobody has named."""
        state: list[Instance] = [module]

        def attempt(shapes: tuple[Shape, ...]) -> Tried:
            machine, _ = self._machine(Sink())
            changes = machine.changes
            _, stop = run_forward(machine, state[0], shapes, entry.place)
            if machine.changes != changes or _has_lazy(module):
                made = self._make(*self._machine(Sink()), entry)
                state[0] = made if isinstance(made, Instance) else state[0]
            errors = [one for one in machine.sink.diagnostics if one.severity == "error"]
            went = stop is None or (isinstance(stop, Stop) and not stop.reported)
            return Tried(went and not errors, tuple(errors), machine.wanted)

        return fit(module, file, attempt, inputs.from_runs(file, entry.node, entry.name))

    def _warn(self, followed: Followed, outcome: Outcome) -> None:
        from cnnspec.torch_source.lower.graphs import graph_of

        sink = Sink()
        for _, check in RULES:
            check(followed, sink)
        graph = graph_of(outcome)
        if graph is not None:
            lint(graph, sink, self.options.select)
            if "assert" in self.script.source.text:
                from cnnspec.torch_source.budgets import check_budgets

                check_budgets(self.script.source, outcome, graph, sink)
        self._take(sink)

    def _raised(self, raised: Raised, entry: Entry) -> None:
        place = raised.place or entry.place
        helps = other_attributes(raised)
        self.sink.report(
            codes.PYTHON_RAISES, place.span, helps=helps, error=raised.name, text=raised.text or place.text
        )

    def _take(self, sink: Sink) -> None:
        for found in sink.diagnostics:
            self.sink.add(found)


def _stopped(entry: Entry, what: str, place: Place | None, *, reported: bool = False) -> Outcome:
    return Outcome(entry.name, entry.place, (), None, None, "?" if reported else what, place or entry.place)


def run_forward(
    machine: Interpreter, module: Instance, shapes: tuple[Shape, ...], place: Place
) -> tuple[object, Stop | Raised | None]:
    """What a module gives for inputs of these shapes, or what ended its forward pass."""
    arguments: list[object] = [Tensor((BATCH, *shape)) for shape in shapes]
    try:
        output = machine.call(module, arguments, {}, place)
    except (Stop, Raised) as stop:
        return None, stop
    except RecursionError:
        return None, Stop("code that is nested so deeply", place)
    unknown = _unknown_in(output)
    if unknown is not None:
        return output, Stop(unknown.what, unknown.place, reported=unknown.reported)
    return output, None


def _has_lazy(module: Instance) -> bool:
    return any(isinstance(part.layer, Made) and part.layer.name.startswith("Lazy") for _, part in walk(module))


def _unknown_in(output: object) -> Unknown | None:
    waiting = [output]
    budget = 2000
    while waiting:
        budget -= 1
        if not budget:
            return Unknown("an output of more than 2,000 values")
        part = waiting.pop()
        if isinstance(part, Unknown):
            return part
        if isinstance(part, (tuple, list)):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, Record):
            waiting.extend(part.values.values())
    return None
