"""Networks as pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from cnnspec.cli.main import main

ROOT = Path(__file__).parent.parent


def test_lenet_is_drawn(tmp_path: Path):
    out = tmp_path / "lenet.svg"
    assert main(["draw", str(ROOT / "specs/lenet.cnn"), "-o", str(out)]) == 0
    root = ET.fromstring(out.read_text(encoding="utf-8"))
    texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1×28×28", "6×28×28", "16×5×5", "400", "Sigmoid"} <= set(texts)
