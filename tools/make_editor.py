"""Bundle the editor of the playground: `python -m tools.make_editor` writes codemirror.js and its licences.

Needs npm. The versions are those of tools/codemirror/package.json, which names every package: the same bytes each time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "codemirror"
TARGET = ROOT / "cnnspec" / "editor" / "playground"

NOTICE = (
    "/* CodeMirror 6, with what it needs, bundled: licences and authors in codemirror.LICENSES.txt beside this file. */"
)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in SOURCES.iterdir():
            shutil.copy(file, folder)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
        out = TARGET / "codemirror.js"
        command = ["node_modules/.bin/esbuild", "entry.js", "--bundle", "--minify", "--format=iife", "--global-name=CM"]
        command += ["--legal-comments=none", "--charset=utf8", f"--banner:js={NOTICE}", f"--outfile={out}"]
        subprocess.run(command, cwd=folder, check=True)
        (TARGET / "codemirror.LICENSES.txt").write_text(licences(folder / "node_modules"), encoding="utf-8")


def licences(modules: Path) -> str:
    """Name, version and licence of every package that is in the bundle."""
    parts = []
    for file in sorted(modules.glob("**/package.json")):
        package = json.loads(file.read_text(encoding="utf-8"))
        texts = [path for path in file.parent.iterdir() if path.name.lower().startswith("licen")]
        if "version" in package and texts and "esbuild" not in str(file.relative_to(modules)):
            text = texts[0].read_text(encoding="utf-8").strip()
            parts.append(f"{package['name']} {package['version']}\n\n{text}\n")
    return ("\n" + "-" * 80 + "\n\n").join(parts)


if __name__ == "__main__":
    main()
