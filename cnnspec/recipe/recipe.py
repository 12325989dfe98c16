"""The recipe of a model: `train { ... }` with its settings resolved, checked without torch.

`recipe_of` reads the settings of a recipe block, and those of the command line on top of them, reports every mistake with
its place, and compares the recipe with the model: image shape, classes, loss.
"""

from __future__ import annotations

from cnnspec.compiler.expressions import evaluate, plain_arguments
from cnnspec.compiler.names import Scope
from cnnspec.compiler.place import Place
from cnnspec.compiler.values import show_shape
from cnnspec.declare import UNKNOWN, Bool, Choice, Declared, Kind, Null, Number, Reject, bind, spell
from cnnspec.diagnostics import Diagnostic, Label, Sink, Suggestion, codes, note
from cnnspec.diagnostics.suggest import did_you_mean, listing
from cnnspec.diagnostics.suggestions import SPELLING
from cnnspec.graph.nodes import Graph
from cnnspec.recipe.augmentations import AUGMENTATIONS, Augmentation, Refused, trace
from cnnspec.recipe.choices import INITS, LOSSES, OPTIMIZERS, SCHEDULERS, Init, Loss, Optimizer, Scheduler
from cnnspec.recipe.component import spelled
from cnnspec.recipe.datasets import DATA_SETS, DataSet, FashionMini
from cnnspec.recipe.losses import CrossEntropyLoss
from cnnspec.recipe.optimizers import AdamW
from cnnspec.recipe.schedulers import CosineAnnealingLR
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from cnnspec.source import Span


@record
class Recipe:
    """Everything that a training run is told, apart from where it runs."""

    data: DataSet
    augment: tuple[Augmentation, ...]
    init: Init | None
    loss: Loss
    optimizer: Optimizer
    scheduler: Scheduler | None
    batch: int
    """Images a step, over all processes and accumulated parts."""
    epochs: int
    warmup: float
    """Epochs over which the learning rate rises linearly from 0."""
    seed: int
    normalize: bool
    """Bring the images to mean 0 and variance 1 a channel, as measured on the training set."""
    clip_grad_norm: float | None
    accumulate: int
    """Parts into which the batch of a step is divided."""
    ema: float | None
    """Decay of the running average of the weights that is evaluated and saved; None for none."""
    early_stopping: int | None
    """Epochs without a better test loss after which the run ends."""
    precision: str
    compile: bool


@record
class Setting:
    """One line of a recipe: what it takes and what holds where it is left out."""

    takes: Mapping[str, type[Declared]] | Kind
    default: object
    meaning: str
    many: bool = False


_WHOLE = Number(1, whole=True)
_OPTIONAL = Null()
SETTINGS: dict[str, Setting] = {
    "data": Setting(DATA_SETS, FashionMini(), "the data set"),
    "augment": Setting(AUGMENTATIONS, (), "changes to the training images, in order", many=True),
    "init": Setting(INITS, None, "the initialisation of weights; torch's own where it is left out"),
    "loss": Setting(LOSSES, CrossEntropyLoss(), "the loss"),
    "optimizer": Setting(OPTIMIZERS, AdamW(lr=0.005), "the optimizer"),
    "scheduler": Setting(SCHEDULERS, CosineAnnealingLR(), "the schedule of the learning rate"),
    "batch": Setting(_WHOLE, 32, "images a step"),
    "epochs": Setting(_WHOLE, 15, "passes over the training set"),
    "warmup": Setting(Number(0), 0, "epochs over which the learning rate rises from 0"),
    "seed": Setting(Number(0, 2**63 - 1, whole=True), 0, "of weights, order and augmentation"),
    "normalize": Setting(Bool(), True, "images to mean 0 and variance 1, as measured on the training set"),
    "clip_grad_norm": Setting(Number(0, above=True) | _OPTIONAL, None, "largest norm of the gradient"),
    "accumulate": Setting(_WHOLE, 1, "parts into which the batch of a step is divided"),
    "ema": Setting(Number(0, 1) | _OPTIONAL, None, "decay of the running average of the weights"),
    "early_stopping": Setting(_WHOLE | _OPTIONAL, None, "epochs without a better test loss before the run ends"),
    "precision": Setting(Choice("float32", "bfloat16", "float16"), "float32", "of the forward pass"),
    "compile": Setting(Bool(), False, "run through torch.compile"),
}

_LEFT_OUT = ("init", "scheduler")
"""Parts of a recipe that `none` leaves out."""

ELSEWHERE = {
    "lr": "optimizer.lr",
    "learning_rate": "optimizer.lr",
    "momentum": "optimizer.momentum",
    "weight_decay": "optimizer.weight_decay",
    "batch_size": "batch",
    "criterion": "loss",
    "dataset": "data",
    "transforms": "augment",
}
"""What settings of other libraries are here; `optimizer.lr` is an argument of the optimizer."""


