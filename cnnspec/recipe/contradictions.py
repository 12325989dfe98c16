"""The sentences of E210 in recipes: settings and arguments that don't go together, one template a kind."""

from __future__ import annotations

from cnnspec.diagnostics.codes import WRONG_COMBINATION, Code


def _kind(problem: str, label: str) -> Code:
    return Code(WRONG_COMBINATION.id, f"{{layer}}: {problem}", label)


# Augmentations
SIZE_PER_IMAGE = _kind("expand=true would give every image a size of its own", "images of a batch have one size")
FILL_UNUSED = _kind('a fill for each channel needs padding_mode="constant", not {mode}', "never used")
MIRROR_TOO_SMALL = _kind("padding {padding} is more than {mode} gives for {axis} {size}", "at most {limit}")
BOTH_SIDES_GIVEN = _kind("max_size limits the longer side where size is one number", "size gives both sides")
SIDES_OUT_OF_RANGE = _kind(
    "the sides of {height} x {width} images would be {short} and {long}", "has to give sides from 1 to {limit}"
)
MEAN_OR_STD_ALONE = _kind("mean and std are given together, or both are measured", "alone")
COLOURS_TOO_LATE = _kind("colours are changed before Normalize", "behind Normalize")
NOISE_TOO_EARLY = _kind("noise has mean 0 and variance 1, as pixels have behind Normalize", "before Normalize")
BEHIND_MIXING = _kind("images are changed before they are mixed", "behind {mixing}")
MIXES_NO_CLASSES = _kind("{mixing} mixes classes, and {loss} takes none", "no classes to mix")
NORMALIZED_TWICE = _kind("the images are normalised already", "a second time")

# Losses, optimizers, schedulers
WRONG_EXPONENT = _kind("p has to be 1 or 2", "too large")
BETAS_TOO_LARGE = _kind("the betas have to be below 1", "too large")
NESTEROV_ALONE = _kind("nesterov needs a momentum and no dampening", "not without a momentum")
ETAS_OUT_OF_ORDER = _kind("the first eta lies between 0 and 1, the second above 1", "out of order")
NO_MOMENTUM = _kind("{optimizer} has no momentum that could go up and down", "give `cycle_momentum=false`")
FACTOR_TOO_LARGE = _kind("the factor has to be below 1", "too large")
WRONG_WAY = _kind(
    'mode="max" lowers the rate while the loss falls', 'the loss is better where it is less: `mode="min"`'
)

# Settings
NOTHING_FROZEN = _kind("nothing is frozen", "give `freeze`, too")
WEIGHS_NO_CLASSES = _kind("{loss} weighs no classes", "no effect")
WEIGHED_TWICE = _kind("{loss} has weights of its own", "a second weighing")
