"""Which tensors of a state dict belong to which of a network, by names and shapes; nothing here needs torch."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

import cnnspec
from cnnspec.graph.matching import Matching, match
from cnnspec.graph.state import side_by_side, state_of

SPECS = Path(__file__).parent.parent / "specs"
# The keys and shapes of networks of torchvision 0.29, in their order, and which of them is which of ours. With weights and
# statistics drawn at random, outputs of both were equal, bit for bit; of ConvNeXt within 1e-7, since its Linear layers on
# every pixel are convolutions in our spec.
REFERENCE: dict[str, Any] = json.loads(
    lzma.decompress(Path(__file__).with_name("torchvision_keys.json.xz").read_bytes())
)


CONV = {"weight": (8, 3, 3, 3), "bias": (8,)}
NORM = {"weight": (8,), "bias": (8,), "running_mean": (8,), "running_var": (8,), "num_batches_tracked": ()}


def dict_of(**modules: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {
        f"{path.replace('__', '.')}.{name}": shape
        for path, tensors in modules.items()
        for name, shape in tensors.items()
    }


def linear(out: int, features: int) -> dict[str, tuple[int, ...]]:
    return {"weight": (out, features), "bias": (out,)}


def modules(found: Matching) -> dict[str, str]:
    """Which module goes to which."""
    return {one.key.rpartition(".")[0]: one.other.rpartition(".")[0] for one in found.matches}


def reasons(found: Matching) -> set[str]:
    return {problem.reason for problem in found.problems}


def test_equal_keys_go_by_name():
    state = dict_of(a=CONV, b=NORM)
    found = match(state, dict(reversed(state.items())))
    assert found.is_whole
    assert {one.by for one in found.matches} == {"name"}
    assert all(one.key == one.other for one in found.matches)


def test_a_count_of_batches_may_be_missing():
    state = dict_of(a=CONV, b=NORM)
    older = {key: shape for key, shape in state.items() if "tracked" not in key}
    assert match(state, older).is_whole
    assert match(dict_of(x=CONV, y=NORM), older).is_whole


def test_other_names_go_by_order():
    found = match(dict_of(**{"0": CONV, "1": NORM, "5": linear(4, 8)}), dict_of(conv=CONV, bn=NORM, fc=linear(4, 8)))
    assert modules(found) == {"0": "conv", "1": "bn", "5": "fc"}
    assert {one.by for one in found.matches} == {"order"}


def test_a_name_that_agrees_comes_first():
    found = match(dict_of(head=linear(4, 4), x=linear(4, 4)), dict_of(y=linear(4, 4), head=linear(4, 4)))
    assert modules(found) == {"head": "head", "x": "y"}


def test_a_number_that_agrees_says_nothing():
    found = match(dict_of(**{"0": linear(4, 8), "1": linear(4, 4)}), dict_of(**{"1": linear(4, 8), "2": linear(4, 4)}))
    assert modules(found) == {"0": "1", "1": "2"}


def test_what_stands_elsewhere_is_found_where_nothing_else_could_be_it():
    ours = dict_of(head=linear(10, 4), aux=linear(3, 4), a=linear(4, 4))
    found = match(ours, dict_of(x=linear(3, 4), y=linear(4, 4), z=linear(10, 4)))
    assert modules(found) == {"head": "z", "aux": "x", "a": "y"}


def test_a_part_moves_as_a_whole():
    """The shortcut is listed in front of the body there, and its first shapes are those of the body."""
    ours = dict_of(
        **{"u.body.0": linear(4, 2), "u.body.1": linear(5, 4), "u.body.2": linear(4, 5), "u.short.0": linear(4, 2)}
    )
    theirs = dict_of(**{"b.proj": linear(4, 2), "b.f.a": linear(4, 2), "b.f.b": linear(5, 4), "b.f.c": linear(4, 5)})
    found = match(ours, theirs)
    assert modules(found) == {"u.body.0": "b.f.a", "u.body.1": "b.f.b", "u.body.2": "b.f.c", "u.short.0": "b.proj"}


def test_a_1x1_convolution_is_a_linear_layer():
    found = match({"a.weight": (8, 4, 1, 1), "a.bias": (8,)}, {"fc.weight": (8, 4), "fc.bias": (8,)})
    assert modules(found) == {"a": "fc"}


def test_a_tensor_that_is_missing_is_told_with_its_shape():
    found = match(dict_of(a=linear(4, 8), b=linear(3, 4)), dict_of(x=linear(4, 8)))
    assert reasons(found) == {"nothing in the file is weight [3, 4] and bias [3] at its place"}


def test_another_shape_under_the_same_name_is_told():
    found = match(dict_of(a=linear(4, 8), head=linear(3, 4)), dict_of(a=linear(4, 8), head=linear(10, 4)))
    assert "it is weight [3, 4] and bias [3], in the file weight [10, 4] and bias [10]" in reasons(found)


def test_what_nothing_takes_is_told():
    found = match(dict_of(a=linear(4, 8)), dict_of(x=linear(4, 8), extra=linear(1, 1)))
    assert {problem.other for problem in found.problems} == {"extra.weight", "extra.bias"}


def test_twins_that_run_side_by_side_are_doubtful():
    ours = dict_of(**{"m.q": linear(4, 4), "m.k": linear(4, 4)})
    found = match(ours, dict_of(key=linear(4, 4), query=linear(4, 4)), [["m.q", "m.k"]])
    assert not found.matches
    assert reasons(found) == {"m.q and m.k are alike and run side by side: their order says nothing"}


def test_twins_whose_names_count_are_not():
    ours = dict_of(**{"m.0": linear(4, 4), "m.1": linear(4, 4)})
    assert match(ours, dict_of(**{"convs.1": linear(4, 4), "convs.2": linear(4, 4)}), [["m.0", "m.1"]]).is_whole
    back = match(ours, dict_of(**{"convs.2": linear(4, 4), "convs.1": linear(4, 4)}), [["m.0", "m.1"]])
    assert not back.matches


def test_names_that_count_down_are_doubtful():
    ours = dict_of(**{"0": linear(4, 4), "1": linear(4, 4)})
    found = match(ours, dict_of(fc2=linear(4, 4), fc1=linear(4, 4)))
    assert reasons(found) == {"fc1 stands behind fc2, which has the same shapes"}


def test_more_than_one_that_could_be_it_is_doubtful():
    ours = dict_of(a=linear(4, 4), b=linear(2, 4), c=linear(4, 4))
    found = match(ours, dict_of(y=linear(2, 4), x=linear(4, 4)))
    assert found.problems
    assert not {"a", "c"} & set(modules(found)) or len(found.problems) >= 2


def test_nothing_at_all():
    assert match({}, {}).is_whole
    assert not match(dict_of(a=CONV), {}).is_whole
    assert not match({}, dict_of(a=CONV)).is_whole


@pytest.mark.parametrize("name", REFERENCE)
def test_published_networks_are_matched(name: str):
    path, _, model = name.partition(":")
    root = cnnspec.load(SPECS / path, model).graph.numbers.root
    found = match(state_of(root), REFERENCE[name]["theirs"], side_by_side(root))
    assert found.problems == ()
    assert {one.key: one.other for one in found.matches} == REFERENCE[name]["map"]
