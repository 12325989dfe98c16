"""Programs at the borders of the language that are accepted: they compile, run, and give what the check says."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

import cnnspec
from cnnspec.layers.base import Parts
from tests.sampling import FULL

UNIT = "block Unit(c, k = 1, act = ReLU) { Conv2d(c, k, padding=k // 2); act }\n"

# The text, and the keys of the parameters.
PROGRAMS: dict[str, tuple[str, str]] = {
    "a module runs again in a loop": (
        "model M { input [4, 6, 6]; residual { Conv2d(4, 1) } as step; repeat 2 { again step; ReLU } }",
        "step.body.0",
    ),
    "a module runs again in branches": (
        UNIT
        + "model M { input [3, 8, 8]; tuple { branch { } branch { AvgPool2d(2) } } as p; use p[0]; Unit(2) as head\n"
        "tuple { branch { use head } for x in p[1:] { branch { use x; again head } } } }",
        "head.0",
    ),
    "one label in two arms": (
        "model M(deep = false) { input [3, 6, 6]; if deep { ReLU as a; add(a) } else { Conv2d(3, 1) as a; add(a) } }",
        "a",
    ),
    "a budget and a promise": (
        'block Even { assert in_channels % 2 == 0, "halves"; Conv2d(in_channels // 2, 1) }\n'
        "model M { input [4, 6, 6]; Even; assert parameters < 11; Flatten -> [72] }",
        "0.0",
    ),
    "layers with arguments are values": (
        "let Leaky = LeakyReLU(0.2)\nlet Wide = Conv2d(6)\n"
        "model M(act = Leaky) { input [3, 6, 6]; Wide(1); act(); if act == LeakyReLU(negative_slope=0.2) { act } }",
        "0",
    ),
    "only modules have numbers": (
        "model M { input [3, 6, 6] as x; Conv2d(3, 1); let c = in_channels; Conv2d(c, 1) as mid; assert c == 3\n"
        "use x; ReLU; add(mid); again mid; Conv2d(2, 1) }",
        "0 mid 4",
    ),
    "comprehensions and slices": (
        "model M { let w = [2, 4, 8]; let p = [(i, c // 2) for i, c in enumerate(w[1:]) if c > 2]\n"
        "input [3, 6, 6]; for (i, c) in p + [(9, 1)] { Conv2d(c + i, 1) } }",
        "0 1 2",
    ),
    "functions in any order": (
        "model M { input [3, 6, 6]; for c in all([4, 12]) { Conv2d(c, 1) } }\n"
        "let all(cs) = [half(c) + base for c in cs]\nlet half(c) = c // 2\nlet base = 1",
        "0 1",
    ),
    "a parameter named like a function": (
        "block Grow(skip, channels = 2) { Conv2d(channels + channels(skip), 1) }\n"
        "model M { input [3, 6, 6] as x; MaxPool2d(2); Grow(x) }",
        "1.0",
    ),
    "a block checks what arrives": (
        "block B { input as x -> [3, _, _]; Conv2d(3, 1); add(x) }\nmodel M { input [3, 6, 6]; B }",
        "0.0",
    ),
    "a label in each branch": (
        "model M { input [3, 6, 6]; concat { branch { Conv2d(2, 1) as c } branch { Conv2d(1, 1) as c } as named } }",
        "0.0.c 0.named.c",
    ),
    "labelled loops and conditions": (
        UNIT + "model M { input [3, 6, 6]; repeat 2 { Unit(3) } as layers -> [3, 6, 6]\n"
        "if true { Conv2d(3, 1) } as a; ReLU; add(a, layers) }",
        "layers.0.0 layers.1.0 a.0",
    ),
    "branches made by loops and conditions": (
        "model M { input [4, 6, 6]; add { if in_channels == 4 { branch { } } for k in [1, 3] { let p = k // 2\n"
        "repeat 2 { branch { Conv2d(4, k, padding=p) } } } } }",
        "0.1.0 0.2.0 0.3.0 0.4.0",
    ),
    "a matrix product": (
        "model M { input [6, 4] as q; Permute((0, 2, 1)) as t; use q; matmul(t); multiply(1 / sqrt(4)); Softmax(2)\n"
        "matmul(q) -> [6, 4] }",
        "",
    ),
    "a model in a model": (
        "model Body(w = 5) { input [3, H, W]; Conv2d(w, 1) as stem; MaxPool2d(2) }\n"
        "model M { input [3, 8, 8]; Body(2) as body; Upsample(size(body.stem)); concat(body.stem) }",
        "body.stem",
    ),
    "a name in each pass": (
        "model M { input [3, 6, 6]; repeat 2 { input as x; Conv2d(3, 1); add(x) } }",
        "0 2",
    ),
    "tuples in tuples": (
        "model M { input [3, 6, 6]; tuple { branch { tuple { branch { ReLU } branch { } } as (a, _); use (a, a) } branch { } }"
        " as x -> (([3, 6, 6], _), [3, _, _])\nuse x[0][1]; concat(x[1]) }",
        "",
    ),
    "numbers and tuples in merges": (
        "model M { input [4, 6, 6] as x; Conv2d(4, 1) as y; add((x, y), 1); multiply(-1, 0.5); concat((x, y)) }",
        "y",
    ),
    "a value that may be absent": (
        "block Up(c, skip = none) { Upsample(scale_factor=2); if skip != none { concat(skip) }; Conv2d(c, 1) }\n"
        "model M { input [3, 8, 8] as x; MaxPool2d(2); Up(4, x); Up(2) }",
        "1.2 2.1",
    ),
    "a path into a merge": (
        "model M { input [3, 6, 6]; concat { branch { Conv2d(2, 1) as conv; ReLU } as one branch { } as two } as mix\n"
        "use mix.one.conv; concat(mix.two, mix) }",
        "mix.one.conv",
    ),
    "several inputs as a tuple": (
        "block Fuse { input as (x, y); use x; Flatten; concat(y) }\n"
        "model M { input [1, 4, 4] as image; input [3] as box; Fuse; Linear(2) }",
        "1",
    ),
    "names further in": (
        "model M { input [4, 6, 6]; Conv2d(4, 1) as a; residual { if true { Conv2d(4, 1) as a; add(a) }; add(a) } }",
        "a 1.body.a",
    ),
    "words as names": (
        "let tuple = 3\nblock Cut(shortcut, weight = 1) { if shortcut { Conv2d(weight, 1) as branch; add(branch) }\n"
        "let use = [weight for weight in [1, 2]]; Conv2d(weight + tuple + use[0], 1) }\n"
        "model M { input [1, 6, 6]; Cut(shortcut=true) }",
        "0.branch 0.2",
    ),
    "a tower that is shared": (
        "block Tower { Conv2d(2, 3); ReLU; Flatten; Linear(5) }\n"
        "model M { input [1, 6, 6] as left; input [1, 6, 6] as right; use left; Tower as tower; use right\n"
        "again tower as other; multiply(-1); add(tower); Linear(1) }",
        "tower.0 tower.3 3",
    ),
    "a tuple of one": (
        "model M(widths = [2]) { input [3, 6, 6]; tuple { for c in widths { branch { Conv2d(c, 1) } } } -> ([2, 6, 6],) }",
        "0.0.0",
    ),
    "what a residual leaves": (
        "model M { input [3, 6, 6] as x; Conv2d(3, 1) as y; residual { use x; Conv2d(3, 1) } shortcut { use y; ReLU } }",
        "y 1.body.0",
    ),
    "streams that grow": (
        "block More(w) { input as s; use s[-1]; Conv2d(w, 3, stride=2, padding=1) as new; use s + (new,) }\n"
        "model M { input [3, 8, 8]; tuple { branch { } branch { Conv2d(2, 1) } }; repeat 2 { More(4) }"
        " -> ([3, 8, 8], [2, 8, 8], [4, 4, 4], [4, 2, 2]) }",
        "0.1.0 1.new 2.new",
    ),
    "variants": (
        "block Basic(c) { residual { Conv2d(c, 3, padding=1) } shortcut { if in_channels != c { Conv2d(c, 1) } } }\n"
        "model Net(unit, depths, classes = 3) { input [3, 8, 8]\n"
        "for i, n in enumerate(depths) { repeat n { unit(2 * 2 ** i) } }; Flatten; Linear(classes) }\n"
        "model Tiny = Net(Basic, depths=[1])\nmodel M = Tiny(classes=7)",
        "0.0.body.0 0.0.shortcut.0 2",
    ),
    "weights": (
        "block Scale { weight [in_channels, 1, 1] = 1e-3 as gamma; multiply(gamma) }\n"
        "model M { input [4, 6, 6]; repeat 2 { Scale }; weight [4, 6, 6] = normal(std=0.02) as bias; add(bias) }",
        "bias 0.gamma 1.gamma",
    ),
}


def shape_of(value: object) -> object:
    return tuple(value.shape[1:]) if isinstance(value, torch.Tensor) else tuple(map(shape_of, value))  # type: ignore[call-overload]


def plain(shape: object) -> object:
    return tuple(map(plain, shape)) if isinstance(shape, Parts) else shape


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_runs_as_checked(name: str):
    text, keys = PROGRAMS[name]
    spec = cnnspec.loads(text, "M")
    net = spec.compile()
    inputs = [torch.randn(2, *entry.shape) for entry in spec.graph.inputs]
    assert shape_of(net(*inputs)) == plain(spec.output)
    assert sum(parameter.numel() for parameter in net.parameters()) == spec.parameters
    found = [key.removesuffix(".weight") for key in net.state_dict() if not key.endswith(".bias")]
    assert found == keys.split()


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_survives_what_one_does_with_modules(name: str):
    spec = cnnspec.loads(PROGRAMS[name][0], "M")
    net = spec.compile().eval()
    inputs = tuple(torch.randn(2, *entry.shape) for entry in spec.graph.inputs)
    other = spec.compile().eval()
    other.load_state_dict(net.state_dict())
    made = [copy.deepcopy(net), pickle.loads(pickle.dumps(net)), other]
    made += [torch.jit.trace(net, inputs), torch.fx.symbolic_trace(net)]
    if FULL:
        torch.compiler.reset()
        made += [torch.export.export(net, inputs).module(), torch.compile(net, backend="eager", fullgraph=True)]
    with torch.no_grad():
        expected = net(*inputs)
        for one in made:
            torch.testing.assert_close(one(*inputs), expected)


@pytest.mark.parametrize("name", ["only modules have numbers", "a path into a merge", "labelled loops and conditions"])
def test_statements_without_a_module_move_no_key(name: str):
    text, _ = PROGRAMS[name]
    before, after = text.split("; ", 1)
    more = f"{before}; let unused = [n for n in range(3)]; assert unused[0] == 0; {after}"
    one, two = (cnnspec.loads(spec, "M").compile().state_dict() for spec in (text, more))
    assert {key: value.shape for key, value in one.items()} == {key: value.shape for key, value in two.items()}


def test_use_moves_no_key():
    plain_text = "model M { input [3, 6, 6]; Conv2d(3, 1) as a; ReLU as b; Conv2d(2, 1) }"
    routed = "model M { input [3, 6, 6]; Conv2d(3, 1) as a; ReLU as b; use a; use b; Conv2d(2, 1) }"
    one, two = (cnnspec.loads(text).compile().state_dict() for text in (plain_text, routed))
    assert list(one) == list(two) == ["a.weight", "a.bias", "2.weight", "2.bias"]


def test_dropout_of_a_shared_module_is_drawn_anew():
    torch.manual_seed(0)
    net = cnnspec.loads("model M { input [64]; Dropout(0.5) as drop; again drop as second; concat(drop) }").compile()
    out = net(torch.ones(1, 64))[0]
    assert not torch.equal(out[:64] / 2, out[64:])


def test_training_of_a_shared_module_sums_its_gradients():
    net = cnnspec.loads("model M { input [4] as x; Linear(4, bias=false) as step; again step }").compile()
    x = torch.randn(3, 4)
    net(x).sum().backward()
    weight = net.step.weight.detach().clone().requires_grad_()
    ((x @ weight.T) @ weight.T).sum().backward()
    torch.testing.assert_close(net.step.weight.grad, weight.grad)
