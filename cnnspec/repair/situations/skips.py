"""Sizes that should be equal and are a little off: at skips, in decoders, behind layers that round."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import Kind
from cnnspec.graph.nodes import LayerNode
from cnnspec.repair.case import Candidate, Case, add_argument, argument, in_front
from cnnspec.repair.inputs import axes, resized
from cnnspec.repair.sites import Place, bodies
from cnnspec.repair.situations.base import factors, output_at, situation, smallest, stride_of, unpadded_kernel
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Sizes = tuple[int | None, ...]

    from cnnspec.repair.case import Option

OUTPUT_PADDING = Kind("output padding", "a stride of {stride} loses what was rounded off: give it back")
ALL_SHORT = Kind(
    "output padding of all",
    "strides of {stride} lose what was rounded off: give it back in all {count} with `output_padding=1`",
)
CEIL_MODE = Kind("ceil mode", "PyTorch rounds down, Caffe and Keras up: round up as well")
MULTIPLE = Kind("multiple", "{reason}make the sizes multiples of {factor}: `input {shape}`")
PADDING = Kind("padding", "convolutions without padding make the map smaller: give them padding")
CAUSAL = Kind("causal", "the padding stands on both sides: put it in front alone, `{text}`")
STRIDE = Kind("shortcut stride", "the body moves by {stride}, so the shortcut has to")
HALF = Kind("half", "put half of it on each side: `padding={text}`")
SOLVED = Kind("solved", "images of another size give what is stated: `input {shape}`")
_LARGEST = 8192


def _difference(case: Case) -> tuple[Sizes, Sizes] | None:
    """The shape that is there and the one that it should be, of one rank."""
    facts, code = case.found.facts, case.found.code.id
    there, said = (
        (facts.get("found"), facts.get("declared")) if code == "E202" else (facts.get("first"), facts.get("second"))
    )
    if code not in ("E202", "E208", "E209") or not isinstance(there, tuple) or not isinstance(said, tuple):
        return None
    if not all(size is None or size.__class__ is int for size in (*there, *said)):
        return None
    return (there, said) if len(there) == len(said) > 1 and there[1:] != said[1:] else None


def _off(there: Sizes, said: Sizes) -> list[int]:
    """How much is missing along each axis behind the channels, as far as that is known."""
    return [0 if None in (size, wanted) else (wanted or 0) - (size or 0) for size, wanted in zip(there[1:], said[1:])]


@situation
def pixel_short(case: Case) -> Iterator[Candidate]:
    """A transposed convolution that is short of what a layer before it rounded off."""
    shapes = _difference(case)
    if shapes is None or case.place is None:
        return
    missing = max(_off(*shapes), key=abs)
    for place in _layers_near(case):
        statement = place.statement
        assert isinstance(statement, tree.Layer)
        if not statement.name.id.startswith("ConvTranspose") or argument(statement, place.part, "output_padding"):
            continue
        node = _node(case, statement)
        stride = stride_of(node) if node is not None else None
        if stride is not None and 0 < abs(missing) < max(stride):
            edits = (add_argument(statement, f"output_padding={abs(missing)}"),)
            yield Candidate(-0.8, OUTPUT_PADDING, {"stride": max(stride)}, edits, "output padding", statement)
        return


@situation
def all_short(case: Case) -> Iterator[Candidate]:
    """Several transposed convolutions, each short of what a stride rounded off."""
    shapes = _difference(case)
    if shapes is None or not any(_off(*shapes)):
        return
    edits, stride = [], 0
    for place in _layers_near(case)[::-1]:
        statement = place.statement
        assert isinstance(statement, tree.Layer)
        node = _node(case, statement)
        step = stride_of(node) if node is not None else None
        if not statement.name.id.startswith("ConvTranspose") or step is None or max(step) < 2:
            continue
        if argument(statement, place.part, "output_padding") is None:
            stride = max(step)
            edits.append(add_argument(statement, "output_padding=1"))
    if len(edits) > 1:
        facts: dict[str, object] = {"stride": stride, "count": len(edits)}
        yield Candidate(-0.3, ALL_SHORT, facts, tuple(edits), "output padding")


def _layers_near(case: Case) -> list[Place]:
    """The layers at the error and in front of it, the nearest first, those in the statement to blame before others."""
    own = case.places[case.at].statement.span
    inside = [place for place in case.places if own.start <= place.statement.span.start < own.end]
    before = case.places[max(0, case.at - 12) : case.at]
    return [one for one in (*inside[::-1], *before[::-1]) if isinstance(one.statement, tree.Layer)]


def _node(case: Case, statement: tree.Layer) -> LayerNode | None:
    node = case.node(statement)
    return node if isinstance(node, LayerNode) else None


@situation
def rounds_up_elsewhere(case: Case) -> Iterator[Candidate]:
    """A pool whose stated size is the one that Caffe or Keras gives."""
    shapes = _difference(case)
    if shapes is None or case.found.code.id != "E202":
        return
    nearest = [place.statement for place in (case.place, *_layers_near(case)[:3]) if place is not None]
    for one in nearest:
        kind = layers.find(one.name.id) if isinstance(one, tree.Layer) else None
        if kind is not None and isinstance(one, tree.Layer) and "ceil_mode" in kind.fields:
            if all(off in (0, 1) for off in _off(*shapes)) and "ceil_mode" not in one.head.text:
                yield Candidate(-0.7, CEIL_MODE, {}, (add_argument(one, "ceil_mode=true"),), "ceil", one)
            return


@situation
def multiples(case: Case) -> Iterator[Candidate]:
    """Sizes that the layers don't divide without a remainder."""
    shapes = _difference(case)
    given = axes(case)
    if shapes is None or not given or case.found.code.id == "E202":
        return
    every = factors(case)
    if not every or not 2 <= max(every) <= _LARGEST or max(map(abs, _off(*shapes))) >= max(every):
        return
    reason = _who_rounds(case)
    down: dict[int, int] = {}
    up: dict[int, int] = {}
    for axis in given:
        factor = every[axis.index - 1] if axis.index - 1 < len(every) else 1
        down[axis.index] = axis.value // factor * factor
        up[axis.index] = -(-axis.value // factor) * factor
    options = [
        (sum(abs(sizes[one.index] - one.value) for one in given), sizes) for sizes in (down, up) if all(sizes.values())
    ]
    for rank, (_, sizes) in enumerate(sorted(options, key=lambda option: option[0])):
        changed = resized(case, sizes)
        if changed is not None:
            edits, shape = changed
            facts: dict[str, object] = {
                "reason": "" if rank else reason, "factor": max(every), "shape": _listed(shape),
            }  # fmt: skip
            yield Candidate(-0.6 + 0.05 * rank, MULTIPLE, facts, edits, "input")


def _who_rounds(case: Case) -> str:
    """The first layer that leaves a remainder, as the beginning of a sentence."""
    for node in case.nodes:
        stride = stride_of(node) if isinstance(node, LayerNode) and node.input and node.output else None
        if stride is None or not isinstance(node, LayerNode) or "Transpose" in node.title:
            continue
        for size, step, out in zip((node.input or ())[1:], stride, (node.output or ())[1:]):
            if step > 1 and size % step:
                return f"{node.title} on {case.line(node.span)} makes {out} of {size}, which is no multiple of {step}; "
    return ""


def _listed(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


@situation
def body_shrinks(case: Case) -> Iterator[Candidate]:
    """The body of a residual, or a branch, whose convolutions have no padding."""
    shapes, place = _difference(case), case.place
    if shapes is None or place is None or not isinstance(place.statement, (tree.Residual, tree.Merge)):
        return
    if min(map(abs, _off(*shapes))) == 0 and max(map(abs, _off(*shapes))) == 0:
        return
    edits = []
    for body in bodies(place.statement):
        for statement in body.statements:
            kernel = unpadded_kernel(statement, place)
            if kernel is not None and isinstance(statement, tree.Layer):
                edits.append(add_argument(statement, f"padding={kernel // 2}"))
    if edits:
        yield Candidate(-0.6, PADDING, {}, tuple(edits), "padding")


@situation
def shortcut_stays(case: Case) -> Iterator[Candidate]:
    """A residual whose body has a stride, and whose shortcut is a 1x1 convolution without one."""
    shapes, place = _difference(case), case.place
    if shapes is None or place is None or not isinstance(place.statement, tree.Residual):
        return
    body, *others = bodies(place.statement)
    layers_in = [one for one in body.statements if isinstance(one, tree.Layer)]
    strides = [given for one in layers_in if (given := argument(one, place.part, "stride")) is not None]
    plain = [
        one
        for shortcut in others
        for one in shortcut.statements
        if isinstance(one, tree.Layer) and one.name.id.startswith("Conv") and not argument(one, place.part, "stride")
    ]
    if len(strides) == len(plain) == 1:
        text = strides[0].value.span.text
        edits = (add_argument(plain[0], f"stride={text}"),)
        yield Candidate(-0.6, STRIDE, {"stride": text}, edits, "shortcut stride", plain[0])


@situation
def causal(case: Case) -> Iterator[Candidate]:
    """Causal convolutions in one dimension: the padding on both sides, and nothing cut off."""
    shapes, place = _difference(case), case.place
    if shapes is None or place is None or len(shapes[0]) != 2:
        return
    found = []
    for one in case.places:
        statement = one.statement
        inside = place.statement.span.start <= statement.span.start < place.statement.span.end
        if not inside or not isinstance(statement, tree.Layer) or statement.name.id != "Conv1d":
            continue
        padding, node = argument(statement, one.part, "padding"), _node(case, statement)
        layer = node.layer if node is not None else None
        if padding is None or layer is None:
            continue
        kernel, dilation, padded = (_first(getattr(layer, name)) for name in ("kernel_size", "dilation", "padding"))
        if kernel > 1 and padded == dilation * (kernel - 1):
            found.append((one, statement, padding))
    if not found:
        return
    text = found[0][2].value.span.text
    edits: list[Edit] = []
    for one, statement, padding in found:
        edits.append(in_front(one, f"ConstantPad1d(({padding.value.span.text}, 0), 0)"))
        edits.append(Edit(_with_comma(statement, padding), ""))
    facts: dict[str, object] = {"text": f"ConstantPad1d(({text}, 0), 0)"}
    yield Candidate(-0.9, CAUSAL, facts, tuple(edits), "causal")
    half = [Edit(padding.value.span, f"{padding.value.span.text} // 2") for _, _, padding in found]
    yield Candidate(-0.5, HALF, {"text": half[0].text}, tuple(half), "half")


def _first(value: object) -> int:
    number = value[0] if isinstance(value, tuple) else value
    return number if isinstance(number, int) else 0


def _with_comma(statement: tree.Layer, gone: tree.Argument) -> Span:
    """An argument with the comma that parts it from its neighbour."""
    at = statement.arguments.index(gone)
    if at:
        return Span(gone.span.source, statement.arguments[at - 1].span.end, gone.span.end)
    end = statement.arguments[1].span.start if len(statement.arguments) > 1 else gone.span.end
    return Span(gone.span.source, gone.span.start, end)


@situation
def another_input(case: Case) -> Iterator[Option]:
    """A stated size that images of another size give."""
    shapes, place = _difference(case), case.place
    if shapes is None or place is None or case.found.code.id != "E202":
        return
    there, said = shapes
    off = [i for i, missing in enumerate(_off(there, said), 1) if missing]
    given = [axis for axis in axes(case) if axis.index in off]
    head = getattr(place.statement, "head", None)
    if there[0] != (said[0] or there[0]) or head is None or {axis.index for axis in given} != set(off):
        return
    if len(off) > 1 and len({axis.value for axis in given}) > 1:
        return
    every = axes(case)
    first, wanted = off[0], said[off[0]]
    assert wanted is not None

    def gives(size: int) -> int:
        changed = resized(case, {axis.index: size for axis in given})
        shape = output_at(case, changed[0], head) if changed is not None else None
        return shape[first] if shape is not None and len(shape) == len(there) else 0

    others = {axis.value for axis in every} - {axis.value for axis in given}

    def solved() -> Candidate | None:
        # An image as high as it is wide is likeliest.
        size = next((size for size in sorted(others) if gives(size) == wanted), None)
        times = (said[first] or 0) * -(-given[0].value // max(1, there[first] or 1))
        size = size or (times if gives(times) == wanted else None)
        size = size or smallest(lambda size: gives(size) >= wanted, 0, _LARGEST)
        changed = resized(case, {axis.index: size for axis in given}) if size is not None else None
        if changed is None or size is None or gives(size) != wanted:
            return None
        edits, shape = changed
        return Candidate(cost, SOLVED, {"shape": _listed(shape)}, edits, "input")

    # Of a square image one side alone is hardly wrong.
    square = len(every) > 1 and len({axis.value for axis in every}) == 1
    cost = 0.1 if len(off) == 1 and not square else 0.8
    # One value is what a network ends in for the images that it was made for.
    cost = -0.3 if len(off) > 1 and all(size == 1 for size in said[1:]) else cost
    yield cost, solved
