"""The modules of cnnspec.nn: what they compute, and that they survive what one does with modules."""

import copy
import doctest
import io
import pickle
import weakref

import pytest
import torch
from torch import nn

import cnnspec
import cnnspec.nn as own
from cnnspec.nn import (
    Add,
    Concat,
    LayerScale,
    Matmul,
    Multiply,
    Permute,
    Residual,
    Slice,
    Stack,
    Step,
    StochasticDepth,
    Tuple,
)
from tests.sampling import FULL


@pytest.fixture(autouse=True)
def _one_thread_and_seed():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def plain_residual() -> nn.Module:
    return nn.Sequential(
        Residual(nn.Sequential(conv(3, 4), nn.ReLU(), conv(4, 3), StochasticDepth(0.5))),
        Residual(conv(3, 4), nn.Conv2d(3, 4, 1)),
        nn.BatchNorm2d(4),
    )


def branches() -> nn.Module:
    excite = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
    return nn.Sequential(
        Concat(conv(3, 4), nn.Sequential(conv(3, 4), nn.ReLU()), dim=1),
        Multiply(nn.Identity(), excite),
        Add(conv(8, 4), nn.Conv2d(8, 4, 1)),
    )


def long_skips() -> nn.Module:
    inner = nn.Sequential(nn.MaxPool2d(2), conv(4, 4), nn.Upsample(scale_factor=2))
    modules = {
        "first": conv(3, 4),
        "inner": inner,
        "join": Concat(operands=(None, None)),
        "mix": nn.Conv2d(11, 4, 1),
        "sum": Add(operands=(None,)),
        "gate": Multiply(operands=(None, 0.5)),
    }
    steps = [
        Step("first", 0),
        Step("inner", 1),
        Step("join", 2, (1, 0), drop=(0, 2)),
        Step("mix", 3, drop=(3,)),
        Step("sum", 4, (1,), drop=(1, 4)),
        Step("gate", 5, (5,), drop=(5,)),
    ]
    return Stack(modules, steps, 6)


def values_within_branches() -> nn.Module:
    body = Stack(
        {"conv": conv(4, 4), "add": Add(operands=(None,))}, [Step("conv", 0), Step("add", 2, (1,))], 3, takes=1
    )
    times = Stack({"times": Multiply(operands=(None,))}, [Step("times", 0, (1,))], 2, takes=1)
    fork = Concat(times, Residual(body, nn.Identity(), given=[(0,)]), nn.Identity(), given=[(0,), (0,), ()])
    fork_of_values = {"first": conv(3, 4), "relu": nn.ReLU(), "fork": fork, "tail": conv(12, 2)}
    fork.get_submodule("1").given = ((0,), ())
    return Stack(fork_of_values, [Step("first", 0), Step("relu", 1), Step("fork", 2, (1,)), Step("tail", 3)], 4)


def of_spec(text: str) -> nn.Module:
    return cnnspec.loads(text).compile()


def learned_value() -> nn.Module:
    return of_spec(
        """model M {
            input [3, 8, 8]
            weight [3, 8, 8] = normal(std=0.5) as position
            weight [1, 8, 8] = 0.1 as plane
            concat { branch { use plane } branch { add(position) } }
            Conv2d(4, 1)
        }"""
    )


def shared_module() -> nn.Module:
    return of_spec(
        """block Head { Conv2d(6, 3, padding=1); ReLU; Conv2d(3, 1) }
        model M {
            input [3, 8, 8]
            Head as head
            again head
            tuple { branch { use head } branch { again head } } as (a, b)
            use a
            add(b, 1)
        }"""
    )


def values_as_arguments() -> nn.Module:
    return of_spec(
        """block Gate(skip, scale = none) {
            input as g
            Conv2d(3, 1); Sigmoid
            multiply(skip)
            if scale != none { multiply(scale) }
            concat(g)
            Conv2d(3, 1)
        }
        model M {
            input [3, 8, 8] as x
            Conv2d(3, 1) as y
            Gate(x)
            Gate(y, x)
        }"""
    )


def inner_values() -> nn.Module:
    return of_spec(
        """block Body { Conv2d(4, 1) as stem; residual { Conv2d(4, 1) as inside } as unit; Conv2d(2, 1) }
        model M {
            input [3, 8, 8]
            Body as body
            concat { branch { Tanh as deep; ReLU } as left branch { } } as mix
            concat(body.stem, body.unit, mix.left.deep, mix.left)
            Conv2d(2, 1)
        }"""
    )


