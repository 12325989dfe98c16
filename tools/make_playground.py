"""Write the playground as a site of files alone, with the checker in the browser: `python -m tools.make_playground [FOLDER]`.

FOLDER is build/playground where it is left out. Any server of files will do for it; nothing is asked for but its own files.
Needs npm, for Pyodide (MPL-2.0), which is in the site alone: never in the package.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from cnnspec.editor.playground.serve import POLICY, filled

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "playground"
PAGE = ROOT / "cnnspec" / "editor" / "playground"
FILES = ("playground.js", "playground.css", "codemirror.js", "codemirror.LICENSES.txt")
PYODIDE = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
    "package.json",
)
ELSEWHERE = ("cli", "data", "importers", "torch_source", "training", "__pycache__")
"""Parts of the package that the page asks nothing of."""


def main(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "pyodide").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        shutil.copy(SOURCES / "package.json", name)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=name, check=True)
        for file in PYODIDE:
            shutil.copy(Path(name, "node_modules", "pyodide", file), folder / "pyodide")
    write_page(folder)
    print(f"written to {folder}; see it with `python -m http.server -d {folder}`")


def write_page(folder: Path) -> None:
    """What is ours: the page, the worker, and the checker as an archive."""
    for file in FILES:
        shutil.copy(PAGE / file, folder)
    shutil.copy(SOURCES / "worker.js", folder)
    policy = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'").partition("; frame-ancestors")[
        0
    ]
    page = filled({"worker": "worker.js", "text": ""})
    head = (
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}; worker-src \'self\'">'
    )
    (folder / "index.html").write_text(page.replace('<meta charset="utf-8">', head), encoding="utf-8")
    with zipfile.ZipFile(folder / "cnnspec.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in parts():
            archive.write(file, file.relative_to(ROOT))


def parts() -> list[Path]:
    """The files of the checker, and the specs that come along."""
    package = ROOT / "cnnspec"
    found = [path for path in package.rglob("*") if (path.is_file() and path.parent != PAGE) or path.suffix == ".py"]
    return sorted(
        [path for path in found if not set(path.relative_to(package).parts) & set(ELSEWHERE)]
        + list((ROOT / "specs").rglob("*.cnn"))
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build" / "playground")
