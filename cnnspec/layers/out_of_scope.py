"""Names of torch that are no part of the language, with what there is instead."""

_CELL = "`{layer}` runs over a whole sequence: `{layer}(hidden_size)` on [time, features]"
_LAZY = "`{layer}` infers its channels or features here anyway"
_STACK = "put `TransformerEncoderLayer(nhead)` into a `repeat`"

_INSTEAD: dict[str, str] = {
    **{f"{name}Cell": _CELL.format(layer=name) for name in ("LSTM", "GRU", "RNN")},
    **{
        f"Lazy{name}": _LAZY.format(layer=name)
        for name in (
            "Linear",
            *(
                f"{kind}{rank}d"
                for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm")
                for rank in (1, 2, 3)
            ),
        )
    },
    **{f"MaxUnpool{rank}d": f"`Upsample`, or `ConvTranspose{rank}d`, makes a value larger" for rank in (1, 2, 3)},
    "Transformer": f"{_STACK}; a decoder takes `MultiheadAttention` of (query, memory, memory)",
    "TransformerEncoder": _STACK,
    "TransformerDecoder": "write its layers with `MultiheadAttention` of (query, memory, memory)",
    "TransformerDecoderLayer": "write it with `residual`, `SelfAttention` and `MultiheadAttention` of (query, memory, memory)",
    "Bilinear": "`multiply` of two branches, each with a `Linear`",
    "EmbeddingBag": "`Embedding`, and `Mean(1)` or `Sum(1)` behind it",
    "FractionalMaxPool2d": "`MaxPool2d` or `AdaptiveMaxPool2d`",
    "FractionalMaxPool3d": "`MaxPool3d` or `AdaptiveMaxPool3d`",
    "CrossMapLRN2d": "`LocalResponseNorm`",
    "SyncBatchNorm": "`BatchNorm2d`",
    "AdaptiveLogSoftmaxWithLoss": "`Linear`, and `CrossEntropyLoss` as the loss of the recipe",
    "CosineSimilarity": "`multiply` of the values and `Sum(1)`",
    "PairwiseDistance": "`add` of the one value and the negated other one, and `Abs` behind it",
    "ModuleList": "statements run one after another, and `for` makes several",
    "ModuleDict": "name a module with `as`",
    "ParameterList": "`weight [...] = ... as name` is a learnt value",
    "Parameter": "`weight [...] = ... as name` is a learnt value",
    "DataParallel": "`cnnspec train` runs on several devices by itself",
}


def instead_of(name: str) -> str:
    """What to write instead of something that is out of scope; "" where the name is none of those."""
    return _INSTEAD.get(name, "")