def streams() -> nn.Module:
    return of_spec(
        """block Exchange {
            input as streams
            let n = len(streams)
            tuple {
                for i in range(n) {
                    branch { add { for j in range(n) { branch { use streams[j]; Conv2d(2 + i, 1) } } }; ReLU }
                }
            }
        }
        model M {
            input [3, 8, 8]
            tuple { branch { Conv2d(2, 1) } branch { Conv2d(3, 1) } }
            repeat 2 { Exchange }
            input_ends()
        }
        block input_ends { input as (a, b); use a; concat(b) }"""
    )


def products() -> nn.Module:
    return of_spec(
        """model M {
            input [3, 8, 8]
            Conv2d(3, 1)
            Flatten(2) as rows
            Permute((0, 2, 1)) as columns
            use rows
            matmul(columns)
            multiply(0.25)
            matmul(rows)
        }"""
    )


def small_layers() -> nn.Module:
    return nn.Sequential(Slice(1, None), LayerScale(2, init=0.5), Permute((0, 2, 3, 1)), Permute((0, 3, 1, 2)))


NETS = [
    plain_residual, branches, long_skips, values_within_branches, small_layers, learned_value, shared_module,
    values_as_arguments, inner_values, streams, products,
]  # fmt: skip


@pytest.fixture(params=NETS, ids=lambda build: build.__name__)
def net(request) -> nn.Module:
    return request.param()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(2, 3, 8, 8)


def same(one: nn.Module, other, x: torch.Tensor) -> None:
    torch.testing.assert_close(other(x), one(x))


# What they compute


def test_residual_is_body_plus_shortcut(x):
    body, shortcut = conv(3, 4), nn.Conv2d(3, 4, 1)
    torch.testing.assert_close(Residual(body, shortcut)(x), body(x) + shortcut(x))


def test_residual_without_shortcut_adds_its_input(x):
    body = conv(3, 3)
    unit = Residual(body)
    torch.testing.assert_close(unit(x), body(x) + x)
    assert [name for name, _ in unit.named_children()] == ["body", "shortcut"]


def test_merges_of_branches(x):
    one, two, three = conv(3, 4), conv(3, 4), conv(3, 4)
    parts = one(x), two(x), three(x)
    torch.testing.assert_close(Add(one, two, three)(x), parts[0] + parts[1] + parts[2])
    torch.testing.assert_close(Multiply(one, two, three)(x), parts[0] * parts[1] * parts[2])
    torch.testing.assert_close(Concat(one, two, three)(x), torch.cat(parts, 1))
    torch.testing.assert_close(Concat(one, two, dim=-1)(x), torch.cat(parts[:2], 3))


def test_branches_are_numbered():
    assert list(Add(conv(1, 1), nn.ReLU()).state_dict()) == ["0.weight", "0.bias"]


def test_merge_with_values_takes_the_running_value_first(x):
    a, b = torch.zeros_like(x), torch.ones_like(x)
    torch.testing.assert_close(Concat(operands=(None, None))(x, b, a), torch.cat([x, b, a], 1))


def test_merge_with_numbers(x):
    torch.testing.assert_close(Add(operands=(1.0, None, 2))(x, x), x + 1 + x + 2)
    torch.testing.assert_close(Multiply(operands=(-1,))(x), -x)


def test_products_and_tuples(x):
    rows = x.flatten(2)
    torch.testing.assert_close(Matmul(operands=(None,))(rows, rows.mT), rows @ rows.mT)
    first, second = Tuple(nn.Identity(), nn.Flatten())(x)
    assert first is x
    torch.testing.assert_close(second, x.flatten(1))


def test_stack_by_hand(x):
    net = long_skips().eval()
    first = net.first(x)
    inner = net.inner(first)
    total = net.mix(torch.cat([inner, first, x], 1)) + first
    torch.testing.assert_close(net(x), total * total * 0.5)


def test_values_within_branches_by_hand(x):
    net = values_within_branches()
    first = net.first(x)
    relu = first.relu()
    body = net.fork.get_submodule("1.body")
    forked = torch.cat([relu * first, body.conv(relu) + first + relu, relu], 1)
    torch.testing.assert_close(net(x), net.tail(forked))


