"""The state of a walk through one model: where it is, what runs through it, and what it has collected.

A rule (elaborate.py and the files beside it) takes the walk and a statement. A mistake is reported where it stands; the
walk then goes on with what is sure, so that one mistake gives one diagnostic and ten give ten.
"""

from __future__ import annotations

from cnnspec.compiler.expressions import evaluate
from cnnspec.compiler.flow import LOST, Flow, Known, identity_of
from cnnspec.compiler.names import Binding, Block, Made, Scope, Value, Values, check_names
from cnnspec.compiler.place import NAME, UNSURE, Place
from cnnspec.compiler.stack import Stack
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import Diagnostic, Label, Sink, Stop, codes, did_you_mean
from cnnspec.graph.nodes import TAKEN, Feed, LayerNode, Link, Node, StackNode, Wire
from cnnspec.graph.taps import NoPart, tap
from cnnspec.layers.base import Parts
from cnnspec.limits import LIMITS
from cnnspec.record import record, replace
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from cnnspec.declare import Bound, Reject
    from cnnspec.diagnostics import Code, Suggestion
    from cnnspec.layers import Layer
    from cnnspec.source import Span

Shape = tuple[int, ...]
_PLAIN = frozenset({int, float, bool, str, type(None)})


@record
class Use:
    """A use of a block that is being expanded."""

    block: Block
    span: Span
    passes: tuple[Pass, ...] = ()
    """The passes of loops that the use stands in, outermost first."""


@record
class Pass:
    """A pass of a loop."""

    span: Span
    """The head of the loop."""
    body: Span
    number: int
    count: int
    values: Span | None = None
    """Where the values of this pass are written out."""


class _Located(Sink):
    """Says of each finding inside of a block or loop in which use and which pass it arose."""

    def __init__(self, inner: Sink, walk: Walk) -> None:
        super().__init__()
        self.inner, self.walk = inner, walk

    def add(self, diagnostic: Diagnostic) -> None:
        uses = tuple(use.span for use in self.walk.uses)
        labels = self.walk.whereabouts(diagnostic.span)
        if uses or labels:
            diagnostic = replace(diagnostic, labels=(*diagnostic.labels, *labels), uses=uses)
        self.inner.add(diagnostic)
        if diagnostic.severity == "error":
            self.walk.meter.mistake(diagnostic.span, self.inner)

    def suggested(self, code: Code, span: Span) -> tuple[Suggestion, ...] | None:
        return self.inner.suggested(code, span)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.inner.diagnostics

    @property
    def has_errors(self) -> bool:
        return self.inner.has_errors

    def __len__(self) -> int:
        return len(self.inner)


