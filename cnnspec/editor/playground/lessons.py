"""Eleven short lessons: what to know, a text to begin with, a task that the checker verifies, hints, worked arithmetic."""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.editor.analysis import Analysis
from cnnspec.graph.nodes import LayerNode, ResidualNode
from cnnspec.graph.walk import walk
from cnnspec.recipe.recipe import describe, recipe_of
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


@record
class Steps:
    """A kernel that goes over an image."""

    name: str
    image: tuple[tuple[int, ...], ...]
    kernel: tuple[tuple[int, ...], ...]

    def told(self) -> dict[str, Any]:
        """Image, kernel, and for each place the sum that is worked out there."""
        return {
            "name": self.name,
            "image": self.image,
            "kernel": self.kernel,
            "lines": correlation(self.image, self.kernel),
        }


@record
class Lesson:
    """A lesson. The task is done where there are no errors and all that is asked for holds."""

    name: str
    title: str
    text: str
    start: str
    task: str
    hints: tuple[str, ...]
    worked: str
    solution: str
    output: tuple[int, ...]
    parameters: int | None = None
    has: tuple[str, ...] = ()
    """Layers that the network has."""
    recipe: tuple[tuple[str, str], ...] = ()
    """Settings of a recipe, as they are written."""
    steps: tuple[Steps, ...] = ()
    """What can be gone through place by place."""
    curves: tuple[tuple[str, tuple[float, ...]], ...] = ()
    """Accuracies of a recorded run, epoch by epoch, with their names."""

    def told(self) -> dict[str, Any]:
        """What the page shows."""
        shown = ("name", "title", "text", "start", "task", "hints", "worked", "curves")
        return {**{name: getattr(self, name) for name in shown}, "steps": [one.told() for one in self.steps]}


def verdict(lesson: Lesson, found: Analysis) -> dict[str, Any]:
    """Whether the task of a lesson is done, and what is missing."""
    missing = _missing(lesson, found)
    return {"done": not missing, "missing": missing}


def _missing(lesson: Lesson, found: Analysis) -> list[str]:
    errors = sum(one.severity == "error" for one in found.diagnostics)
    if errors:
        return [f"{errors} error{'' if errors == 1 else 's'} to mend"]
    if len(found.graphs) != 1:
        return ["one model is asked for"]
    graph = found.graphs[0]
    nodes = [node for _, node in walk(graph.root)]
    kinds = {
        "residual" if isinstance(node, ResidualNode) else node.title
        for node in nodes
        if isinstance(node, LayerNode | ResidualNode)
    }
    recipe = recipe_of(graph, Sink()) if graph.recipe is not None else None
    written = describe(recipe) if recipe is not None else {}
    parts = []
    if graph.output != lesson.output:
        parts.append(f"the output is {_shape(graph.output or ())}, not yet {_shape(lesson.output)}")
    if lesson.parameters is not None and graph.parameters != lesson.parameters:
        parts.append(f"there are {graph.parameters:,} parameters, not yet {lesson.parameters:,}")
    parts += [f"{kind} is missing" for kind in lesson.has if kind not in kinds]
    parts += [f"`{name} = {value}` is missing" for name, value in lesson.recipe if written.get(name) != value]
    return parts


def _shape(sizes: Sequence[object]) -> str:
    return "×".join(map(str, sizes)) or "nothing"


def correlation(image: Sequence[Sequence[int]], kernel: Sequence[Sequence[int]]) -> list[str]:
    """Cross-correlation place by place, a line each.

    >>> correlation([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])[0]
    'row 1, column 1: 0·0 + 1·1 + 3·2 + 4·3 = 19'
    """
    high, wide = len(kernel), len(kernel[0])
    lines = []
    for top in range(len(image) - high + 1):
        for left in range(len(image[0]) - wide + 1):
            pairs = [(image[top + y][left + x], kernel[y][x]) for y in range(high) for x in range(wide)]
            sums = " + ".join(f"{value}·{weight}" for value, weight in pairs)
            lines.append(f"row {top + 1}, column {left + 1}: {sums} = {sum(a * b for a, b in pairs)}")
    return lines


IMAGE, KERNEL = ((0, 1, 2), (3, 4, 5), (6, 7, 8)), ((0, 1), (2, 3))
TURNED = tuple(tuple(reversed(row)) for row in reversed(KERNEL))
"""The kernel of true convolution: turned by half a turn."""


def _model(shape: str, *lines: str, name: str = "Lesson") -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"model {name} {{\n    input {shape}\n{body}\n}}\n"


_LENET = (
    "Conv2d(6, kernel_size=5, padding=2)", "Sigmoid", "AvgPool2d(2)", "Conv2d(16, kernel_size=5)", "Sigmoid", "AvgPool2d(2)",
    "Flatten", "Linear(120)", "Sigmoid", "Linear(84)", "Sigmoid", "Linear(10)",
)  # fmt: skip
_RECIPE = """
train {
    data      = FashionMini
    init      = xavier_uniform
    loss      = CrossEntropyLoss
    optimizer = SGD(lr=0.9)
    batch     = 256
    epochs    = 10
}
"""