def test_inner_values_by_hand(x):
    net = inner_values()
    stem = net.body.stem(x)
    unit = net.body.unit.body.inside(stem) + stem
    body = net.body.get_submodule("2")(unit)
    deep = body.tanh()
    mix = torch.cat([deep.relu(), body], 1)
    joined = torch.cat([mix, stem, unit, deep, deep.relu()], 1)
    torch.testing.assert_close(net(x), net.get_submodule("3")(joined))


def test_a_shared_module_is_counted_once_and_runs_each_time(x):
    net = shared_module()
    assert {name.split(".")[0] for name in net.state_dict()} == {"head"}
    once = net.head(x)
    twice = net.head(once)
    torch.testing.assert_close(net(x), once + net.head(twice) + 1)


def test_several_inputs_and_outputs():
    net = of_spec(
        """model M {
            input [3, 8, 8] as image
            input [5] as box
            use image; Flatten as flat
            tuple {
                branch { use flat; concat(box); Linear(2) } as scores
                branch { use box; Linear(1) }
            }
        }"""
    )
    image, box = torch.randn(2, 3, 8, 8), torch.randn(2, 5)
    scores, rest = net(image, box)
    last = net.get_submodule("1")
    torch.testing.assert_close(scores, last.scores.get_submodule("1")(torch.cat([image.flatten(1), box], 1)))
    torch.testing.assert_close(rest, last.get_submodule("1.0")(box))
    for made in (copy.deepcopy(net), torch.fx.symbolic_trace(net), torch.export.export(net, (image, box)).module()):
        torch.testing.assert_close(made(image, box), (scores, rest))
    traced = torch.jit.trace(net, (image, box))
    torch.testing.assert_close(traced(image, box), (scores, rest))


def test_values_are_let_go_when_no_later_step_needs_them():
    alive: list[int] = []

    class Probe(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            alive.append(sum(reference() is not None for reference in seen))
            result = x + 1
            seen.append(weakref.ref(result))
            return result

    seen: list[weakref.ref[torch.Tensor]] = []
    modules = {name: Probe() for name in "abcd"} | {"end": Add(operands=(None,))}
    steps = [
        Step("a", 0, drop=(0,)), Step("b", 1), Step("c", 2, drop=(2,)), Step("d", 3, drop=(3,)),
        Step("end", 4, (1,), drop=(1, 4)),
    ]  # fmt: skip
    Stack(modules, steps, 5)(torch.zeros(1))
    assert alive == [0, 1, 2, 2]


def test_a_stack_is_not_sliced():
    net = long_skips()
    assert net[0] is net.first
    assert net[-1] is net.gate
    assert len(net) == 6
    with pytest.raises(TypeError, match="can't be sliced"):
        net[:3]


def test_a_stack_runs_a_module_twice(x):
    shared = conv(3, 3)
    torch.testing.assert_close(Stack({"a": shared}, [Step("a", 0), Step("a", 1)], 2)(x), shared(shared(x)))


@pytest.mark.parametrize(
    ("start", "stop", "channels"),
    [
        (0, None, [0, 1, 2, 3, 4]),
        (0, 1, [0]),
        (1, 3, [1, 2]),
        (-2, None, [3, 4]),
        (1, -1, [1, 2, 3]),
        (0, 5, [0, 1, 2, 3, 4]),
    ],
)
def test_slice(start, stop, channels):
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(Slice(start, stop)(x), x[:, channels])


@pytest.mark.parametrize(
    ("start", "stop"), [(5, None), (6, None), (0, 6), (0, 0), (3, 2), (-6, None), (0, -6), (-1, -1)]
)
def test_slice_of_channels_that_are_not_there(start, stop):
    with pytest.raises(ValueError, match=r"Slice\(.*\) of 5 places: "):
        Slice(start, stop)(torch.zeros(2, 5))


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 5, 6), (4, 3, 5, 6, 7)])
def test_layer_scale_multiplies_each_channel(shape):
    x, layer = torch.randn(shape), LayerScale(3, init=0.25)
    with torch.no_grad():
        layer.gamma[1] = 2.0
    factors = torch.tensor([0.25, 2.0, 0.25]).reshape(1, 3, *[1] * (len(shape) - 2))
    torch.testing.assert_close(layer(x), x * factors)
    assert layer(x).is_contiguous()
    assert dict(layer.named_parameters())["gamma"].shape == (3,)


def test_layer_scale_starts_small():
    assert LayerScale(3).gamma.tolist() == pytest.approx([1e-5] * 3)


