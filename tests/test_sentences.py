"""Random texts of every form: parsed as by lark, laid out without a change of meaning, answered when they are broken."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.render import render_all
from cnnspec.format.formatter import format_source
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from tests.mutation import mutate
from tests.reference_parser import parse_with_lark
from tests.sampling import amount
from tests.sentences import sentences

# What the generator has to have made in the end: every node that a text without mistakes can have.
NODES = {name for name, kind in vars(tree).items() if isinstance(kind, type) and kind.__module__ == tree.__name__} - {
    "Tree",
    "Invalid",
}


LONGEST = amount(4_000, 8_000)
"""Characters of a text: what is longer says the same again, and takes lark long."""
SEEDS = range(amount(2, 4))


def texts(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    return [text for _ in range(count) if len(text := sentences().text(rng)) < LONGEST]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_form_parses_as_with_lark_and_is_laid_out(seed: int):
    """`format_source` compares trees, comments and a second run itself: it raises where they differ."""
    seen: Counter[str] = Counter()
    for text in texts(seed, amount(90, 1500)):
        source = Source("x.cnn", text)
        parsed = parse(source, sink := Sink())
        assert not sink.diagnostics, text
        assert parsed == parse_with_lark(source), text
        assert format_source(source, Sink()) is not None
        seen.update(type(node).__name__ for node in tree.walk(parsed.items))
    assert not NODES - seen.keys(), NODES - seen.keys()


@pytest.mark.parametrize("seed", SEEDS)
def test_broken_texts_are_answered(seed: int):
    rng = random.Random(seed)
    wrong = 0
    good = texts(seed, amount(25, 600))
    for text in good:
        for _ in range(15):
            broken = mutate(text, rng, rng.randint(1, 3))
            source = Source("x.cnn", broken)
            parse(source, sink := Sink())
            assert (parse_with_lark(source) is None) <= bool(sink.diagnostics), broken
            assert "\x1b" not in render_all(sink.diagnostics)
            for found in sink.diagnostics:
                assert 0 <= found.span.start <= found.span.end <= len(broken) + 1
            wrong += bool(sink.diagnostics)
    assert wrong > len(good)
