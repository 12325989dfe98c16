"""The command `export`, and what it writes of texts that mean harm; nothing here needs torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cnnspec
from cnnspec.backends.python_source import source_of
from cnnspec.backends.python_source.parts import all_parts
from cnnspec.cli.main import main
from tests.test_torch_free import loaded_by

ROOT = Path(__file__).parent.parent
LENET = str(ROOT / "specs" / "lenet.cnn")
TINY = "# A tiny one.\nmodel Tiny { input [4]; Linear(3) as first; ReLU }\n"


def source(text: str) -> str:
    return source_of(cnnspec.loads(text).graph)


# --- the command ---


def test_a_file_is_written_and_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "net.py"
    assert main(["export", LENET, "-o", str(path)]) == 0
    assert "LeNet as Python" in capsys.readouterr().out
    assert path.read_text() == source_of(cnnspec.load(LENET).graph)
    assert main(["export", LENET, "-o", str(path), "-D", "num_classes=3"]) == 0
    assert "num_classes: int = 3" in path.read_text()


def test_a_file_of_others_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "net.py"
    path.write_text("print('mine')\n")
    assert main(["export", LENET, "-o", str(path)]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert path.read_text() == "print('mine')\n"
    assert main(["export", LENET, "-o", str(path), "--force"]) == 0
    assert "class LeNet" in path.read_text()


def test_nothing_is_written_of_a_wrong_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    spec = tmp_path / "wrong.cnn"
    spec.write_text("model M { input [4]; Linear(5 -> 3) }")
    assert main(["export", str(spec), "-o", str(tmp_path / "net.py")]) == 1
    assert "E203" in capsys.readouterr().err
    assert not (tmp_path / "net.py").exists()


def test_what_to_write_has_to_be_said(capsys: pytest.CaptureFixture[str]):
    assert main(["export", LENET]) == 2
    assert main(["export", LENET, "-o", "net.xyz"]) == 2
    assert main(["export", LENET, "--to", "pyy"]) == 2
    assert "there is py" in capsys.readouterr().err


def test_one_of_several_models_has_to_be_chosen(capsys: pytest.CaptureFixture[str]):
    path = str(ROOT / "specs" / "vgg.cnn")
    assert main(["export", path, "--to", "py"]) == 1
    assert "choose one of" in capsys.readouterr().err


def test_the_standard_output_takes_it(capfdbinary: pytest.CaptureFixture[bytes]):
    assert main(["export", LENET, "--to", "py"]) == 0
    assert capfdbinary.readouterr().out.decode() == source_of(cnnspec.load(LENET).graph)


def test_torch_is_not_imported():
    assert loaded_by(["export", "specs/lenet.cnn", "--to", "py"], {"torch", "numpy"}) == set()


# --- how it reads ---


def test_blocks_are_classes_with_the_numbers_that_differ():
    text = source_of(cnnspec.load(ROOT / "specs" / "resnet.cnn", "ResNet50").graph)
    assert "class Bottleneck(nn.Sequential):" in text
    assert "self.layer1 = Stage(" in text
    assert "for _ in range(" in text
    assert "x = self.fc(x)  # [1000]" in text


def test_comments_are_docstrings():
    tree = ast.parse(source(TINY))
    (cls,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert ast.get_docstring(cls) == "A tiny one."


# --- texts that mean harm ---

CALLS = {"super", "range", "len", "tuple"}
NODES = (
    ast.Module, ast.Expr, ast.Constant, ast.ImportFrom, ast.Import, ast.alias, ast.ClassDef, ast.FunctionDef, ast.arguments,
    ast.arg, ast.Attribute, ast.Name, ast.Load, ast.Store, ast.Call, ast.keyword, ast.Assign, ast.AnnAssign, ast.Return,
    ast.BinOp, ast.Add, ast.Mult, ast.FloorDiv, ast.UnaryOp, ast.USub, ast.Tuple, ast.List, ast.Subscript, ast.Starred,
    ast.ListComp, ast.comprehension, ast.IfExp, ast.BitOr, ast.Slice, ast.Compare, ast.NotEq, ast.BoolOp, ast.Or,
)  # fmt: skip


def assert_harmless(text: str) -> None:
    """Nothing but classes of modules: no statement that does something, no name that is not known."""
    tree = ast.parse(text)
    first, *statements = tree.body
    assert isinstance(first, ast.Expr)
    assert isinstance(first.value, ast.Constant)
    classes = {node.name for node in statements if isinstance(node, ast.ClassDef)}
    for statement in statements:
        assert isinstance(statement, (ast.ClassDef, ast.Import, ast.ImportFrom)), ast.unparse(statement)
        if isinstance(statement, ast.ImportFrom):
            assert statement.module in ("torch", "torch.nn", "collections", "collections.abc", "typing")
    parts = all_parts()
    own = [node for node in statements if not (isinstance(node, ast.ClassDef) and node.name in parts)]
    for part in statements:
        # The classes that come along are ours, to the letter.
        assert part in own or ast.get_source_segment(text, part) == parts[part.name].text  # type: ignore[attr-defined]
    for node in [node for statement in own for node in ast.walk(statement)]:
        assert isinstance(node, NODES), ast.dump(node)
        if isinstance(node, ast.Attribute):
            assert node.attr == "__init__" or not node.attr.startswith("_")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id in CALLS | classes | {"OrderedDict"}, node.func.id


HOSTILE = [
    '# """\n# import os; os.system("true")\nmodel M { input [4]; Linear(2) }',
    "# ends with a backslash \\\nmodel M { input [4]; Linear(2) }",
    '# ends with a quote "\nmodel M { input [4]; Linear(2) }',
    "# \\N{BULLET} \\x41 {braces} %s \x1b[31m \u202e\nmodel M { input [4]; Linear(2) }",
    "model nn { input [4]; Linear(2) as torch; ReLU }",
    "block Tensor(n) { Linear(n); ReLU }\nmodel torch { input [4]; Tensor(3); Tensor(4) as super_ }",
    "block print(exec = 2) { Linear(exec) }\nmodel eval { input [4]; print(3); print(4) as import_x }",
    "block Residual { Linear(4) as body }\nmodel M { input [4] as x; residual { Residual }; residual { add(x) } }",
    "block OrderedDict(nn, self) { Linear(nn); Linear(self) }\nmodel M { input [4]; OrderedDict(3, 2); OrderedDict(5, 4) }",
    "model M { input [4] as len; Linear(4) as range; add(len) as tuple_; concat(range, len) }",
    'model M { input [4, 6, 6]; Conv2d(2, 3, padding="same", padding_mode="reflect") }',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_written_does_nothing(text: str):
    try:
        spec = cnnspec.loads(text)
    except cnnspec.SpecError as error:
        pytest.skip(str(error))
    assert_harmless(source_of(spec.graph))


def test_the_test_can_fail():
    with pytest.raises(AssertionError):
        assert_harmless('"""x"""\nimport os\nprint(1)\n')


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every spec, and the hostile ones, as Python."""
    folder = tmp_path_factory.mktemp("written")
    names = {
        "lenet": "LeNet",
        "resnet": "ResNet18",
        "vit": "ViTB16",
        "crnn": "CRNN",
        "unet": "UNet",
        "siamese": "Siamese",
    }
    for name, model in names.items():
        graph = cnnspec.load(ROOT / "specs" / f"{name}.cnn", model).graph
        (folder / f"{name}.py").write_text(source_of(graph))
    return folder


def test_ruff_has_nothing_to_say(written: Path):
    for command in (["check"], ["format", "--check"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", written],
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
