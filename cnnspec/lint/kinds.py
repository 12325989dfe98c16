"""Kinds of layers that several rules ask for."""

CONVOLUTIONS = frozenset(["Conv1d", "Conv2d", "Conv3d"])
BATCH_NORMS = frozenset(["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"])
TRANSPARENT = frozenset(["Flatten", "Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "Unflatten"])
"""Layers that leave a linear map a linear map."""
LINEAR = CONVOLUTIONS | {"Linear"}
BIASED = LINEAR | {"ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"}
SQUASHING = frozenset(["Sigmoid", "Softmax", "LogSoftmax", "Softmax2d"])
SOFTMAX = frozenset(["Softmax", "LogSoftmax", "Softmin"])
DROPOUTS = frozenset(["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"])
WINDOWS = CONVOLUTIONS | frozenset(f"{kind}Pool{rank}d" for kind in ("Max", "Avg") for rank in (1, 2, 3))
VIEWS = frozenset(["Identity", "Flatten", "Unflatten", "Permute", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d"])
"""Layers that pass on the memory of their input. Dropout does so in evaluation."""
# torch 2.13 keeps the result of these for the backward pass, and of the others only where they work in place.
KEEP_RESULT = frozenset(["ReLU", "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Softmin", "Softmax2d"])
KEEP_IN_PLACE = frozenset(["LeakyReLU", "ELU", "CELU", "SELU", "RReLU"])
SLOPES = {"LeakyReLU": "negative_slope", "ELU": "alpha", "CELU": "alpha"}
