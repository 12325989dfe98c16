"""The Python that the README shows runs, and prints something."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.test_readme import BLOCKS, ROOT


@pytest.mark.parametrize("text", [text for language, _, text in BLOCKS if language == "python"])
def test_python_blocks(text: str):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout
