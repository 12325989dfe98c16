"""The rules of the house: who may import whom, and what no file may do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cnnspec"
FILES = sorted(PACKAGE.rglob("*.py"))

# From text to result: a file imports only from ranks up to its own. What a recipe says is torch-free and stands above the
# pipeline; what carries it out is torch's and stands below.
RANKS = [
    "_record _version", "limits resources", "diagnostics", "fields", "syntax", "layers", "compiler", "recipe",
    "analysis nn pipeline", "backends", "spec", "train",
    "cli cli_check cli_explain cli_fmt cli_fix cli_train completion config pygments_lexer watch",
]  # fmt: skip
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names.split()}
TORCH = {"nn.py", "backends/torch_module.py", "cli_train.py"}
TORCH_FREE_TRAIN = {
    "recipe",
    "catalogue",
    "augmentations",
    "choices",
    "component",
    "losses",
    "optimizers",
    "events",
    "errors",
    "files",
    "__init__",
}
# `syntax.source` and `diagnostics` are one rank: a finding has a place, and reading a file may have findings.
SAME_RANK = {("syntax", "diagnostics"), ("diagnostics", "syntax"), ("fields", "syntax")}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def rank_of(parts: list[str]) -> int:
    """The rank of a module, as the parts of its name behind `cnnspec`."""
    free = parts[0] == "train" and len(parts) > 1 and parts[1] in TORCH_FREE_TRAIN
    return RANK["recipe" if free else parts[0]]


def imports(path: Path, *, for_types: bool = False) -> set[str]:
    """Modules that a file imports, without those that only a type checker sees."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not for_types:
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path):
    parts = name_of(path).removesuffix(".py").split("/")
    own = parts[0]
    if own in ("__init__", "__main__") or parts == ["train", "__init__"]:
        return
    for module in imports(path):
        package, *inner = module.split(".")
        if package == "cnnspec" and inner and inner[0] != "_version" and (own, inner[0]) not in SAME_RANK:
            assert rank_of(inner) <= rank_of(parts), f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_torch_stays_where_it_belongs(path: Path):
    trains = path.parent.name == "train" and path.stem not in TORCH_FREE_TRAIN
    if name_of(path) not in TORCH and not trains:
        assert not {module for module in imports(path) if module.split(".")[0] in ("torch", "numpy")}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_from_a_text_is_run(path: Path):
    forbidden = {"eval", "exec", "compile", "__import__"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in forbidden, f"{node.func.id} in {name_of(path)}"
    assert not {module for module in imports(path) if module in ("pickle", "marshal", "shelve", "yaml")}
    assert "cache=True" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "_tables.py"], ids=name_of)
def test_files_and_functions_stay_small(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 430
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} in {name_of(path)}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_says_what_it_is(path: Path):
    if path.read_text(encoding="utf-8").strip():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_the_repository_names_no_machine():
    root = PACKAGE.parent
    wrong = re.compile(
        r"/(work|root|home|tmp)/[a-z]|localhost|https?://[a-z.]*(pypi|debian|npmjs)[a-z.]*", re.IGNORECASE
    )
    for path in [*FILES, *root.glob("*.md"), *root.glob("*.toml"), *root.joinpath("specs").rglob("*.cnn")]:
        assert not wrong.search(path.read_text(encoding="utf-8")), path
