"""The modules of cnnspec.nn: what they compute, and that they survive what one does with modules."""

import copy
import doctest
import io
import pickle
import shutil

import pytest
import torch
from torch import nn

import cnnspec.nn as own
from cnnspec.nn import Add, Concat, LayerScale, Multiply, Permute, Residual, Slice, Stack, StochasticDepth


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
    inner = Stack({"down": nn.MaxPool2d(2), "conv": conv(4, 6), "up": nn.Upsample(scale_factor=2)}, keep=("conv",))
    return Stack(
        {
            "first": conv(3, 4),
            "inner": inner,
            "join": Concat(sources=("first", "image")),
            "mix": nn.Conv2d(13, 4, 1),
            "sum": Add(sources=("first",)),
            "gate": Multiply(sources=("sum",)),
        },
        keep=("first", "sum"),
        input_name="image",
    )


def values_within_branches() -> nn.Module:
    body = Stack({"conv": conv(4, 4), "add": Add(sources=("first",))})
    fork = Concat(Stack({"times": Multiply(sources=("first",))}), Residual(body, nn.Identity()), nn.Identity())
    return Stack({"first": conv(3, 4), "relu": nn.ReLU(), "fork": fork, "tail": conv(12, 2)}, keep=("first",))


def small_layers() -> nn.Module:
    return nn.Sequential(Slice(1, None), LayerScale(2, init=0.5), Permute((0, 2, 3, 1)), Permute((0, 3, 1, 2)))


NETS = [plain_residual, branches, long_skips, values_within_branches, small_layers]


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
    merge = Concat(sources=("b", "a"))
    values = {"a": torch.zeros_like(x), "b": torch.ones_like(x)}
    torch.testing.assert_close(merge(x, values), torch.cat([x, values["b"], values["a"]], 1))


def test_stack_by_hand(x):
    net = long_skips().eval()
    first = net.first(x)
    inner = net.inner(first)
    mixed = net.mix(torch.cat([inner, first, x], 1))
    total = mixed + first
    torch.testing.assert_close(net(x), total * total)


def test_values_within_branches_by_hand(x):
    net = values_within_branches()
    first = net.first(x)
    relu = first.relu()
    body = net.fork.get_submodule("1.body")
    forked = torch.cat([relu * first, body.conv(relu) + first + relu, relu], 1)
    torch.testing.assert_close(net(x), net.tail(forked))


def test_names_of_a_nested_stack_stay_inside(x):
    inner = Stack({"a": nn.Identity()}, keep=("a",))
    outer = Stack({"inner": inner, "merge": Add(sources=("a",))})
    with pytest.raises(KeyError, match="there is no value 'a'"):
        outer(x)


def test_an_inner_name_hides_an_outer_one(x):
    inner = Stack({"a": nn.ReLU(), "sum": Add(sources=("a",))}, keep=("a",))
    outer = Stack({"a": nn.Identity(), "inner": inner, "end": Add(sources=("a",))}, keep=("a",))
    torch.testing.assert_close(outer(x), 2 * x.relu() + x)


def test_takes_values_is_known_from_the_children():
    needs = Add(sources=("a",))
    for module in (needs, Residual(needs), Residual(nn.ReLU(), needs), Concat(nn.ReLU(), needs), Stack({"x": needs})):
        assert module.takes_values
    for module in (Residual(nn.ReLU()), Concat(nn.ReLU()), Stack({"x": nn.ReLU()}, keep=("x",))):
        assert not module.takes_values


def test_slices_of_a_stack_keep_their_values(x):
    net = long_skips()
    part = net[:3]
    assert isinstance(part, Stack)
    assert part(x).shape == (2, 13, 8, 8)
    assert net[0] is net.first
    assert net[-1] is net.gate
    assert net[:1].keep == ("first",)
    assert len(net) == 6


def test_a_stack_shares_a_module_that_stands_in_it_twice(x):
    shared = conv(3, 3)
    torch.testing.assert_close(Stack({"a": shared, "b": shared})(x), shared(shared(x)))


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
    with pytest.raises(ValueError, match=r"Slice\(.*\) of 5 channels: "):
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
def test_merges_want_branches_or_sources(merge):
    with pytest.raises(ValueError, match=f"{merge.__name__} takes branches or sources"):
        merge()
    with pytest.raises(ValueError, match=f"{merge.__name__} takes branches or sources"):
        merge(nn.ReLU(), sources=("a",))


def test_merge_outside_of_a_stack(x):
    with pytest.raises(KeyError, match="a Stack around Concat has to keep it"):
        Concat(sources=("a",))(x)


def test_stack_wants_names_of_its_children():
    with pytest.raises(ValueError, match="there is no child 'b'"):
        Stack({"a": nn.ReLU()}, keep=("b",))


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


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="needs a C++ compiler")
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
        (Add(sources=("a", "b")), "Add(sources=('a', 'b'))"),
        (Concat(sources=("a",), dim=2), "Concat(sources=('a',), dim=2)"),
        (Concat(nn.Tanh()), "Concat(\n  dim=1\n  (0): Tanh()\n)"),
        (
            Stack({"a": nn.Tanh()}, keep=("a",), input_name="x"),
            "Stack(\n  keep=('a',), input_name='x'\n  (a): Tanh()\n)",
        ),
        (Residual(nn.Tanh()), "Residual(\n  (body): Tanh()\n  (shortcut): Identity()\n)"),
    ],
)
def test_repr(module, text):
    assert repr(module) == text


def test_examples_in_the_docstrings():
    results = [doctest.testmod(module) for module in (own.graph, own.layers)]
    assert sum(result.attempted for result in results) >= len(own.__all__)
    assert not any(result.failed for result in results)
