"""Codes that have several kinds of refusals, one template a kind: its facts are numbers, names and shapes, never sentences."""

from __future__ import annotations

from cnnspec.diagnostics.codes import PADDING_TOO_LARGE, SIZES_DISAGREE, WRONG_COMBINATION, WRONG_RANK, Code

# --- E201: the wrong number of dimensions, by what helps ---


def _rank(label: str) -> Code:
    return Code(WRONG_RANK.id, WRONG_RANK.message, label)


NO_SUCH_AXES = _rank("a flat input has no {axes}")
NO_TIME = _rank("a flat input has no time")
NO_CHANNEL = _rank("an image of one channel is [1, height, width]")
ONE_TOO_MANY = _rank("1 dimension too many")
TOO_MANY = _rank("{extra} dimensions too many")
OTHER_LAYER = _rank("{other} takes {takes}")
WITH_BATCH = _rank("{other} takes {takes}; the batch is not written")
SOFTMAX = _rank("Softmax(dim=1) takes any shape")
FROM_UNFOLD = _rank("as Unfold gives them")
BEFORE_FLATTEN = _rank("put it before Flatten")
FEATURES_LAST = _rank("Permute puts the features last")
NEEDS_IMAGE = _rank("moves values between channels and positions of an image")
NOT_RESIZABLE = _rank("only sequences, images and volumes can be resized")
OTHER_MODE = _rank('Upsample(mode="{mode}") takes {takes}')
NOTHING_LEFT = _rank("no dimension would be left")
NO_DIMENSIONS = _rank("no dimensions")
TOO_LARGE = _rank("too large")
TIME_MISSING = _rank("one dimension for time")
NO_IMAGES = _rank("has to have three dimensions")
NO_COLOURS = _rank("neither grey nor red, green and blue")


# --- E206: too much padding, by what bounds it ---


def _padding(reason: str) -> Code:
    return Code(PADDING_TOO_LARGE.id, PADDING_TOO_LARGE.message, f"at most {{limit}}: {reason}")


OVER_64_BITS = _padding("torch counts in 64 bits")
OVER_REFLECTION = _padding("the {axis} is {size}, and its edge is not repeated")
OVER_ROUND = _padding("the {axis} is {size}, and goes round once")
CUT_OFF = _padding("it is cut off both ends of {axis}, which is {full}")
OVER_HALF = _padding("half of the kernel, which is {kernel}")


# --- E212: sizes that don't make up others ---

OTHER_PRODUCT = Code(
    SIZES_DISAGREE.id,
    "{layer} can't turn {size} values along dimension {dim} into {wanted}",
    "has to multiply up to {size}",
)
OTHER_SUM = Code(
    SIZES_DISAGREE.id,
    "{layer} can't turn {size} places of dimension {dim} into parts of {parts}",
    "add up to {total}",
)
OTHER_WINDOWS = Code(
    SIZES_DISAGREE.id, "{layer} can't turn {found} into {wanted}", "has {rows} x {columns} windows, not {windows}"
)


# --- E210: arguments that don't go together, or not with what arrives ---


def _kind(problem: str, label: str) -> Code:
    return Code(WRONG_COMBINATION.id, f"{{layer}}: {problem}", label)


SECOND_OUTPUT = _kind("return_indices=true would give a second output", "a layer hands on one value")
ONLY_PADDING = _kind("the first window sees nothing but padding along {axis}", "steps over all {size} of {axis}")
STRIDED_SAME = _kind('padding="same" works with a stride of 1 alone', "give the padding as a number")
OUTPUT_PADDING = _kind(
    "output_padding ({extra}) has to be smaller than stride ({stride}) or dilation ({dilation})", "at most {most}"
)
ENDS_BEFORE_START = _kind("start_dim ({start}) comes after end_dim ({end}) in {shape}", "ends before it starts")
TWO_RESTS = _kind("{count} sizes are left open", "one -1 at most")
OTHER_RANK = _kind(
    "{given} dimensions for {shape}, which has {wanted} with the batch", "names each dimension once, the batch as 0"
)
TWICE = _kind("a dimension is named twice: {dims}", "names each dimension once")
NO_SUCH_PLACE = _kind("there is no place {place} in a dimension of {size}", "may be from {low} to {high}")
ONE_VALUE = _kind("one value has no standard deviation", "brings one value down to one")
NEITHER_SIZE = _kind("needs size or scale_factor", "neither is given")
BOTH_SIZES = _kind("takes size or scale_factor, not both", "size is given too")
OTHER_LENGTH = _kind(
    "{argument} has {given} numbers for the {wanted} spatial dimensions of {shape}",
    "one number, or one for each dimension",
)
NO_CORNERS = _kind(
    'align_corners has no meaning with mode "{mode}"', "only for linear, bilinear, bicubic and trilinear"
)
NO_SCALE = _kind("recompute_scale_factor has no meaning with size", "only for scale_factor")
WINDOW_OVER_OUTPUT = _kind("the window is larger than the output: {window} on {size}", "doesn't fit the {axis}")
NO_RANGE = _kind("the upper limit {high} is not above the lower limit {low}", "leaves no range")
LOWER_ABOVE_UPPER = _kind("lower ({low}) is above upper ({high})", "slopes are drawn from lower to upper")
CUTS_ALL = _kind("cuts off {cut} where the {axis} is {size}", "at most {size}, then adds")
PROJECTION = _kind("proj_size ({proj_size}) has to be smaller than hidden_size ({hidden_size})", "at most {most}")
OTHER_STEPS = _kind("the keys have {keys} steps and the values {values}", "a value for each key")
SPARSE_BY_FREQUENCY = _kind("scale_grad_by_freq does not go with sparse=true", "torch fails going back")
NO_WEIGHT = _kind("{inner} has no weight of its own to bring to a norm", "a convolution, Linear or Embedding")
