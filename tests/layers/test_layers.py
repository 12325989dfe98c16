"""All layers without torch: the cases as written, and what holds for every declared field."""

from __future__ import annotations

import inspect
import math
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from cnnspec import layers
from cnnspec.declare import (
    OK,
    WRONG_RANGE,
    WRONG_TYPE,
    Bool,
    Choice,
    Either,
    Field,
    Kind,
    Null,
    Number,
    Text,
    Tuple,
)
from cnnspec.layers._index import FILES
from cnnspec.layers.wrap import LayerKind
from cnnspec.resources import load

from . import cases

ACCEPTED = cases.accepted()
REJECTED = cases.rejected()
GENERATORS = cases.generators()
LAYERS = {name: layer for name in layers.names() if (layer := layers.find(name)) and layer.module is None}
FIELDS = [(name, field) for name, layer in LAYERS.items() for field in layer.fields.values()]
WITHOUT_LIMITS = {"Identity", "Exp", "Log", "Sqrt", "Abs"}
"""Layers that no argument and no input is wrong for."""


def test_the_index_names_every_layer_and_its_file() -> None:
    folder = Path(layers.__file__).parent
    for path in folder.glob("[a-z]*.py"):
        load(f"cnnspec.layers.{path.stem}")
    found = {name: layer.__module__ for name, layer in layers.Layer.members.items() if layer.module is None}
    assert {name: f"cnnspec.layers.{file}" for name, file in FILES.items()} == found, "python -m tools.make_index"


@pytest.mark.parametrize("case", ACCEPTED, ids=str)
def test_accepted(case: cases.Case) -> None:
    answer = case.answer()
    assert (answer.y, answer.code) == (case.y, ""), answer.sentences
    assert answer.layer is not None
    assert answer.layer.parameters(case.x) >= 0
    # In an own instance: nothing is remembered from a call.
    assert case.answer().layer is not answer.layer


@pytest.mark.parametrize("case", REJECTED, ids=str)
def test_rejected(case: cases.Case) -> None:
    answer = case.answer()
    assert (answer.code, answer.field, answer.findings) == (case.code, case.field, 1), answer.y
    headline, label, *_ = answer.sentences
    assert headline
    assert headline.startswith(case.name) or not headline[0].isupper()
    assert not any(sentence.endswith(".") for sentence in answer.sentences)
    assert len(headline) < 160
    assert len(label) < 120
    assert "{" not in "".join(answer.sentences)


def test_no_case_is_written_twice() -> None:
    for found in (ACCEPTED, REJECTED):
        assert [line for line, count in Counter(map(str, found)).items() if count > 1] == []


@pytest.mark.parametrize("name", LAYERS)
def test_has_cases(name: str) -> None:
    assert name in GENERATORS
    if name not in WITHOUT_LIMITS:
        assert sum(case.name == name for case in ACCEPTED) >= (3 if LAYERS[name].fields else 2)
        assert not _limited(name) or sum(case.name == name for case in REJECTED) >= 2


def _limited(name: str) -> bool:
    """Whether some argument or some input is wrong for the layer, as far as its generator knows."""
    rng = random.Random(name)
    return any(cases.answer(name, cases.by_name(drawn), x).code for drawn, x in (_draw(name, rng) for _ in range(400)))


def _draw(name: str, rng: random.Random):
    return GENERATORS[name](rng)


def test_cases_are_of_layers() -> None:
    known = set(LAYERS)
    assert set(GENERATORS) == known
    assert {case.name for case in ACCEPTED + REJECTED} <= known


@pytest.mark.parametrize("name", LAYERS)
def test_every_limited_field_has_a_rejected_case(name: str) -> None:
    """In the layer itself or in one of its sisters for other dimensions."""
    layer = LAYERS[name]
    limited = {
        field.name
        for field in layer.fields.values()
        if any(reason == WRONG_RANGE for _, reason in outside(field.kind, layer.rank))
    }
    assert limited <= {case.field for case in REJECTED if _family(case.name) == _family(name)}


def _family(name: str) -> str:
    return name[:-2] if name.endswith(("1d", "2d", "3d")) else name


@pytest.mark.parametrize("name", LAYERS)
def test_generator(name: str) -> None:
    """Draws every field, is repeatable, and gives each answer often enough."""
    drawn = [_draw(name, random.Random(f"{name} {seed}")) for seed in range(400)]
    assert repr(drawn) == repr([_draw(name, random.Random(f"{name} {seed}")) for seed in range(400)])
    assert {field for arguments, _ in drawn for field in arguments} >= set(LAYERS[name].fields)
    refused = sum(bool(cases.answer(name, cases.by_name(arguments), x).code) for arguments, x in drawn)
    assert refused <= 260
    assert refused >= 20 or not LAYERS[name].fields or _only_flags(name)


def _only_flags(name: str) -> bool:
    return all(isinstance(field.kind, Bool) for field in LAYERS[name].fields.values())


def inside(kind: Kind, rank: int) -> list[object]:
    """Values that a kind takes, those at its ends among them."""
    match kind:
        case Number():
            step = 1 if kind.whole else 0.5
            low = kind.low if kind.low is not None else -math.inf
            high = kind.high if kind.high is not None else math.inf
            if kind.above:
                low = low + 1 if kind.whole else math.nextafter(low, math.inf)
            found = [value for value in (low, high, low + step, high - step, 0, 1, -1, 2**62) if low <= value <= high]
            return [value for value in found if math.isfinite(value)]
        case Bool():
            return [True, False]
        case Null():
            return [None]
        case Choice():
            return list(kind.options)
        case Text():
            return ["", "x"]
        case LayerKind():
            return list(kind.samples(rank))
        case Tuple():
            size = kind.size(rank)
            return [(item,) * (size or length) for item in inside(kind.item, rank) for length in (1, 3)]
        case Either():
            return [value for part in kind.kinds for value in inside(part, rank)]
    raise TypeError(f"no values for {kind}")


