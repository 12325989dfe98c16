"""The lexer, held against the regular expression that lark makes of the same terminals."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from cnnspec.diagnostics import Sink
from cnnspec.source import Source
from cnnspec.syntax._tables import IGNORED, KEYWORDS, PATTERN, SIGNS
from cnnspec.syntax.lexer import Token, scan
from tests.mutation import mutate
from tests.sampling import amount

ROOT = Path(__file__).parent.parent
TEXTS = [
    path.read_text(encoding="utf-8") for folder in ("specs", "tests/ui") for path in (ROOT / folder).rglob("*.cnn")
]
TOKEN, QUOTED = re.compile(PATTERN), re.compile(r"'[^'\n#]*'")


def by_pattern(text: str) -> list[Token]:
    at = 0
    tokens: list[Token] = []
    for match in TOKEN.finditer(text):
        start, end = match.span()
        if start > at:
            quoted = QUOTED.match(text, at)
            tokens.append(("unknown", at, quoted.end() if quoted else start))
            at = tokens[-1][2]
        if start < at:
            continue
        at, kind = end, str(match.lastgroup)
        if kind not in IGNORED:
            tokens.append((KEYWORDS.get(match[0], kind) if kind == "NAME" else kind, start, end))
    return [*tokens, ("unknown", at, len(text))] if at < len(text) else tokens


def scanned(text: str) -> list[Token]:
    return scan(Source("x.cnn", text), Sink(), 10**9)


def test_texts_that_come_along():
    assert len(TEXTS) > 300
    for text in TEXTS:
        assert scanned(text) == by_pattern(text)


@pytest.mark.parametrize("seed", range(4))
def test_changed_texts(seed: int):
    rng = random.Random(seed)
    for text in rng.sample(TEXTS, amount(100, len(TEXTS))):
        changed = mutate(text, rng, rng.randint(1, 5))
        assert scanned(changed) == by_pattern(changed), changed


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_sign_beside_every_other(count: int):
    rng = random.Random(count)
    signs = [*SIGNS, *"019eE._ab\"'#;!&\\é \t\r\n", "1.5e-3", '"a"', "none"]
    for _ in range(amount(2_000, 50_000)):
        text = "".join(rng.choices(signs, k=count))
        assert scanned(text) == by_pattern(text), text
