"""What each layer of Keras does, as a line of PyTorch."""

from __future__ import annotations

from math import prod

from cnnspec.importers.keras.values import (
    Unread,
    Value,
    activated,
    as_in_keras,
    channels_first,
    numbers,
    per_axis,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from cnnspec.importers.keras.values import Config

    class Network(Protocol):
        def module(self, made: str, name: str = "") -> str: ...
        def bound(self, value: Value) -> Value: ...

    Rule = Callable[[Network, Config, list[Value]], Value]

LAYERS: dict[str, Rule] = {}
_SAME = ("same", "valid")


def layer(*names: str) -> Callable[[Rule], Rule]:
    """Register a function as the reading of these layers."""

    def register(rule: Rule) -> Rule:
        LAYERS.update(dict.fromkeys(names, rule))
        return rule

    return register


def _last(config: Config) -> None:
    if config.get("data_format") not in (None, "channels_last"):
        raise Unread("channels that come first")


# --- windows ---


def _ends(
    x: Value,
    sizes: tuple[int, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    how: str,
) -> tuple[str, str, tuple[int, ...]]:
    """What arrives, padded before where the ends differ; the padding that is left as an argument; the sizes behind."""
    if how not in _SAME:
        raise Unread(f"the padding {how!r}")
    spans = [d * (k - 1) + 1 for k, d in zip(window, dilation)]
    if how == "valid":
        after = tuple((size - span) // stride + 1 for size, span, stride in zip(sizes, spans, strides))
        return x.text, "", after
    after = tuple(-(-size // stride) for size, stride in zip(sizes, strides))
    totals = [max((n - 1) * s + span - size, 0) for n, s, span, size in zip(after, strides, spans, sizes)]
    if all(total % 2 == 0 for total in totals):
        ends = tuple(total // 2 for total in totals)
        return x.text, f", padding={per_axis(ends)}" if any(ends) else "", after
    flat = [end for total in reversed(totals) for end in (total // 2, total - total // 2)]
    return f"F.pad({x.text}, {tuple(flat)})", "", after


def _stepped(strides: tuple[int, ...], dilation: tuple[int, ...]) -> str:
    text = f", stride={per_axis(strides)}" if set(strides) != {1} else ""
    return text + (f", dilation={per_axis(dilation)}" if set(dilation) != {1} else "")


@layer("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D", "SeparableConv2D")
def _conv(net: Network, config: Config, given: list[Value]) -> Value:
    _last(config)
    kind = config["class_name"]
    rank = int(kind[-2])
    x = channels_first(given[0])
    window, strides = numbers(config["kernel_size"], rank), numbers(config.get("strides", 1), rank)
    dilation = numbers(config.get("dilation_rate", 1), rank)
    text, padding, sizes = _ends(x, x.sizes, window, strides, dilation, str(config.get("padding", "valid")))
    deep = kind != f"Conv{rank}D"
    out = x.channels * config.get("depth_multiplier", 1) if deep else config["filters"]
    groups = x.channels if deep else config.get("groups", 1)
    bias = "" if config.get("use_bias", True) and kind != "SeparableConv2D" else ", bias=False"
    made = f"nn.Conv{rank}d({x.channels}, {out}, {per_axis(window)}{_stepped(strides, dilation)}{padding}"
    made += f"{f', groups={groups}' if groups != 1 else ''}{bias})"
    name = str(config.get("name", ""))
    y = Value(f"{net.module(made, name if kind != 'SeparableConv2D' else '')}({text})", (*sizes, out), first=True)
    if kind == "SeparableConv2D":
        bias = "" if config.get("use_bias", True) else ", bias=False"
        made = f"nn.Conv2d({out}, {config['filters']}, 1{bias})"
        y = Value(f"{net.module(made, name)}({net.bound(y).text})", (*sizes, config["filters"]), first=True)
    return activated(y, config.get("activation"))


@layer("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _conv_transpose(net: Network, config: Config, given: list[Value]) -> Value:
    _last(config)
    rank = int(config["class_name"][4])
    x = channels_first(given[0])
    window, strides = numbers(config["kernel_size"], rank), numbers(config.get("strides", 1), rank)
    if set(numbers(config.get("dilation_rate", 1), rank)) != {1} or config.get("output_padding") is not None:
        raise Unread("a transposed convolution with dilation or output_padding")
    ends = (0,) * rank
    sizes = tuple((size - 1) * stride + k for size, stride, k in zip(x.sizes, strides, window))
    if config.get("padding", "valid") == "same":
        if any((k - stride) % 2 or k < stride for k, stride in zip(window, strides)):
            raise Unread("a transposed convolution whose padding differs at both ends")
        ends = tuple((k - stride) // 2 for k, stride in zip(window, strides))
        sizes = tuple(size * stride for size, stride in zip(x.sizes, strides))
    made = f"nn.ConvTranspose{rank}d({x.channels}, {config['filters']}, {per_axis(window)}{_stepped(strides, (1,))}"
    made += (
        f"{f', padding={per_axis(ends)}' if any(ends) else ''}{'' if config.get('use_bias', True) else ', bias=False'})"
    )
    y = Value(f"{net.module(made, config.get('name', ''))}({x.text})", (*sizes, config["filters"]), first=True)
    return activated(y, config.get("activation"))


@layer(*(f"{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)))
def _pool(net: Network, config: Config, given: list[Value]) -> Value:
    _last(config)
    rank = int(config["class_name"][-2])
    kind = "max" if config["class_name"].startswith("Max") else "avg"
    x = channels_first(given[0])
    window = numbers(config["pool_size"], rank)
    strides = numbers(config["strides"], rank) if config.get("strides") is not None else window
    text, padding, sizes = _ends(x, x.sizes, window, strides, (1,) * rank, str(config.get("padding", "valid")))
    if text != x.text:
        raise Unread("a pooling whose padding differs at both ends")
    padding += ", count_include_pad=False" if padding and kind == "avg" else ""
    step = f", stride={per_axis(strides)}" if strides != window else ""
    return Value(f"F.{kind}_pool{rank}d({text}, {per_axis(window)}{step}{padding})", (*sizes, x.channels), first=True)


@layer(*(f"Global{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)))
def _global_pool(net: Network, config: Config, given: list[Value]) -> Value:
    _last(config)
    rank = int(config["class_name"][-2])
    kind = "max" if "Max" in config["class_name"] else "avg"
    x = channels_first(given[0])
    text = f"F.adaptive_{kind}_pool{rank}d({x.text}, 1)"
    if config.get("keepdims"):
        return Value(text, (*[1] * rank, x.channels), first=True)
    return Value(f"{text}.flatten(1)", (x.channels,))


@layer("ZeroPadding1D", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "UpSampling1D")
def _resized(net: Network, config: Config, given: list[Value]) -> Value:
    _last(config)
    kind, x = config["class_name"], channels_first(given[0])
    rank = int(kind[-2])
    if kind.startswith("UpSampling"):
        factors = numbers(config["size"], rank)
        mode = config.get("interpolation", "nearest")
        if mode not in ("nearest", "bilinear"):
            raise Unread(f"the interpolation {mode!r}")
        sizes = tuple(size * factor for size, factor in zip(x.sizes, factors))
        extra = "" if mode == "nearest" else ", mode='bilinear'"
        return Value(
            f"F.interpolate({x.text}, scale_factor={per_axis(factors)}{extra})", (*sizes, x.channels), first=True
        )
    given_ends = config["padding" if kind.startswith("Zero") else "cropping"]
    ends = [(one, one) if isinstance(one, int) else tuple(one) for one in
            (given_ends if isinstance(given_ends, (list, tuple)) else [given_ends] * rank)]  # fmt: skip
    if rank == 1 and isinstance(given_ends, (list, tuple)):
        ends = [tuple(given_ends)]
    sign = 1 if kind.startswith("Zero") else -1
    sizes = tuple(size + sign * sum(pair) for size, pair in zip(x.sizes, ends))
    if sign > 0:
        flat = tuple(end for pair in reversed(ends) for end in pair)
        return Value(f"F.pad({x.text}, {flat})", (*sizes, x.channels), first=True)
    cuts = ", ".join(f"{low}:{size - high}" for (low, high), size in zip(ends, x.sizes))
    return Value(f"{x.text}[:, :, {cuts}]", (*sizes, x.channels), first=True)


# --- layers of single values, and norms ---


@layer("Dense")
def _dense(net: Network, config: Config, given: list[Value]) -> Value:
    x = as_in_keras(given[0])
    made = f"nn.Linear({x.channels}, {config['units']}{'' if config.get('use_bias', True) else ', bias=False'})"
    y = Value(f"{net.module(made, config.get('name', ''))}({x.text})", (*x.sizes, config["units"]))
    return activated(y, config.get("activation"))


@layer("BatchNormalization")
def _batch_norm(net: Network, config: Config, given: list[Value]) -> Value:
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, (list, tuple)) else axis
    x = channels_first(given[0])
    if axis not in (-1, len(x.shape)) or not config.get("center", True) or not config.get("scale", True):
        raise Unread("a batch norm of another axis than the last, or without scale or centre")
    rank = max(1, len(x.sizes))
    options = f"eps={config.get('epsilon', 1e-3)}, momentum={round(1 - config.get('momentum', 0.99), 6)}"
    return Value(
        f"{net.module(f'nn.BatchNorm{rank}d({x.channels}, {options})', config.get('name', ''))}({x.text})",
        x.shape,
        x.first,
    )


@layer("LayerNormalization")
def _layer_norm(net: Network, config: Config, given: list[Value]) -> Value:
    axis = config.get("axis", -1)
    x = as_in_keras(given[0])
    if (axis if isinstance(axis, int) else axis[0]) not in (-1, len(x.shape)) or not config.get("scale", True):
        raise Unread("a layer norm of another axis than the last, or without scale")
    bias = "" if config.get("center", True) else ", bias=False"
    made = f"nn.LayerNorm({x.channels}, eps={config.get('epsilon', 1e-3)}{bias})"
    return Value(f"{net.module(made, config.get('name', ''))}({x.text})", x.shape)


@layer("Activation")
def _activation(net: Network, config: Config, given: list[Value]) -> Value:
    return activated(given[0], config["activation"])


@layer("ReLU", "LeakyReLU", "ELU", "Softmax")
def _relu(net: Network, config: Config, given: list[Value]) -> Value:
    x, kind = given[0], config["class_name"]
    slope = config.get("negative_slope", config.get("alpha"))
    if kind == "Softmax":
        return activated(x, "softmax" if config.get("axis", -1) == -1 else "a softmax over another axis")
    if kind == "LeakyReLU":
        return Value(f"F.leaky_relu({x.text}, {0.3 if slope is None else slope})", x.shape, x.first)
    if kind == "ELU":
        return Value(f"F.elu({x.text}, {config.get('alpha', 1.0)})", x.shape, x.first)
    if config.get("threshold") or slope or config.get("max_value") not in (None, 6, 6.0):
        raise Unread("a ReLU with slope, threshold or maximum")
    return activated(x, "relu6" if config.get("max_value") else "relu")


@layer("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "ActivityRegularization")
def _dropout(net: Network, config: Config, given: list[Value]) -> Value:
    x, kind = given[0], config["class_name"]
    if kind in ("GaussianNoise", "ActivityRegularization"):
        raise Unread(f"`{kind}`, which does something in training alone")
    rate = config["rate"]
    if kind == "Dropout":
        return Value(f"{net.module(f'nn.Dropout({rate})')}({x.text})", x.shape, x.first)
    x = channels_first(x)
    return Value(f"{net.module(f'nn.Dropout{kind[-2]}d({rate})')}({x.text})", x.shape, first=True)


@layer("Rescaling")
def _rescaling(net: Network, config: Config, given: list[Value]) -> Value:
    x, offset = given[0], config.get("offset", 0.0)
    return Value(f"{x.text} * {config['scale']}" + (f" + {offset}" if offset else ""), x.shape, x.first)


@layer("Embedding")
def _embedding(net: Network, config: Config, given: list[Value]) -> Value:
    if config.get("mask_zero"):
        raise Unread("an embedding that masks zeros")
    made = f"nn.Embedding({config['input_dim']}, {config['output_dim']})"
    return Value(
        f"{net.module(made, config.get('name', ''))}({given[0].text})", (*given[0].shape, config["output_dim"])
    )


@layer("LSTM", "GRU", "SimpleRNN", "Bidirectional")
def _recurrent(net: Network, config: Config, given: list[Value]) -> Value:
    both = config["class_name"] == "Bidirectional"
    inner = config["layer"]["config"] | {"class_name": config["layer"]["class_name"]} if both else config
    kind = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}.get(inner["class_name"], "")
    gates = inner.get("recurrent_activation", "sigmoid")
    if not kind or inner.get("activation", "tanh") != "tanh" or gates != "sigmoid" or inner.get("return_state"):
        raise Unread("a recurrent layer with other activations, or that gives its state")
    if (both and config.get("merge_mode", "concat") != "concat") or inner.get("go_backwards") or inner.get("dropout"):
        raise Unread("a recurrent layer that runs backwards, drops values or merges its directions in another way")
    if kind == "GRU" and not inner.get("reset_after", True):
        raise Unread("a GRU that resets before its matrix product")
    x, units = as_in_keras(given[0]), inner["units"]
    made = f"nn.{kind}({x.channels}, {units}, batch_first=True{', bidirectional=True' if both else ''}"
    made += f"{'' if inner.get('use_bias', True) else ', bias=False'})"
    y = net.bound(
        Value(f"{net.module(made, str(config.get('name', '')))}({x.text})[0]", (*x.sizes, units * (1 + both)))
    )
    if inner.get("return_sequences"):
        return y
    # The way back ends at the first step.
    last = f"torch.cat([{y.text}[:, -1, :{units}], {y.text}[:, 0, {units}:]], 1)" if both else f"{y.text}[:, -1]"
    return Value(last, (units * (1 + both),))


# --- layout and merges ---


@layer("Flatten", "Reshape", "Permute", "RepeatVector")
def _laid_out(net: Network, config: Config, given: list[Value]) -> Value:
    kind, x = config["class_name"], as_in_keras(given[0])
    if kind == "Flatten":
        return Value(f"{x.text}.flatten(1)", (prod(x.shape),)) if len(x.shape) > 1 else x
    if kind == "Permute":
        dims = tuple(config["dims"])
        return Value(f"{x.text}.permute(0, {', '.join(map(str, dims))})", tuple(x.shape[dim - 1] for dim in dims))
    if kind == "RepeatVector":
        raise Unread("a vector that is repeated")
    shape = list(config["target_shape"])
    if -1 in shape:
        shape[shape.index(-1)] = prod(x.shape) // -prod(shape)
    base = net.bound(x)
    return Value(f"{base.text}.reshape({base.text}.shape[0], {', '.join(map(str, shape))})", tuple(shape))


@layer("Add", "Multiply", "Subtract", "Concatenate")
def _merged(net: Network, config: Config, given: list[Value]) -> Value:
    kind = config["class_name"]
    if any(one.first for one in given):
        given = [channels_first(one) for one in given]
    first = given[0]
    if kind == "Concatenate":
        rank, axis = len(first.shape), config.get("axis", -1)
        place = (axis - 1 if axis > 0 else axis + rank) if axis else -1
        if not 0 <= place < rank:
            raise Unread("a concatenation over the batch")
        shape = list(first.shape)
        shape[place] = sum(one.shape[place] for one in given)
        dim = place + 1 if not first.first else 1 if place == rank - 1 else place + 2
        return Value(f"torch.cat([{', '.join(one.text for one in given)}], {dim})", tuple(shape), first.first)
    sign = {"Add": " + ", "Multiply": " * ", "Subtract": " - "}[kind]
    sizes = tuple(max(of_axis) for of_axis in zip(*[one.shape for one in given]))
    return Value(sign.join(one.text for one in given), sizes, first.first)
