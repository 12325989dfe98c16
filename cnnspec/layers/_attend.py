"""Attention and recurrent layers on a tape: the operations that torch 2.13 makes of them on the CPU."""

from math import prod

from cnnspec.layers._tape import ALIAS, Tape, Value

PAGE = 4096


def attend(
    tape: Tape, values: "tuple[Value, Value, Value]", y: "tuple[int, ...]", heads: int, dropout: float, bias: bool,
    *, learnt: bool = False, zeros: bool = False,
) -> Value:  # fmt: skip
    """Attention of a query over a key and a value, with a map in front of each and one behind.

    Key and value get a further step that is `learnt`, and one of `zeros`.
    """
    width = y[-1]
    turned = [tape.laid_out(one, (one.shape[1], one.shape[0], one.shape[2]), order=(1, 0, 2)) for one in values]
    # Where the gradients of the three maps are put together to one.
    tape.spend(3 * tape.bytes_of((width, width)) + 3 * width * tape.size * bias)
    maps = [
        tape.matrix(one, (*one.shape[:2], width), one.shape[2] * width, width * bias, label)
        for label, one in zip("qkv", turned)
    ]
    for one in turned:
        tape.release(one.storage)
    for more in [True] * learnt + [False] * zeros:
        for place in (1, 2):
            time, *rest = maps[place].shape
            weights = [width * tape.size] * more
            maps[place] = tape.op(
                [maps[place]], (time + 1, *rest), kind=ALIAS, weights=weights, drops=[maps[place]], label=f"more{place}"
            )
    scores = (y[0], heads, y[1], maps[1].shape[0])
    steps = (y[1], y[0], width)
    if dropout and tape.training:
        weighed = _by_hand(tape, maps, steps, scores)
        result = tape.dense(weighed)
        tape.release(weighed.storage)
    else:
        result = _fused(tape, maps, steps, scores)
    for one in maps:
        tape.release(one.storage)
    mapped = tape.matrix(result, steps, width * width, width * bias, "o")
    made = tape.laid_out(mapped, y, order=(1, 0, 2))
    tape.release(result.storage)
    tape.release(mapped.storage)
    return made


def _fused(tape: Tape, maps: "list[Value]", steps: "tuple[int, ...]", scores: "tuple[int, ...]") -> Value:
    return tape.op(maps, steps, keeps=maps, keeps_result=True, extra=[tape.bytes_of(scores[:3])])


def _by_hand(tape: Tape, maps: "list[Value]", steps: "tuple[int, ...]", scores: "tuple[int, ...]") -> Value:
    """As `_fused`, in single operations: torch has no dropout in the fused one on the CPU."""
    query, key, value = maps
    scaled = [tape.op([query], query.shape), tape.op([key], key.shape)]
    products = tape.op(scaled, scores, keeps=scaled)
    shares = tape.op([products], scores, keeps_result=True, drops=[products])
    left = tape.op([shares], scores, extra=[tape.bytes_of(scores)])
    return tape.op([left, value], steps, keeps=[left, value], drops=[left, shares, *scaled], order=(1, 0, 2))


def attend_itself(tape: Tape, x: Value, heads: int, dropout: float, bias: bool) -> Value:
    """Attention of a value over itself with one map for query, key and value, as torch's MultiheadAttention has it."""
    batch, time, width = x.shape
    turned = tape.laid_out(x, (time, batch, width), order=(1, 0, 2))
    packed = tape.matrix(turned, (time, batch, 3 * width), 3 * width * width, 3 * width * bias, "in")
    parts = tape.op(
        [packed], (3, time, batch, width), kind=ALIAS, drops=[turned, packed], spare=2 * tape.bytes_of(packed.shape)
    )
    one = tape.bytes_of((time, batch, width))
    steps, scores = (time, batch, width), (batch, heads, time, time)
    views = [tape.op([parts], steps, view=True, order=(1, 0, 2)) for _ in range(3)]
    if dropout and tape.training:
        result = _by_hand(tape, views, steps, scores)
        dense = tape.dense(result)
        tape.release(result.storage)
        result = dense
    else:
        result = _fused(tape, views, steps, scores)
    for view in (*views, parts):
        tape.release(view.storage)
    tape.spend(one)
    mapped = tape.matrix(result, steps, width * width, width * bias, "out")
    made = tape.laid_out(mapped, x.shape, order=(1, 0, 2))
    tape.release(result.storage)
    tape.release(mapped.storage)
    return made


def add(tape: Tape, first: Value, second: Value) -> Value:
    """A sum, after which nothing else has its two values."""
    return tape.op([first, second], first.shape, kind=ALIAS, drops=[first, second], order=first.order)


def dropped(tape: Tape, x: Value, p: float) -> Value:
    """What dropout leaves of a value that nothing else has."""
    if not tape.training or p == 0:
        return x
    return tape.op([x], x.shape, extra=[tape.bytes_of(x.shape)], drops=[x], order=x.order)


def normed(tape: Tape, x: Value, bias: bool, label: str) -> Value:
    """A LayerNorm over the features."""
    each = prod(x.shape[:-1]) * tape.size
    weights = [x.shape[-1] * tape.size] * (1 + bias)
    return tape.op([x], x.shape, keeps=[x], extra=[each, each], weights=weights, label=label)


def feed_forward(tape: Tape, x: Value, inner: int, keeps: str, dropout: float, bias: bool) -> Value:
    """Two maps with an activation between them; with dropout behind both."""
    wide = (*x.shape[:-1], inner)
    width = x.shape[-1]
    first = tape.matrix(x, wide, width * inner, inner * bias, "1")
    active = tape.pointwise(first, keeps=keeps)
    tape.release(first.storage)
    left = dropped(tape, active, dropout)
    second = tape.matrix(left, x.shape, width * inner, width * bias, "2")
    tape.release(left.storage)
    return dropped(tape, second, dropout)


def recur(
    tape: Tape, x: Value, y: "tuple[int, ...]", weights: "list[int]", *, layers: int, directions: int, hidden: int,
    gates: int,
) -> Value:  # fmt: skip
    """A recurrent layer, without its states. What an LSTM keeps is oneDNN's affair, and here an estimate."""
    batch, time, _ = x.shape
    step = batch * hidden * tape.size
    runs = layers * directions
    copies = (directions if gates != 4 else 1) * x.dense
    inputs = copies * tape.bytes_of(x.shape) + (layers - 1) * time * directions * step
    if gates == 4:
        pages = [4 * time, 2 * (time + 1), 2 * (time + 1), 6 * (time + 1), time, 4]
        kept = runs * sum(-(-one * step // PAGE) * PAGE for one in pages) + 4 * runs * step
    else:
        kept = runs * (7 * time * step if gates == 3 else step)
    outputs = (runs - directions) * time * step if gates != 3 else 0
    return tape.op(
        [x], y, keeps_result=gates != 3, extra=[kept, inputs + outputs], weights=weights, spare=gates * time * step
    )
