"""Build the documentation as a site: `python -m tools.make_docs [FOLDER]`, by default `build/docs`.

The pages of docs/ are taken as they are; those of the layers, the networks, the settings, the commands, the schemas and the
Python interface are made of what they describe. Warnings are errors: a link or an anchor that leads nowhere ends the build.
The site needs no network, its search neither.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools import reference_pages

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def stage(folder: Path) -> None:
    """Put the sources of the site together in an empty folder."""
    ignored = shutil.ignore_patterns("__pycache__", "*.json")
    shutil.copytree(DOCS, folder, ignore=ignored)
    for name in ("examples", "grammars"):
        shutil.copytree(ROOT / name, folder / "files" / name, ignore=ignored)
    for name, text in reference_pages.all_pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("editors/*/README.md")]:
        if page != ROOT / "README.md":
            target = folder / place_of(page)
            target.parent.mkdir(exist_ok=True)
            target.write_text(with_links(page.read_text(encoding="utf-8"), page), encoding="utf-8")


def place_of(path: Path) -> str:
    """Where something of the repository is in the sources of the site."""
    inside = path.relative_to(ROOT)
    match inside.parts:
        case ("docs", *rest):
            found = "/".join(rest)
            return f"{found}/README.md" if found == "decisions" else found
        case ("README.md",):
            return "index.md"
        case ("specs", name) if name.endswith(".cnn"):
            return f"reference/networks/{name.removesuffix('.cnn')}.md"
        case ("specs", *_):
            return "reference/networks/index.md"
        case ("editors", name, "README.md"):
            return f"project/{name}.md"
        case (name,) if name.endswith(".md"):
            return f"project/{name}"
    return f"files/{inside.as_posix()}"


def with_links(text: str, page: Path) -> str:
    """The text of a page with links as the site needs them."""
    start = Path(place_of(page)).parent

    def led(found: re.Match[str]) -> str:
        target = found[2]
        if target.startswith(("http:", "https:", "mailto:")):
            return found[0]
        place = place_of((page.parent / target).resolve())
        return f"{found[1]}{os.path.relpath(place, start).replace(os.sep, '/')}{found[3]}"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if index % 2 else LINK.sub(led, part) for index, part in enumerate(parts))


def build(sources: Path, target: Path) -> int:
    """Run Sphinx; its exit code."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", f"{sources}-trees"]
    return subprocess.run([*command, str(sources), str(target)], cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the documentation as a site.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "docs")
    target = parser.parse_args().folder.resolve()
    sources = target.parent / f"{target.name}-sources"
    for path in (sources, target, Path(f"{sources}-trees")):
        shutil.rmtree(path, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    stage(sources)
    code = build(sources, target)
    if code == 0:
        print(f"open {target / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
