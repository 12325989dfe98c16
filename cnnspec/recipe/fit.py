"""A recipe compared with itself and with the model: images, classes, what the loss wants, names of modules.

What surely fails or diverges is an error here; what only harms is a warning, in `cnnspec.lint`.
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.declare import Reject, spell
from cnnspec.diagnostics import Diagnostic, Label, Sink, codes, did_you_mean
from cnnspec.diagnostics.suggestions import listing
from cnnspec.graph.nodes import Graph
from cnnspec.graph.walk import walk
from cnnspec.layers.base import inf
from cnnspec.recipe import contradictions
from cnnspec.recipe.augmentations import Refused, mixing_of, trace
from cnnspec.recipe.losses import LOG_PROBABILITIES, PROBABILITIES, Loss
from cnnspec.recipe.outputs import Output, outputs_of
from cnnspec.recipe.schedulers import METRIC
from cnnspec.recipe.settings import key_of
from cnnspec.recipe.tasks import CLASSIFICATION, METRICS, SEGMENTATION, SEVERAL_LABELS, Misfit, Task, task_of
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.graph.nodes import Shape
    from cnnspec.recipe.settings import Recipe
    from cnnspec.source import Span


class Written:
    """Where the settings of a recipe stand. `here` is the place of what is left out."""

    def __init__(self, settings: Iterable[tree.Setting], here: Span | None = None) -> None:
        self.values: dict[str, tree.Expression] = {}
        for setting in settings:
            name, part = key_of(setting)
            self.values.setdefault(name, setting.value)
            self.values[f"{name}.{part}" if part else name] = setting.value
        self.here = here

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def span(self, name: str, argument: str = "") -> Span:
        """The place of a setting, or of an argument of it."""
        value = self.values.get(name)
        if isinstance(value, tree.Call):
            for one in value.arguments:
                if one.name is not None and one.name.id == argument:
                    return one.value.span
        found = value.span if value is not None else self.here
        assert found is not None
        return found

    def item(self, name: str, position: int) -> Span:
        """The place of an item of a list."""
        value = self.values.get(name)
        items = value.items if isinstance(value, tree.Sequence) else ()
        return items[position].span if position < len(items) else self.span(name)


# --- the recipe alone ---


def check_parts(recipe: Recipe, settings: Iterable[tree.Setting], sink: Sink) -> bool:
    """Report settings that contradict each other. Whether none does."""
    written = Written(settings)
    before = len(sink)
    if recipe.scheduler is not None:
        try:
            recipe.scheduler.check_optimizer(recipe.optimizer)
        except Reject as reject:
            name = "scheduler" if "scheduler" in written else "optimizer"
            facts = {"layer": recipe.scheduler.name, **reject.facts}
            sink.add(Diagnostic(reject.code, facts, written.span(name, reject.field)))
        if (
            recipe.scheduler.steps_on == METRIC
            and recipe.best == "loss"
            and getattr(recipe.scheduler, "mode", "") == "max"
        ):
            sink.report(contradictions.WRONG_WAY, written.span("scheduler", "mode"), layer=recipe.scheduler.name)
    mixing = mixing_of(recipe.augment)
    for loss in [loss for _, loss in recipe.losses] or [recipe.loss]:
        if mixing is not None and not loss.takes_classes:
            place = written.span("augment")
            sink.report(
                contradictions.MIXES_NO_CLASSES, place, layer="`augment`", mixing=type(mixing).__name__, loss=loss.name
            )
    if recipe.thaw is not None and not recipe.freeze:
        sink.report(contradictions.NOTHING_FROZEN, written.span("thaw"), layer="`thaw`")
    if recipe.loss_weights is not None and len(recipe.loss_weights) != max(1, len(recipe.losses)):
        count = len(recipe.losses)
        wants = f"{count} numbers, one for each loss" if count > 1 else "left out: there is one loss"
        _wrong(sink, written.span("loss_weights"), "loss_weights", recipe.loss_weights, wants)
    if recipe.class_weights is not None:
        _check_class_weights(recipe, written, sink)
    if recipe.best.rpartition(".")[2] not in ("loss", *METRICS):
        wants = '"loss", or a metric: ' + ", ".join(f'"{name}"' for name in METRICS)
        _wrong(sink, written.span("best"), "best", recipe.best, wants)
    return len(sink) == before


def _check_class_weights(recipe: Recipe, written: Written, sink: Sink) -> None:
    loss, span = recipe.loss, written.span("class_weights")
    if not loss.takes_classes or "weight" not in loss.fields:
        sink.report(contradictions.WEIGHS_NO_CLASSES, span, layer="`class_weights`", loss=loss.name)
    elif getattr(loss, "weight", None) is not None:
        sink.report(contradictions.WEIGHED_TWICE, span, layer="`class_weights`", loss=loss.name)


def _wrong(sink: Sink, span: Span, name: str, value: object, wants: str) -> None:
    sink.report(codes.WRONG_VALUE, span, what=f"`{name}`", value=spell(value), wants=wants)


# --- the recipe and the model ---


def check_recipe(
    recipe: Recipe, settings: Iterable[tree.Setting], graph: Graph, sink: Sink, *, with_data: bool = True
) -> None:
    """Report where the images or classes of the data set, or the loss, do not fit the model.

    With `with_data` false another data set is meant than that of the recipe, and only the rest is compared.
    """
    if not graph.complete or graph.input is None or graph.output is None:
        return
    written = Written(settings, graph.recipe.span if graph.recipe is not None else graph.span)
    if with_data:
        _check_images(recipe, graph, written, sink)
    graph = at_data(recipe, graph)
    _check_modules(recipe, graph, written, sink)
    pairs = matched(recipe, outputs_of(graph), graph.name, written, sink)
    tasks: list[tuple[str, Task | None]] = []
    for index, (output, loss, name) in enumerate(pairs):
        task = _check_task(recipe, loss, output, graph, written, sink, with_data=with_data)
        if not isinstance(task, Misfit):
            tasks.append((output.label or str(index), task))
            _check_weights(loss, output.shape, name, written, sink)
            _check_values(loss, output, graph, name, written, sink)
    if pairs and len(tasks) == len(pairs):
        _check_best(recipe, tasks, written, sink)


def matched(
    recipe: Recipe, outputs: list[Output], model: str, written: Written, sink: Sink
) -> list[tuple[Output, Loss, str]]:
    """Every output with its loss and the name of its setting; empty where their number differs, which is reported."""
    if not recipe.losses and len(outputs) == 1:
        return [(outputs[0], recipe.loss, "loss")]
    labels = {label for label, _ in recipe.losses}
    known = [output.label for output in outputs]
    if labels == {""} and len(recipe.losses) == len(outputs):
        return [(output, loss, "loss") for output, (_, loss) in zip(outputs, recipe.losses)]
    if labels and "" not in labels and labels == set(known) and len(recipe.losses) == len(outputs):
        return [(output, dict(recipe.losses)[output.label], f"loss.{output.label}") for output in outputs]
    count = max(1, len(recipe.losses))
    named = f": {listing(label or str(index) for index, label in enumerate(known))}" if len(known) > 1 else ""
    facts: dict[str, object] = {"model": model, "outputs": f"{len(outputs)} {_plural('output', len(outputs))}{named}"}
    facts["losses"] = f"{count} {_plural('loss', count)}" + (
        f": {listing(label for label, _ in recipe.losses)}" if labels - {""} else ""
    )
    sink.add(Diagnostic(codes.OUTPUTS_DIFFER, facts, written.span("loss")))
    return []


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else noun + ("es" if noun.endswith("s") else "s")


def _check_images(recipe: Recipe, graph: Graph, written: Written, sink: Sink) -> None:
    """The images behind the augmentations have to be what the model takes."""
    if recipe.data.shape is None:
        return
    try:
        shape = trace(recipe.augment, recipe.data.shape)
    except Refused as refused:
        name = type(recipe.augment[refused.position]).__name__
        refusal = {"layer": name, **refused.reject.facts}
        sink.add(Diagnostic(refused.reject.code, refusal, written.item("augment", refused.position)))
        return
    if not _takes(graph, shape):
        changed = shape != recipe.data.shape
        facts: dict[str, object] = {
            "data": type(recipe.data).__name__ + (" behind the augmentation" if changed else ""),
            "found": shape,
            "model": graph.name,
            "wanted": graph.input or (),
        }
        labels = (Label(graph.input_span, f"takes {show_shape(graph.input or ())}"),) if graph.input_span else ()
        span = written.span("augment" if changed and "augment" in written else "data")
        sink.add(Diagnostic(codes.IMAGES_DO_NOT_FIT, dict(facts), span, labels))


def _takes(graph: Graph, shape: tuple[int, ...]) -> bool:
    if graph.sizes is None:
        return shape == graph.input
    return graph.sizes.of_shapes([graph.input or ()], [shape]) is not None


def at_data(recipe: Recipe, graph: Graph) -> Graph:
    """The graph at the sizes that the images of the recipe have, where its input has sizes by name; at typical ones where
    no image is known, or where it does not fit."""
    if graph.sizes is None:
        return graph
    sizes = None
    if recipe.data.shape is not None:
        try:
            sizes = graph.sizes.of_shapes([graph.input or ()], [trace(recipe.augment, recipe.data.shape)])
        except Refused:
            sizes = None
    found: Graph = graph.sizes.at(sizes or graph.sizes.typical)
    return found


def _check_modules(recipe: Recipe, graph: Graph, written: Written, sink: Sink) -> None:
    """What is frozen, or has a rate of its own, has to be a module."""
    named = [("freeze", name) for name in recipe.freeze] + [("rates", name) for name, _ in recipe.rates]
    if not named:
        return
    keys = {path for path, _ in walk(graph.root)}
    for position, (setting, name) in enumerate(named):
        if name not in keys:
            place = position - (0 if setting == "freeze" else len(recipe.freeze))
            labels = [key for key in keys if not key.rpartition(".")[2].isdigit()]
            helps = did_you_mean(name, labels)
            facts: dict[str, object] = {"setting": setting, "name": name, "model": graph.name}
            sink.add(Diagnostic(codes.UNKNOWN_MODULE, facts, written.item(setting, place), (), helps))


def _check_task(
    recipe: Recipe, loss: Loss, given: Output, graph: Graph, written: Written, sink: Sink, *, with_data: bool
) -> Task | Misfit | None:
    """The loss has to take what the model gives, for the targets of the data set; the task that they make."""
    output, data = given.shape, recipe.data
    targets, classes = (data.targets, data.num_classes) if with_data else ("", None)
    task = task_of(loss, output, graph.input or (), targets, classes)
    if isinstance(task, Misfit):
        facts: dict[str, object] = {"loss": loss.name, "wants": task.wants, "output": output, "fix": task.fix}
        sink.add(Diagnostic(codes.OUTPUT_DOES_NOT_FIT, facts, written.span("loss")))
        return task
    counted = task in (CLASSIFICATION, SEVERAL_LABELS, SEGMENTATION)
    if counted and classes is not None and output[0] != classes:
        facts = {"data": type(data).__name__, "classes": classes, "model": graph.name, "output": output[0]}
        sink.add(Diagnostic(codes.CLASSES_DO_NOT_FIT, facts, written.span("data")))
    return task


def _check_best(recipe: Recipe, tasks: list[tuple[str, Task | None]], written: Written, sink: Sink) -> None:
    """What chooses the best epoch has to be a metric of the task: of the first output, or `name.metric` of another."""
    if any(task is None for _, task in tasks):
        return
    metrics = [metric for _, task in tasks[:1] if task is not None for metric in task.metrics]
    metrics += [f"{name}.{metric}" for name, task in tasks[1:] if task is not None for metric in task.metrics]
    if recipe.best not in ("loss", *metrics):
        names = " and ".join(dict.fromkeys(task.name for _, task in tasks if task is not None))
        wants = f'"loss", or a metric of {names}: ' + ", ".join(f'"{name}"' for name in metrics)
        _wrong(sink, written.span("best"), "best", recipe.best, wants)


def _check_weights(loss: Loss, output: Shape, setting: str, written: Written, sink: Sink) -> None:
    """Weights of a loss are one for each class."""
    if loss.binary and len(output) > 1:
        return
    for name in ("weight", "pos_weight"):
        given = getattr(loss, name, None)
        if given is not None and len(given) not in loss.weight_counts(output[0]):
            wants = f"{output[0]} numbers, one for each class"
            facts = {"name": name, "layer": loss.name, "value": spell(given), "wants": wants}
            sink.add(Diagnostic(codes.OUT_OF_RANGE, dict(facts), written.span(setting, name)))


def _check_values(loss: Loss, output: Output, graph: Graph, setting: str, written: Written, sink: Sink) -> None:
    """What the loss fails or diverges on may not be among the values that the model can give."""
    if output.bounds is None:
        return
    low, high = output.bounds
    fails = loss.wants == PROBABILITIES and (low < 0 or high > 1)
    diverges = loss.wants == LOG_PROBABILITIES and high == inf
    if not fails and not diverges:
        return
    span = output.last.span if output.last is not None else graph.span
    reason = (
        "torch stops at a value outside of 0 to 1" if fails else "the loss falls without end, and nothing is learnt"
    )
    facts = {"loss": loss.name, "wants": loss.wants, "found": show_bounds(low, high), "reason": reason}
    fix = f"put `{loss.activation}` behind it, or take `{loss.instead}`"
    labels = [Label(written.span(setting), "the loss")] if setting in written else []
    sink.report(codes.VALUES_DO_NOT_FIT, span, labels=labels, fix=fix, **facts)


def show_bounds(low: float, high: float) -> str:
    """A range of values in words."""
    if low == -inf and high == inf:
        return "numbers of any size"
    if low == -inf or high == inf:
        return f"numbers of at least {low:g}" if high == inf else f"numbers up to {high:g}"
    return f"numbers from {low:g} to {high:g}"