class Walk(Place):
    """Expands one model. `stack`, `scope`, `flow` and `feed` are those of the statement at hand."""

    def __init__(self, sink: Sink, rules: dict[type, Callable[[Walk, Any], None]], known: dict[Any, Any]) -> None:
        super().__init__(_Located(sink, self), Scope())
        self.rules = rules
        self.feed: Feed | None = None
        """Where the running value is found; None for what the last step gave."""
        self.stack = Stack()
        self.start: Known = LOST
        """The value of the model's input."""
        self.uses: list[Use] = []
        self.passes: list[Pass] = []
        self.depth = 0
        self.model: tree.Model | None = None
        self.entries: list[Any] = []
        """The inputs of the model, as they are met."""
        self.sizes: dict[str, Any] = {}
        """Sizes of the input that are given by their names."""
        self.refused = False
        """Whether the statement at hand is wrong, so that an annotation says how to go on behind it."""
        self.branches: list[tuple[StackNode, Known, Stack]] | None = None
        """The branches of the merge at hand, while they are collected."""
        self.expanded: dict[Any, Any] = known
        """Uses of blocks that have been expanded, and what is sure behind layers, by what that depends on."""
        self.failed: dict[Any, tuple[StackNode, Known]] = {}
        """Uses of blocks with mistakes, which have been told, or with values that are not known; those of this walk alone."""
        self.used: set[Block] = set()
        """The blocks that have been used."""
        self.layer_names: tuple[Any, frozenset[str]] | None = None
        """The layers and blocks that were seen when a name was last missing, and in which scopes."""
        self.reads_integers = False
        """Whether a layer that reads integers has been met."""
        self.broken_input = False
        """Whether text that was to be an input could not be read."""
        self.body: tree.Body | None = None
        """The body whose statements run."""
        self.leading: Any = None
        """The inputs of the model at hand, once they have been looked for."""
        self.counts_model = True
        """Whether the walk is the first one through its model."""

    checks_claims = True
    """Whether what the spec says about shapes is checked."""

    # --- questions about sizes ---

    def infer(self, layer: Layer, shape: Any) -> Any:
        """The shape behind a layer; raises Reject where it refuses what arrives."""
        return layer.infer(shape)

    def outcome(self, layers: list[Layer], known: Known) -> tuple[Known, Reject | None]:
        """What is sure of the value behind a layer that is one of several; or why it is refused."""
        from cnnspec.compiler.standins import outcome

        first = layers[0].given
        if len(layers) > 1 or not all(value.__class__ in _PLAIN for value in first.values()):
            return outcome(layers, known)
        # A file may have the same layer in thousands of blocks that nothing uses.
        key = (
            type(layers[0]),
            tuple((name, value.__class__, value) for name, value in first.items()),
            identity_of(known),
        )
        if key not in self.expanded:
            self.meter.unsure(UNSURE)
            self.expanded[key] = outcome(layers, known)
        found: tuple[Known, Reject | None] = self.expanded[key]
        return found

    def holds(self, question: Callable[[], bool | None]) -> bool | None:
        """Whether something is true of sizes; None where that is not known."""
        return question()

    def fits(self, stated: int, width: int | None) -> bool | None:
        """Whether a width that arrives is the one that a layer states."""
        return width == stated

    def admits(self, condition: Callable[[], bool | None]) -> bool | None:
        """Whether the sizes of an input are among those that `where` allows."""
        return self.holds(condition)

    def end_inputs(self) -> None:
        """What is to be done behind the inputs of a model."""

    def plain(self, known: Known) -> Known:
        """What is known of a value in numbers."""
        return known

    def check_arguments(self, layer: type[Layer], bound: Bound) -> Bound:
        """The arguments of a layer, with what is wrong reported that depends on the size of the input."""
        return bound

    def input_sizes(self, node: tree.Input, sizes: list[int | None]) -> list[int | None]:
        """The sizes of an input that the spec declares so."""
        return sizes

    # --- where a finding arose ---

    def whereabouts(self, span: Span) -> list[Label]:
        """Labels at the uses of blocks and at the loops in which something at `span` was found."""
        labels: list[Label] = []
        for use in reversed(self.uses):
            inside = use.block.definition.span.holds(span)
            if inside or not labels:
                what = "in this use of" if inside else "used in"
                if use.span != span:
                    labels.append(Label(use.span, f"{what} `{use.block.name}`"))
            span = use.span
        passes = self._pass_labels()
        return labels[: 3 - len(passes)] + passes

    def _pass_labels(self) -> list[Label]:
        """Labels at the innermost pass behind the first of a loop, and at the innermost values that are written out."""
        passes = [one for use in self.uses for one in use.passes] + self.passes
        late = next((one for one in reversed(passes) if one.number), None)
        labels = []
        if late is not None and late.values is None:
            labels.append(Label(late.span, f"in pass {late.number + 1} of {late.count}"))
        written = next((one for one in reversed(passes) if one.values is not None), None)
        if written is not None and written.values is not None:
            which = f"in pass {written.number + 1} of {written.count}, " if written.count > 1 else ""
            labels.append(Label(written.values, f"{which}with these values"))
        return labels

    # --- bodies ---

    def value(self, node: tree.Expression) -> Any:
        return evaluate(node, self)

    @property
    def shape(self) -> Shape | Parts | None:
        """The shape at the statement at hand."""
        return self.flow.shape

    def run(self, body: tree.Body, scope: Scope) -> None:
        """Run the statements of a body with names of its own."""
        outer, self.scope = self.scope, scope
        outer_body, self.body = self.body, body
        self.depth += 1
        if self.depth > LIMITS.nesting:
            self.sink.report(codes.NESTED_TOO_DEEPLY, body.span, limit=LIMITS.nesting)
            raise Stop
        for statement in body.statements:
            self.meter.step(statement.span, self.sink)
            self.refused = False
            self.rules[type(statement)](self, statement)
        self.depth -= 1
        self.scope, self.body = outer, outer_body

    def inside(
        self, stack: Stack, start: Known, title: str, span: Span, run: Callable[[], None]
    ) -> tuple[StackNode, Known]:
        """Collect what `run` does into a module of its own, which gets the value `start`."""
        outer = self.stack, self.flow, self.feed
        self.stack, self.flow, self.feed = stack, start, None
        stack.start = start
        run()
        self.check_weights(stack)
        node, end = stack.node(None, title, start, self.flow, span, self.feed), self.flow
        self.stack, self.flow, self.feed = outer
        return node, end

    def branch(self, body: tree.Body, title: str) -> tuple[StackNode, Known, Stack]:
        """Run a body as a module of its own from the running value, which others get as well."""
        stack = Stack(self.stack, arrival_named=True)
        scope = Scope(self.scope)
        node, end = self.inside(stack, self.flow, title, body.span, lambda: self.run(body, scope))
        return node, end, stack

    def check_weights(self, stack: Stack) -> None:
        for index, weight in enumerate(stack.weights):
            if index not in stack.weights_used:
                self.sink.report(codes.WEIGHT_UNUSED, weight.span, name=weight.label)

    # --- modules ---

    def gap(self, title: str, span: Span, flow: Known = LOST) -> None:
        """Stand in for a statement that is wrong; go on with what is sure behind it."""
        self.refused = True
        node = LayerNode(None, title, None, None, None, 0, span)
        self.add(node, flow, None)
        self.stack.give_name("_", self.stack.resolve(None), span)

    def add(
        self,
        node: Node,
        flow: Known,
        tail: tree.Tail | None,
        *,
        values: tuple[Feed, ...] = (),
        modules: tuple[Link, ...] = (),
        counted: bool = False,
        made: bool = True,
        statement: tree.Statement | None = None,
    ) -> None:
        """Append a module, go on with the value `flow` that it gives, and do what the tail of its statement says.

        `counted` tells that its layers are counted already.
        """
        if not counted:
            self.meter.add_layers(node.layers, node.span, self.sink)
        self.stack.append(node, self.feed, values, modules)
        self.flow, self.feed = flow, None
        if tail is not None:
            link = None
            if statement is not None and tail.label is not None:
                link = Made(self.stack, len(self.stack.children) - 1, statement, self.scope)
            self.finish(tail, link)

    def finish(self, tail: tree.Tail, made: Made | None = None) -> None:
        """Check the shape annotation of a statement, and bind its names."""
        if tail.annotation is not None:
            self.rules[tree.Tail](self, tail)
        if tail.label is not None:
            self.meter.unsure(NAME)
            self.bind_values(tail.label, made)

    # --- names ---

    def bind(self, name: tree.Name, value: Any) -> None:
        """Bind a name in the body at hand, once."""
        check_names([name], self.sink)
        earlier = self.scope.bindings.get(name.id)
        if earlier is not None and earlier.span is not None and name.id != "_":
            labels = [Label(earlier.span, "bound here")]
            self.sink.report(codes.BOUND_TWICE, name.span, labels=labels, name=name.id)
            value = UNKNOWN
        self.scope.bind(name.id, value, name.span)

    def bind_values(self, label: tree.Name | tree.Labels, made: Made | None = None) -> None:
        """Give the running value a name, or its parts a name each."""
        feed = self.stack.resolve(self.feed)
        if isinstance(label, tree.Name):
            value = self.stack.named_value(label.id, self.flow, feed, made)
            earlier = self.scope.bindings.get(label.id)
            if made is not None and earlier is not None and getattr(earlier.value, "module", None) is not None:
                # That the key is taken has been told.
                self.scope.bind(label.id, value, label.span)
            else:
                self.bind(label, value)
            self.stack.give_name(label.id, feed, label.span)
            return
        parts = self._parts(label)
        for number, name in enumerate(label.names):
            known, part = parts[number] if parts is not None else (LOST, feed)
            if name.id != "_":
                self.bind(name, self.stack.named_value(name.id, known, part) if parts is not None else UNKNOWN)
            self.stack.give_name(name.id, part, name.span)

    def _parts(self, label: tree.Labels) -> list[tuple[Known, Feed]] | None:
        """The parts of the running value for as many names."""
        from cnnspec.compiler.stack import part_of

        feed, known = self.stack.resolve(self.feed), self.flow
        if isinstance(known, Flow):
            if known != LOST:
                count = len(label.names)
                fixes = (f"write `as {label.names[0].id}`",)
                self.sink.report(codes.PATTERN_LENGTH, label.span, helps=fixes, found="one value arrives", count=count)
            return None
        if len(known.parts) != len(label.names):
            found = f"{len(known.parts)} values arrive"
            names = [name.id for name in label.names][: len(known.parts)]
            unnamed = ["_"] * (len(known.parts) - len(names))
            rest = "; `_` names nothing" if unnamed else ""
            fixes = (f"write `as ({', '.join([*names, *unnamed])})`{rest}",)
            self.sink.report(codes.PATTERN_LENGTH, label.span, helps=fixes, found=found, count=len(label.names))
            return None
        return [(part, part_of(feed, index)) for index, part in enumerate(known.parts)]

    def label(self, tail: tree.Tail) -> str | None:
        """The name of the module that a statement makes, if it is a name that can be had."""
        if not isinstance(tail.label, tree.Name):
            return None
        self.take_key(tail.label)
        return tail.label.id

    def take_key(self, label: tree.Name) -> None:
        """Report a key that the module at hand can't have."""
        from cnnspec.compiler.module_names import free_name, problem_of

        name = label.id
        earlier = self.stack.labels.get(name)
        self.stack.labels[name] = label.span
        why = problem_of(name)
        if why:
            self.sink.report(codes.BAD_MODULE_NAME, label.span, name=name, why=why, fix=free_name(name))
        elif earlier is not None:
            in_loop = earlier == label.span
            helps = ("a loop comes here again: put its body into a block",) if in_loop else ()
            labels = [] if in_loop else [Label(earlier, "first use")]
            self.sink.report(codes.MODULE_NAME_TAKEN, label.span, labels=labels, helps=helps, name=name)

    def find(self, name: str) -> Binding | None:
        return self.scope.find(name)

    def no_value(self, name: tree.Name) -> None:
        """Report a name that no value has here."""
        scope, body = self.scope, self.body

        def helps() -> Iterable[Suggestion | str]:
            from cnnspec.compiler.elsewhere import similar_value

            return similar_value(scope, body, name.id)

        self.sink.report(codes.UNKNOWN_VALUE_NAME, name.span, helps=helps, name=name.id)

    def inner_value(self, of: Value | Values, path: Sequence[tree.Name], span: Span) -> Any:
        """The value behind a module inside of the labelled one whose value is `of`."""
        made = of.module
        if made is None:
            self.sink.report(
                codes.NO_PART, span, name=of.name, part=path[0].id, helps=("only a labelled module has parts",)
            )
            return UNKNOWN
        home = made.home
        assert isinstance(home, Stack)
        child = home.children[made.index]
        if isinstance(child, LayerNode) and child.layer is None:
            # What is wrong with it has been told.
            return UNKNOWN
        try:
            node, number, shape = tap(home.children[made.index], [name.id for name in path])
        except NoPart as wrong:
            name = path[wrong.position]
            whole = ".".join([of.name, *(part.id for part in path[: wrong.position])])
            labels = wrong.labels
            way = f"`{name.id}` stands in a part of `{whole}` that has no label: give it one, and go by it"
            helps = (way,) if wrong.hidden else did_you_mean(name.id, labels)
            if name.id in ("weight", "bias") and not helps:
                helps = ("parameters of a layer are no values; a learned value is `weight [sizes] = start as name`",)
            self.sink.report(codes.NO_PART, name.span, helps=helps, name=whole, part=name.id)
            return UNKNOWN
        feed = home.tapped(made.index, node, number)
        flow = LOST if shape is None else known_of(shape)
        home.give_name("_", feed, span)
        return home.named_value(".".join([of.name, *(part.id for part in path)]), flow, feed)

    def outer_values(self, argument: Any, name: str, stack: Stack) -> Any:
        """An argument of a block as it is inside: values of the network are found among those that the block takes."""
        if isinstance(argument, Value):
            stack.taken.append(argument)
            return Value(name, argument.flow, stack, Wire(TAKEN, len(stack.taken) - 1))
        if isinstance(argument, (list, tuple)):
            items = [self.outer_values(item, f"{name}[{index}]", stack) for index, item in enumerate(argument)]
            if all(new is old for new, old in zip(items, argument)):
                return argument
            return items if isinstance(argument, list) else tuple(items)
        return argument


def known_of(shape: Shape | Parts) -> Known:
    """A value of which the whole shape is sure."""
    from cnnspec.compiler.flow import Several

    if isinstance(shape, Parts):
        return Several(tuple(map(known_of, shape)))
    return Flow(shape)