@pytest.mark.parametrize("shape", [(1000,), (1000, 2), (1000, 2, 2, 2)])
def test_stochastic_depth_drops_whole_samples(shape):
    y = StochasticDepth(0.2)(torch.ones(shape)).reshape(1000, -1)
    kept = y[:, 0] > 0
    assert 740 <= kept.sum() <= 860
    torch.testing.assert_close(y[kept], torch.full_like(y[kept], 1 / 0.8))
    assert not y[~kept].any()


def test_stochastic_depth_in_evaluation_and_at_its_ends(x):
    assert StochasticDepth(0.9).eval()(x) is x
    assert StochasticDepth(0.0)(x) is x
    assert not StochasticDepth(1.0)(x).any()


# What they refuse


@pytest.mark.parametrize("merge", [Add, Multiply, Concat])
def test_merges_want_branches_or_operands(merge):
    with pytest.raises(ValueError, match=f"{merge.__name__} takes branches or operands"):
        merge()
    with pytest.raises(ValueError, match=f"{merge.__name__} takes branches or operands"):
        merge(nn.ReLU(), operands=(None,))


def test_stack_wants_names_of_its_children():
    with pytest.raises(ValueError, match="there is no child 'b'"):
        Stack({"a": nn.ReLU()}, [Step("b", 0)], 1)


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_stochastic_depth_wants_a_probability(p):
    with pytest.raises(ValueError, match="a probability from 0 to 1"):
        StochasticDepth(p)


def test_layer_scale_wants_its_channels():
    with pytest.raises(RuntimeError):
        LayerScale(3)(torch.zeros(2, 4, 5))


# What one does with modules


def test_gradients_reach_every_parameter(net, x):
    net(x).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_deepcopy(net, x):
    net.eval()
    same(net, copy.deepcopy(net), x)


def test_pickle(net, x):
    net.eval()
    same(net, pickle.loads(pickle.dumps(net)), x)


def test_state_dict(net, x):
    other = copy.deepcopy(net)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    same(net.eval(), other.eval(), x)


def test_symbolic_trace(net, x):
    net.eval()
    same(net, torch.fx.symbolic_trace(net), x)


def test_export_with_any_batch_size(net, x):
    net.eval()
    batch = torch.export.Dim.DYNAMIC
    exported = torch.export.export(net, (x,), dynamic_shapes=({0: batch},)).module()
    same(net, exported, x)
    same(net, exported, torch.randn(5, 3, 8, 8))


def test_compile_captures_one_graph(net, x):
    torch.compiler.reset()
    net.eval()
    same(net, torch.compile(net, backend="aot_eager", fullgraph=True), x)


@pytest.mark.skipif(not FULL, reason="compiles C++ for a minute; without FULL the graph is captured alone, above")
def test_compile(x):
    torch.compiler.reset()
    net = values_within_branches().eval()
    same(net, torch.compile(net, fullgraph=True), x)


def test_training_under_compile(x):
    torch.compiler.reset()
    net = torch.compile(plain_residual(), backend="aot_eager", fullgraph=True)
    net(x).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (Slice(1, 4), "Slice(1, 4)"),
        (Permute((0, 2, 1)), "Permute((0, 2, 1))"),
        (LayerScale(3), "LayerScale(3, init=1e-05)"),
        (StochasticDepth(0.1), "StochasticDepth(p=0.1)"),
        (Add(operands=(None, 2)), "Add(operands=(None, 2))"),
        (Concat(operands=(None,), dim=2), "Concat(operands=(None,), dim=2)"),
        (Concat(nn.Tanh()), "Concat(\n  dim=1\n  (0): Tanh()\n)"),
        (Stack({"a": nn.Tanh()}, [Step("a", 0)], 1), "Stack(\n  (a): Tanh()\n)"),
        (Residual(nn.Tanh()), "Residual(\n  (body): Tanh()\n  (shortcut): Identity()\n)"),
    ],
)
def test_repr(module, text):
    assert repr(module) == text


def test_examples_in_the_docstrings():
    results = [doctest.testmod(module) for module in (own.following, own.graph, own.layers, own.sequence)]
    assert not any(result.failed for result in results)
    public = [getattr(own, name) for name in own.__all__]
    modules = [one for one in public if isinstance(one, type) and issubclass(one, nn.Module)]
    assert all(">>>" in (one.__doc__ or "") for one in modules)
