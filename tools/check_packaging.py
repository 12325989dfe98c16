"""Build the wheel and the source archive, install the wheel in a virtual environment of its own, and check a network there.

    python tools/check_packaging.py

Run from a checkout; works in a temporary folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Exit with an error where a step fails."""
    with tempfile.TemporaryDirectory() as folder:
        dist, environment = Path(folder) / "dist", Path(folder) / "venv"
        # From the source archive to the wheel, as an installer without a wheel would go.
        subprocess.run([sys.executable, "-m", "build", "--outdir", dist, ROOT], check=True, stdout=subprocess.DEVNULL)
        (wheel,) = dist.glob("*.whl")
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
        code = (
            "from cnnspec.resources import resource\n"
            "from cnnspec.cli.main import main\n"
            "import importlib.util, sys\n"
            "assert importlib.util.find_spec('torch') is None\n"
            "assert resource('grammars', 'cnn.lark').is_file()\n"
            "from cnnspec.editor.playground import serve\n"
            "for name in (*serve.FILES, 'codemirror.LICENSES.txt'):\n"
            "    assert resource('editor', 'playground', name).is_file(), name\n"
            "sys.exit(main(['check', '-q', str(resource('specs'))]))\n"
        )
        subprocess.run([python, "-I", "-c", code], check=True, cwd=folder)
        subprocess.run([environment / "bin" / "cnnspec", "--version"], check=True, cwd=folder)


if __name__ == "__main__":
    main()
