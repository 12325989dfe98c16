"""Pages in a headless browser: what a script in the page finds out is read from the page as it is at the end."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


def ask(page: str, folder: Path, *, width: int = 1360, dark: bool = False, milliseconds: int = 4000) -> Any:
    """What the scripts of a page have put, as JSON, into the element with the id `answer`."""
    assert BROWSER is not None
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", f"--virtual-time-budget={milliseconds}",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []), "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    found = re.search(r'<[a-z]+ id="answer"[^>]*>(.*?)</', run.stdout, re.DOTALL)
    assert found, run.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


def pictures_page(pictures: list[str]) -> str:
    """A page that shows pictures and answers with the mistakes of each: texts that collide, are cut or leave their box."""
    shown = "\n".join(f"<div>{picture}</div>" for picture in pictures)
    script = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
    return f"<!doctype html><meta charset=utf-8><body>{shown}<pre id=answer></pre><script>{script}</script>"
