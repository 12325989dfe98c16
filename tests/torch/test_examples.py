"""The Python that the README and the pages of docs/ show runs, and prints what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_examples import PAGES, ROOT, blocks_of


@pytest.mark.parametrize(
    "text", [text for page in PAGES for language, _, text in blocks_of(page) if language == "python"]
)
def test_python_blocks(text: str, tmp_path: Path):
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout or "print" not in text