def outside(kind: Kind, rank: int) -> list[tuple[object, int]]:
    """Values just beyond what a kind takes, with the reason."""
    match kind:
        case Number():
            found: list[tuple[object, int]] = [(value, WRONG_TYPE) for value in (True, False, None, "1")]
            if kind.whole:
                found += [(1.0, WRONG_TYPE), (1.5, WRONG_TYPE)]
            if kind.low is not None:
                below = kind.low - 1 if kind.whole else math.nextafter(kind.low, -math.inf)
                found.append((kind.low if kind.above else below, WRONG_RANGE))
            if kind.high is not None:
                found.append((kind.high + 1 if kind.whole else math.nextafter(kind.high, math.inf), WRONG_RANGE))
            return found
        case Bool():
            return [(value, WRONG_TYPE) for value in (0, 1, None, "true")]
        case Null():
            return []
        case Choice():
            return [(kind.options[0] + "x", WRONG_RANGE), ("", WRONG_RANGE), (0, WRONG_TYPE), (None, WRONG_TYPE)]
        case Text():
            return [(0, WRONG_TYPE), (None, WRONG_TYPE)]
        case LayerKind():
            return [(0, WRONG_TYPE), (None, WRONG_TYPE), ("Linear", WRONG_TYPE)]
        case Tuple():
            return [((), WRONG_RANGE), *_wrong_length(kind, rank), *_wrong_item(kind, rank)]
        case Either():
            good = inside(kind, rank)
            taken = {type(value) for value in good if not isinstance(value, tuple)}
            found = [pair for part in kind.kinds for pair in outside(part, rank)]
            found = [pair for pair in found if not any(_same(pair[0], value) for value in good)]
            # A value of the wrong type for one part may have the type of another, and still be in none's range.
            return [(value, reason) for value, reason in found if reason == WRONG_RANGE or type(value) not in taken]
    raise TypeError(f"no values for {kind}")


def _wrong_length(kind: Tuple, rank: int) -> list[tuple[object, int]]:
    size = kind.size(rank)
    if size is None:
        return []
    item = inside(kind.item, rank)[0]
    return [((item,) * count, WRONG_RANGE) for count in (size - 1, size + 1)]


def _wrong_item(kind: Tuple, rank: int) -> list[tuple[object, int]]:
    """All items right but the first, and all but the last."""
    size = kind.size(rank) or 2
    good = inside(kind.item, rank)[0]
    wrong = [(value, reason) for value, reason in outside(kind.item, rank) if not isinstance(value, tuple)]
    rest = (good,) * (size - 1)
    return [
        (value, reason) for bad, reason in wrong for value, reason in (((bad, *rest), reason), ((*rest, bad), reason))
    ]


def _same(a: object, b: object) -> bool:
    return a == b and repr(a) == repr(b)


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda value: getattr(value, "name", value))
def test_limits_of_field(name: str, field: Field) -> None:
    rank = LAYERS[name].rank
    for value in inside(field.kind, rank):
        assert field.kind.accepts(value, rank) == OK, value
    beyond = outside(field.kind, rank)
    assert beyond
    for value, reason in beyond:
        assert field.kind.accepts(value, rank) == reason, value
        answer = cases.answer(name, cases.by_name(_others(name, field) | {field.name: value}), (4, 4, 4, 4))
        assert answer.code == ("E115" if reason == WRONG_TYPE else "E116"), value
        assert answer.field == field.name
        wanted = f"has to be {field.kind.describe(rank)}"
        counted = isinstance(value, tuple) and answer.sentences[1].startswith(f"{wanted}; this has {len(value)} item")
        assert counted or answer.sentences[1] == wanted


def _others(name: str, field: Field) -> dict[str, object]:
    """The other required arguments of a layer, with any right value."""
    rank = LAYERS[name].rank
    return {
        other.name: inside(other.kind, rank)[0]
        for other in LAYERS[name].fields.values()
        if other.required and other is not field
    }


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda value: getattr(value, "name", value))
def test_default_is_of_its_kind(name: str, field: Field) -> None:
    assert field.required or field.kind.accepts(field.default, LAYERS[name].rank) == OK


@pytest.mark.parametrize("name", LAYERS)
def test_is_documented(name: str) -> None:
    layer = LAYERS[name]
    text = layer.__doc__ or ""
    assert text.split("\n", 1)[0].endswith(".")
    assert layer.__module__.startswith("cnnspec.layers.")
    assert "self" not in layer.signature.text
    assert all("\n" not in field.kind.describe(layer.rank) for field in layer.fields.values())


def test_no_layer_needs_torch() -> None:
    program = "import sys, cnnspec.layers; print(sorted({'torch', 'dataclasses', 'typing', 're'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, cwd=_root())
    assert "torch" not in done.stdout, done
    assert done.returncode == 0, done.stderr


def _root() -> str:
    package = inspect.getfile(layers)
    return package[: package.rindex("cnnspec")]
