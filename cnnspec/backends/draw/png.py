"""A picture as PNG, by a program that is installed: a browser, or a converter of SVG."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile

from cnnspec.errors import UsageError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_CONVERTERS = (("resvg", ("--zoom", "2", "{svg}", "{png}")), ("rsvg-convert", ("-z", "2", "-o", "{png}", "{svg}")))
_SECONDS = 60


def png_of(svg: str) -> bytes:
    """The picture with two pixels for one. Raises UsageError where nothing is installed that can draw it."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "picture.svg"), os.path.join(folder, "picture.png")
        with open(source, "w", encoding="utf-8") as file:
            file.write(svg)
        tried = False
        for command in _commands(svg, source, target, folder):
            tried = True
            try:
                subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False, cwd=folder)
            except (OSError, subprocess.TimeoutExpired):
                continue
            if os.path.exists(target):
                with open(target, "rb") as made:
                    return made.read()
    if tried:
        raise UsageError("none of the programs that are installed could write the PNG; -o picture.svg needs none")
    raise UsageError(
        "a PNG is drawn by resvg, rsvg-convert or Chromium, and none is installed; -o picture.svg needs none"
    )


def _commands(svg: str, source: str, target: str, folder: str) -> list[list[str]]:
    """Ways to make the PNG with what is installed, the best first."""
    found = []
    for name, arguments in _CONVERTERS:
        if path := shutil.which(name):
            found.append([path, *(text.format(svg=source, png=target) for text in arguments)])
    sides = re.search(r'<svg [^>]*width="([\d.]+)" height="([\d.]+)"', svg)
    if sides:
        width, height = (round(float(side) + 0.499) for side in sides.groups())
        # Chromium refuses to run as root in its sandbox; the picture is ours and holds no script.
        root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        for path in filter(None, map(shutil.which, BROWSERS)):
            found.append(
                [
                    path, "--headless=new", *root, "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                    f"--user-data-dir={os.path.join(folder, 'profile')}", "--force-device-scale-factor=2",
                    f"--screenshot={target}", f"--window-size={width},{height}", f"file://{source}",
                ]
            )  # fmt: skip
    return found
