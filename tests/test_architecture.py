"""The rules of the house: who may import whom, and what no file may do."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "cnnspec"
FILES = sorted(PACKAGE.rglob("*.py"))

# From text to result, in the order of docs/architecture.md: a file imports only from rooms up to its own, for types as well.
RANKS = [
    "record _version limits", "files errors resources", "source", "diagnostics", "syntax", "format", "declare", "layers",
    "sizes", "graph", "analysis", "compiler", "recipe", "lint", "repair", "torch_source", "pipeline annotate diff", "nn",
    "backends", "importers", "spec weights", "report", "training", "editor", "cli",
]  # fmt: skip
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names.split()}
TORCH = {
    "nn/__init__.py",
    "nn/following.py",
    "nn/graph.py",
    "nn/layers.py",
    "nn/sequence.py",
    "backends/python_source/written.py",
    "backends/torch_files.py",
    "backends/torch_module.py",
    "cli/evaluate.py",
    "importers/fx_source.py",
    "importers/live.py",
    "weights.py",
}
TORCH_FREE_TRAINING = {"chance", "events", "folder", "progress", "settings", "signals", "spec_files"}
TORCH_FREE_REPORT = {"console", "curves", "confusion", "contact_sheet", "run_folder"}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
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

    visit(tree_of(path))
    return found


def module_of(path: Path) -> str:
    """The dotted name of a file, "cnnspec.syntax.tree"."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_imports_go_one_way():
    for path in FILES:
        own = module_of(path).split(".")[1:2]
        for module in imports(path, for_types=True):
            package, *inner = module.split(".")
            if package == "cnnspec" and inner and own and own != ["__main__"]:
                assert RANK[inner[0]] <= RANK[own[0]], f"{name_of(path)} imports {module}"


def reached_from(names: set[str], needs: dict[str, set[str]]) -> set[str]:
    """Names, what they need, what that needs, and so on."""
    seen: set[str] = set()
    while names:
        seen |= names
        names = set().union(*(needs[name] for name in names)) - seen
    return seen


def test_no_file_imports_itself_over_others():
    """No circle, imports for types included."""
    files = {module_of(path): path for path in FILES}
    needs: dict[str, set[str]] = {}
    for name, path in files.items():
        needs[name] = set()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    needs[name].add(inner if inner in files else node.module)
            elif isinstance(node, ast.Import):
                needs[name] |= {alias.name for alias in node.names}
        needs[name] = needs[name] & set(files) - {name}
    assert {name for name in needs if name in reached_from(needs[name], needs)} == set()


def test_torch_stays_where_it_belongs():
    for path in FILES:
        parts = name_of(path).removesuffix(".py").split("/")
        free = parts[-1] in TORCH_FREE_REPORT if parts[1:2] == ["report"] else parts[-1] in TORCH_FREE_TRAINING
        trains = parts[0] == "training" and not free
        if name_of(path) not in TORCH and not trains and parts[1:2] != ["onnx"]:
            heavy = {module for module in imports(path) if module.split(".")[0] in ("torch", "numpy")}
            assert not heavy, name_of(path)


def test_nothing_from_a_text_is_run():
    for path in FILES:
        # Modules of our own, by names of our own, are all that is imported by name.
        forbidden = {"eval", "exec", "compile", *(["__import__"] if name_of(path) != "resources.py" else [])}
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in forbidden, f"{node.func.id} in {name_of(path)}"
        assert not imports(path) & {"pickle", "marshal", "shelve", "yaml"}, name_of(path)
        assert "cache=True" not in path.read_text(encoding="utf-8"), name_of(path)


def test_files_and_functions_stay_small():
    for path in FILES:
        if path.name == "_tables.py":
            continue
        assert path.read_text(encoding="utf-8").count("\n") <= 450, name_of(path)
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} in {name_of(path)}"


def test_every_file_says_what_it_is():
    for path in FILES:
        assert not tree_of(path).body or ast.get_docstring(tree_of(path)), name_of(path)


def test_the_repository_names_no_machine():
    root = PACKAGE.parent
    wrong = re.compile(
        r"/(work|root|home|tmp)/[a-z]|localhost|https?://[a-z.]*(pypi|debian|npmjs)[a-z.]*", re.IGNORECASE
    )
    for path in [*FILES, *root.glob("*.md"), *root.glob("*.toml"), *root.joinpath("specs").rglob("*.cnn")]:
        assert not wrong.search(path.read_text(encoding="utf-8")), path
