"""The settings of a recipe: what each takes, what holds where it is left out, what it means; and a recipe as values."""

from __future__ import annotations

from cnnspec.declare import Bool, Choice, Declared, Kind, Null, Number, Text, Tuple
from cnnspec.diagnostics import Suggestion, did_you_mean, note
from cnnspec.diagnostics.suggestions import SPELLING
from cnnspec.recipe.augmentations import AUGMENTATIONS, Augmentation
from cnnspec.recipe.choices import INITS, LOSSES, OPTIMIZERS, SCHEDULERS, Init, Loss, Optimizer, Scheduler
from cnnspec.recipe.component import Factors, Keys
from cnnspec.recipe.datasets import DATA_SETS, DataSet, FashionMini
from cnnspec.recipe.losses import CrossEntropyLoss
from cnnspec.recipe.optimizers import AdamW
from cnnspec.recipe.schedulers import CosineAnnealingLR
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@record
class Recipe:
    """Everything that a training run is told, apart from where it runs."""

    data: DataSet
    augment: tuple[Augmentation, ...]
    init: Init | None
    loss: Loss
    """The loss of the first output, or of the only one."""
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
    validation: float | str | None
    """The share of the training set, or the folder, that `best`, early stopping and Plateau look at; None for none."""
    best: str
    """What the best epoch is chosen by: "loss", or a metric of the task."""
    loss_weights: tuple[float, ...] | None
    """Factors of the losses of several outputs."""
    class_weights: str | None
    """"balanced" for weights of the classes by how rare they are in the training set."""
    sampler: str | None
    """"balanced" to draw every class as often."""
    drop_last: bool
    """Leave out the last batch of an epoch where it is not full."""
    weights: str | None
    """The weights to start from: a file, or the folder of a run."""
    freeze: tuple[str, ...]
    """Keys of modules whose weights stay as they are."""
    thaw: int | None
    """The epoch, from 1, at whose beginning frozen modules begin to learn."""
    rates: tuple[tuple[str, float], ...]
    """Factors of the learning rate, by the keys of modules."""
    losses: tuple[tuple[str, Loss], ...] = ()
    """With several outputs the loss of each, by its label, or "" where they are in order; empty for one output."""


@record
class Setting:
    """One line of a recipe: what it takes, what holds where it is left out, and what it means."""

    takes: Mapping[str, type[Declared]] | Kind
    default: object
    meaning: str
    many: bool = False
    """Whether it takes a list of components."""


_WHOLE = Number(1, whole=True)
_OPTIONAL = Null()
_SHARE = Number(0.01, 0.9)
SETTINGS: dict[str, Setting] = {
    "data": Setting(DATA_SETS, FashionMini(), "the data set"),
    "augment": Setting(AUGMENTATIONS, (), "changes to the training images, in order", many=True),
    "init": Setting(INITS, None, "the initialisation of weights; torch's own where it is left out"),
    "loss": Setting(LOSSES, CrossEntropyLoss(), "the loss; a list of them for a model of several outputs"),
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
    "early_stopping": Setting(_WHOLE | _OPTIONAL, None, "epochs without a better result before the run ends"),
    "precision": Setting(Choice("float32", "bfloat16", "float16"), "float32", "of the forward pass"),
    "compile": Setting(Bool(), False, "run through torch.compile"),
    "validation": Setting(_SHARE | Text() | _OPTIONAL, None, "the share or folder that `best` is chosen on"),
    "best": Setting(Text(), "loss", "what the best epoch is chosen by: the loss, or a metric of the task"),
    "loss_weights": Setting(Tuple(Number(0), None) | _OPTIONAL, None, "factors of the losses of several outputs"),
    "class_weights": Setting(Choice("balanced") | _OPTIONAL, None, "weights of the classes, by how rare they are"),
    "sampler": Setting(Choice("balanced") | _OPTIONAL, None, "draw every class as often"),
    "drop_last": Setting(Bool(), False, "leave out the last batch of an epoch where it is not full"),
    "weights": Setting(Text() | _OPTIONAL, None, "the weights to start from: a file, or the folder of a run"),
    "freeze": Setting(Keys(), (), "modules whose weights stay as they are, by their keys"),
    "thaw": Setting(_WHOLE | _OPTIONAL, None, "the epoch from which frozen modules learn, too"),
    "rates": Setting(Factors(), (), "factors of the learning rate, by the keys of modules"),
}

LEFT_OUT = ("init", "scheduler")
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


def meant_setting(name: str) -> tuple[Suggestion, ...]:
    """What an unknown setting most likely means."""
    meant = ELSEWHERE.get(name)
    if meant is None:
        return did_you_mean(name, SETTINGS)
    head, _, argument = meant.partition(".")
    if argument:
        return (note(f"an argument of the {head}: `{head} = SGD({argument}=0.1)`"),)
    return (Suggestion(SPELLING, {"written": name, "meant": meant, "ties": (meant,)}),)


def merge(settings: Iterable[tree.Setting], overrides: Iterable[tree.Setting]) -> list[tree.Setting]:
    """Settings with others put in their place. `optimizer.lr` as a name sets one argument of the optimizer."""
    found: dict[tuple[str, str], tree.Setting] = {}
    for setting in settings:
        found.setdefault(key_of(setting), setting)
    for override in overrides:
        head, _, argument = override.name.id.partition(".")
        if not argument:
            for key in [key for key in found if key[0] == head]:
                del found[key]
            found[head, ""] = override
            continue
        found[head, ""] = _with_argument(found.get((head, "")), head, argument, override)
    return list(found.values())


def key_of(setting: tree.Setting) -> tuple[str, str]:
    """The name of a setting and the output that it is for, "" for all."""
    return setting.name.id, "" if setting.part is None else setting.part.id


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