def _meant(name: str) -> tuple[Suggestion, ...]:
    """What an unknown setting most likely means."""
    meant = ELSEWHERE.get(name)
    if meant is None:
        return did_you_mean(name, SETTINGS)
    head, _, argument = meant.partition(".")
    if argument:
        return (note(f"an argument of the {head}: `{head} = SGD({argument}=0.1)`"),)
    return (Suggestion(SPELLING, {"written": name, "meant": meant, "ties": (meant,)}),)


# Recipes that go by a name: the settings that they give.
NAMED = {
    "d2l": """train {
    init      = xavier_uniform
    loss      = CrossEntropyLoss
    optimizer = SGD(lr=0.9)
    scheduler = none
    batch     = 256
    epochs    = 10
    normalize = false
}""",
}


def recipe_of(
    graph: Graph, sink: Sink, overrides: Iterable[tree.Setting] = (), *, compare: bool = True
) -> Recipe | None:
    """The recipe of a model with `overrides` put in, compared with the model; None where a mistake was reported."""
    settings = merge(graph.recipe.settings if graph.recipe is not None else (), overrides)
    scope = Scope()
    for name, value in graph.values.items():
        scope.bind(name, value)
    recipe = resolve(settings, scope, sink)
    if recipe is not None and compare:
        check_recipe(recipe, settings, graph, sink)
    return recipe


def resolve(written: Iterable[tree.Setting], scope: Scope, sink: Sink) -> Recipe | None:
    """The recipe of some settings, with the defaults of those left out; None where a mistake was reported."""
    reader = _Reader(scope, sink)
    values: dict[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}
    for setting in written:
        values[setting.name.id] = reader.read(setting)
    if any(value is UNKNOWN for value in values.values()) or not values.keys() <= SETTINGS.keys():
        return None
    return Recipe(**values)


def merge(settings: Iterable[tree.Setting], overrides: Iterable[tree.Setting]) -> list[tree.Setting]:
    """Settings with others put in their place. `optimizer.lr` as a name sets one argument of the optimizer."""
    found = {setting.name.id: setting for setting in reversed(list(settings))}
    for override in overrides:
        head, _, argument = override.name.id.partition(".")
        if not argument:
            found[head] = override
            continue
        found[head] = _with_argument(found.get(head), head, argument, override)
    return list(found.values())


def _with_argument(setting: tree.Setting | None, head: str, argument: str, override: tree.Setting) -> tree.Setting:
    """The setting with one argument of its component replaced or added."""
    span = override.span
    given = tree.Argument(override.value, span, tree.Name(argument, override.name.span))
    if setting is None:
        default = SETTINGS[head].default if head in SETTINGS else None
        value: tree.Expression = tree.Name(type(default).__name__ if isinstance(default, Declared) else "none", span)
    else:
        value = setting.value
    if isinstance(value, tree.Call):
        kept = tuple(old for old in value.arguments if old.name is None or old.name.id != argument)
        return tree.Setting(tree.Name(head, span), None, tree.Call(value.name, (*kept, given), value.span), span)
    name = value if isinstance(value, tree.Name) else tree.Name("none", span)
    return tree.Setting(tree.Name(head, span), None, tree.Call(name, (given,), span), span)