_RESIDUAL = (
    "residual {",
    "    Conv2d(64, kernel_size=3, padding=1)",
    "    ReLU",
    "    Conv2d(64, kernel_size=3, padding=1)",
)


def _pooled(last: str) -> str:
    """LeNet up to its first Linear, with another second pooling."""
    return _model("[1, 28, 28]", *_LENET[:5], last, "Flatten", "Linear(16*5*5 -> 120)")


LESSONS: tuple[Lesson, ...] = (
    Lesson(
        name="correlation",
        title="Cross-correlation by hand",
        text="A kernel is laid on each place of the image; what lies on one another is multiplied and added up. Layers do "
        "this cross-correlation. True convolution turns the kernel by half a turn first; as kernels are learnt, both can "
        "do the same.",
        start=_model("[1, 3, 3]", "Conv2d(1, kernel_size=3, bias=false)"),
        task="Choose the kernel so that an image of 3×3 gives 2×2, with 4 parameters.",
        hints=("A window of k on n places has n − k + 1 places.", "3 − 2 + 1 = 2"),
        worked="0·0 + 1·1 + 3·2 + 4·3 = 19, and so on; true convolution gives 0·3 + 1·2 + 3·1 + 4·0 = 5 there",
        steps=(Steps("cross-correlation", IMAGE, KERNEL), Steps("true convolution", IMAGE, TURNED)),
        solution=_model("[1, 3, 3]", "Conv2d(1, kernel_size=2, bias=false)"),
        output=(1, 2, 2),
        parameters=4,
    ),
    Lesson(
        name="padding",
        title="Padding and stride",
        text="Zeros around the image (p in all, above and below together) keep its edge; a stride s moves the window s "
        "places at a time. The output has ⌊(n − k + p + s) / s⌋ places. PyTorch's `padding` counts one side.",
        start=_model("[3, 28, 28]", "Conv2d(16, kernel_size=5)"),
        task="Make the output 16×14×14 with a kernel of 5.",
        hints=("Half as many places: the stride is 2.", "With padding=2, p is 4."),
        worked="⌊(28 − 5 + 4 + 2) / 2⌋ = ⌊29 / 2⌋ = 14\nparameters 16·(3·5·5 + 1) = 1,216",
        solution=_model("[3, 28, 28]", "Conv2d(16, kernel_size=5, padding=2, stride=2)"),
        output=(16, 14, 14),
        parameters=1216,
    ),
    Lesson(
        name="channels",
        title="Channels, and what weight sharing saves",
        text="Each output channel has a kernel for every input channel; their results are added. The same weights are used "
        "at every place, so that the number of parameters has nothing to do with the size of the image. A Linear layer "
        "has one for each pair of values.",
        start=_model("[1, 28, 28]", "Flatten", "Linear(4704)"),
        task="Get 6×28×28 = 4,704 values from the image with 156 parameters instead of 3,692,640.",
        hints=("A convolution of 6 kernels.", "6·(1·k·k + 1) = 156: k is 5.", "padding=2 keeps 28×28."),
        worked="Linear: 784·4,704 + 4,704 = 3,692,640\nConv2d: 6·(1·5·5 + 1) = 156",
        solution=_model("[1, 28, 28]", "Conv2d(6, kernel_size=5, padding=2)"),
        output=(6, 28, 28),
        parameters=156,
    ),
    Lesson(
        name="pooling",
        title="Pooling",
        text="A pooling layer takes the largest value or the mean of each window. It has no parameters; by default its "
        "stride is its window.",
        start=_model("[16, 28, 28]", "MaxPool2d(3)"),
        task="Make the output 16×14×14, without parameters.",
        hints=("A window of 2 halves each side.",),
        worked="⌊(28 − 2) / 2⌋ + 1 = 14",
        solution=_model("[16, 28, 28]", "MaxPool2d(2)"),
        output=(16, 14, 14),
        parameters=0,
    ),
    Lesson(
        name="one-by-one",
        title="1×1 convolutions",
        text="A window of 1 mixes the channels of each place and looks at no neighbour: a matrix product, the same at every "
        "place. It changes the number of channels cheaply.",
        start=_model("[256, 14, 14]", "Conv2d(64, kernel_size=3, padding=1)"),
        task="Bring 256 channels to 64 with 16,448 parameters.",
        hints=("64·(256·k·k + 1) = 16,448", "Without padding."),
        worked="64·(256·1·1 + 1) = 16,448, instead of 64·(256·3·3 + 1) = 147,520",
        solution=_model("[256, 14, 14]", "Conv2d(64, kernel_size=1)"),
        output=(64, 14, 14),
        parameters=16448,
    ),
    Lesson(
        name="lenet",
        title="LeNet",
        text="Convolutions and pooling make the maps smaller and more, linear layers decide: 1×28×28 → 6×28×28 → 6×14×14 → "
        "16×10×10 → 16×5×5 → 120 → 84 → 10.",
        start=_model("[1, 28, 28]", *_LENET[:3], "# go on here", name="LeNet"),
        task="Finish LeNet: ten outputs, 61,706 parameters.",
        hints=("The second convolution has 16 kernels of 5 and no padding.", "Flatten comes before the first Linear."),
        worked="156 + 2,416 + 48,120 + 10,164 + 850 = 61,706",
        solution=_model("[1, 28, 28]", *_LENET, name="LeNet"),
        output=(10,),
        parameters=61706,
    ),
    Lesson(
        name="field",
        title="The receptive field",
        text="What one value of a layer sees of the image. Two kernels of 3 after one another see 5, as one kernel of 5 "
        "does, with fewer parameters and a non-linearity between them. Choose a layer beside the text: the square shows it.",
        start=_model("[8, 32, 32]", "Conv2d(8, kernel_size=5, padding=2)"),
        task="See 5×5 with two convolutions and a ReLU between them: 1,168 parameters instead of 1,608.",
        hints=("Two kernels of 3, each with padding 1.",),
        worked="5: 8·(8·5·5 + 1) = 1,608\n3 and 3: 2·8·(8·3·3 + 1) = 1,168, field 3 + 2 = 5",
        solution=_model(
            "[8, 32, 32]", "Conv2d(8, kernel_size=3, padding=1)", "ReLU", "Conv2d(8, kernel_size=3, padding=1)"
        ),
        output=(8, 32, 32),
        parameters=1168,
        has=("ReLU",),
    ),
    Lesson(
        name="norm",
        title="Batch normalisation",
        text="Gives each channel mean 0 and variance 1 over the batch, and learns a factor and a shift. In evaluation it "
        "uses the statistics that ran along in training. The convolution before it needs no bias.",
        start=_model("[3, 32, 32]", "Conv2d(16, kernel_size=3, padding=1)", "BatchNorm2d(32)", "ReLU"),
        task="Mend the batch norm, and leave the bias out: 464 parameters.",
        hints=("It follows what the convolution gives; the number may be left out.", "bias=false"),
        worked="16·3·3·3 + 2·16 = 464",
        solution=_model("[3, 32, 32]", "Conv2d(16, kernel_size=3, padding=1, bias=false)", "BatchNorm2d", "ReLU"),
        output=(16, 32, 32),
        parameters=464,
        has=("BatchNorm2d",),
    ),
    Lesson(
        name="residual",
        title="Residuals",
        text="A residual adds what comes in to what its layers make of it. Both have to have one shape: where the channels "
        "change, the shortcut needs a 1×1 convolution.",
        start=_model("[32, 16, 16]", *_RESIDUAL, "}"),
        task="Keep the two convolutions and mend the shortcut: 64×16×16 with 57,536 parameters.",
        hints=("Write `} shortcut { ... }` where the residual ends.", "Conv2d(64, kernel_size=1)"),
        worked="body 64·(32·3·3 + 1) + 64·(64·3·3 + 1) = 55,424\nshortcut 64·(32·1·1 + 1) = 2,112",
        solution=_model("[32, 16, 16]", *_RESIDUAL, "} shortcut {", "    Conv2d(64, kernel_size=1)", "}"),
        output=(64, 16, 16),
        parameters=57536,
        has=("residual",),
    ),
    Lesson(
        name="training",
        title="A recipe for training",
        text="A `train` block says how the network learns: data, loss, optimizer, how often. It is checked with the network. "
        "Augmentation changes the training images, so that none is seen twice: flips, rotations, crops.",
        start=_model("[1, 28, 28]", *_LENET, name="LeNet")
        + _RECIPE.replace("lr=0.9", "lr=-0.9").replace("init  ", "intit "),
        task="Mend the recipe of the course: stochastic gradient descent with 0.9, Xavier's initialisation.",
        hints=("Read the two messages.", "`cnnspec train` runs it on your own machine."),
        worked="on the 60,000 images of Fashion-MNIST: accuracy 0.703 after 3 epochs, 0.808 after 10",
        curves=(
            ("training", (0.099, 0.106, 0.116, 0.177, 0.334, 0.454, 0.530, 0.551, 0.576, 0.566)),
            ("test", (0.190, 0.100, 0.100, 0.161, 0.235, 0.453, 0.520, 0.511, 0.548, 0.552)),
        ),
        solution=_model("[1, 28, 28]", *_LENET, name="LeNet") + _RECIPE,
        output=(10,),
        recipe=(("optimizer", "SGD(lr=0.9)"), ("init", "xavier_uniform")),
    ),
    Lesson(
        name="errors",
        title="Reading an error",
        text="A message says what was expected and what arrived, marks the line where they part, and the one that made it "
        "so. The mistake is often in the second.",
        start=_pooled("AvgPool2d(5, stride=2)"),
        task="Mend it without touching the last line.",
        hints=("144 = 16·3·3: the maps are 3×3, not 5×5.", "Which window makes 5 of 10?"),
        worked="⌊(10 − 2) / 2⌋ + 1 = 5; 16·5·5 = 400",
        solution=_pooled("AvgPool2d(2, stride=2)"),
        output=(120,),
        parameters=50692,
    ),
)
