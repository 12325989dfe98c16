"""Commands on a class of PyTorch source: the same figures as for its spec, exact or refused, and never with torch."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import chdir
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from tests.import_sources import HEAD, RESNET
from tests.test_torch_free import loaded_by

UNET = (
    HEAD
    + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 16, 3, padding=1)
        self.head = nn.Conv2d(24, 2, 1)

    def forward(self, x):
        x = self.down(x)
        y = F.interpolate(self.middle(F.max_pool2d(x, 2)), scale_factor=2)
        return self.head(torch.cat([x, y], 1))
"""
)
ROLLED = HEAD + "class Net(nn.Module):\n    def forward(self, x):\n        return torch.roll(x, {}, 2)\n"
INPUT = ["--input", "3x16x16"]


def run(folder: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with chdir(folder):
        code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(HEAD + RESNET)
    (tmp_path / "other.py").write_text(
        HEAD + RESNET.replace("self._make_layer(32, 2, 2)", "self._make_layer(32, 3, 2)")
    )
    (tmp_path / "unet.py").write_text(UNET)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "rest", "wanted"),
    [
        ("summary", [], "Conv2d(4, 3, padding=1)"),
        ("memory", [], "a training step of 1 sample"),
        ("draw", [], "Net  3×16×16 → 5"),
        ("sizes", [], "net.py: Net  3 x H x W -> 5"),
        ("digest", [], "  Net"),
        ("export", ["--to", "py"], "class BasicBlock(nn.Module):"),
        ("export", ["--to", "json"], '"Net"'),
        ("import", [], "block BasicBlock(planes, stride = 1)"),
        ("diff", ["other.py:Net"], "old checkpoints do not load: 12 tensors missing in them"),
    ],
)
def test_commands_take_a_class(
    command: str, rest: list[str], wanted: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    code, out, err = run(folder, command, "net.py:Net", *rest, *INPUT, capsys=capsys)
    assert (code, err) == (0, "")
    assert wanted in out


@pytest.mark.parametrize("command", ["summary", "memory", "draw", "sizes", "digest", "import", "export", "diff"])
def test_no_command_imports_torch(command: str, folder: Path):
    path = str(folder / "net.py")
    rest = {"export": ["--to", "py"], "diff": [str(folder / "other.py")]}.get(command, [])
    assert loaded_by([command, path, *rest, *INPUT], {"torch", "numpy", "lark"}) == set()


def test_a_report_imports_no_torch(folder: Path):
    out = str(folder / "net.html")
    assert loaded_by(["report", str(folder / "net.py"), *INPUT, "-o", out], {"torch", "numpy", "lark"}) == set()


def test_a_class_and_its_spec_differ_in_keys_alone(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(folder, "import", "net.py:Net", *INPUT, "-o", "net.cnn", capsys=capsys)[0] == 0
    code, out, _ = run(folder, "diff", "net.py:Net", "net.cnn", *INPUT, "--output-format", "json", capsys=capsys)
    (found,) = json.loads(out)["models"]
    assert code == 0
    assert found["weights"]["verdict"] == "load with renamed keys"
    assert found["weights"]["renamed"]["layer1.0.conv1.weight"] == "2.0.body.conv1.weight"


def test_layout_and_names_of_classes_change_no_digest(folder: Path, capsys: pytest.CaptureFixture[str]):
    renamed = RESNET.replace("BasicBlock", "Unit").replace("Two convolutions", "Some layers")
    (folder / "renamed.py").write_text(HEAD + "# A comment.\n\n" + renamed)
    digests = {run(folder, "digest", name, *INPUT, capsys=capsys)[1] for name in ("net.py", "renamed.py")}
    assert len(digests) == 1
    assert run(folder, "digest", "other.py", *INPUT, capsys=capsys)[1] not in digests


@pytest.mark.parametrize("command", ["digest", "export", "sizes", "diff"])
def test_what_a_graph_does_not_tell_is_refused(command: str, folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "one.py").write_text(ROLLED.format(1))
    (folder / "two.py").write_text(ROLLED.format(2))
    rest = {"export": ["--to", "py"], "diff": ["two.py"]}.get(command, [])
    code, out, err = run(folder, command, "one.py", *rest, *INPUT, capsys=capsys)
    assert (code, out) == (1, "")
    assert "error[E820]: a spec can't say this: there is no layer for `roll`" in err
    assert "one.py:8:" in err


def test_a_module_that_never_runs_is_told(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = UNET.replace("        self.head", "        self.spare = nn.Linear(2, 2)\n        self.head")
    (folder / "unet.py").write_text(text)
    code, _, err = run(folder, "digest", "unet.py", *INPUT, capsys=capsys)
    assert code == 0
    assert err == "cnnspec: `Net`: `spare` is made and never run, and left out here\n"


def test_sizes_of_a_class(folder: Path, capsys: pytest.CaptureFixture[str]):
    _, out, _ = run(folder, "sizes", "unet.py", *INPUT, "--near", "17x33", capsys=capsys)
    assert out == (
        "unet.py: Net  3 x H x W -> 2 x H x W\n"
        "  any H >= 2 with H % 2 == 0\n"
        "  any W >= 2 with W % 2 == 0\n"
        "  nearest to 17x33: 18x34\n"
    )


def test_sizes_that_the_source_asks_for_are_not_those_of_its_spec(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "unet.py").write_text(UNET.replace("scale_factor=2", "size=x.shape[2:]"))
    code, out, err = run(folder, "sizes", "unet.py", *INPUT, capsys=capsys)
    assert (code, out) == (1, "")
    assert "Net asks for the size of its input as it runs" in err


def test_a_revision_of_a_class(folder: Path, capsys: pytest.CaptureFixture[str]):
    commit = ["git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "m"]
    for command in (["git", "init", "-q"], ["git", "add", "."], commit):
        subprocess.run(command, cwd=folder, check=True, env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull})
    (folder / "net.py").write_text((folder / "other.py").read_text())
    code, out, err = run(
        folder, "diff", "net.py:Net", "--against", "HEAD", *INPUT, "--fail-on", "weights", capsys=capsys
    )
    assert (code, err) == (1, "")
    assert "layer4.2" in out