class _Reader:
    """Reads settings; expressions see the names of the file."""

    def __init__(self, scope: Scope, sink: Sink) -> None:
        self.sink = sink
        self.place = Place(sink, scope)

    def read(self, written: tree.Setting) -> Any:
        setting = SETTINGS.get(written.name.id)
        if setting is None:
            helps = _meant(written.name.id)
            known = f"the settings are {listing(SETTINGS)}"
            self.sink.report(codes.UNKNOWN_SETTING, written.name.span, helps=helps, name=written.name.id, known=known)
            return UNKNOWN
        if isinstance(setting.takes, Kind):
            return self._value(written, setting.takes)
        if setting.many:
            return self._components(written, setting.takes)
        if isinstance(written.value, tree.Literal) and written.value.value is None and written.name.id in _LEFT_OUT:
            return None
        return self._component(written.name.id, written.value, setting.takes)

    def _value(self, written: tree.Setting, kind: Kind) -> Any:
        value = evaluate(written.value, self.place)
        if value is not UNKNOWN and kind.accepts(value, 0):
            facts = {"what": f"`{written.name.id}`", "value": spell(value), "wants": kind.describe(0)}
            self.sink.add(Diagnostic(codes.WRONG_VALUE, dict(facts), written.value.span))
            return UNKNOWN
        return value

    def _components(self, written: tree.Setting, table: Mapping[str, type[Declared]]) -> Any:
        items = written.value.items if isinstance(written.value, tree.Sequence) else (written.value,)
        found = [self._component(written.name.id, item, table) for item in items]
        return UNKNOWN if UNKNOWN in found else tuple(found)

    def _component(self, setting: str, value: tree.Expression, table: Mapping[str, type[Declared]]) -> Any:
        name = value.name if isinstance(value, tree.Call) else value
        if not isinstance(name, tree.Name):
            if not isinstance(name, tree.Invalid):
                default = SETTINGS[setting].default
                example = type(default).__name__ if isinstance(default, Declared) else next(iter(table))
                facts = {"what": f"`{setting}`", "value": value.span.text, "wants": f"a name such as `{example}`"}
                quoted = isinstance(value, tree.Literal) and isinstance(value.value, str) and value.value in table
                unquoted = (note(f"without quotes: `{value.value}`"),) if quoted else ()  # type: ignore[union-attr]
                self.sink.add(Diagnostic(codes.WRONG_VALUE, dict(facts), value.span, (), unquoted))
            return UNKNOWN
        declared = table.get(name.id)
        if declared is None:
            helps = did_you_mean(name.id, table)
            facts = {"name": name.id, "setting": setting, "known": f"{setting} takes {listing(table)}"}
            self.sink.add(Diagnostic(codes.UNKNOWN_COMPONENT, dict(facts), name.span, (), helps))
            return UNKNOWN
        written = plain_arguments(value.arguments, name.id, self.place) if isinstance(value, tree.Call) else []
        bound = bind(declared.signature, written, name.id, name.span, self.sink)
        if not bound.complete:
            return UNKNOWN
        built = declared.build(bound.values)
        try:
            built.validate()  # type: ignore[attr-defined]
        except Reject as reject:
            where: Span = bound.spans.get(reject.field, name.span)
            self.sink.add(Diagnostic(reject.code, {"layer": name.id, **reject.facts}, where))
            return UNKNOWN
        return built


# --- the recipe and the model ---


def check_recipe(recipe: Recipe, settings: Iterable[tree.Setting], graph: Graph, sink: Sink) -> None:
    """Report where the images or classes of the data set, or the loss, do not fit the model."""
    if not graph.complete or graph.input is None or graph.output is None:
        return
    written = {setting.name.id: setting.value for setting in settings}
    here = graph.recipe.span if graph.recipe is not None else graph.span
    _check_images(recipe, graph, written, here, sink)
    _check_output(recipe, graph, written, here, sink)


def _check_images(recipe: Recipe, graph: Graph, written: Mapping[str, tree.Expression], here: Span, sink: Sink) -> None:
    """The images behind the augmentations have to be what the model takes."""
    if recipe.data.shape is None:
        return
    augment = written.get("augment")
    try:
        shape = trace(recipe.augment, recipe.data.shape)
    except Refused as refused:
        steps = augment.items if isinstance(augment, tree.Sequence) else ()
        span = steps[refused.position].span if refused.position < len(steps) else here
        facts = {"layer": type(recipe.augment[refused.position]).__name__, **refused.reject.facts}
        sink.add(Diagnostic(refused.reject.code, facts, span))
        return
    if shape != graph.input:
        span = augment.span if augment is not None and shape != recipe.data.shape else _span(written, "data", here)
        facts = {
            "data": type(recipe.data).__name__ + (" behind the augmentation" if shape != recipe.data.shape else ""),
            "found": shape,
            "model": graph.name,
            "wanted": graph.input or (),
        }
        labels = (Label(graph.input_span, f"takes {facts['wanted']}"),) if graph.input_span else ()
        sink.add(Diagnostic(codes.IMAGES_DO_NOT_FIT, dict(facts), span, labels))


def _span(written: Mapping[str, tree.Expression], name: str, here: Span) -> Span:
    return written[name].span if name in written else here


def _check_output(recipe: Recipe, graph: Graph, written: Mapping[str, tree.Expression], here: Span, sink: Sink) -> None:
    """The model has to give one number a class."""
    output, classes = graph.output or (), recipe.data.num_classes
    if len(output) != 1:
        facts: dict[str, object] = {"loss": type(recipe.loss).__name__, "output": show_shape(output)}
        sink.add(Diagnostic(codes.OUTPUT_DOES_NOT_FIT, facts, _span(written, "loss", here)))
    elif classes is not None and output[0] != classes:
        facts = {"data": type(recipe.data).__name__, "classes": classes, "model": graph.name, "output": output[0]}
        sink.add(Diagnostic(codes.CLASSES_DO_NOT_FIT, facts, _span(written, "data", here)))


def describe(recipe: Recipe) -> dict[str, str]:
    """Every setting as a recipe writes it, in the order of the table."""
    found: dict[str, str] = {}
    for name, setting in SETTINGS.items():
        value = getattr(recipe, name)
        if setting.many:
            found[name] = "[" + ", ".join(map(spelled, value)) + "]"
        else:
            found[name] = spelled(value) if isinstance(value, Declared) else spell(value)
    return found
